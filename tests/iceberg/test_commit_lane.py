"""Results become tables: twice appended, read by pyiceberg and by DuckDB; the same one once; failures that leave the table as it was."""

import datetime
import gzip
import json
import re
import sqlite3
import subprocess
import threading

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError

import dativo_native as dn
from conftest import SOURCE
from dativo_native import DativoError, iceberg

ORDERS = SOURCE / "examples" / "data" / "orders.csv"


def written(tmp_path, table, name="a.parquet", **options):
    path = tmp_path / name
    dn.write_parquet(table, path, **options)
    return path


def test_twice_is_both_files(lake, tmp_path):
    """With the table's numbers in one file and names alone in the other."""
    first = iceberg.append(dn.read_csv(ORDERS), "db.t", catalog=lake.properties)
    outcome = dn.convert(ORDERS, tmp_path / "o.parquet", writer={"row_group_size": 700})
    second = iceberg.commit(outcome, "db.t", catalog=lake.catalog)
    assert (first.created, second.created, first.rows, second.rows) == (True, False, 3000, 3000)
    expected = pa.table(dn.read_csv(ORDERS))
    assert sorted(map(str, lake.arrow().to_pylist())) == sorted(2 * list(map(str, expected.to_pylist())))
    from_duck = lake.duck("select order_id, customer, order_date, shipped_at, total, gift, note from t")
    columns = ["order_id", "customer", "order_date", "shipped_at", "total", "gift", "note"]
    assert sorted(map(str, from_duck)) == sorted(2 * [str(tuple(row.values())) for row in expected.select(columns).to_pylist()])
    pruned = sum(1 for value in expected["total"].to_pylist() if value > 9900)
    assert lake.arrow(row_filter="total > 9900").num_rows == 2 * pruned == lake.duck("select count(*) from t where total > 9900")[0][0]
    assert list(lake.table().scan(row_filter="order_id > 200000").plan_files()) == []  # by the bounds of both
    for file in lake.table().inspect.files().to_pylist():
        assert file["record_count"] == 3000 and file["readable_metrics"]["shipped_at"]["null_value_count"] == 613
        assert file["readable_metrics"]["total"]["nan_value_count"] == 0
        assert len(file["split_offsets"]) == pq.ParquetFile(file["file_path"].removeprefix("file://")).num_row_groups


def test_the_same_is_there_once(lake, tmp_path):
    path = written(tmp_path, pa.table({"a": [1, 2]}))
    done = iceberg.commit(path, "db.t", catalog=lake.properties)
    before = lake.state()
    again = iceberg.commit(path, "db.t", catalog=lake.properties)
    assert again.unchanged and again.snapshot_id == done.snapshot_id and lake.state() == before
    with pytest.raises(DativoError, match="is in the table already") as caught:
        iceberg.commit([path], "db.t", catalog=lake.properties, id="another")
    assert caught.value.code == "exists" and lake.state() == before
    assert iceberg.append(pa.table({"a": [3]}), "db.t", catalog=lake.properties, id="run 1").rows == 1
    assert iceberg.append(pa.table({"a": [3]}), "db.t", catalog=lake.properties, id="run 1").unchanged
    assert sorted(lake.arrow()["a"].to_pylist()) == [1, 2, 3]
    snapshots = lake.table().snapshots()
    lake.table().manage_snapshots().rollback_to_snapshot(done.snapshot_id).commit()
    assert iceberg.append(pa.table({"a": [3]}), "db.t", catalog=lake.properties, id="run 1").rows == 1  # taken back, so it was not there
    assert len(lake.table().snapshots()) == len(snapshots) + 1 and sorted(lake.arrow()["a"].to_pylist()) == [1, 2, 3]


