"""`convert` and `schema` with a table of PostgreSQL: the command from outside."""

import pathlib
import signal
import threading

import pytest

import postgres_server
from conftest import wait_for

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
    command.server.gone()
    assert command.table(command.url("orders").replace("postgres", "POSTGRES", 1)).num_rows == 20000


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


# ---- what is read

def test_a_view_and_parts(command, server, orders):
    server.sql("""CREATE VIEW seen AS SELECT id, total FROM orders WHERE id <= 3;
        CREATE MATERIALIZED VIEW kept AS SELECT id FROM orders WHERE id > 19990;
        CREATE TABLE parted (id int NOT NULL, note text) PARTITION BY RANGE (id);
        CREATE TABLE "parted B" PARTITION OF parted FOR VALUES FROM (100) TO (200);
        CREATE TABLE parted_a (note text, id int NOT NULL); ALTER TABLE parted ATTACH PARTITION parted_a FOR VALUES FROM (0) TO (100);
        INSERT INTO parted SELECT i, 'n' || i FROM generate_series(0, 199) i;
        CREATE TABLE parent (id int, a text); CREATE TABLE child (b int) INHERITS (parent); INSERT INTO parent VALUES (1, 'x'); INSERT INTO child VALUES (2, 'y', 3)""")
    assert command.table(command.url("seen"))["id"].to_pylist() == [1, 2, 3]
    assert sorted(command.table(command.url("kept"))["id"].to_pylist()) == list(range(19991, 20001))
    for connections in (1, 4):
        parted = command.table(command.url("parted"), "--reader-option", f"connections={connections}")
        assert sorted(zip(parted["id"].to_pylist(), parted["note"].to_pylist())) == [(i, f"n{i}") for i in range(200)]
        assert not parted.schema.field("id").nullable
    assert sorted(map(tuple, (row.values() for row in command.table(command.url("parent")).to_pylist()))) == [(1, "x"), (2, "y")]


def test_why_there_is_one_connection(command, server, orders):
    """Who asks for more hears it; whoever does not need not."""
    server.sql("CREATE VIEW seen_alone AS SELECT id FROM orders")
    for source, why in [((command.url("seen_alone"),), "public.seen_alone is read by one connection: it is a view"),
                        ((command.url("orders"),), "public.orders is read by one connection: it is small"),
                        ((command.url(), "--query", "SELECT 1 AS id"), "is read by one connection: it is a query")]:
        for options, told in [((), False), (("--reader-option", "connections=1"), False), (("--reader-option", "connections=2"), True)]:
            done = command("convert", "-f", *source, *options, "out.parquet")
            assert done.returncode == 0 and (why in done.stderr.decode()) is told, done.stderr.decode()


def test_not_null_is_believed_where_it_is_kept(command, server):
    server.sql("CREATE TABLE required (a int NOT NULL, b date NOT NULL); INSERT INTO required VALUES (1, 'infinity'); CREATE VIEW of_required AS TABLE required")
    options = ("--reader-option", "special_values=null")
    assert [f.nullable for f in command.table(command.url("required"), *options).schema] == [False, True]
    assert [f.nullable for f in command.table(command.url("of_required"), *options).schema] == [True, True]
    assert [f.nullable for f in command.table(command.url("required"), *options, "--types", "a=int64").schema] == [False, True]
    server.sql("CREATE TABLE holes (a int); INSERT INTO holes VALUES (1), (NULL)")
    command.fails("convert", "--reader-option", 'required=["a"]', command.url("holes"), "no.parquet", says=["public.holes, row 2", 'column "a"', "required"])
    special = ("--reader-option", "special_values=null", "--reader-option", 'required=["b"]')
    command.fails("convert", *special, command.url("required"), "no.parquet", says=["public.required, row 1", 'column "b"', "required"])
    server.sql("CREATE TABLE no_day (b date); INSERT INTO no_day VALUES ('2024-01-01')")
    assert [f.nullable for f in command.table(command.url("no_day"), *special).schema] == [False]
    server.sql("INSERT INTO no_day VALUES (NULL)")
    command.fails("convert", *special, command.url("no_day"), "no.parquet", says=["public.no_day, row 2", 'column "b"', "required"])


