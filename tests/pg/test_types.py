"""Every type with its extremes: what the decoders make of the wire is what the server writes."""

import math
import struct
from decimal import Decimal

import pytest

from every_type import ARRAY_CASTS, CASTS, COLUMNS, SETTINGS, make_table


@pytest.fixture(scope="module")
def types(server):
    return make_table(server)


def expected(server, name, type_):
    is_array = type_.endswith("[]") or type_ == "pair"
    text = f"array_dims({name}) || ':' || array_to_string({name}, chr(31), 'NULL')" if is_array else name
    if name in CASTS or name in ARRAY_CASTS:  # SQL's cast, which for inet is not what the type's own output is
        text = text.replace(f"({name},", f"({name}::text[],") if is_array else f"{name}::text"
    if is_array:
        text = f"CASE WHEN {name} = '{{}}' THEN ':' ELSE {text} END"
    out = server.psql("-c", f"COPY (SELECT {text} FROM types ORDER BY row) TO STDOUT", options=SETTINGS)
    return out.removesuffix("\n").split("\n")


def number(text):
    """A decimal of BITS:HEX:SCALE."""
    if text.count(":") != 2:
        return text
    bits, digits, scale = text.split(":")
    value = int.from_bytes(bytes.fromhex(digits), "little", signed=True)
    assert len(digits) * 4 == int(bits)
    sign, shown = int(value < 0), tuple(map(int, str(abs(value))))
    return Decimal((sign, shown, -int(scale)))


def check(column, type_, ours, theirs):
    if theirs == "\\N" or ours == "\\N":
        assert ours == theirs, column
    elif type_ in ("float4", "float8"):
        ours, theirs = float(ours), float(theirs)
        if type_ == "float4" and math.isfinite(theirs):
            theirs = struct.unpack("f", struct.pack("f", theirs))[0]
        assert struct.pack("d", ours) == struct.pack("d", theirs) or (math.isnan(ours) and math.isnan(theirs)), column
    elif type_.startswith("numeric(") and not type_.endswith("[]") or type_ in ("positive", "deeper"):
        decimal = number(ours)
        if isinstance(decimal, Decimal):
            assert decimal == Decimal(theirs), column
        else:
            assert ours == theirs, column
    elif type_ in ("numeric(10,3)[]", "positive[]"):
        dims, elements = ours.split("]:", 1)
        shown = [str(number(e)) for e in elements.split("\x1f")]
        assert f"{dims}]:" + "\x1f".join(shown) == theirs, column
    else:
        assert ours == theirs, column


def test_every_type_is_what_the_server_writes(tool, server, types):
    lines = tool.ok("dump", "types").removesuffix("\n").split("\n")
    assert len(lines) == types
    cells = [line.split("\t") for line in lines]
    for at, (name, type_, values) in enumerate(COLUMNS, 1):
        theirs = expected(server, name, type_)
        for row, text in enumerate(theirs):
            check(f"{name} row {row}", type_, cells[row][at], text)
        assert sum(text != "\\N" for text in theirs) == len(values), name


def test_decimals_that_fit_are_integers(tool, types):
    by_name = {}
    lines = tool.ok("dump", "types").removesuffix("\n").split("\n")
    for at, (name, _, values) in enumerate(COLUMNS, 1):
        by_name[name] = [line.split("\t")[at] for line in lines][:len(values)]
    for name, bits in (("n152", "128:"), ("n38", "128:"), ("n3838", "128:"), ("n76", "256:"), ("nneg", "128:"), ("nsmall", "128:"),
                       ("d_pos", "128:"), ("d_deep", "128:")):
        assert all(v.startswith(bits) or v == "NaN" for v in by_name[name]), (name, by_name[name])
    assert all(":" not in v for v in by_name["n"] + by_name["n1000"])


def test_what_is_cast_is_told(tool, types):
    described = [line.split("\t") for line in tool.ok("describe", "types").splitlines()]
    told = {d[0] for d in described if d[3] == "cast"}
    assert told == CASTS | ARRAY_CASTS
    kinds = {d[0]: d[2] for d in described}
    assert kinds["e"] == "text" and kinds["d_text"] == "text" and kinds["ae"] == "text[]" and kinds["domarr"] == "int32[]"
    assert kinds["ainet"] == "text[]" and kinds["adom"] == "numeric[]"
    names = {d[0]: d[1] for d in described}
    assert names["n152"] == "numeric(15,2)" and names["an"] == "numeric(10,3)[]" and names["tz"] == "time with time zone"