def plan(tmp_path, commands=("plan", "task", "commit")):
    if "plan" in commands:
        (tmp_path / "in.csv").write_text("id,name\n" + "".join(f'{i},"n,\n{i}"\n' for i in range(20000)))
    (tmp_path / "asset.yaml").write_text("name: people\nschema: [{name: id, type: integer, required: true}, {name: name, type: string}]\n")
    (tmp_path / "job.yaml").write_text(f"""tenant_id: t
source_connector: csv
target_connector: local
asset_path: {tmp_path}/asset.yaml
source: {{files: [{{path: {tmp_path}/in.csv}}]}}
target: {{connection: {{path: {tmp_path}/out}}}}
""")
    tool = [f"{iceberg.__file__.rpartition('/')[0]}/bin/dativo-native"]
    for command in commands:
        if command == "task":
            for index in range(len(json.loads((tmp_path / "plan.json").read_text())["pieces"])):
                subprocess.run([*tool, "task", "-q", "plan.json", "--index", str(index)], check=True, cwd=tmp_path)
        elif command == "plan":
            subprocess.run([*tool, "plan", "-q", "job.yaml", "-o", "plan.json", "--split-size", "64KiB"], check=True, cwd=tmp_path)
        else:
            subprocess.run([*tool, command, "-q", "plan.json"], check=True, cwd=tmp_path)
    return tmp_path / "plan.json", tmp_path / "out/default/default/people"


def test_a_plan(lake, tmp_path):
    path, folder = plan(tmp_path, ("plan", "task"))
    with pytest.raises(DativoError, match="not complete"):
        iceberg.commit(path, "db.t", catalog=lake.properties)
    plan(tmp_path, ("commit",))
    done = iceberg.commit(path, "db.t", catalog=lake.properties)
    assert done.rows == 20000 and len(done.files) > 2 and done.id in (folder / "_SUCCESS").read_text()
    assert iceberg.commit(folder, "db.t", catalog=lake.properties).unchanged
    assert len(lake.table().snapshots()) == 1 and lake.table().schema().find_field("id").required
    assert sorted(lake.arrow()["id"].to_pylist()) == list(range(20000))
    assert lake.duck("select count(*), sum(id), min(name) from t") == [(20000, sum(range(20000)), "n,\n0")]


def test_a_plan_in_a_bucket(lake, tmp_path):
    (tmp_path / "plan.json").write_text('{"id": "x", "folder": "/", "directory": "s3://b/t"}')
    with pytest.raises(DativoError, match="in a bucket"):
        iceberg.commit(tmp_path / "plan.json", "db.t", catalog=lake.properties)


def test_a_plan_whose_file_was_changed(lake, tmp_path):
    path, folder = plan(tmp_path)
    part = sorted(folder.glob("part-*.parquet"))[1]
    dn.write_parquet(pa.table({"id": [1], "name": ["x"]}), part, overwrite=True)
    with pytest.raises(DativoError, match="it was changed") as caught:
        iceberg.commit(path, "db.t", catalog=lake.properties)
    assert part.name in caught.value.path and not lake.catalog.table_exists("db.t")
    part.unlink()
    with pytest.raises(DativoError) as caught:
        iceberg.commit(path, "db.t", catalog=lake.properties)
    assert caught.value.code == "not_found" and not lake.catalog.table_exists("db.t")


def test_partitions_that_only_the_folder_says(lake, tmp_path):
    for day in ("2024-01-31", "2024-02-01"):
        (tmp_path / day).mkdir()
        path = written(tmp_path / day, pa.table({"a": [1, 2]}))
        iceberg.commit(path, "db.t", catalog=lake.properties, partition={"ingest_date": datetime.date.fromisoformat(day)})
    assert str(lake.table().spec().fields[0]) == "1000: ingest_date: identity(2)"
    day = datetime.date(2024, 1, 31)
    assert sorted(map(str, lake.arrow().to_pylist())) == sorted(
        str({"a": a, "ingest_date": d}) for a in (1, 2) for d in (day, datetime.date(2024, 2, 1)))
    assert lake.arrow(row_filter="ingest_date = '2024-01-31'").num_rows == 2
    assert len(list(lake.table().scan(row_filter="ingest_date = '2024-01-31'").plan_files())) == 1
    assert sorted(lake.duck("select a, ingest_date from t where ingest_date = '2024-01-31'")) == [(1, day), (2, day)]
    before = lake.state()
    for partition, says in (({"ingest_date": "x"}, "is no date"), ({"b": 1}, 'not by "b"'), ({"ingest_date": 3.5}, "is no date")):
        with pytest.raises(DativoError, match=says):
            iceberg.append(pa.table({"a": [1]}), "db.t", catalog=lake.properties, partition=partition)
    with pytest.raises(DativoError, match="one of their columns, too"):
        iceberg.append(pa.table({"ingest_date": [day]}), "db.t", catalog=lake.properties, partition={"ingest_date": day})
    assert lake.state() == before


