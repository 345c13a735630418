"""`convert` and `schema` with a table of PostgreSQL: the command from outside."""

import subprocess

import pyarrow.parquet as pq
import pytest

import postgres_server
from command import BIN, environment

NOWHERE = {"HOME": "/nonexistent", "PGPASSFILE": "/nonexistent/pgpass"}


class Command:
    def __init__(self, folder, server):
        self.folder, self.server = folder, server

    def url(self, table=None, user="postgres", **keys):
        keys = {"host": self.server.folder, "port": self.server.port, **keys}
        query = "&".join(f"{k}={v}" for k, v in keys.items()) + (f"&table={table}" if table else "")
        return f"postgres://{user}@/postgres?{query}"

    def __call__(self, *args, env=None, timeout=120):
        done = subprocess.run([str(BIN), *map(str, args)], cwd=self.folder, env=environment(**NOWHERE, **(env or {})), capture_output=True,
                              timeout=timeout)
        text = done.stdout.decode() + done.stderr.decode()
        assert postgres_server.PASSWORD not in text and "Sanitizer" not in text and "runtime error" not in text, text
        return done

    def ok(self, *args, **kwargs):
        done = self(*args, **kwargs)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def fails(self, *args, says, code=2, **kwargs):
        before = sorted(self.folder.rglob("*"))
        done = self(*args, **kwargs)
        text = done.stderr.decode()
        assert done.returncode == code, (done.returncode, text)
        for word in [says] if isinstance(says, str) else says:
            assert word in text, text
        assert sorted(self.folder.rglob("*")) == before
        assert self.server.sessions() == 0
        return text

    def table(self, source, *args, **kwargs):
        self.ok("convert", "-f", *args, source, "out.parquet", **kwargs)
        return pq.read_table(self.folder / "out.parquet")


@pytest.fixture
def command(tmp_path, server):
    return Command(tmp_path, server)


@pytest.fixture(scope="module")
def orders(server):
    server.sql("""CREATE TABLE orders (id int PRIMARY KEY, name text, total numeric(12,2));
        INSERT INTO orders SELECT g, 'name of ' || g, g * 1.25 FROM generate_series(1, 20000) g""")


def test_table(command, orders):
    table = command.table(command.url("public.orders"))
    assert [str(f.type) for f in table.schema] == ["int32", "string_view" if "view" in str(table.schema[1].type) else "string", "decimal128(12, 2)"]
    assert [f.nullable for f in table.schema] == [False, True, True]
    assert table["id"].to_pylist() == list(range(1, 20001))
    assert table["name"][19999].as_py() == "name of 20000"
    assert str(table["total"][1].as_py()) == "2.50"
    assert command.server.sessions() == 0


def test_query_and_where(command, orders):
    table = command.table(command.url(), "--query", "SELECT count(*) AS n, sum(total) AS total FROM orders;")
    assert table["n"].to_pylist() == [20000] and str(table["total"][0].as_py()) == "250012500.00"
    assert command.table(command.url("orders"), "--where", "id % 1000 = 0")["id"].to_pylist() == list(range(1000, 20001, 1000))


def test_schema(command, orders):
    lines = [line.split() for line in command.ok("schema", command.url("orders")).splitlines()]
    assert lines == [["column", "type", "null"], ["id", "int32", "not", "null"], ["name", "string"], ["total", "decimal(12,", "2)"]]


def test_several_sources_are_refused(command, orders):
    command.fails("convert", command.url("orders"), command.url("orders"), "out.parquet", says="one table")
    command.fails("convert", command.url(), "out.parquet", says=["?table=schema.name", "--query"])