def test_a_query_is_what_its_table_is(tool, types):
    columns = ", ".join(name for name, _, _ in COLUMNS)
    of_query = tool.ok("dump-query", f"SELECT row, {columns} FROM types ORDER BY row;")
    assert of_query == tool.ok("dump", "types")
    kinds = [line.split("\t")[2:4] for line in tool.ok("describe-query", f"SELECT {columns} FROM types").splitlines()]
    assert kinds == [line.split("\t")[2:4] for line in tool.ok("describe", "types").splitlines()][1:]


@pytest.mark.parametrize("block", [1, 700, 5000])
def test_blocks_do_not_matter(tool, types, block):
    assert tool.ok("dump", "types", block=block) == tool.ok("dump", "types")


def test_digits_of_open_numerics(tool, server):
    server.sql("""CREATE DOMAIN open_domain AS numeric;
    CREATE TABLE digits (a numeric, b numeric(10,2), c numeric, d numeric[], e open_domain, f int, g numeric, h numeric[], i numeric);
    INSERT INTO digits VALUES (1.10, 5, 'NaN', '{1.5,NULL,12345678901234567890123456789012345678901}', 0.00001, 1, NULL, NULL, 0),
    (-12345.6, 5, 'Infinity', '{-0.125,NaN}', -7, 2, NULL, '{}', 0.000), (NULL, NULL, '-Infinity', NULL, NULL, NULL, NULL, NULL, '-0.9')""")
    expected = "a\t5\t2\t2\t0\nc\t0\t0\t3\t3\nd\t41\t3\t4\t1\ne\t1\t5\t2\t0\ng\t0\t0\t0\t0\nh\t0\t0\t0\t0\ni\t0\t3\t3\t0\n"
    assert tool.ok("digits", "digits") == expected
    assert tool.ok("digits-query", "SELECT * FROM digits") == expected
    assert tool.ok("digits", "digits", where="a > 0").splitlines()[0] == "a\t1\t2\t1\t0"
    server.sql("TRUNCATE digits")
    assert tool.ok("digits", "digits").splitlines()[0] == "a\t0\t0\t0\t0"


def test_citext_and_hstore(tool, server):
    server.sql("CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE TABLE ext (a citext, b hstore); INSERT INTO ext VALUES ('Grüße', 'a=>1');")
    assert [line.split("\t")[3] for line in tool.ok("describe", "ext").splitlines()] == ["", "cast"]
    assert tool.ok("dump", "ext") == 'Grüße\t"a"=>"1"\n'


def test_columns_with_odd_names(tool, server):
    server.sql('CREATE TABLE "Odd.Name" ("a""b" int, "select" text, "Ü c" int); INSERT INTO "Odd.Name" VALUES (1, $$x$$, 2);')
    assert tool.ok("dump", "Odd.Name") == "1\tx\t2\n"
    assert tool.ok("dump", '"public"."Odd.Name"') == "1\tx\t2\n"
    assert tool.ok("dump", "public.Odd.Name") == "1\tx\t2\n"


def test_dropped_columns_are_gone(tool, server):
    server.sql("CREATE TABLE dropped (a int, b int, c int); INSERT INTO dropped VALUES (1, 2, 3); ALTER TABLE dropped DROP COLUMN b, ADD d int DEFAULT 4;")
    assert tool.ok("dump", "dropped") == "1\t3\t4\n"


def test_texts_without_an_encoding_are_checked(tool, server):
    server.sql("CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    server.sql("CREATE TABLE t (a text); INSERT INTO t VALUES (convert_from('\\xe9'::bytea, 'SQL_ASCII'));", database="ascii")
    tool.fails("dump", "t", dbname="ascii", code=3, says=["t: ", "0xe9", "SQLSTATE 22021"])
    server.sql("UPDATE t SET a = convert_from('\\xc3bc'::bytea, 'SQL_ASCII')", database="ascii")
    assert tool.ok("dump", "t", dbname="ascii") == "ü\n"


def test_other_encodings_arrive_as_utf8(tool, server):
    server.sql("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    server.sql("CREATE TABLE t (a text, b \"char\"); INSERT INTO t VALUES ('grüße', 'x');", database="latin", options="-c client_encoding=UTF8")
    assert tool.ok("dump", "t", dbname="latin") == "grüße\tx\n"


def test_the_order_of_day_and_month_is_the_servers(tool, server):
    """What a view makes of texts is what others see in it."""
    server.sql("""CREATE TABLE written (t text); INSERT INTO written VALUES ('05/12/2023'); CREATE VIEW meant AS SELECT t::date AS d, daterange(t::date, NULL) FROM written;
        CREATE ROLE european LOGIN; ALTER ROLE european SET DateStyle = 'SQL, DMY'; GRANT SELECT ON meant TO european""")
    assert tool.ok("dump", "meant", user="european") == "2023-12-05\t[2023-12-05,)\n"
    assert tool.ok("dump", "meant") == "2023-05-12\t[2023-05-12,)\n"
