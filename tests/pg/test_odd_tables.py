"""Tables and databases that are unusual: their rows all the same, or an error that says why."""

import pyarrow.parquet as pq
import pytest


@pytest.fixture(scope="module")
def few_pages(server):
    """Of several pieces."""
    server.sql("CREATE TABLE cut AS SELECT i AS id, repeat('x', 500) AS a FROM generate_series(1, 12000) i")


def test_many_open_numerics(command, server):
    """Four things are asked about each, and a SELECT has 1,664 columns at most."""
    n = 417
    server.sql(f"CREATE TABLE wide ({', '.join(f'c{i} numeric' for i in range(n))}); "
               f"INSERT INTO wide (c0, c7, c{n - 1}) VALUES (1, -12.50, 0.125), (NULL, 3, 99), (10, 0, NULL)")
    table = command.table(command.url("wide"))
    types = [str(table.schema.field(i).type) for i in (0, 1, 7, n - 1)]
    assert types == ["decimal128(2, 0)", "decimal128(1, 0)", "decimal128(4, 2)", "decimal128(5, 3)"]
    assert [str(v) for v in table[f"c{n - 1}"].to_pylist()] == ["0.125", "99.000", "None"] and table["c1"].null_count == 3


@pytest.mark.parametrize("where", ["id <= 10) OR (id > 11990", "true) OR (true", "id = 1) AND (1 = 1", "id = 1;", "id = 1 LIMIT 1", "id = (1", "SELECT true",
                                   "id = 1 -- (\n) OR (true", "a = $q$($q$) OR (true", r"a = E'\'(') OR (true", "id = 1 /* /* */ ( */ ) OR (true"])
def test_conditions_are_whole(command, few_pages, where):
    """Between parentheses, the first of these would have a connection read the rows of all others, too."""
    for connections in (1, 4):
        text = command.fails("convert", command.url("cut"), "no.parquet", "--where", where, "--reader-option", f"connections={connections}",
                             says=["public.cut: ", "syntax error", "42601"])
        assert text.count("\n") == 1


@pytest.mark.parametrize("where, n", [("id <= 10 OR id > 11990", 20), ("(id <= 10) OR (id > 11990)", 20), ("id < 4 -- and no more", 3), ("a = ')' OR id /* ( */ = 5", 1),
                                      ("(SELECT id = 7)", 1), ("a <> $q$)$q$ AND id = 3", 1), (r"a <> E'\')' AND id = 4", 1), ("id = 5 /* ) /* ( */ ) */", 1),
                                      ("id OPERATOR(pg_catalog.=) 5", 1)])
def test_conditions_that_are(command, few_pages, where, n):
    """Whatever stands in texts, comments and names of operators."""
    for connections in (1, 4):
        assert command.table(command.url("cut"), "--where", where, "--reader-option", f"connections={connections}").num_rows == n


def test_names_with_points_are_suggested_in_quotes(command, server):
    server.sql('CREATE SCHEMA "S.x"; CREATE TABLE "S.x"."T""y" (a int); INSERT INTO "S.x"."T""y" VALUES (1)')
    command.fails("convert", command.url('S.x.T"y'), "no.parquet", says='did you mean "S.x"."T""y"?')
    assert command.table(command.url('"S.x"."T""y"')).num_rows == 1


def test_types_of_extensions(command, server):
    """As their texts, within arrays as well; citext is a text itself."""
    server.sql("""CREATE EXTENSION hstore; CREATE EXTENSION ltree; CREATE EXTENSION citext; CREATE EXTENSION cube;
        CREATE TABLE extended (h hstore, l ltree, c citext, q cube, la ltree[], ha hstore[]);
        INSERT INTO extended VALUES ('a=>1,b=>NULL', 'Top.Science', 'Ab', '(1,2),(3,4)', '{A.B,NULL}', '{"a=>1"}'), (NULL, '', '', NULL, '{}', NULL)""")
    assert command.table(command.url("extended")).to_pylist() == [
        {"h": '"a"=>"1", "b"=>NULL', "l": "Top.Science", "c": "Ab", "q": "(1, 2),(3, 4)", "la": ["A.B", None], "ha": ['"a"=>"1"']},
        {"h": None, "l": "", "c": "", "q": None, "la": [], "ha": None}]