def test_columns(command, orders):
    table = command.table(command.url("orders"), "--reader-option", 'columns=["total","id"]')
    assert table.column_names == ["total", "id"]
    query = command.table(command.url(), "--query", "SELECT 1 AS a, 'x' AS b, 2 AS a", "--reader-option", 'columns=["b","a"]')
    assert query.to_pylist() == [{"b": "x", "a": 1}]
    assert command.table(command.url(), "--query", "SELECT 1 AS a, 'x' AS b, 2 AS a").column_names == ["a", "b", "a_1"]
    command.fails("convert", "--reader-option", 'columns=["totl"]', command.url("orders"), "no.parquet", says=['no column "totl"', 'did you mean "total"'])
    missing = command.table(command.url("orders"), "--reader-option", 'columns=["id","z"]', "--reader-option", "missing_as_null=true", "--types", "z=date")
    assert str(missing.schema.field("z").type) == "date32[day]" and missing["z"].null_count == 20000


def test_an_asset(command, server, orders):
    (command.folder / "asset.yaml").write_text("""name: orders
version: 1.0.0
source_type: postgres
schema:
  - {name: id, type: integer, required: true}
  - {name: total, type: double}
  - {name: name, type: string}
  - {name: later, type: timestamp}
""")
    table = command.table(command.url("orders"), "--schema", "asset.yaml")
    assert [str(f.type) for f in table.schema] == ["int64", "double", "string", "timestamp[us]"]
    assert table["total"][0].as_py() == 1.25 and table["later"].null_count == 20000
    asset = command.ok("schema", "--json", command.url("orders"))
    (command.folder / "own.json").write_text(asset)
    assert '"name": "orders"' in asset and '"source_type": "postgres"' in asset
    assert command.table(command.url("orders"), "--schema", "own.json").schema.names == ["id", "name", "total"]


def test_an_asset_of_every_kind(command, server):
    """Of a database uuid and json mean the column's own type, and so `schema --json` may say them."""
    server.sql("""CREATE TABLE kinds (u uuid, j json, b jsonb, us uuid[], ba bytea, i interval, n numeric);
        INSERT INTO kinds VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '1', '{}', '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}', 'x', '1 day', 1.5)""")
    own = command.table(command.url("kinds"))
    (command.folder / "own.json").write_text(command.ok("schema", "--json", command.url("kinds")))
    assert command.table(command.url("kinds"), "--schema", "own.json").equals(own)


def test_what_a_double_rounds_is_a_warning(command, server):
    server.sql("CREATE TABLE rounds (a int8, b numeric, c numeric(16,2), d numeric(15,2), e int4); INSERT INTO rounds VALUES (9007199254740993, 1, 2, 3, 4)")
    done = command("convert", "-q", "--types", "a=double,b=double,c=double,d=double,e=double", command.url("rounds"), "out.parquet")
    lines = done.stderr.decode().splitlines()
    assert done.returncode == 0 and [line.split('"')[1] for line in lines] == ["a", "b", "c"], lines
    assert all("warning: " in line and "closest float64" in line for line in lines)


def test_what_is_new(command, server):
    server.sql("CREATE TABLE grows (id int, at timestamptz); INSERT INTO grows SELECT i, '2024-01-01'::timestamptz + i * interval '1 s' FROM generate_series(1, 9) i")
    new = command.table(command.url("grows"), "--reader-option", "cursor_field=at", "--reader-option", "cursor_after=2024-01-01T00:00:06Z")
    assert new["id"].to_pylist() == [7, 8, 9]
    command.fails("convert", "--reader-option", "cursor_after=1", command.url("grows"), "no.parquet", says=["cursor_after", "cursor_field"])
    command.fails("convert", "--reader-option", "cursor_field=att", command.url("grows"), "no.parquet", says=['did you mean "at"'])
    command.fails("convert", "--reader-option", "cursor_field=id", command.url(), "--query", "SELECT 1 AS id", "no.parquet", says=["cursor_field", "for a table"])


def test_csv(command, server):
    server.sql("CREATE TABLE to_csv (a int[], b text, n numeric(5,2)); INSERT INTO to_csv VALUES ('{1,NULL}', 'x,y', 1.50), (NULL, '', NULL)")
    command.ok("convert", command.url("to_csv"), "out.csv")
    assert (command.folder / "out.csv").read_text() == 'a,b,n\n"{1,NULL}","x,y",1.50\n,"",\n'


def test_no_rows(command, server):
    server.sql("CREATE TABLE nothing (id int)")
    command.fails("convert", command.url("nothing"), "no.parquet", says=["no rows", "--allow-empty"])
    assert command.table(command.url("nothing"), "--allow-empty").num_rows == 0


# ---- what goes wrong

