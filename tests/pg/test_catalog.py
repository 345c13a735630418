"""Finding relations, and cutting them into pieces."""

import pytest

from conftest import CONFIG, INVALID, NOT_FOUND, UNSUPPORTED

FILLER = "repeat('x', 900)"


def plan(tool, table, connections=4, piece=16, **kwargs):
    out = {"piece": []}
    for line in tool.ok("plan", table, connections=connections, piece=piece, **kwargs).splitlines():
        name, *values = line.split("\t")
        if name == "piece":
            out["piece"].append(values)
        else:
            out[name] = values[0]
    return out


def rows(text):
    return sorted(text.splitlines())


@pytest.fixture(scope="module")
def tables(server):
    server.sql(f"""
    CREATE SCHEMA shop;
    CREATE TABLE shop.orders (id int PRIMARY KEY, note text NOT NULL);
    INSERT INTO shop.orders SELECT i, {FILLER} || i FROM generate_series(1, 2000) i;
    CREATE TABLE customers (id int);
    CREATE VIEW orders_view AS SELECT id, note FROM shop.orders WHERE id <= 5;
    CREATE MATERIALIZED VIEW orders_kept AS SELECT * FROM shop.orders;
    CREATE TABLE events (day date NOT NULL, id int, note text) PARTITION BY RANGE (day);
    CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
    CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2024-02-01') TO ('2024-03-01') PARTITION BY LIST (id);
    CREATE TABLE events_2a PARTITION OF events_2 FOR VALUES IN (1, 2, 3);
    CREATE TABLE events_2b (note text, gone int, id int, day date NOT NULL);
    ALTER TABLE events_2b DROP COLUMN gone;
    ALTER TABLE events_2 ATTACH PARTITION events_2b DEFAULT;
    INSERT INTO events SELECT '2024-01-01'::date + i % 60, i % 7, {FILLER} || i FROM generate_series(1, 3000) i;
    CREATE TABLE animals (name text);
    CREATE TABLE dogs (breed text) INHERITS (animals);
    INSERT INTO animals SELECT 'cat' || i || {FILLER} FROM generate_series(1, 300) i;
    INSERT INTO dogs SELECT 'dog' || i || {FILLER}, 'x' FROM generate_series(1, 900) i;
    CREATE TABLE empty (a int);
    CREATE ROLE reader LOGIN;
    GRANT USAGE ON SCHEMA shop TO reader;
    """)


def test_columns_are_described(tool, tables):
    assert tool.ok("describe", "shop.orders") == "id\tinteger\tint32\t\t-1\tnot null\nnote\ttext\ttext\t\t-1\tnot null\n"


def test_what_there_is_is_listed(tool, tables):
    listed = dict(line.split("\t") for line in tool.ok("list").splitlines())
    assert listed["shop.orders"] == "r" and listed["public.orders_view"] == "v" and listed["public.orders_kept"] == "m"
    assert listed["public.events"] == "p" and "public.events_1" not in listed
    assert not any(name.startswith(("pg_catalog", "information_schema")) for name in listed)


def test_a_missing_table_is_told(tool, tables):
    tool.fails("dump", "shop.order", code=NOT_FOUND, says="there is no table or view shop.order in this database that this user can see; did you mean shop.orders?")
    tool.fails("dump", "custumers", code=NOT_FOUND, says="did you mean customers?")
    tool.fails("dump", "orders", code=NOT_FOUND, says="did you mean shop.orders?")
    tool.fails("dump", "nothing_like_it", code=NOT_FOUND, says="nothing_like_it")
    assert "did you mean" not in tool.fails("dump", "zzzzzzzzzzzz", code=NOT_FOUND)
    tool.fails("dump", "Customers", code=NOT_FOUND, says="did you mean customers?")


def test_names_that_are_none(tool, tables):
    tool.fails("dump", 'shop."orders', code=NOT_FOUND)
    tool.fails("dump", '"shop.orders', code=CONFIG, says="a quote is open")
    tool.fails("dump", "shop.", code=CONFIG, says="a part of it is empty")


def test_injection_is_a_name(tool, tables):
    tool.fails("dump", "customers; DROP TABLE customers", code=NOT_FOUND)
    tool.fails("dump", '"customers"" LIMIT 0) TO STDOUT; --"', code=NOT_FOUND)
    assert tool.ok("describe", "customers")


