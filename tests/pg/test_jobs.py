"""Jobs with source_connector: postgres: tables, queries, several tables, connections, checks, and the documented job."""

import json
import re
import signal
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import jobs
import postgres_server
from command import PLUGINS
from jobs import Documented, Job, same_as_server

ORDERS = ["id integer!", "name string", "total decimal(12,2)"]


@pytest.fixture(scope="module")
def db(server):
    server.sql("""CREATE TABLE orders (id int PRIMARY KEY, name text, total numeric(12,2));
        INSERT INTO orders SELECT g, CASE WHEN g % 7 > 0 THEN 'name of ' || g END, g * 1.25 FROM generate_series(1, 3000) g;
        CREATE SCHEMA archive; CREATE TABLE archive.orders AS SELECT * FROM orders WHERE id <= 10;
        CREATE VIEW big AS SELECT * FROM orders WHERE total > 100; CREATE TABLE other (x int); CREATE TABLE nothing (LIKE orders);
        CREATE ROLE reader LOGIN; GRANT SELECT ON orders TO reader;
        CREATE ROLE web LOGIN PASSWORD 'web secret'; GRANT SELECT ON orders TO web;""")
    return server


@pytest.fixture
def s3():
    started = jobs.s3_server.Server(["my-data-lake"]).start()
    yield started
    started.shutdown()


def test_a_table(tmp_path, db):
    job = Job(tmp_path, db, "public.orders", asset=ORDERS)
    done = job.ok()
    assert "public.orders -> out/default/default/t/t_000000.parquet" in done.err and "3,000 in = 3,000 out" in done.err
    assert job.files() == ["t_000000.parquet"]
    same_as_server(db, job.table(), "orders")
    assert job.table().schema.field("id").type == pa.int64() and job.table().schema.field("total").type == pa.decimal128(12, 2)
    assert not pq.read_schema(tmp_path / "out/default/default/t/t_000000.parquet").field("id").nullable


@pytest.mark.parametrize("named", [
    {"query": "SELECT id, name, total FROM orders WHERE id > 2990;"},
    {"tables": [{"name": "orders", "where": "id > 2990"}]},
    {"tables": [{"name": "big", "columns": ["total", "id", "name"], "where": "id > 2990"}]},
    {"objects": ["public.orders"], "engine": {"options": {"where": "id > 2990"}}},
    {"engine": {"options": {"native": {"query": "SELECT * FROM orders WHERE id > 2990"}}}},
    {"custom_reader": f"{PLUGINS}/libpostgres_reader_plugin.so:create_reader", "tables": [{"name": "orders", "where": "id > 2990"}]},
])
def test_what_is_read(tmp_path, db, named):
    job = Job(tmp_path, db, asset=ORDERS, **named)
    job.ok()
    same_as_server(db, job.table(), "(SELECT * FROM orders WHERE id > 2990) q")


def test_types_of_the_asset(tmp_path, db):
    """A column is read as the asset has it, where every value of it has a place there."""
    db.sql("CREATE TABLE kinds (id int2, big int8, f float4, d date, u uuid, n numeric(5,1), m timestamptz); INSERT INTO kinds VALUES "
           "(1, 2, 0.5, '2024-01-31', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 7.5, '2024-06-01 12:00+02'); INSERT INTO kinds VALUES (2)")
    job = Job(tmp_path, db, "kinds", asset=["id integer", "big string", "f double", "d timestamp", "u string", "n decimal(12,3)", "m datetime"])
    job.ok()
    table = job.table()
    assert [str(t) for t in table.schema.types] == ["int64", "string", "double", "timestamp[us]", "string", "decimal128(12, 3)", "timestamp[us]"]
    assert [str(v) for v in table.to_pylist()[0].values()] == ["1", "2", "0.5", "2024-01-31 00:00:00", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
                                                               "7.500", "2024-06-01 10:00:00"]
    job.asset(["id integer", "f integer"]).fails(says=['"f"', "job.yaml:"])
    assert job.table().num_columns == 7  # the file of the run before


def test_open_numerics_are_surveyed_once(tmp_path, db):
    """A look at the columns needs no look at the values."""
    db.sql("CREATE TABLE open (id int, n numeric); INSERT INTO open SELECT g, g * 0.001 FROM generate_series(1, 1000) g")
    job = Job(tmp_path, db, "open", asset=["id integer", "n decimal"])

    def scans_of(run):
        scans = "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'open'"
        before = int(db.sql(scans))
        run()
        return int(db.sql(scans)) - before

    surveyed = scans_of(job.ok)
    assert str(job.table().schema.field("n").type) == "decimal128(4, 3)"
    job.keys["source"]["engine"] = {"options": {"numeric": "string"}}
    assert surveyed == scans_of(job.ok) + 1 and str(job.table().schema.field("n").type) == "string"


