"""Job files whose target is a table of a catalog: read, written and committed."""

import datetime
import os
import pathlib
import subprocess
import sys

import pytest

import dativo_native as dn
from dativo_native import DativoError, iceberg

TOOL = pathlib.Path(iceberg.__file__).parent / "bin" / "dativo-native"
ASSET = "name: Our-People\ndomain: hr\nschema: [{name: id, type: integer, required: true}, {name: name, type: string}]\n"


@pytest.fixture
def job(tmp_path, monkeypatch, lake):
    """Files of a job, as keys of its target, in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAKE_URI", lake.properties["uri"])
    for name in ("S3_BUCKET", "MINIO_BUCKET"):
        monkeypatch.delenv(name, raising=False)

    def write(target=None, asset=ASSET, csv="id,name\n1,Ada\n2,\n", more="", connector="iceberg", source=""):
        target = target or f'catalog: {{name: lake, type: sql, uri: "${{LAKE_URI}}", warehouse: "{lake.properties["warehouse"]}"}}'
        (tmp_path / "asset.yaml").write_text(asset)
        (tmp_path / "in.csv").write_text(csv)
        (tmp_path / "job.yaml").write_text(f"tenant_id: t\nsource_connector: csv\ntarget_connector: {connector}\nasset_path: asset.yaml\n"
                                           f"source:\n  files: [{{path: in.csv}}]\n{source}target:\n  {target}\n{more}")
        return "job.yaml"

    return write


def rows(lake, name="hr.our_people"):
    return sorted((tuple(row.values()) for row in lake.arrow(name).to_pylist()), key=str)


@pytest.mark.parametrize("connector", ["iceberg", "local"])
def test_a_job(lake, job, connector):
    outcome = dn.run(job(connector=connector))
    assert (outcome.rows_in, outcome.rows_out) == (2, 2)
    assert outcome.output_path.startswith(str(lake.folder / "warehouse" / "hr" / "our_people" / "data"))
    dn.run("job.yaml")
    assert rows(lake) == sorted(2 * [(1, "Ada"), (2, None)], key=str)
    assert lake.duck("select id, name from t order by id", "hr.our_people") == [(1, "Ada")] * 2 + [(2, None)] * 2
    assert lake.table("hr.our_people").schema().find_field("id").required
    assert not list(lake.folder.rglob("*_000000.parquet"))


def rows_of_day(lake):
    return lake.duck("select id, ingest_date from t order by id", "hr.our_people")


def test_a_run_is_there_once(lake, job):
    first = iceberg.run(job(), id="2024-01-31")
    again = iceberg.run("job.yaml", id="2024-01-31")
    assert (first.rows, first.unchanged, again.unchanged, again.snapshot_id) == (2, False, True, first.snapshot_id)
    assert len(rows(lake)) == 2 and again.outcome.unchanged


def test_the_day_is_a_partition(lake, job):
    catalog = f'catalog: {{name: lake, type: sql, uri: "${{LAKE_URI}}", warehouse: "{lake.properties["warehouse"]}"}}'
    dn.run(job(catalog + "\n  partitioning: [ingest_date]"))
    today = datetime.date.today()
    assert [row[1] for row in rows_of_day(lake)] == [today, today] and [row[2] for row in rows(lake)] == [today, today]
    assert str(lake.table("hr.our_people").spec().fields[0].transform) == "identity"


def test_columns_grow(lake, job):
    dn.run(job())
    asset = ASSET.replace("]\n", ", {name: paid, type: decimal, precision: 9, scale: 2}]\n")
    assert iceberg.run(job(asset=asset, csv="id,name,paid\n3,Bo,1.50\n")).columns_added == ("paid",)
    asset = ASSET.replace("integer", "string")
    before = lake.state("hr.our_people")
    with pytest.raises(DativoError, match='"id" is long in the table and string in the files') as caught:
        dn.run(job(asset=asset))
    assert caught.value.column == "id" and lake.state("hr.our_people") == before
    assert len(list((lake.folder / "warehouse").rglob("*.parquet"))) == 2


def test_warn_keeps_what_the_file_has(lake, job):
    outcome = dn.run(job(csv="id,name,more\n1,x,5\n,y,6\n", more="schema_validation_mode: warn\n"))
    assert outcome.deviations == 1
    assert rows(lake) == [(1, "x", 5), (None, "y", 6)]


def test_a_failed_run_leaves_nothing(lake, job):
    with pytest.raises(DativoError, match="line 3"):
        dn.run(job(csv="id,name\n1,x\nx,y\n"))
    assert not lake.catalog.table_exists("hr.our_people") and not list((lake.folder / "warehouse").rglob("*.parquet"))
    with pytest.raises(DativoError, match="no rows|no row"):
        dn.run(job(csv="id,name\n"))
    assert iceberg.run("job.yaml", allow_empty=True).rows == 0
    assert lake.arrow("hr.our_people").num_rows == 0 and not list((lake.folder / "warehouse").rglob("*.parquet"))


def test_words_of_the_host(lake, job, tmp_path, monkeypatch):
    """A recipe, a section of the connection, S3 beside it; what pyiceberg is given."""
    (tmp_path / "lake.yaml").write_text("name: iceberg\ntype: iceberg\nroles: [target]\ncatalog: nessie\nconnection_template: {s3: {endpoint: "
                                        '"http://s3:9000", access_key_id: k, secret_access_key: "${SECRET}"}}\n')
    monkeypatch.setenv("SECRET", "geheim")
    seen = {}

    def load(name, **properties):
        seen.update(properties, name=name)
        return lake.catalog

    monkeypatch.setattr(iceberg, "load_catalog", load)
    recipe = "target_connector_path: lake.yaml\n"
    target = 'connection: {nessie: {uri: "http://n:19120/api/v1"}}\n  warehouse: s3://lake/\n  branch: dev'
    dn.run(job(target, more=recipe))
    assert seen == {"name": "nessie", "type": "rest", "uri": "http://n:19120/iceberg/dev", "warehouse": "s3://lake/", "s3.endpoint":
                    "http://s3:9000", "s3.access-key-id": "k", "s3.secret-access-key": "geheim"}  # fmt: skip
    assert len(rows(lake)) == 2
    seen.clear()
    dn.run(job("connection: {rest: {uri: 'http://r', token: 5, x.y: true}}", connector="iceberg"))
    assert {k: v for k, v in seen.items() if not k.startswith("s3.")} == {"name": "rest", "type": "rest", "uri": "http://r", "token": "5", "x.y": "true"}
    dn.run(job("catalog: {type: sql, namespace: a, table: T}"))
    assert lake.arrow("a.T").num_rows == 2


@pytest.mark.parametrize("target, more, says", [
    ("catalog: lake\n  branch: acme", {}, 'branch is "acme"'),
    ("connection: {glue: {}, hive: {uri: x}, rest: {uri: y}}", {}, "several catalogs: hive, rest"),
    ("catalog: lake\n  file_format: csv", {}, "tables of Iceberg catalogs are of Parquet files"),
    ("catalog: lake", {"source": "  incremental: {strategy: file_modified_time, state_path: s.json}\n"}, "the state would be ahead"),
    ("catalog: {a: {b: c}}", {}, "the property a of the catalog"),
    ("catalog: lake\n  partitioning: [name]", {}, "name"),
    ('catalog: {uri: "${NOT_SET_AT_ALL}"}', {}, "NOT_SET_AT_ALL is not set"),
])
def test_what_is_refused(job, target, more, says):
    with pytest.raises(DativoError, match=says):
        dn.run(job(target, **more))


def test_commands(lake, job, monkeypatch):
    for command in ("run", "check", "plan"):
        done = subprocess.run([TOOL, command, job(), *(["-o", "p.json"] if command == "plan" else [])], capture_output=True, text=True)
        assert done.returncode == 2 and "job.yaml:8:12: catalog is not supported" in done.stderr and "dativo-iceberg run" in done.stderr
    package = str(pathlib.Path(iceberg.__file__).parents[1])
    command = [sys.executable, "-m", "dativo_native._iceberg_command"]

    def call(*arguments):
        return subprocess.run([*command, *arguments], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": package})

    done = call("run", "job.yaml", "--id", "x")
    assert done.returncode == 0 and "2 rows in 1 files" in done.stderr and done.stdout == "", done.stderr
    assert "nothing is done" in call("run", "job.yaml", "--id", "x").stderr
    job(csv="id,name\nx,y\n")
    done = call("run", "job.yaml")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1) and "in.csv" in done.stderr and "line 2" in done.stderr
    job(csv="id,name,b\n,y,3\n", more="schema_validation_mode: warn\n")
    monkeypatch.setenv("PYICEBERG_CATALOG__LAKE__URI", lake.properties["uri"])
    monkeypatch.setenv("PYICEBERG_CATALOG__LAKE__TYPE", "sql")
    monkeypatch.setenv("PYICEBERG_CATALOG__LAKE__WAREHOUSE", lake.properties["warehouse"])
    dn.convert("in.csv", "f.parquet")
    done = call("commit", "f.parquet", "--table", "db.t", "--catalog", "lake", "-q")
    assert (done.returncode, done.stderr) == (0, "")
    assert lake.arrow().num_rows == 1