def test_other_peoples_functions_are_not_called(tool, server, tables):
    """Whoever may create functions in a schema of the search path must not get them called by who reads."""
    server.sql("CREATE DATABASE planted")
    traps = ["CREATE FUNCTION trap_oid(oid, int4) RETURNS bool LANGUAGE sql AS 'SELECT 1 / 0 = 1'",
             "CREATE FUNCTION trap_name(name, name) RETURNS bool LANGUAGE sql AS 'SELECT 1 / 0 = 1'",
             "CREATE FUNCTION trap_concat(name, name) RETURNS text LANGUAGE sql AS 'SELECT (1 / 0)::text'",
             "CREATE FUNCTION trap_numeric(numeric) RETURNS numeric LANGUAGE sql AS 'SELECT 1 / 0::numeric'",
             "CREATE OPERATOR || (leftarg = name, rightarg = name, procedure = trap_concat)",
             "CREATE OPERATOR !~ (leftarg = name, rightarg = name, procedure = trap_name)",
             "CREATE FUNCTION scale(numeric) RETURNS int LANGUAGE sql AS 'SELECT 1 / 0'",
             "CREATE FUNCTION trap_state(int8, numeric) RETURNS int8 LANGUAGE sql AS 'SELECT 1::int8 / 0'",
             "CREATE AGGREGATE count(numeric) (sfunc = trap_state, stype = int8, initcond = '0')"]
    traps += [f"CREATE OPERATOR {o} (leftarg = oid, rightarg = int4, procedure = trap_oid)" for o in ("=", "<>", "<", ">")]
    server.sql("CREATE TABLE t (a numeric, b numeric[], c inet); INSERT INTO t VALUES (1.5, '{2.25}', '::1');" + ";".join(traps), database="planted")
    assert tool.ok("list", dbname="planted") == "public.t\tr\n"
    assert tool.ok("dump", "t", dbname="planted") == "1.5\t[1:1]:2.25\t::1/128\n"
    assert tool.ok("digits", "t", dbname="planted") == "a\t1\t1\t1\t0\nb\t1\t2\t1\t0\n"
    tool.fails("dump", "tt", dbname="planted", code=NOT_FOUND, says="did you mean t?")


def test_the_search_path_counts(tool, tables):
    assert tool.ok("describe", "orders", options="-c search_path=shop") == tool.ok("describe", "shop.orders")


def test_permission_denied(tool, server, tables):
    tool.fails("dump", "shop.orders", user="reader", code=CONFIG, says=["permission denied for table orders", "42501", "GRANT SELECT"])
    assert "shop.orders" not in tool.ok("list", user="reader")
    server.sql("CREATE SCHEMA closed; CREATE TABLE closed.t (a int)")
    tool.fails("dump", "closed.t", user="reader", code=CONFIG, says=["closed", "42501"])


def test_some_columns_allowed(tool, server, tables):
    server.sql("CREATE TABLE partly (a int, b int); INSERT INTO partly VALUES (1, 2); GRANT SELECT (a) ON partly TO reader")
    tool.fails("dump", "partly", user="reader", code=CONFIG, says="42501")
    assert tool.ok("dump-query", "SELECT a FROM partly", user="reader") == "1\n"


# ---- pieces

