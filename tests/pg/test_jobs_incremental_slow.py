"""Incremental jobs by a column that grows: what is read, what the state says, and when it moves."""

import datetime
import json
import os
import re
import threading

import pytest

import jobs
from jobs import Documented, Job

PRELOAD = os.environ["DN_PRELOAD"]
ASSET = ["id integer!", "note string", "at timestamp"]
STATE = ".local/state/acme/postgres.default.state.json"


@pytest.fixture
def db(server):
    server.sql("""DROP TABLE IF EXISTS orders; CREATE TABLE orders (id int PRIMARY KEY, note text, at timestamp);
        INSERT INTO orders SELECT g, 'note ' || g, timestamp '2024-01-01' + g * interval '90 min' FROM generate_series(1, 100) g;""")
    return server


def job_by(tmp_path, db, cursor, **incremental):
    return Job(tmp_path, db, "orders", asset=ASSET, incremental={"strategy": "updated_at", "cursor_field": cursor, **incremental})


def ids(job, pattern="*_000000.parquet", table="t"):
    return sorted(job.table(table, pattern).column("id").to_pylist())


def test_only_what_is_new(tmp_path, db):
    job = job_by(tmp_path, db, "id")
    job.ok()
    assert job.files() == ["t_000000.parquet"] and ids(job) == list(range(1, 101))
    (entry,) = job.state().items()
    assert entry[0] == "orders.id" and list(entry[1]) == ["last_value", "updated_at"] and entry[1]["last_value"] == 100
    assert abs(datetime.datetime.fromisoformat(entry[1]["updated_at"]) - datetime.datetime.now()).total_seconds() < 60
    before = (tmp_path / STATE).read_text()
    done = job.ok("--log-format", "json")
    assert [e["event_type"] for e in done.events()][-2:] == ["no_new_rows", "job_finished"] and done.events()[-1]["rows_in"] == 0
    assert job.files() == ["t_000000.parquet"] and (tmp_path / STATE).read_text() == before
    assert 'orders has no new rows by "id": nothing is written' in job.ok().err
    db.sql("INSERT INTO orders SELECT g, 'new', now() FROM generate_series(101, 150) g; UPDATE orders SET note = 'changed' WHERE id = 5")
    job.ok()
    assert len(job.files()) == 2 and re.fullmatch(r"t_\d{8}T\d{9}_000000\.parquet", job.files()[1])
    assert ids(job, "t_2*.parquet") == list(range(101, 151)) and ids(job) == list(range(1, 151))
    assert job.state()["orders.id"]["last_value"] == 150


@pytest.mark.parametrize("type_, first, second, kept", [
    ("int8", "9007199254740993", "9223372036854775807", [9007199254740993, 9223372036854775807]),
    ("timestamp", "2024-01-31 10:00:00", "2024-01-31 10:00:00.000001", ["2024-01-31T10:00:00", "2024-01-31T10:00:00.000001"]),
    ("timestamptz", "2024-01-31 10:00:00+01", "2024-01-31 10:00:00.5+01", ["2024-01-31T09:00:00+00:00", "2024-01-31T09:00:00.500000+00:00"]),
    ("date", "2024-01-31", "2024-02-01", ["2024-01-31", "2024-02-01"]),
    ("text", "a'b\\\\", "a''\\\\", None),
    ("numeric", "0.1000000000000000000001", "0.10000000000000000000011", ["0.1000000000000000000001", "0.10000000000000000000011"]),
])
def test_cursors_of_types(tmp_path, server, type_, first, second, kept):
    """The second value is above the first by the least there is, and nothing is read twice or lost."""
    first, second = sorted([first, second]) if type_ == "text" else (first, second)
    server.sql(f"DROP TABLE IF EXISTS c; CREATE TABLE c (id int, c {type_}); INSERT INTO c VALUES (1, $x${first}$x$)")
    job = Job(tmp_path, server, "c", asset=["id integer", {"int8": "c bigint", "numeric": "c decimal"}.get(type_, f"c {type_}")],
              incremental={"cursor_field": "c"})
    job.ok()
    values = [job.state()["c.c"]["last_value"]]
    server.sql(f"INSERT INTO c VALUES (2, $x${second}$x$)")
    job.ok()
    values.append(job.state()["c.c"]["last_value"])
    assert values == (kept or [first, second]) and ids(job, "t_2*.parquet") == [2]
    job.ok()
    assert len(job.files()) == 2


@pytest.mark.parametrize("type_, value, kept", [
    ("int2", "7", 7), ("timestamp", "2024-01-31 10:00:00.5", "2024-01-31T10:00:00.500000"), ("timestamptz", "2024-01-31 10:00:00Z", "2024-01-31T10:00:00+00:00"),
])
def test_the_form_of_a_state_is_not_the_assets(tmp_path, server, type_, value, kept):
    """A column that the asset lacks, or has as a text, is kept in the same form."""
    server.sql(f"DROP TABLE IF EXISTS c; CREATE TABLE c (id int, c {type_}); INSERT INTO c VALUES (1, '{value}')")
    for asset in (["id integer"], ["id integer", "c string"]):
        job = Job(tmp_path, server, "c", asset=asset, incremental={"cursor_field": "c", "state_path": f"{len(asset)}.json"})
        job.ok()
        assert job.state(f"{len(asset)}.json")["c.c"]["last_value"] == kept
        assert 'has no new rows by "c"' in job.ok().err


