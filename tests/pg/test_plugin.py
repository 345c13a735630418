"""The plugin as a host that speaks JSON has it: what a configuration may say, check_connection() and discover()."""

import ctypes
import json
import re

import pytest

import postgres_server
from command import PLUGINS


class Plugin:
    def __init__(self, server):
        self.server = server
        self.lib = ctypes.CDLL(str(PLUGINS / "libpostgres_reader_plugin.so"))
        for name in ("create_reader", "extract_batch", "check_connection", "discover", "plugin_info"):
            getattr(self.lib, name).restype = ctypes.c_void_p
        for function in (self.lib.extract_batch, self.lib.free_reader, self.lib.free_string):
            function.argtypes = [ctypes.c_void_p]
        self.connection = {"host": str(server.folder), "port": server.port, "username": "postgres", "database": "postgres"}

    def text(self, pointer):
        if not pointer:
            return None
        text = ctypes.string_at(pointer).decode()
        self.lib.free_string(pointer)
        assert postgres_server.PASSWORD not in text
        return text

    def config(self, options=None, **keys):
        return json.dumps({"type": "postgres", "connection": self.connection, "engine": {"options": options or {}}, **keys}).encode()

    def check(self, *args, **kwargs):
        return json.loads(self.text(self.lib.check_connection(self.config(*args, **kwargs))))

    def discover(self, **kwargs):
        return json.loads(self.text(self.lib.discover(self.config(**kwargs))))["objects"]

    def rows(self, *args, **kwargs):
        reader = self.lib.create_reader(self.config(*args, **kwargs))
        out = []
        while text := self.text(self.lib.extract_batch(reader)):
            assert not text.startswith("DATIVO_PLUGIN_ERROR"), text
            out.append(json.loads(text))
        self.lib.free_reader(reader)
        return out

    def error(self, *args, **kwargs):
        reader = self.lib.create_reader(self.config(*args, **kwargs))
        text = self.text(self.lib.extract_batch(reader))
        assert text == self.text(self.lib.extract_batch(reader)), "it stays the answer"
        self.lib.free_reader(reader)
        assert text.startswith("DATIVO_PLUGIN_ERROR "), text
        return json.loads(text.split(" ", 1)[1])


@pytest.fixture(scope="module")
def plugin(server):
    server.sql("""CREATE TABLE one (id int NOT NULL, name text); INSERT INTO one VALUES (1, 'a'), (2, NULL), (3, 'c'); ANALYZE one;
        CREATE SCHEMA "odd.schema"; CREATE TABLE "odd.schema"."T" (n numeric, a int[], d date); CREATE VIEW seen AS TABLE one;
        CREATE ROLE reader LOGIN; GRANT SELECT ON one TO reader""")
    return Plugin(server)


ROWS = [{"id": 1, "name": "a"}, {"id": 2, "name": None}, {"id": 3, "name": "c"}]


def test_ways_to_name_a_table(plugin):
    assert plugin.rows(objects=["public.one"]) == [ROWS]
    assert plugin.rows({"table": "one"}, objects=["elsewhere"]) == [ROWS]
    assert plugin.rows(files=[{"object": "one"}]) == [ROWS]
    assert plugin.rows({"query": "SELECT 7 AS x"}, objects=["one"]) == [[{"x": 7}]]
    assert plugin.rows({"native": {"batch_size": 2, "library": "psycopg2"}}, objects=["one"]) == [ROWS[:2], ROWS[2:]]
    for keys in ({"objects": ["one", "seen"]}, {"files": [{"object": "one"}, {"object": "seen"}]}):
        error = plugin.error(**keys)
        assert error["code"] == "config" and "one reader reads one table" in error["message"]
    assert "nothing to read" in plugin.error()["message"]
    assert "exclude each other" in plugin.error({"table": "one", "query": "SELECT 1"})["message"]
    assert plugin.error({"special_valus": "null"}, objects=["one"])["message"].endswith('did you mean "special_values"?')


def test_errors_say_whether_to_try_again(plugin):
    gone = plugin.error(objects=["one"], connection={**plugin.connection, "port": postgres_server.free_port()})
    assert gone["retryable"] and gone["code"] == "temporary" and gone["path"] == "one"
    missing = plugin.error(objects=["public.oen"])
    assert not missing["retryable"] and missing["code"].replace("_", " ") == "not found", missing
    cut = plugin.error({"query": "SELECT pg_sleep(20)", "statement_timeout": 150})
    assert cut["retryable"] and "57014" in cut["message"]


