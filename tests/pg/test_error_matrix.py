"""Jobs of a stock Python host out of a server, going wrong at every place: none ends with exit code 0 and rows missing."""

import json

import pyarrow.parquet as pq
import pytest

import postgres_server
import stock_job
from command import PLUGINS
from plugin_host import ctypes
from test_plugin import Plugin

N, SIZE = 1000, 100
SCHEMA = [{"name": "id", "type": "integer"}, {"name": "x", "type": "string"}]


def load(name):
    lib = ctypes.CDLL(str(PLUGINS / f"lib{name}_plugin.so"))
    for function in ("create_reader", "extract_batch", "create_writer", "write_batch"):
        if hasattr(lib, function):
            getattr(lib, function).restype = ctypes.c_void_p
    for function in ("extract_batch", "free_reader", "free_writer", "free_string"):
        if hasattr(lib, function):
            getattr(lib, function).argtypes = [ctypes.c_void_p]
    if hasattr(lib, "write_batch"):
        lib.write_batch.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    return lib


@pytest.fixture(scope="module")
def plugin(server):
    server.sql(f"CREATE TABLE rows AS SELECT i::bigint AS id, 'n' || i AS x FROM generate_series(1, {N}) i; CREATE ROLE nobody LOGIN")
    return Plugin(server)


@pytest.fixture
def job(plugin, tmp_path):
    def run(options=None, **keys):
        config = json.loads(plugin.config({"batch_size": SIZE, **(options or {})}, **keys))
        writer = {"asset_name": "t", "schema": SCHEMA, "output_base": str(tmp_path), "target_type": "local", "connection": {}, "file_format": None,
                  "engine": {"options": {}}}
        code, rows, files = stock_job.run(load("postgres_reader"), config, load("parquet_writer"), writer)
        written = [i for entry in files for i in pq.read_table(entry["path"])["id"].to_pylist()]
        assert written == list(range(1, rows + 1)) or code != 0
        return code, rows
    return run


def test_without_an_error(job):
    assert job(objects=["public.rows"]) == (0, N)
    assert job({"query": "SELECT * FROM rows ORDER BY id"}) == (0, N)


@pytest.mark.parametrize("place", [1, SIZE, SIZE + 1, N - 1, N])
@pytest.mark.parametrize("what", ["1/(id-{0})", "sqrt({0}-id)", "(CASE WHEN id={0} THEN 'x' ELSE '1' END)::int", "pg_terminate_backend(CASE WHEN id={0} THEN pg_backend_pid() ELSE 0 END)",
                                  "pg_cancel_backend(CASE WHEN id={0} THEN pg_backend_pid() ELSE 0 END)"])
def test_a_row_that_fails(job, what, place):
    if what.startswith("sqrt") and place == N:
        place = N - 1
    assert job({"query": f"SELECT id, x, {what.format(place)} AS y FROM rows"})[0] == 2


@pytest.mark.parametrize("options, keys", [
    ({"query": "SELECT pg_sleep(20) FROM rows", "statement_timeout": 100}, {}), ({"query": "SELEC 1"}, {}), ({"query": "SELECT 1; SELECT 2"}, {}),
    ({"query": "DELETE FROM rows RETURNING id, x"}, {}), ({}, {"objects": ["public.none"]}), ({}, {"objects": []}), ({}, {"objects": ["rows", "rows"]}),
    ({"typo": 1}, {"objects": ["rows"]}), ({"batch_size": 0}, {"objects": ["rows"]}), ({"columns": ["none"]}, {"objects": ["rows"]})])
def test_what_is_asked_for_is_wrong(job, plugin, options, keys):
    assert job(options, **keys)[0] == 2
    assert job(objects=["rows"]) == (0, N)  # all are there still


@pytest.mark.parametrize("wrong", [{"port": "closed"}, {"database": "none"}, {"username": "nobody"}, {"host": "/nonexistent"}, {"databse": "x"}])
def test_a_connection_that_is_wrong(job, plugin, wrong):
    connection = {**plugin.connection, **wrong}
    if wrong.get("port"):
        connection["port"] = postgres_server.free_port()
    assert job(objects=["rows"], connection=connection)[0] == 2


def test_a_session_that_is_ended_between_two_batches(plugin):
    """Of more rows than are on their way."""
    lib = load("postgres_reader")
    query = "SELECT i AS id, repeat('x', 1000) AS x FROM generate_series(1, 300000) i"
    reader = lib.create_reader(plugin.config({"query": query, "batch_size": SIZE}))
    batches = stock_job.extract(lib, reader)
    next(batches)
    plugin.server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dativo-native'")
    with pytest.raises(json.JSONDecodeError):
        for _ in batches:
            pass
    lib.free_reader(reader)