def test_passing_reasons_are_tried_again(tmp_path, db):
    job = Job(tmp_path, db, "orders", asset=ORDERS)
    job.keys["retry_config"] = {"max_retries": 2, "initial_delay_seconds": 0.01}
    done = job.fails(says="after 3 runs", env={"PGPORT": "1"})
    assert "cannot connect" in done.err


def test_warn_keeps_what_the_table_has(tmp_path, db):
    job = Job(tmp_path, db, "orders", asset=["id integer!", "total decimal", "other string"])
    job.keys["schema_validation_mode"] = "warn"
    done = job.ok()
    assert 'public.orders: the table has no column "other"' in done.err or 'orders: the table has no column "other"' in done.err
    assert job.table().schema.names == ["id", "name", "total"] and job.table().schema.field("id").type == pa.int32()
    job.asset(["id integer!", "total string", "name string!"]).ok(code=1)


def test_nulls_and_rows(tmp_path, db):
    job = Job(tmp_path, db, "orders", asset=["id integer!", "name string!"])
    job.fails(says=["name"])
    assert not (tmp_path / "out").exists() or job.files() == []
    job = Job(tmp_path, db, "nothing", asset=ORDERS)
    job.fails(says=["nothing has columns but no rows", "--allow-empty"])
    job.ok("--allow-empty")
    assert job.table().num_rows == 0


# ---- several tables ----------------------------------------------------------------------------------------------------


def test_several_tables(tmp_path, db):
    job = Job(tmp_path, db, {"name": "public.orders", "where": "id < 100"}, {"name": "archive.orders", "object": "Old-Orders"}, asset=ORDERS)
    done = job.ok()
    same_as_server(db, job.table("orders"), "(SELECT * FROM orders WHERE id < 100) q")
    same_as_server(db, job.table("old_orders"), "archive.orders")
    assert "public.orders -> out/default/default/orders/orders_000000.parquet: 99 rows" in done.err
    assert "archive.orders -> out/default/default/old_orders/old_orders_000000.parquet: 10 rows" in done.err
    assert "109 in = 109 out" in done.err and job.files("t") == []


def test_stopped_between_tables(tmp_path, db):
    """What is complete is said, and the server does not go on."""
    job = Job(tmp_path, db, {"name": "orders", "where": "id < 9"}, {"name": "archive.orders", "object": "old", "where": "pg_sleep(2) IS NOT NULL"},
              asset=ORDERS)
    process = job.start("--log-format", "json")
    for line in process.stderr:
        if json.loads(line)["event_type"] == "table_finished":
            break
    time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    begun = time.monotonic()
    done = job.finish(process)
    assert done.code == 143 and time.monotonic() - begun < 5
    db.gone()
    assert done.events()[-1]["message"] == "stopped on request; 1 of 2 tables are complete, see above"
    assert job.table("orders").num_rows == 8 and job.files("old") == []


def test_several_tables_as_csv(tmp_path, db):
    job = Job(tmp_path, db, {"name": "orders", "where": "id < 3"}, {"name": "archive.orders", "object": "old", "where": "id = 7"}, asset=ORDERS)
    job.keys["target"]["file_format"] = "csv"
    job.ok()
    out = tmp_path / "out/default/default"
    assert (out / "orders/orders_000000.csv").read_text() == "id,name,total\n1,name of 1,1.25\n2,name of 2,2.50\n"
    assert (out / "old/old_000000.csv").read_text() == "id,name,total\n7,,8.75\n"
    job.fails("--preview", "3", says="--preview shows one file")


def test_one_of_several_fails(tmp_path, db):
    job = Job(tmp_path, db, "orders", "other", "no_such", {"name": "archive.orders", "object": "old"}, asset=ORDERS)
    done = job.fails("--log-format", "json", says="2 of 4 tables failed (other, no_such)")
    assert [e["table"] for e in done.events("table_finished")] == ["orders", "archive.orders"]
    failed = done.events("table_failed")
    assert [(e["table"], e["code"]) for e in failed] == [("other", "config"), ("no_such", "not_found")]
    assert 'no column "id"' in failed[0]["message"] and f"{tmp_path}/job.yaml:" in failed[1]["message"]
    assert done.events()[-1]["event_type"] == "job_error" and done.events()[-1]["exit_code"] == 2
    assert job.table("orders").num_rows == 3000 and job.table("old").num_rows == 10 and job.files("other") == []