def test_partitions_that_the_rows_show(lake):
    """Of a table that somebody else has partitioned: a file is of one partition, or is refused."""
    from pyiceberg.partitioning import PartitionField, PartitionSpec
    from pyiceberg.schema import Schema
    from pyiceberg.transforms import BucketTransform, DayTransform, IdentityTransform
    from pyiceberg.types import LongType, NestedField, StringType, TimestampType

    schema = Schema(NestedField(1, "id", LongType()), NestedField(2, "at", TimestampType()), NestedField(3, "land", StringType()))
    spec = PartitionSpec(PartitionField(2, 1000, DayTransform(), "day"), PartitionField(3, 1001, IdentityTransform(), "land"),
                         PartitionField(1, 1002, BucketTransform(4), "b"))
    lake.catalog.create_namespace("db")
    lake.catalog.create_table("db.t", schema, partition_spec=spec)
    at = datetime.datetime(2024, 1, 31, 5, 6, 7)
    good = {"id": [7, 7], "at": [at, at + datetime.timedelta(hours=3)], "land": ["Deutschland, sehr lang geschrieben"] * 2}
    iceberg.append(pa.table(good), "db.t", catalog=lake.properties)
    assert lake.arrow(row_filter="at < '2024-02-01T00:00:00' and id = 7 and land = 'Deutschland, sehr lang geschrieben'").num_rows == 2
    assert lake.duck("select count(*) from t where cast(\"at\" as date) = '2024-01-31' and id = 7") == [(2,)]
    iceberg.append(pa.table({"id": pa.nulls(2, pa.int64()), "land": ["x", "x"]}), "db.t", catalog=lake.properties)
    assert lake.arrow(row_filter="at is null").num_rows == 2
    before = lake.state()
    for column, values in (("id", [1, 7]), ("land", ["a", None]), ("at", [at, at + datetime.timedelta(days=1)])):
        with pytest.raises(DativoError, match="several partitions") as caught:
            iceberg.append(pa.table({**good, column: values}), "db.t", catalog=lake.properties)
        assert caught.value.column == column
    assert lake.state() == before


# ---- failures --------------------------------------------------------------------------------------------------------


@pytest.fixture
def filled(lake):
    iceberg.append(pa.table({"a": [1]}), "db.t", catalog=lake.properties)
    return lake


def data_files(lake):
    return sorted((lake.folder / "warehouse").rglob("*.parquet"))


def test_a_catalog_that_fails(filled, monkeypatch):
    before, files = filled.state(), data_files(filled)
    catalog = type(filled.catalog)

    def fail(*_):
        raise RuntimeError("the catalog is on fire")

    monkeypatch.setattr(catalog, "commit_table", fail)
    with pytest.raises(DativoError, match="on fire") as caught:
        iceberg.append(pa.table({"a": [2], "b": [3]}), "db.t", catalog=filled.properties, id="x")
    assert caught.value.code == "temporary" and caught.value.path.startswith("file://")
    assert filled.state() == before and len(data_files(filled)) == len(files) + 1  # which is named: the catalog might still take it
    monkeypatch.undo()
    assert iceberg.append(pa.table({"a": [2], "b": [3]}), "db.t", catalog=filled.properties, id="x").columns_added == ("b",)


def test_a_commit_whose_answer_is_lost(filled, monkeypatch):
    catalog = type(filled.catalog)
    commit_table = catalog.commit_table

    def lose(*args):
        commit_table(*args)
        raise ConnectionError("gone")

    monkeypatch.setattr(catalog, "commit_table", lose)
    assert iceberg.append(pa.table({"a": [2]}), "db.t", catalog=filled.properties).rows == 1
    assert sorted(filled.arrow()["a"].to_pylist()) == [1, 2]


def test_a_catalog_that_is_locked(filled, tmp_path):
    before = filled.state()
    lock = sqlite3.connect(tmp_path / "catalog.db", isolation_level=None)
    lock.execute("begin exclusive")
    with pytest.raises(Exception, match="locked"):
        iceberg.append(pa.table({"a": [2]}), "db.t", catalog={**filled.properties, "uri": filled.properties["uri"] + "?timeout=0.2"})
    lock.execute("rollback")
    assert filled.state() == before