def test_connections(plugin, tmp_path, monkeypatch):
    server = plugin.server
    tcp = {"host": "127.0.0.1", "port": str(server.port), "database": "postgres", "sslmode": "prefer"}
    env = tmp_path / "postgres.env"
    env.write_text(f"# of the tests\nexport PGUSER=postgres\nPGPASSWORD='{postgres_server.PASSWORD}'\nOTHER=x\n")
    for key in ("file_template", "file"):
        assert plugin.rows(objects=["one"], connection=tcp, credentials={"type": "basic", key: str(env)}) == [ROWS]
    assert plugin.rows(objects=["one"], connection={"postgres": tcp}, credentials={"PGUSER": "postgres", "password": postgres_server.PASSWORD}) == [ROWS]
    assert plugin.rows(objects=["one"], connection={"dsn": f"host={server.folder} port={server.port} user=postgres dbname=postgres"}) == [ROWS]
    monkeypatch.setenv("DN_TEST_HOST", str(server.folder))
    monkeypatch.setenv("PGPORT", str(server.port))
    variables = {"host": "${DN_TEST_HOST}", "port": "${DN_TEST_NO_PORT}", "user": "${DN_TEST_NO_USER:-postgres}", "database": "postgres"}
    assert plugin.rows(objects=["one"], connection=variables) == [ROWS]
    assert "cannot connect" in plugin.error(objects=["one"], connection=variables, expanded=True)["message"]
    assert "{tenant}" in plugin.error(objects=["one"], credentials={"file_template": "/secrets/{tenant}/postgres.env"})["message"]
    assert "/nonexistent/file" in plugin.error(objects=["one"], credentials={"file_template": "/nonexistent/file"})["message"]
    wrong = plugin.error(objects=["one"], connection={**plugin.connection, "databse": "x"})
    assert wrong["code"] == "config" and "did you mean 'database'" in wrong["message"] and wrong["option"] == "databse"
    refused = plugin.error(objects=["one"], connection=tcp, credentials={"user": "postgres", "password": "not the right one"})
    assert "28P01" in refused["message"] and "not the right one" not in json.dumps(refused)


def test_check_connection(plugin):
    whole = plugin.check(objects=["one"])
    assert whole["success"] and whole["message"] == "public.one with 2 columns" and whole["details"]["columns"] == 2
    alone = plugin.check()
    assert alone["success"] and alone["message"].startswith("connected to PostgreSQL") and alone["details"]["tls"] is False
    missing = plugin.check(objects=["public.oen"])
    assert not missing["success"] and "did you mean" in missing["message"] and missing["details"]["error"]["retryable"] is False
    plugin.server.gone()


def test_discover(plugin):
    objects = {o["name"]: o for o in plugin.discover()}
    assert set(objects) == {"public.one", "public.seen", '"odd.schema"."T"'}
    assert objects["public.one"] == {"name": "public.one", "type": "table", "rows": 3, "columns": [
        {"name": "id", "type": "int32", "nullable": False}, {"name": "name", "type": "string", "nullable": True}]}
    assert objects["public.seen"]["type"] == "view"
    odd = objects['"odd.schema"."T"']
    assert odd["rows"] is None and [c["type"] for c in odd["columns"]] == ["numeric", "list<int32>", "date"]
    for name in objects:
        assert plugin.check(objects=[name])["success"]
    mine = plugin.discover(connection={**plugin.connection, "username": "reader"})
    assert [o["name"] for o in mine] == ["public.one"]


def test_info(plugin):
    info = json.loads(plugin.text(plugin.lib.plugin_info()))
    assert (info["name"], info["roles"], info["levels"]) == ("postgres_reader", ["reader"], [0, 0.5, 1])
    assert {"table", "query", "numeric", "special_values", "cursor_field"} <= {o["name"] for o in info["options"]}


def test_connections_that_cannot_be_had_are_told(server, plugin, capfd):
    server.sql("""CREATE ROLE few LOGIN CONNECTION LIMIT 2; CREATE TABLE for_few AS SELECT i, repeat('x', 200) AS a FROM generate_series(1, 60000) i;
        GRANT SELECT ON for_few TO few""")
    n_rows = sum(len(batch["records"]) if isinstance(batch, dict) else len(batch)
                 for batch in plugin.rows({"connections": 4}, objects=["public.for_few"], connection={**plugin.connection, "username": "few"}))
    log = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert n_rows == 60000
    told = [entry for entry in log if entry["event_type"] == "fewer_connections"]
    assert [entry["level"] for entry in told] == ["INFO"]
    assert re.match("public.for_few was read by [12] of 4 connections: ", told[0]["message"])  # who is refused counts for the moment, too