def test_names_that_are_none(command, orders):
    command.fails("convert", command.url("public.order"), "no.parquet", says=["public.order ", "did you mean", "public.orders"])
    assert "did you mean" not in command.fails("convert", command.url("public.xyz"), "no.parquet", says="public.xyz")
    for key in ("tabel", "tables"):
        command.fails("convert", command.url("orders") + f"&{key}=x", "no.parquet", says=[f'no key "{key}"', "did you mean table?"])
    command.fails("convert", command.url("orders") + "&table=x", "no.parquet", says="two tables")
    command.fails("convert", command.url("nowhere.orders"), "no.parquet", says=["nowhere.orders", "did you mean"])
    command.fails("convert", command.url(), "--query", "SELECT totl FROM orders", "no.parquet", says=["42703", "totl"])
    command.fails("convert", command.url(), "--query", "SELEC 1", "no.parquet", says=["42601", "syntax error"])
    command.fails("convert", command.url(), "--query", "DELETE FROM orders RETURNING id", "no.parquet", says="read-only transaction")
    command.fails("convert", command.url("orders"), "--query", "SELECT 1", "no.parquet", says="leave one out")
    command.fails("convert", command.url("orders"), "--where", "totl > 1", "no.parquet", says=["42703", "totl"])
    command.fails("convert", command.url("orders"), "--delimiter", ";", "no.parquet", says=["--delimiter is for CSV", "database"])
    command.fails("convert", command.url("orders"), "--hive-partitioning", "no.parquet", says=["--hive-partitioning is for files"])
    command.fails("convert", "--limit", "5", command.url("orders"), "no.parquet", says=["--limit is for files", "--query 'SELECT ... LIMIT 10'"])
    command.fails("convert", "a.csv", "--where", "x", "no.parquet", says=["--where is for databases"])
    command.fails("convert", command.url("orders"), "--reader-option", "conections=2", "no.parquet", says=["conections", "connections"])
    command.fails("convert", command.url("orders"), "--reader-option", "statement_timeout=soon", "no.parquet", says=["statement_timeout", "30s"])


def test_permission_denied(command, server, orders):
    server.sql("CREATE ROLE nobody_yet LOGIN; CREATE TABLE secret (id int, hidden int); GRANT SELECT (id) ON secret TO nobody_yet; INSERT INTO secret VALUES (1, 2)")
    command.fails("convert", command.url("orders", user="nobody_yet"), "no.parquet", says=["permission denied", "42501", "orders"])
    assert command.table(command.url(user="nobody_yet"), "--query", "SELECT id FROM secret")["id"].to_pylist() == [1]
    assert command.table(command.url("secret", user="nobody_yet"), "--reader-option", 'columns=["id"]')["id"].to_pylist() == [1]


def test_passwords(command, server, orders):
    tcp = {"host": "127.0.0.1", "sslmode": "require"}
    source = command.url("orders", **tcp)
    command.fails("convert", source, "no.parquet", says="password")
    text = command.fails("convert", source, "no.parquet", env={"PGPASSWORD": "a very wrong one"}, says=["password authentication failed", "28P01"])
    assert "a very wrong one" not in text
    assert command.table(source, env={"PGPASSWORD": postgres_server.PASSWORD}).num_rows == 20000
    pgpass = command.folder / "pgpass"
    pgpass.write_text(f"127.0.0.1:{server.port}:*:postgres:{postgres_server.PASSWORD}\n")
    pgpass.chmod(0o600)
    assert command.table(source, env={"PGPASSFILE": str(pgpass)}).num_rows == 20000
    quoted = postgres_server.PASSWORD.replace(" ", "%20").replace("+", "%2B")
    address = f"postgresql://postgres:{quoted}@127.0.0.1:{server.port}/postgres?table=orders&sslmode=require"
    shown = command("convert", "-f", address, "out.parquet").stderr.decode() + command("convert", address, "out.parquet").stderr.decode()
    assert quoted not in shown and f"postgresql://127.0.0.1:{server.port}/postgres?table=orders" in shown
    text = command.fails("convert", f"postgres://postgres:se@cr/et!@127.0.0.1:{server.port}/postgres?table=orders", "no.parquet", says="%40")
    assert "cr/et" not in text


def test_a_password_where_no_database_is_expected(command, orders):
    """`Command` looks for the password in everything that is said."""
    password = postgres_server.PASSWORD
    (command.folder / "in.csv").write_text("a\n1\n")
    for scheme in ("postgres", "postgresql", "POSTGRES", "postgre", "mysql", "https"):
        address = f"{scheme}://me:{password}@db.example.com/shop?table=orders&password={password}"
        command.fails("inspect", address, says="error: ")
        command.fails("verify", address, says="error: ")
        command.fails("convert", "in.csv", address, says=f"{scheme}://db.example.com/shop")
        if "postgres" not in scheme.lower():
            command.fails("convert", address, "no.parquet", says="error: ")
    command.fails("verify", command.url("orders"), says=["looks into Parquet files", "convert"])
    command.fails("inspect", command.url("orders"), says=["looks into Parquet files", "convert"])
    command.fails("convert", "in.csv", command.url("orders"), says="read and not written")