@pytest.mark.parametrize("type_", ["point", "bool", "json", "int[]", None])
def test_columns_that_tell_nothing(tmp_path, server, type_):
    """`check` finds them, too, at the same place."""
    server.sql(f"DROP TABLE IF EXISTS c; CREATE TABLE c (id int{f', c {type_}' if type_ else ''}); INSERT INTO c VALUES (1)")
    job = Job(tmp_path, server, "c", asset=["id integer"], incremental={"cursor_field": "c"})
    says = "cannot tell what is new" if type_ else 'no column "c"'
    job.fails(says=says)
    checked = job("--json", command="check")
    (failed,) = [c for c in json.loads(checked.out)["checks"] if c["ok"] is False]
    assert checked.code == 2 and failed["check"] == "source" and says in failed["message"]


def test_a_state_of_the_python_host(tmp_path, db):
    (tmp_path / "state.json").write_text(json.dumps({"orders.at": {"last_value": "2024-01-03T00:00:00", "updated_at": "2024-01-03T01:00:00.1"},
                                                     "file_a.csv": {"last_modified": "2024-01-01T00:00:00", "file_id": "a.csv"}}))
    job = job_by(tmp_path, db, "at", state_path="state.json")
    job.ok()
    assert ids(job) == list(range(33, 101))  # 32 * 90 min are two days, and that row was read
    state = job.state("state.json")
    assert list(state) == ["orders.at", "file_a.csv"] and state["orders.at"]["last_value"] == "2024-01-07T06:00:00"


def test_where_the_state_is(tmp_path, db):
    (tmp_path / "recipe.yaml").write_text("type: postgres\nincremental: {strategy: cursor_field, cursor_field_default: id, lookback_days_default: 1}\n")
    job = Job(tmp_path, db, {"name": "orders", "object": "shop"}, asset=ASSET, incremental={"lookback_days": 0})
    job.keys["source_connector_path"] = "recipe.yaml"
    job.ok(env={"STATE_DIR": "states"})
    assert job.state("states/acme/postgres.shop.state.json")["shop.id"]["last_value"] == 100
    job.keys["source"]["incremental"] = {}
    job.ok(env={"STATE_DIR": "other"})  # the recipe alone does not switch it on
    assert not (tmp_path / "other").exists()


def test_looking_back(tmp_path, db):
    job = job_by(tmp_path, db, "at", lookback_days=2)
    job.ok()
    assert ids(job) == list(range(1, 101))
    db.sql("INSERT INTO orders VALUES (101, 'late', '2024-01-06'), (102, 'too late', '2024-01-01')")
    job.ok()
    assert ids(job, "t_2*.parquet") == [*range(69, 102)]  # since 2024-01-05 06:00
    job = job_by(tmp_path, db, "id", lookback_days=2, state_path="ids.json")
    job.ok()
    job.fails(says=["lookback_days goes back from a day", '"id"'])


@pytest.mark.parametrize("state, says", [
    ('{"orders.at": {"last_value": "2024-01-01T00:00:00"}}', ['goes by the column "at", and this job goes by "id"', 'the entry "orders.at"']),
    ('{"orders.id": {"last_value": "ninety"}}', ["ninety", 'the entry "orders.id"', "put it right in the state"]),
    ('{"orders.id": {"last_value": null}}', ["no last_value"]),
    ('{"orders.id": {"last_value": true}}', ["no last_value"]),
    ('{"orders.id": []}', ["no last_value"]),
    ("[]", ["not the state of an incremental job"]),
    ("{", ["not the state of an incremental job"]),
])
def test_states_that_say_nothing(tmp_path, db, state, says):
    (tmp_path / "state.json").write_text(state)
    job = job_by(tmp_path, db, "id", state_path="state.json")
    job.fails(says=says)
    assert job.files() == [] and (tmp_path / "state.json").read_text() == state


def test_rows_without_a_value_are_told(tmp_path, db):
    db.sql("INSERT INTO orders VALUES (101, 'no time', NULL)")
    job = job_by(tmp_path, db, "at")
    assert 'rows without a value in "at"' in job.ok().err
    assert ids(job) == list(range(1, 101))


def test_a_column_that_there_is_none_of(tmp_path, db):
    job_by(tmp_path, db, "updated_at").fails(says=["updated_at", "orders"])