def test_place_of_the_table_that_failed(tmp_path, db):
    """The name of another one may be in what is said."""
    job = Job(tmp_path, db, "orders", {"name": "archive.orders", "object": "old", "where": "id ="}, "no_orders", asset=ORDERS)
    done = job.fails("--log-format", "json", says="job.yaml: 2 of 3 tables failed (archive.orders, no_orders)")
    lines = (tmp_path / "job.yaml").read_text().splitlines()
    places = [re.search(r"job\.yaml:(\d+):(\d+): ", e["message"]).groups() for e in done.events("table_failed")]
    assert [lines[int(line) - 1][int(column) - 1:] for line, column in places] == ["id =", "name: no_orders"]
    assert not done.events()[-1]["message"].startswith(f"{tmp_path}/job.yaml:1")
    failed = [c["message"] for c in json.loads(job("--json", command="check").out)["checks"] if not c["ok"]]
    assert [re.search(r"job\.yaml:(\d+):(\d+): ", message).groups() for message in failed] == places, failed


@pytest.mark.parametrize("source, says", [
    ({}, ["the source names no table"]),
    ({"tables": []}, ["the source names no table"]),
    ({"tables": ["orders"]}, ["must be a map such as {name: public.orders}"]),
    ({"tables": [{"object": "x"}]}, ['lacks the key "name"']),
    ({"tables": [{"name": ""}]}, ["is empty"]),
    ({"tables": [{"name": "orders", "colums": []}]}, ['did you mean "columns"']),
    ({"tables": [{"name": "orders"}], "query": "SELECT 1"}, ["source.tables or source.query, not both"]),
    ({"tables": [{"name": "orders"}], "engine": {"options": {"table": "x"}}}, ["engine.options names a table"]),
    ({"tables": [{"name": "orders"}, {"name": "archive.orders"}]}, ["have the same object"]),
    ({"tables": [{"name": "orders", "object": "a b"}, {"name": "archive.orders", "object": "A-B"}]}, ["written to the same file"]),
    ({"tables": [{"name": "orders", "object": "../x"}, {"name": "other"}]}, ["cannot be that of a file"]),
    ({"files": [{"path": "a.csv"}]}, ["files is not supported", "source.tables"]),
    ({"tables": [{"name": "orders"}], "connection": {"host": {"a": 1}}}, ['"host" in source.connection must be a text']),
    ({"tables": [{"name": "orders"}], "connection": {"hots": "x"}}, ["hots", "host", "job.yaml:"]),
    ({"tables": [{"name": "orders"}], "connection": {"host": "${NOWHERE_SET}"}}, ["NOWHERE_SET is not set"]),
    ({"tables": [{"name": "orders"}], "credentials": {"file_template": "/nonexistent/x"}}, ["/nonexistent/x cannot be read"]),
    ({"tables": [{"name": "orders"}], "incremental": {"strategy": "updated_at"}}, ["add cursor_field"]),
    ({"tables": [{"name": "orders"}], "incremental": {"strategy": "file_modified_time"}}, ["not one of tables", "strategy: updated_at"]),
    ({"query": "SELECT 1 a", "incremental": {"cursor_field": "a"}}, ["this is a query"]),
])
def test_sources_that_cannot_be(tmp_path, db, source, says):
    Job(tmp_path, db, asset=ORDERS, **source).fails(says=says)
    assert not (tmp_path / "out").exists() or not any(p.is_file() for p in (tmp_path / "out").rglob("*"))


# ---- connections -------------------------------------------------------------------------------------------------------


def over_tcp(job, **connection):
    """Nothing but the job says where the server is."""
    for name in ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE"):
        del job.env[name]
    job.keys["source"]["connection"] = {"host": "${DB_HOST:-127.0.0.1}", "port": job.server.port, "database": "postgres", **connection}
    return job