def test_a_new_table_whose_commit_fails_is_not_there(lake, monkeypatch):
    def fail(*_):
        raise CommitFailedException("no")

    monkeypatch.setattr(type(lake.catalog), "commit_table", fail)
    monkeypatch.setattr(iceberg, "_pause", lambda _: None)
    with pytest.raises(DativoError, match="another commit was faster"):
        iceberg.append(pa.table({"a": [2]}), "db.t", catalog=lake.properties)
    assert not lake.catalog.table_exists("db.t") and not data_files(lake)
    with pytest.raises(DativoError, match="create=True"):
        iceberg.append(pa.table({"a": [2]}), "db.t", catalog=lake.properties, create=False)


@pytest.mark.parametrize("between", ["other", "same"])
def test_another_commit_in_between(filled, monkeypatch, between):
    """The one that is slower looks again: other rows stay, and the same ones are there once."""
    catalog = type(filled.catalog)
    commit_table = catalog.commit_table
    calls = []

    def slow(*args):
        calls.append(1)
        if len(calls) == 1:
            iceberg.append(pa.table({"a": [2]}), "db.t", catalog=filled.properties, id="mine" if between == "same" else None)
        return commit_table(*args)

    monkeypatch.setattr(catalog, "commit_table", slow)
    done = iceberg.append(pa.table({"a": [2]}), "db.t", catalog=filled.properties, id="mine")
    assert done.unchanged == (between == "same")
    assert sorted(filled.arrow()["a"].to_pylist()) == ([1, 2] if between == "same" else [1, 2, 2])
    assert len(data_files(filled)) == len(filled.arrow())
    assert "commit.retry.num-retries" not in filled.table().properties


def test_many_at_once(lake):
    """Eight make one table; each one's rows are there once."""
    failed = []

    def work(i):
        try:
            iceberg.append(pa.table({"a": [i]}), "db.t", catalog=lake.properties, id=str(i))
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(i // 2,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed
    assert sorted(lake.arrow()["a"].to_pylist()) == [0, 1, 2, 3] and len(data_files(lake)) == 4


def test_files_that_are_none(lake, tmp_path):
    (tmp_path / "x.parquet").write_bytes(b"no Parquet at all")
    for files, code in (([tmp_path / "none.parquet"], "not_found"), ([tmp_path / "x.parquet"], "data"), ([], "invalid"),
                        (["/tmp/a?b.parquet"], "invalid"), (["/a.parquet", "/a.parquet"], "invalid"), (tmp_path / "nothing", "not_found")):
        with pytest.raises(DativoError) as caught:
            iceberg.commit(files, "db.t", catalog=lake.properties)
        assert caught.value.code == code, files
    with pytest.raises(NoSuchTableError):
        lake.table()


def test_docstrings(tmp_path, monkeypatch):
    import doctest

    (tmp_path / "examples").symlink_to(SOURCE / "examples")
    monkeypatch.chdir(tmp_path)
    result = doctest.testmod(iceberg)
    assert result.failed == 0 and result.attempted > 5


def test_the_code_of_the_page(tmp_path, monkeypatch):
    """docs/iceberg.md, as it is printed but for the folder of the warehouse."""
    (code,) = re.findall(r"^```python\n(.*?)^```", (SOURCE / "docs/iceberg.md").read_text(encoding="utf-8"), re.M | re.S)
    plan(tmp_path, ("plan", "task", "commit"))
    (tmp_path / "orders").mkdir()
    for name in ("1", "2"):
        (tmp_path / f"orders/{name}.csv.gz").write_bytes(gzip.compress(b"id,name\n-1,x\n-2,y\n"))
    for name in ("a.parquet", "b.parquet"):
        written(tmp_path, pa.table({"id": [-3, -4, -5], "name": [name, None, "z"]}), name)
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(code.replace("/data/lake", f"{tmp_path}/lake"), "iceberg.md", "exec"), names)
    table = load_catalog("default", **names["catalog"]).load_table("shop.orders")
    assert len(table.snapshots()) == 3 and table.scan().to_arrow().num_rows == 4 + 20000 + 6