def test_tables_move_their_states_alone(tmp_path, db):
    db.sql("DROP TABLE IF EXISTS late; CREATE TABLE late AS SELECT * FROM orders")
    job = Job(tmp_path, db, {"name": "public.orders", "cursor_field": "id"}, {"name": "gone", "cursor_field": "id"}, {"name": "late"}, asset=ASSET,
              incremental={"cursor_field": "at", "state_path": "s.json"})
    done = job.fails("--log-format", "json", says="1 of 3 tables failed (gone)")
    assert {k: v["last_value"] for k, v in job.state("s.json").items()} == {"orders.id": 100, "late.at": "2024-01-07T06:00:00"}
    db.sql("INSERT INTO late VALUES (101, 'new', now())")
    del job.keys["source"]["tables"][1]
    done = job.ok("--log-format", "json")
    assert [e["table"] for e in done.events("table_finished")] == ["late"] and [e["table"] for e in done.events("no_new_rows")] == ["public.orders"]
    assert ids(job, "late_2*.parquet", "late") == [101] and len(job.files("orders")) == 1
    job.ok()
    assert len(job.files("late")) == 2


# ---- a run that fails moves nothing ------------------------------------------------------------------------------------


@pytest.fixture(params=["first", "second"])
def begun(request, tmp_path, db):
    """A job before its first run, or before another one."""
    job = job_by(tmp_path, db, "id", state_path="state.json")
    if request.param == "second":
        job.ok()
        db.sql("INSERT INTO orders SELECT g, 'new', now() FROM generate_series(101, 200) g")
    return job


def moves_nothing(job, says, **env):
    before = job.files(), job.state("state.json")
    job.fails(says=says, env=env)
    assert (job.files(), job.state("state.json")) == before
    job.server.gone()


def goes_on(job):
    job.ok()
    wanted = int(job.server.sql("SELECT max(id) FROM orders"))
    assert ids(job) == list(range(1, wanted + 1)) and job.state("state.json")["orders.id"]["last_value"] == wanted


@pytest.mark.parametrize("fault", ["call=write at=1 path=default/t/ errno=28", "call=fsync at=1 path=default/t/ errno=5",
                                   "call=rename at=1 path=_000000.parquet errno=5"])
def test_the_writer_or_the_commit_fails(begun, fault):
    moves_nothing(begun, "out/default/default/t", LD_PRELOAD=PRELOAD, DN_FAULT=fault)
    goes_on(begun)


def test_the_session_is_ended(begun):
    """By the server's administrator, as soon as rows come."""
    begun.server.sql("CREATE TABLE wide AS SELECT g AS id, repeat('x', 500) AS note, now()::timestamp AS at FROM generate_series(1, 60000) g;"
                     "INSERT INTO orders SELECT id + 1000, note, at FROM wide; DROP TABLE wide")
    killer = threading.Thread(target=begun.server.sql, args=["""DO $$ BEGIN FOR i IN 1..40000 LOOP PERFORM pg_stat_clear_snapshot();
        PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dativo-native' AND query LIKE 'COPY%' AND state = 'active';
        EXIT WHEN FOUND; PERFORM pg_sleep(0.0003); END LOOP; END $$"""])
    killer.start()
    try:
        moves_nothing(begun, ["public.orders: ", "connection"])
    finally:
        killer.join()
    begun.server.sql("DELETE FROM orders WHERE id > 1000")
    goes_on(begun)


def test_the_state_cannot_be_written(begun):
    """The rows are there, and the message says so."""
    job = begun
    n = len(job.files())
    before = job.state("state.json")
    job.fails(says=["is complete, but the next run will read the same rows again"], env={"LD_PRELOAD": PRELOAD, "DN_FAULT": "call=rename at=1 path=state.json errno=5"})
    assert len(job.files()) == n + 1 and job.state("state.json") == before


@pytest.mark.parametrize("when, moved", [("signal=9", False), ("after=9", True)])
def test_killed_at_the_state(begun, when, moved):
    """Between the rows and the state they may come twice, and never not at all."""
    before = begun.state("state.json")
    done = begun(env={"LD_PRELOAD": PRELOAD, "DN_FAULT": f"call=rename at=1 path=state.json {when}"})
    assert done.code == -9 and (begun.state("state.json") != before) == moved
    n = len(begun.files())
    begun.ok()
    wanted = int(begun.server.sql("SELECT max(id) FROM orders"))
    assert set(ids(begun)) == set(range(1, wanted + 1)) and begun.state("state.json")["orders.id"]["last_value"] == wanted
    assert len(begun.files()) == n + (not moved and before is not None)


def test_the_bucket_refuses(tmp_path, db):
    s3 = jobs.s3_server.Server(["my-data-lake"]).start()
    try:
        job = Documented(tmp_path, db, s3).change(
            ("examples/assets/my_data.yaml", str(tmp_path / "asset.yaml")), ("large_table", "orders"),
            ("source:\n", f"source:\n  incremental: {{cursor_field: id, state_path: '{tmp_path}/state.json'}}\n"))
        job.asset(ASSET)
        s3.denied.add("default/default/t/t_000000.parquet")
        job.fails(says="AccessDenied")
        assert job.bucket == {} and job.state("state.json") is None
        db.gone()
        s3.denied.clear()
        job.ok()
        db.sql("INSERT INTO orders VALUES (101, 'new', now())")
        job.ok()
        job.ok()
        assert len(job.bucket) == 2 and job.is_clean() and job.state("state.json")["orders.id"]["last_value"] == 101
        assert sorted(v for key in job.bucket for v in job.table(key).column("id").to_pylist()) == list(range(1, 102))
    finally:
        s3.shutdown()