def test_credentials_of_a_file(tmp_path, db):
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme/postgres.env").write_text(f"# of the host\nexport PGUSER=postgres\nPGPASSWORD='{postgres_server.PASSWORD}'\nOTHER=1\n")
    (tmp_path / "recipe.yaml").write_text(f"type: postgres\nroles: [source]\ncredentials: {{type: basic, file_template: '{tmp_path}/{{tenant}}/postgres.env'}}\n")
    job = over_tcp(Job(tmp_path, db, "orders", asset=ORDERS))
    job.keys["source_connector_path"] = "recipe.yaml"
    job.ok()
    assert job.table().num_rows == 3000
    job.keys["tenant_id"] = "other"  # whose file is not there: who asks nobody says
    done = job("--log-format", "json")
    assert done.code == 2 and done.events("no_credentials_file")[0]["path"] == f"{tmp_path}/other/postgres.env"
    path = tmp_path / "other/postgres.env"
    path.parent.mkdir()
    for line, says in (("PGPASWORD=x", "did you mean 'PGPASSWORD'?"), ("PGUSER postgres", "NAME=value")):
        path.write_text(f"PGSSLCRL=x\nMYUSER=x\n{line}\n")  # others' names are theirs
        job.fails(says=[f"{path}: line 3: ", says])
    job.keys["tenant_id"] = "../acme"
    job.fails(says="cannot be the name of a folder")


def test_the_environment_and_the_job(tmp_path, db):
    job = over_tcp(Job(tmp_path, db, "orders", asset=ORDERS), user="${PGUSER:-web}", password="${PGPASSWORD}")
    job.ok(env={"PGPASSWORD": "web secret"})
    (tmp_path / "pass").write_text(f"127.0.0.1:{db.port}:postgres:web:web secret\n")
    (tmp_path / "pass").chmod(0o600)
    job.ok(env={"PGPASSFILE": str(tmp_path / "pass")})  # ${PGPASSWORD} is not set: it counts as absent
    done = job.fails(says=["password", "web"], env={"PGPASSWORD": "wrong secret"})
    assert "wrong secret" not in done.err
    assert "web secret" not in job.ok("--dry-run", "--json", env={"PGPASSWORD": "web secret"}).out


def test_a_dsn_is_a_whole_connection(tmp_path, db):
    (tmp_path / "recipe.yaml").write_text("type: postgres\nconnection_template: {host: nowhere.invalid, database: none}\n")
    job = over_tcp(Job(tmp_path, db, "orders", asset=ORDERS))
    job.keys["source_connector_path"] = "recipe.yaml"
    del job.keys["source"]["connection"]
    job.keys["source"]["dsn"] = "postgresql://web:${SECRET}@127.0.0.1:%d/postgres" % db.port
    job.ok(env={"SECRET": "web%20secret"})
    shown = json.loads(job.ok("--dry-run", "--json", env={"SECRET": "web%20secret"}).out)
    assert shown["source"]["connection"] == {"dsn": "***"}
    del job.keys["source"]["dsn"]
    job.fails(says="nowhere.invalid")


def test_dry_run(tmp_path, db):
    job = Job(tmp_path, db, {"name": "orders", "cursor_field": "id", "where": "note <> '${HIDDEN}'"}, asset=ORDERS,
              connection={"host": "h", "password": "p4ssw0rd"}, engine={"options": {"meltano": {"tap": "tap-postgres", "batch_size": 500}}},
              incremental={"lookback_days": 0})
    done = job.ok("--dry-run", "--json", env={"HIDDEN": "from outside"})
    plan = json.loads(done.out)
    assert plan["source"]["connector"] == "postgres" and plan["source"]["plugin"] == "libpostgres_reader_plugin.so"
    assert plan["source"]["tables"] == [{"name": "orders", "object": "orders", "output": "out/default/default/t/t_000000.parquet",
                                         "cursor_field": "id", "where": "***"}]
    assert plan["source"]["connection"] == {"host": "h", "password": "***"}
    assert plan["source"]["options"] == {"meltano": {"tap": "tap-postgres", "batch_size": 500}}
    text = job.ok("--dry-run", env={"HIDDEN": "from outside"}).out
    assert "tables      orders" in text and "p4ssw0rd" not in text + done.out and "from outside" not in text + done.out
    del job.keys["source"]["tables"], job.keys["source"]["incremental"]
    job.keys["source"]["engine"] = {"options": {"query": "SELECT 1 AS id"}}
    assert json.loads(job.ok("--dry-run", "--json").out)["source"]["options"] == {"query": "SELECT 1 AS id"}
    assert "query=SELECT 1 AS id" in job.ok("--dry-run").out


def test_events(tmp_path, db):
    job = Job(tmp_path, db, "orders", asset=ORDERS)
    events = job.ok("--log-format", "json").events()
    end = events[-1]
    assert (end["event_type"], end["rows_in"], end["rows_out"], end["source"]) == ("job_finished", 3000, 3000, "orders")
    assert end["job_name"] == "t" and end["tenant_id"] == "acme" and end["bytes_in"] > 0


# ---- check -------------------------------------------------------------------------------------------------------------