def test_a_table_is_cut(tool, server, tables):
    made = plan(tool, "shop.orders")
    n_blocks = int(server.sql("SELECT pg_relation_size('shop.orders') / 8192"))
    assert made["connections"] == "4" and made["reason"] == "" and int(made["blocks"]) == n_blocks
    assert len(made["piece"]) == -(-n_blocks // 16)
    assert sum(int(blocks) for blocks, _ in made["piece"]) == n_blocks


def test_pieces_are_scans_of_their_pages(tool, server, tables):
    """Not of the whole table."""
    for _, select in plan(tool, "shop.orders")["piece"]:
        explained = server.sql("EXPLAIN " + select, options="-c enable_tidscan=on")
        assert "Tid Range Scan" in explained, explained


def whole(server, table, where="true"):
    return server.psql("-c", f"COPY (SELECT * FROM {table} WHERE {where}) TO STDOUT")


@pytest.mark.parametrize("connections", [1, 2, 7])
def test_pieces_are_the_table(tool, server, tables, connections):
    assert tool.ok("dump", "shop.orders", connections=connections, piece=16) == whole(server, "shop.orders")


def test_a_condition_goes_with_every_piece(tool, server, tables):
    assert tool.ok("dump", "shop.orders", connections=3, piece=16, where="id % 3 = 0 OR id = 1") == whole(server, "shop.orders", "id % 3 = 0 OR id = 1")
    tool.fails("dump", "shop.orders", connections=3, piece=16, where="nothing = 1", code=NOT_FOUND, says=["nothing", "42703"])
    tool.fails("dump", "shop.orders", where="id = ", code=INVALID, says="42601")


def test_a_small_table_is_one_piece(tool, tables):
    assert plan(tool, "customers")["reason"] == "it is small"
    assert plan(tool, "empty")["reason"] == "it is small"
    assert tool.ok("dump", "empty", connections=4) == ""


def test_a_view(tool, server, tables):
    made = plan(tool, "orders_view")
    assert made["reason"] == "it is a view" and made["connections"] == "1"
    assert rows(tool.ok("dump", "orders_view", connections=4)) == rows(whole(server, "orders_view"))


def test_a_materialised_view(tool, server, tables):
    assert plan(tool, "orders_kept")["connections"] == "4"
    assert tool.ok("dump", "orders_kept", connections=4, piece=16) == whole(server, "orders_kept")


def test_partitions_are_pieces(tool, server, tables):
    made = plan(tool, "events")
    assert made["reason"] == "" and made["connections"] == "4"
    names = [select.split('FROM ONLY "public"."')[1].split('"')[0] for _, select in made["piece"]]
    assert sorted(set(names)) == ["events_1", "events_2a", "events_2b"] and names == sorted(names)
    assert rows(tool.ok("dump", "events", connections=4, piece=16)) == rows(whole(server, "events"))
    assert rows(tool.ok("dump", "events_2", connections=4, piece=16)) == rows(whole(server, "events_2"))


def test_children_are_pieces(tool, server, tables):
    """The child is longer than its parent: pages of the parent's range alone would lose rows."""
    made = plan(tool, "animals")
    assert made["reason"] == "" and len(made["piece"]) > 5
    assert rows(tool.ok("dump", "animals", connections=2, piece=16)) == rows(whole(server, "animals"))
    assert rows(tool.ok("dump", "animals")) == rows(whole(server, "animals"))


def test_a_partition_that_may_be_read_through_its_parent_only(tool, server, tables):
    server.sql("GRANT SELECT ON events TO reader")
    assert "through it only" in plan(tool, "events", user="reader")["reason"]
    assert rows(tool.ok("dump", "events", user="reader", connections=4)) == rows(whole(server, "events"))


def test_a_partition_in_a_schema_that_may_not_be_entered(tool, server, tables):
    server.sql(f"""CREATE SCHEMA hidden; CREATE TABLE rooms (id int, note text) PARTITION BY RANGE (id);
    CREATE TABLE hidden.rooms_1 PARTITION OF rooms FOR VALUES FROM (0) TO (10000);
    INSERT INTO rooms SELECT i, {FILLER} FROM generate_series(1, 2000) i; GRANT SELECT ON rooms, hidden.rooms_1 TO reader""")
    assert "through it only" in plan(tool, "rooms", user="reader")["reason"]
    assert len(tool.ok("dump", "rooms", user="reader", connections=4, piece=16).splitlines()) == 2000


def test_temporary_children_of_others_are_left_out(tool, server, tables):
    server.sql(f"CREATE TABLE lasting (id int, note text); INSERT INTO lasting SELECT i, {FILLER} FROM generate_series(1, 2000) i")
    other = server.start_psql("CREATE TEMP TABLE passing () INHERITS (lasting); INSERT INTO passing VALUES (0, 'theirs'); SELECT 1;")
    try:
        for connections in (1, 4):
            assert len(tool.ok("dump", "lasting", connections=connections, piece=16).splitlines()) == 2000
    finally:
        other.communicate()


def test_row_security_of_a_parent(tool, server, tables):
    server.sql(f"""CREATE TABLE guarded (id int, note text) PARTITION BY RANGE (id);
    CREATE TABLE guarded_1 PARTITION OF guarded FOR VALUES FROM (0) TO (10000);
    INSERT INTO guarded SELECT i, {FILLER} FROM generate_series(1, 2000) i;
    ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
    CREATE POLICY odd ON guarded USING (id % 2 = 1);
    GRANT SELECT ON guarded, guarded_1 TO reader""")
    assert "row security" in plan(tool, "guarded", user="reader")["reason"]
    assert len(tool.ok("dump", "guarded", user="reader", connections=4).splitlines()) == 1000
    assert plan(tool, "guarded")["reason"] == ""  # the superuser is above it
    assert len(tool.ok("dump", "guarded", connections=4, piece=16).splitlines()) == 2000


def test_row_security_of_a_table(tool, server, tables):
    server.sql(f"""CREATE TABLE alone (id int, note text);
    INSERT INTO alone SELECT i, {FILLER} FROM generate_series(1, 2000) i;
    ALTER TABLE alone ENABLE ROW LEVEL SECURITY;
    CREATE POLICY odd ON alone USING (id % 2 = 1);
    GRANT SELECT ON alone TO reader""")
    assert plan(tool, "alone", user="reader")["reason"] == ""
    assert len(tool.ok("dump", "alone", user="reader", connections=4, piece=16).splitlines()) == 1000


def test_a_foreign_table(tool, server, tables, tmp_path):
    path = server.folder / "far.csv"
    path.write_text("1\n2\n")
    path.chmod(0o644)
    server.sql(f"CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw; "
               f"CREATE FOREIGN TABLE far (a int) SERVER files OPTIONS (filename '{path}', format 'csv'); "
               "CREATE TABLE mixed (a int) PARTITION BY RANGE (a); ALTER TABLE mixed ATTACH PARTITION far FOR VALUES FROM (0) TO (10);")
    assert plan(tool, "far")["reason"] == "it is a foreign table"
    assert tool.ok("dump", "far", connections=4) == "1\n2\n"
    assert plan(tool, "mixed")["reason"] == "one of its partitions is a foreign table"
    assert tool.ok("dump", "mixed", connections=4) == "1\n2\n"


def test_the_servers_own_tables(tool, server, tables):
    assert rows(tool.ok("dump-query", "SELECT relname FROM pg_class")) == rows(whole(server, "(SELECT relname FROM pg_class) c"))
    assert tool.ok("dump", "pg_catalog.pg_am")


def test_no_columns(tool, server, tables):
    server.sql("CREATE TABLE bare ()")
    tool.fails("dump", "bare", code=UNSUPPORTED, says="no columns")


# ---- queries

def test_queries(tool, tables):
    assert tool.ok("dump-query", "VALUES (1, 'a'), (2, NULL)") == "1\ta\n2\t\\N\n"
    assert tool.ok("dump-query", "SELECT 1 AS a, 2 AS a -- twice\n;\n") == "1\t2\n"
    assert tool.ok("dump-query", "SELECT 1 AS a, '10.0.0.1'::inet AS a -- end") == "1\t10.0.0.1/32\n"
    assert tool.ok("dump-query", "WITH w AS (SELECT 1) TABLE w") == "1\n"


def test_queries_that_are_none(tool, tables):
    tool.fails("dump-query", "SELEC 1", code=INVALID, says="42601")
    tool.fails("dump-query", "SELECT 1; SELECT 2", code=INVALID, says="42601")
    tool.fails("dump-query", "SELECT nothing FROM customers", code=NOT_FOUND, says="42703")
    tool.fails("dump-query", "TRUNCATE customers", code=UNSUPPORTED, says="no columns")
    tool.fails("dump-query", "SELECT 1) TO STDOUT; COPY (SELECT 2", code=INVALID, says="42601")


# ---- sizes

def test_long_values_are_cut_too(tool, server):
    """They are not in the pages of their rows: a table of 25 pages with 16 MB of TOAST is no small one."""
    server.sql("CREATE TABLE long (id int, v text); ALTER TABLE long ALTER v SET STORAGE EXTERNAL; "
               "INSERT INTO long SELECT i, repeat(chr(65 + i % 26), 8000) FROM generate_series(1, 2000) i")
    n_own = int(server.sql("SELECT pg_relation_size('long') / 8192"))
    n_toast = int(server.sql("SELECT pg_relation_size(reltoastrelid) / 8192 FROM pg_class WHERE relname = 'long'"))
    made = plan(tool, "long")
    assert n_toast > 20 * n_own and made["reason"] == "" and made["connections"] == "4"
    assert int(made["blocks"]) == n_own + n_toast == sum(int(blocks) for blocks, _ in made["piece"])
    assert len(made["piece"]) == n_own and "ctid >= '(3,0)'" in made["piece"][3][1]
