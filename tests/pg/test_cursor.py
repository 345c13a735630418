"""What is new since the last time, as one moment has it."""

import time

import pytest

from conftest import DATA, UNSUPPORTED


def new(tool, table, cursor, last=None, **kwargs):
    done = tool("dump", table, cursor=cursor, **({} if last is None else {"last": last}), **kwargs)
    assert done.code == 0, done.err
    return [line.split("\t")[0] for line in done.out.splitlines()], done.err.strip()


@pytest.fixture(scope="module")
def table(server):
    server.sql("""CREATE TABLE grows (id int, "At it's" timestamptz, name text, price numeric(8,3), f float8, tags int[], pt point, inet inet, m date);
    INSERT INTO grows SELECT i, '2024-01-01 00:00:00+00'::timestamptz + i * interval '1 second' + interval '1 microsecond', 'na''me\\' || i, i / 8.0,
        i / 7.0::float8, '{}', '(0,0)', ('10.0.0.' || i)::inet, '2024-01-01'::date + i FROM generate_series(1, 9) i""")


@pytest.mark.parametrize("cursor, last, largest", [
    ("id", "6", "9"), ("At it's", "2024-01-01T00:00:06.000001Z", "2024-01-01 00:00:09.000001+00"), ("name", "na'me\\6", "na'me\\9"),
    ("price", "0.750", "1.125"), ("f", "0.8571428571428571", "1.2857142857142858"), ("inet", "10.0.0.6", "10.0.0.9/32"), ("m", "2024-01-07", "2024-01-10"),
])
def test_what_is_above_the_last_value(tool, table, cursor, last, largest):
    assert new(tool, "grows", cursor) == ([str(i) for i in range(1, 10)], largest)
    assert new(tool, "grows", cursor, last) == (["7", "8", "9"], largest)
    assert new(tool, "grows", cursor, largest) == ([], "nothing new")


@pytest.mark.parametrize("type, last", [("numeric(6,1)", "1.45"), ("timestamp(0)", "2024-01-01 00:00:01.5"), ("time(0)", "00:00:01.5"), ("interval(0)", "1.5 s"),
    ("varchar(3)", "b2x")])
def test_the_last_value_is_not_rounded(tool, server, type, last):
    values = {"n": "('1'), ('1.4'), ('1.5')", "t": "('2024-01-01 00:00:00'), ('2024-01-01 00:00:01'), ('2024-01-01 00:00:02')", "v": "('a'), ('b2'), ('b2y')"}
    if type in ("time(0)", "interval(0)"):
        values["t"] = values["i"] = "('00:00:00'), ('00:00:01'), ('00:00:02')"
    server.sql(f"""DROP TABLE IF EXISTS rounds; CREATE TABLE rounds (id serial, at {type}); INSERT INTO rounds (at) VALUES {values[type[0]]}""")
    assert new(tool, "rounds", "at", last)[0] == ["3"]


def test_a_condition_counts_too(tool, table):
    assert new(tool, "grows", "id", "3", where="id % 2 = 0 -- even") == (["4", "6", "8"], "8")
    assert new(tool, "grows", "id", "3", where="id = 1 OR id = 5") == (["5"], "5")


def test_nulls_are_told(tool, server):
    server.sql("CREATE TABLE holes (id int, at date); INSERT INTO holes VALUES (1, '2024-01-01'), (2, NULL)")
    assert new(tool, "holes", "at") == (["1"], "2024-01-01, and nulls")
    assert new(tool, "holes", "at", where="id = 1") == (["1"], "2024-01-01")
    server.sql("DELETE FROM holes WHERE id = 1")
    assert new(tool, "holes", "at") == ([], "nothing new, and nulls")
    server.sql("TRUNCATE holes")
    assert new(tool, "holes", "at", "2024-01-01") == ([], "nothing new")


def test_values_that_are_none(tool, server, table):
    tool.fails("dump", "grows", cursor="id", last="many", code=DATA, says=["22P02", "many"])
    tool.fails("dump", "grows", cursor="id", last="'; DROP TABLE grows; --", code=DATA, says="22P02")
    tool.fails("dump", "grows", cursor="id", last="\\'", code=DATA, says="22P02")
    tool.fails("dump", "grows", cursor="tags", code=UNSUPPORTED, says=["tags", "integer[]", "cannot tell what is new"])
    tool.fails("dump", "grows", cursor="pt", code=UNSUPPORTED, says=["pt", "cannot tell what is new"])
    server.sql("CREATE TABLE IF NOT EXISTS flags (f bool)")
    tool.fails("dump", "flags", cursor="f", code=UNSUPPORTED, says=["f", "boolean", "cannot tell what is new"])