def checks(job, **env):
    done = job("--json", command="check", env=env)
    return done.code, [(c["check"], c["ok"], c["message"]) for c in json.loads(done.out)["checks"]]


def test_check(tmp_path, db):
    job = Job(tmp_path, db, "orders", {"name": "archive.orders", "object": "old"}, asset=ORDERS)
    code, found = checks(job)
    assert code == 0 and [(name, ok) for name, ok, _ in found] == [
        ("reader", True), ("writer", True), ("source", True), ("asset", True), ("source", True), ("asset", True), ("target", True)]
    assert "orders has the columns that it requires" in found[3][2]
    db.gone()
    assert job.files() == []


def test_check_finds_lists_that_csv_has_no_place_for(tmp_path, db):
    job = Job(tmp_path, db, "orders", asset=["id integer", "name list<string>"])
    job.keys["target"]["file_format"] = "csv"
    code, found = checks(job)
    assert code == 2 and [(name, "declare it as string" in message) for name, ok, message in found if ok is False] == [("asset", True)]


@pytest.mark.parametrize("tables, asset, env, says", [
    (["no_such"], ORDERS, {}, [("source", "no_such")]),
    (["orders", "other"], ORDERS, {}, [("asset", 'no column "id"')]),
    (["orders"], ["id integer", "nam string!"], {}, [("asset", 'did you mean "name"')]),
    (["archive.orders"], ORDERS, {"PGUSER": "reader"}, [("source", "permission denied")]),
    (["orders"], ORDERS, {"PGPORT": "1"}, [("source", "")]),
    (["orders"], ORDERS, {"PGDATABASE": "no_db"}, [("source", "no_db")]),
])
def test_check_says_what_is_wrong(tmp_path, db, tables, asset, env, says):
    code, found = checks(Job(tmp_path, db, *tables, asset=asset), **env)
    failed = [(name, message) for name, ok, message in found if ok is False]
    assert code == 2 and [name for name, _ in failed] == [name for name, _ in says]
    for (_, message), (_, word) in zip(failed, says):
        assert word in message, message


# ---- the documented job ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lake(db):
    db.sql(jobs.LARGE.replace("ROWS", "20000"))
    return db


def test_the_documented_job(tmp_path, lake, s3):
    job = Documented(tmp_path, lake, s3)
    done = job.ok()
    assert list(job.bucket) == [job.key] and job.is_clean()
    assert f"large_table -> s3://my-data-lake/{job.key}" in done.err
    file = pq.ParquetFile(pa.BufferReader(job.bucket[job.key].data))
    assert file.metadata.row_group(0).column(0).compression == "ZSTD" and file.metadata.num_row_groups == 1
    same_as_server(lake, job.table(), "large_table", "order_id")
    assert job.bucket[job.key].headers["x-amz-meta-compression"] == "zstd"


def test_the_documented_job_with_every_type(tmp_path, db, s3):
    asset = jobs.make_every(db)
    job = Documented(tmp_path, db, s3).change(("examples/assets/my_data.yaml", str(tmp_path / "asset.yaml")), ("large_table", "every"),
                                              ("    - name:", "    - columns: null\n      name:"))
    job.asset(asset, domain="sales", dataProduct="shop", name="my_data")
    job.ok()
    assert job.is_clean()
    same_as_server(db, job.table(), "every")


def test_every_type_in_mode_warn(tmp_path, db):
    """Nothing is converted, and nothing of it deviates from the asset: its types have a place for all of them."""
    if db.sql("SELECT to_regclass('every') IS NULL") == "t":
        jobs.make_every(db)
    asset = ["id integer!", *(f"{name} {'interval' if name == 'iv' else type_}" for name, _, type_, _ in jobs.EVERY)]
    job = Job(tmp_path, db, "every", asset=asset)
    job.keys["schema_validation_mode"] = "warn"
    job.ok()
    same_as_server(db, job.table().drop_columns("iv"), "every")
    assert job.table().column("iv").to_pylist()[:3] == ["PT0S", "P14M3DT14706.789S", "P-13M"]
    assert job.table().schema.field("i4").type == pa.int32() and job.table().schema.field("i2").type == pa.int16()


def test_the_documented_job_fails_cleanly(tmp_path, lake, s3):
    job = Documented(tmp_path, lake, s3).change(("large_table", "larger_table"))
    job.fails(says=["larger_table", "job.yaml:20:"])
    job.change(("larger_table", "large_table")).fails(says="SignatureDoesNotMatch", env={"AWS_SECRET_ACCESS_KEY": "wrong"})
    assert job.bucket == {} and not any(s3.uploads.values())
    lake.gone()