def test_the_command_line_has_no_password(command, server, orders):
    """Not in /proc, not even one that was not encoded."""
    lock = server.start_psql("BEGIN; LOCK TABLE orders; SELECT 'held';")
    address = f"postgres://postgres:se%20cret@/postgres?host={server.folder}&port={server.port}&table=orders"
    process = command.start("convert", address, "out.parquet")
    try:
        wait_for(lambda: server.sessions() == 1, "no session")
        line = pathlib.Path(f"/proc/{process.pid}/cmdline").read_bytes()
        assert b"convert" in line and b"cret" not in line and b"postgres?" in line
    finally:
        process.send_signal(signal.SIGINT)
        text = process.communicate(timeout=60)[1].decode()
        lock.communicate()
    assert "stopped" in text or "cancelled" in text, text
    assert process.returncode == 130 or process.returncode == 2, (process.returncode, text)
    server.gone()


def test_tls(command, server, orders, certificate):
    env = {"PGPASSWORD": postgres_server.PASSWORD}
    verified = command.url("orders", host="127.0.0.1", sslmode="verify-full", sslrootcert=certificate[0])
    assert command.table(verified, env=env).num_rows == 20000
    command.fails("convert", command.url("orders", host="127.0.0.1", sslmode="verify-full", sslrootcert="/nonexistent/root.pem"), "no.parquet", env=env,
                  says="root.pem")


def test_statement_timeout(command, server):
    command.fails("convert", command.url(), "--query", "SELECT pg_sleep(60)", "--reader-option", "statement_timeout=200ms", "no.parquet",
                  says=["57014", "statement timeout"])


def test_nobody_answers(command, server):
    command.fails("convert", f"postgres://postgres@127.0.0.1:{postgres_server.free_port()}/postgres?table=t", "no.parquet", says=["cannot connect", "refused"])


def test_libpq_is_missing(command, server, orders):
    """A library of that name that is none, in front of the system's."""
    (command.folder / "lib").mkdir()
    (command.folder / "lib" / "libpq.so.5").write_text("no library")
    command.fails("convert", command.url("orders"), "no.parquet", env={"LD_LIBRARY_PATH": str(command.folder / "lib")}, says=["libpq", "libpq5"])


def test_a_failure_in_the_middle_leaves_nothing(command, server, orders):
    for connections in (1, 3):
        command.fails("convert", command.url("orders"), "--where", "1 / (15000 - id) < 2", "--reader-option", f"connections={connections}", "no.parquet",
                      says=["division by zero", "22012", "public.orders"])


@pytest.mark.parametrize("query", ["SELECT pg_sleep(1000)", "SELECT i, pg_sleep(0.01) FROM generate_series(1, 100000) i"])
def test_ctrl_c(command, server, query):
    process = command.start("convert", command.url(), "--query", query, "out.parquet")
    wait_for(lambda: "active" in server.sql("SELECT state FROM pg_stat_activity WHERE application_name = 'dativo-native' AND query LIKE 'COPY%'"), "no query")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode != 0 and not list(command.folder.iterdir())
    server.gone()


def test_one_snapshot(command, server):
    """Money that moves between accounts while several connections read is there once."""
    server.sql("DROP TABLE IF EXISTS money; CREATE TABLE money (id int, amount int, note text); "
               "INSERT INTO money SELECT i, 100, repeat('x', 900) FROM generate_series(1, 6000) i")
    stop = threading.Event()

    def move():
        while not stop.is_set():
            server.sql("UPDATE money SET amount = amount + CASE WHEN id % 2 = 0 THEN 7 ELSE -7 END WHERE id % 50 < 2; VACUUM money")

    thread = threading.Thread(target=move)
    thread.start()
    try:
        for _ in range(3):
            table = command.table(command.url("money"), "--reader-option", "connections=4", "--where", "id % 1000 <> 0 OR pg_sleep(0.02) IS NOT NULL")
            assert table.num_rows == 6000 and sum(table["amount"].to_pylist()) == 600000
            assert set(table["id"].to_pylist()) == set(range(1, 6001))
    finally:
        stop.set()
        thread.join()