def test_bytes_of_an_unknown_encoding(command, server):
    """Of SQL_ASCII nobody knows what its bytes are: what is no UTF-8 is an error, never another letter, until a query says what it is."""
    server.sql("CREATE DATABASE bytes ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    server.sql("CREATE TABLE bytes (id int, a text); INSERT INTO bytes VALUES (1, 'é'), (2, E'M\\xfcller')", database="bytes")
    url = command.url("bytes").replace("/postgres?", "/bytes?")
    assert command.table(url, "--where", "id = 1")["a"].to_pylist() == ["é"]
    command.fails("convert", url, "no.parquet", says=["22021", "SQL_ASCII", "convert()"])
    said = "SELECT id, convert_from(convert(convert_to(a, 'SQL_ASCII'), 'LATIN1', 'UTF8'), 'SQL_ASCII') AS a FROM bytes WHERE id = 2"
    assert command.table(command.url().replace("/postgres?", "/bytes?"), "--query", said)["a"].to_pylist() == ["Müller"]


def test_foreign_tables(command, server):
    """Rows of another server, alone and as a partition; NOT NULL is nobody's promise there."""
    server.sql(f"""CREATE TABLE far (id int, n numeric, t text); INSERT INTO far SELECT i, i / 8.0, 't' || i FROM generate_series(1, 3000) i; CREATE EXTENSION postgres_fdw; CREATE SERVER loop FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '{server.folder}', port '{server.port}', dbname 'postgres');
        CREATE USER MAPPING FOR postgres SERVER loop OPTIONS (user 'postgres'); CREATE FOREIGN TABLE near (id int NOT NULL, n numeric, t text) SERVER loop OPTIONS (table_name 'far');
        CREATE TABLE mixed (id int NOT NULL, n numeric, t text) PARTITION BY RANGE (id); CREATE TABLE mixed_here PARTITION OF mixed FOR VALUES FROM (5000) TO (6000);
        INSERT INTO mixed VALUES (5001, 2.5, 'here'); CREATE FOREIGN TABLE mixed_there PARTITION OF mixed FOR VALUES FROM (0) TO (5000) SERVER loop OPTIONS (table_name 'far');
        CREATE FOREIGN TABLE gone (id int) SERVER loop OPTIONS (table_name 'nowhere')""")
    for connections in ("connections=1", "connections=4"):
        near = command.table(command.url("near"), "--reader-option", connections)
        assert near["id"].to_pylist() == list(range(1, 3001)) and [f.nullable for f in near.schema] == [True] * 3
        assert [float(v) for v in near["n"].to_pylist()] == [i / 8 for i in range(1, 3001)]
        mixed = command.table(command.url("mixed"), "--reader-option", connections)
        assert sorted(mixed["id"].to_pylist()) == [*range(1, 3001), 5001] and mixed.schema.field("id").nullable
    command.fails("convert", command.url("gone"), "no.parquet", says=["42P01", "nowhere"])


def test_row_security(command, server):
    """Everybody reads the rows that are his, by as many connections as there may be; who may not have less than all is told."""
    server.sql("""CREATE ROLE alice LOGIN; CREATE ROLE bob LOGIN;
        CREATE TABLE owned AS SELECT i AS id, (ARRAY['alice', 'bob', 'carol'])[1 + i % 3] AS who, repeat('x', 300) AS a FROM generate_series(1, 15000) i;
        ALTER TABLE owned ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON owned USING (who = current_user); GRANT SELECT ON owned TO alice, bob;
        ALTER ROLE bob SET row_security = off""")
    for connections in ("connections=1", "connections=4"):
        table = command.table(command.url("owned", user="alice"), "--reader-option", connections)
        assert table["id"].to_pylist() == list(range(3, 15001, 3)) and set(table["who"].to_pylist()) == {"alice"}
    assert command.table(command.url("owned")).num_rows == 15000  # the superuser's
    command.fails("convert", command.url("owned", user="bob"), "no.parquet", says=["row-level security", "42501"])
    # partitions that a policy leaves nothing of are not even locked
    server.sql("""CREATE TABLE regions (region text, id int) PARTITION BY LIST (region); CREATE TABLE region_eu PARTITION OF regions FOR VALUES IN ('eu');
        CREATE TABLE region_us PARTITION OF regions FOR VALUES IN ('us'); INSERT INTO regions VALUES ('eu', 1), ('us', 2); GRANT SELECT ON regions TO alice;
        ALTER TABLE regions ENABLE ROW LEVEL SECURITY; CREATE POLICY one ON regions USING (region = 'eu')""")
    assert command.table(command.url("regions", user="alice"))["id"].to_pylist() == [1]


def test_columns_that_went_and_came(command, server):
    server.sql("""CREATE TABLE changed (a int, b text, c numeric(5,2)); INSERT INTO changed VALUES (1, 'x', 2); ALTER TABLE changed DROP COLUMN b;
        ALTER TABLE changed ADD COLUMN d text NOT NULL DEFAULT 'default'; ALTER TABLE changed ADD COLUMN e int GENERATED ALWAYS AS (a * 2) STORED;
        ALTER TABLE changed ALTER COLUMN c TYPE numeric; INSERT INTO changed VALUES (2, 3.125, 'e');
        CREATE TABLE bare (); INSERT INTO bare DEFAULT VALUES; CREATE TABLE emptied (a int); ALTER TABLE emptied DROP COLUMN a""")
    rows = [{k: str(v) for k, v in row.items()} for row in command.table(command.url("changed")).to_pylist()]
    assert rows == [{"a": "1", "c": "2.000", "d": "default", "e": "2"}, {"a": "2", "c": "3.125", "d": "e", "e": "4"}]
    for name in ("bare", "emptied"):
        command.fails("convert", command.url(name), "no.parquet", says=[f"public.{name} has no columns to read"])
    command.fails("convert", command.url(), "--query", "SELECT", "no.parquet", says=["the query has no columns to read"])


def test_a_view_that_is_never_the_same(command, server):
    """Digits are looked for in one reading, and rows are another: what does not fit is an error, whatever the view."""
    server.sql("CREATE VIEW restless AS SELECT (CASE WHEN i < 400 THEN 1 ELSE random() END)::numeric AS n FROM generate_series(1, 999) i")
    done = command("convert", "-f", command.url("restless"), "out.parquet")
    if done.returncode == 0:
        assert pq.read_table(command.folder / "out.parquet").num_rows == 999
    else:
        assert done.returncode == 2 and "restless, row " in done.stderr.decode() and "decimal" in done.stderr.decode()
    assert command.table(command.url("restless"), "--reader-option", "numeric=string").num_rows == 999