@pytest.mark.parametrize("type, known, end", [("float8", "1.5", "NaN"), ("float4", "1.5", "Infinity"), ("numeric", "1.5", "NaN"), ("numeric", "1.5", "Infinity"),
    ("date", "2024-01-01", "infinity"), ("timestamp", "2024-01-01", "infinity"), ("timestamptz", "2024-01-01", "infinity")])
def test_nothing_would_ever_be_above(tool, server, type, known, end):
    server.sql(f"DROP TABLE IF EXISTS ends; CREATE TABLE ends (id int, at {type}); INSERT INTO ends VALUES (1, '{known}'), (2, '{end}')")
    for last in ({}, {"last": known}, {"last": end}):
        tool.fails("dump", "ends", cursor="at", code=DATA, says=['of "at" is', end, "nothing is ever new"], **last)
    where = {"where": "at < 'infinity'"}
    assert new(tool, "ends", "at", **where)[0] == ["1"]
    assert new(tool, "ends", "at", known, **where) == ([], "nothing new")
    server.sql("TRUNCATE ends")
    tool.fails("dump", "ends", cursor="at", last=end.upper(), code=DATA, says="the last value of")


def test_texts_have_no_end(tool, server):
    server.sql("CREATE TABLE words (id int, w text); INSERT INTO words VALUES (1, 'NaN'), (2, 'a'), (3, 'infinity')")
    assert new(tool, "words", "w") == (["1", "2", "3"], "infinity")
    assert new(tool, "words", "w", "NaN") == (["2", "3"], "infinity")


@pytest.mark.parametrize("schema", ["public", "elsewhere"])
def test_the_order_is_the_types_own(tool, server, schema):
    """A name that the search path looks up may be another type's: text's for citext, whose largest of these is B."""
    server.sql(f"""DROP EXTENSION IF EXISTS citext CASCADE; CREATE SCHEMA IF NOT EXISTS elsewhere; CREATE EXTENSION citext SCHEMA {schema};
        DROP DOMAIN IF EXISTS word; CREATE DOMAIN word AS {schema}.citext; DROP TABLE IF EXISTS own; CREATE TABLE own (id int, c {schema}.citext, d word);
        INSERT INTO own VALUES (1, 'a', 'a'), (2, 'B', 'B')""")
    for cursor in "c", "d":
        assert new(tool, "own", cursor) == (["1", "2"], "B")
        assert new(tool, "own", cursor, "A") == (["2"], "B")
        assert new(tool, "own", cursor, "b") == ([], "nothing new")


@pytest.mark.parametrize("type, values", [('"char"', ["a", "~"]), ("uuid", ["00000000-0000-0000-0000-000000000001", "ffffffff-0000-0000-0000-000000000002"]),
    ("bytea", ["\\x00", "\\xff"]), ("bit(3)", ["010", "101"]), ("macaddr", ["08:00:2b:01:02:03", "ff:00:2b:01:02:03"]), ("char(3)", [" ", "a"]),
    ("int4range", ["[1,3)", "[5,9)"])])
def test_every_type_with_an_order(tool, server, type, values):
    server.sql(f"DROP TABLE IF EXISTS ordered; CREATE TABLE ordered (id int, at {type}); INSERT INTO ordered VALUES (1, '{values[0]}'), (2, '{values[1]}')")
    assert new(tool, "ordered", "at") == (["1", "2"], values[1])
    assert new(tool, "ordered", "at", values[0]) == (["2"], values[1])
    assert new(tool, "ordered", "at", values[1]) == ([], "nothing new")


def test_what_comes_later_is_for_next_time(tool, server, tmp_path):
    """Rows that are added behind the snapshot are not in the bounds, and several connections share them."""
    server.sql("CREATE TABLE later (id int, note text); INSERT INTO later SELECT i, repeat('x', 900) FROM generate_series(1, 1000) i")
    ready, go = tmp_path / "ready", tmp_path / "go"
    process = tool.start("dump", "later", cursor="id", last="500", connections=3, piece=16, ready=ready, go=go)
    while not ready.exists() and process.poll() is None:
        time.sleep(0.02)
    server.sql("INSERT INTO later SELECT i, 'new' FROM generate_series(400, 1100) i")
    go.touch()
    done = tool.finish(process)
    assert done.code == 0 and done.err == "1000\n"
    assert [line.split("\t")[0] for line in done.out.splitlines()] == [str(i) for i in range(501, 1001)]
