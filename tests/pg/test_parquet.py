"""Every type of PostgreSQL in Parquet: what pyarrow and DuckDB read there is what the server says."""

import csv
import ctypes
import datetime
import io
import json
import math
import struct
import uuid
from decimal import Decimal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from command import PLUGINS
from conftest import Command
from every_type import COLUMNS, SETTINGS, make_table

TEXTS = {"t", "vc", "c", "nm", "ch", "e", "d_text", "n", "n1000", "j", "jb", "tz", "iv", "inet", "cidr", "mac", "money", "bits", "x", "tsv", "rng", "trng",
         "mrng", "comp", "pt", "xid", "lsn", "ov", "rc"} | {name for name, type_, _ in COLUMNS if type_.endswith("[]") or type_ == "pair"}
DECIMALS = {"n152": (15, 2), "n38": (38, 0), "n3838": (38, 38), "n76": (76, 30), "nneg": (8, 0), "nsmall": (6, 6), "d_pos": (7, 2), "d_deep": (7, 2)}
INTEGERS = {"i2": pa.int16(), "i4": pa.int32(), "i8": pa.int64(), "o": pa.uint32()}
MICROSECONDS = {"ti", "ti0", "ts", "tstz"}  # since midnight or 1970


@pytest.fixture(scope="module")
def exported(server, tmp_path_factory):
    make_table(server)
    command = Command(tmp_path_factory.mktemp("types"), server)
    command.ok("convert", "--reader-option", "special_values=null", "--reader-option", "interval=text", "--reader-option", "arrays=text",
               command.url("public.types"), "types.parquet")
    command.ok("convert", "--reader-option", "special_values=null", "--reader-option", "interval=text", "--reader-option", "arrays=text", command.url(), "--query", "SELECT * FROM types", "query.parquet")
    command.said = what_the_server_says(server)
    return command


def microseconds(name):
    return f"CASE WHEN {name}::text NOT LIKE '%infinity' AND {name}::text <> '24:00:00' THEN (extract(epoch from {name}) * 1000000)::bigint END"


def expression(name):
    """What the server is asked for."""
    if name == "d":
        return "CASE WHEN isfinite(d) THEN d - '1970-01-01'::date END"
    if name in MICROSECONDS:
        return microseconds(name)
    return f'"{name}"' if name in {"b", "c", "ba", "f4", "f8", *INTEGERS, *DECIMALS} else f'"{name}"::text'


def value(name, text):
    """A cell as Python has it, None for specials."""
    if text is None or (name in DECIMALS and text == "NaN"):
        return None
    if name == "b":
        return text == "t"
    if name in INTEGERS or name in MICROSECONDS or name == "d":
        return int(text)
    if name in DECIMALS:
        return Decimal(text)
    if name == "f4" and math.isfinite(float(text)):
        return struct.unpack("f", struct.pack("f", float(text)))[0]
    if name in ("f4", "f8"):
        return float(text)
    return bytes.fromhex(text[2:]) if name == "ba" else text


def what_the_server_says(server):
    """Columns by name."""
    names = [name for name, _, _ in COLUMNS]
    out = server.psql("-c", f"COPY (SELECT {', '.join(map(expression, names))} FROM types ORDER BY row) TO STDOUT WITH (FORMAT csv, NULL '~', FORCE_QUOTE *)",
                      options=SETTINGS)
    rows = list(csv.reader(io.StringIO(out, newline="")))
    return {name: [value(name, None if row[i] == "~" else row[i]) for row in rows] for i, name in enumerate(names)}


def comparable(name, column):
    if name == "d":
        return column.cast(pa.int32()).to_pylist()
    if name in MICROSECONDS:
        return column.cast(pa.int64()).to_pylist()
    if name == "u":
        return [v and str(v) for v in column.to_pylist()]
    return column.to_pylist()


def same(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return struct.pack("d", a) == struct.pack("d", b) or (math.isnan(a) and math.isnan(b))
    return a == b and type(a) is type(b)


@pytest.mark.parametrize("file", ["types", "query"])
def test_pyarrow_reads_what_the_server_says(exported, file):
    table = pq.read_table(exported.folder / f"{file}.parquet")
    for name, type_, _ in COLUMNS:
        ours, theirs = comparable(name, table[name]), exported.said[name]
        wrong = [(i, a, b) for i, (a, b) in enumerate(zip(ours, theirs, strict=True)) if not same(a, b)]
        assert not wrong, (name, type_, wrong)


def test_types(exported):
    schema = pq.read_schema(exported.folder / "types.parquet")
    for name, type_, _ in COLUMNS:
        type_ = schema.field(name).type
        if name in DECIMALS:
            assert (type_.precision, type_.scale) == DECIMALS[name], name
        elif name in INTEGERS:
            assert type_ == INTEGERS[name]
        elif name in TEXTS:
            assert str(type_) in ("string", "extension<arrow.json>"), (name, type_)
    words = {name: str(schema.field(name).type) for name in ("b", "f4", "f8", "ba", "d", "ti", "ts", "tstz")}
    assert words == {"b": "bool", "f4": "float", "f8": "double", "ba": "binary", "d": "date32[day]", "ti": "time64[us]", "ts": "timestamp[us]",
                     "tstz": "timestamp[us, tz=UTC]"}


def test_duckdb_reads_the_same(exported):
    """But decimals of more digits than it has, which it makes doubles of, and what it has no integers for."""
    file = exported.folder / "types.parquet"
    asks = {"d": "d - DATE '1970-01-01'", "ti": "epoch_us(ti)", "ts": "epoch_us(ts)", "tstz": "epoch_us(tstz)", "u": "u::VARCHAR", "j": "j::VARCHAR",
            "jb": "jb::VARCHAR", "ti0": "epoch_us(ti0)"}
    for name, type_, _ in COLUMNS:
        if name == "n76":
            continue
        ours = [v for v, in duckdb.sql(f"SELECT {asks.get(name, chr(34) + name + chr(34))} FROM '{file}' ORDER BY row").fetchall()]
        theirs = exported.said[name]
        wrong = [(a, b) for a, b in zip(ours, theirs, strict=True) if not same(a, b)]
        assert not wrong, (name, type_, wrong)


def test_specials_are_errors_by_default(exported):
    for name, says in (("n152", "is NaN"), ("d", "infinity"), ("ts", "infinity"), ("tstz", "infinity"), ("ti", "24:00:00")):
        exported.fails("convert", exported.url("types"), "no.parquet", "--reader-option", f'columns=["{name}"]',
                       says=["public.types, row", f'column "{name}"', says, "special_values: null"])
    text = exported("convert", "--reader-option", "special_values=null", "--reader-option", "interval=text", "--reader-option", "arrays=text", exported.url("types"), "null:").stderr.decode()
    for name, n in (("n152", 1), ("d", 2), ("ts", 2), ("tstz", 2), ("ti", 1)):
        assert f'{n} value{"s" if n > 1 else ""} of column "{name}" became null' in text, text


# ---- Level 0

def records(plugin, config):
    lib = ctypes.CDLL(str(PLUGINS / f"lib{plugin}_plugin.so"))
    lib.create_reader.restype = lib.extract_batch.restype = ctypes.c_void_p
    lib.create_reader.argtypes = [ctypes.c_char_p]
    for function in (lib.extract_batch, lib.free_reader, lib.free_string):
        function.argtypes = [ctypes.c_void_p]
    reader = lib.create_reader(json.dumps(config).encode())
    out = []
    while pointer := lib.extract_batch(reader):
        text = ctypes.string_at(pointer).decode()
        lib.free_string(pointer)
        assert not text.startswith("DATIVO_PLUGIN_ERROR"), text
        out.append(text)
    lib.free_reader(reader)
    return out


def test_json_records(exported, capfd):
    """As the Parquet reader gives them of the same values."""
    server = exported.server
    connection = {"host": str(server.folder), "port": server.port, "user": "postgres", "database": "postgres"}
    ours = records("postgres_reader", {"type": "postgres", "connection": connection, "objects": ["public.types"],
                                       "engine": {"options": {"special_values": "null", "interval": "text", "arrays": "text", "batch_size": 4}}})
    theirs = records("parquet_reader", {"type": "parquet", "files": [{"path": str(exported.folder / "types.parquet")}],
                                        "engine": {"options": {"batch_size": 4}}})
    assert ours == theirs and len(ours) == 3
    log = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    told = [entry["message"] for entry in log if entry["event_type"] == "read_as_text"]
    assert len(told) == len(set(told)) and any('"ai" of type integer[]' in message for message in told)
    assert sum(entry["event_type"] == "values_became_null" for entry in log) == 5


# ---- choices

def test_numerics_without_a_precision(command, server):
    server.sql("CREATE TABLE IF NOT EXISTS open (a numeric, b numeric); TRUNCATE open; INSERT INTO open VALUES (1.10, 'NaN'), (-123.456, 2.5), (NULL, NULL)")
    table = command.table(command.url("open"))
    assert [str(f.type) for f in table.schema] == ["decimal128(6, 3)", "string"]
    assert table.to_pylist() == [{"a": Decimal("1.100"), "b": "NaN"}, {"a": Decimal("-123.456"), "b": "2.5"}, {"a": None, "b": None}]
    by = {}
    for word in ("string", "float64", "decimal(20,5)"):
        by[word] = command.table(command.url("open"), "--reader-option", f"numeric={word}", "--reader-option", "special_values=null")
    assert by["string"]["a"].to_pylist() == ["1.10", "-123.456", None] and by["string"]["b"].to_pylist() == ["NaN", "2.5", None]
    assert by["float64"]["a"].to_pylist() == [1.1, -123.456, None] and math.isnan(by["float64"]["b"][0].as_py())
    assert by["decimal(20,5)"]["a"].to_pylist() == [Decimal("1.10000"), Decimal("-123.45600"), None]
    assert by["decimal(20,5)"]["b"].to_pylist() == [None, Decimal("2.50000"), None]
    command.fails("convert", command.url("open"), "no.parquet", "--reader-option", "numeric=decimal(5,3)", "--reader-option", 'columns=["a"]',
                  says=["public.open, row 2", "'-123.456'", "decimal(5, 3)", "larger decimal"])
    command.fails("convert", command.url("open"), "no.parquet", "--reader-option", "numeric=int", says=["numeric", "decimal(38,9)"])
    server.sql("TRUNCATE open")
    assert [str(f.type) for f in command.table(command.url("open"), "--allow-empty").schema] == ["decimal128(1, 0)", "decimal128(1, 0)"]


def test_intervals(command, server):
    """Months, days and nanoseconds; Parquet has their text, which is the same interval for the server."""
    server.sql("""CREATE TABLE IF NOT EXISTS spans (i interval); TRUNCATE spans; INSERT INTO spans VALUES ('1 year 2 mons 3 days 04:05:06.789'), ('-1 mon 1 day -1 hour'),
        ('-0.000001 s'), ('178000000 years'), ('2147483647 days'), ('2562047 hours'), (NULL), ('0')""")
    texts = command.table(command.url("spans"))["i"].to_pylist()
    assert texts.count(None) == 1
    values = ", ".join("(NULL)" if t is None else f"('{t}'::interval)" for t in texts)
    rows = server.sql(f"SELECT count(*) FROM (SELECT i::text FROM spans UNION ALL SELECT column1::text FROM (VALUES {values}) v) u GROUP BY i HAVING count(*) <> 2")
    assert rows == ""
    own = command.table(command.url("spans"), "--writer-option", "intervals=parquet", "--where", "i = '1 year 2 mons 3 days 04:05:06.789'")
    assert own.num_rows == 1
    server.sql("INSERT INTO spans VALUES ('2562048 hours')")  # more nanoseconds than 64 bits hold
    command.fails("convert", command.url("spans"), "no.parquet", says=["public.spans, row 9", "interval: text"])
    assert command.table(command.url("spans"), "--reader-option", "interval=text")["i"][8].as_py() == "PT2562048H"
    assert command.table(command.url("spans"), "--reader-option", "special_values=null")["i"].null_count == 2


ARRAYS = """CREATE TYPE colour AS ENUM ('red', 'a green that is long enough'); CREATE TABLE arrays (id int, b bool[], i int4[], l int8[] NOT NULL, f float8[], n numeric(10,3)[],
    o numeric[], t text[], ba bytea[], d date[], ts timestamptz[], u uuid[], j jsonb[], e colour[], ip inet[], tz timetz[]);
INSERT INTO arrays VALUES
    (1, '{t,f,NULL}', '{1,NULL,-3}', '{}', '{0.5,NaN}', '{1.5,NULL,-99.125}', '{1.10,2}', '{"",NULL,"a,b",a text of many letters}', '{"\\\\x00ff",NULL}',
     '{2024-02-29,NULL}', '{"2024-06-01 12:00:00+00"}', '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}', '{"{\\"a\\": 1}"}', '{red,a green that is long enough}',
     '{10.0.0.1,NULL}', '{04:05:06.789-08,01:02:03+00}'),
    (2, NULL, '{}', '{9223372036854775807}', NULL, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}'),
    (3, '{}', NULL, '{1,2,3}', '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO arrays SELECT i, ARRAY[i % 2 = 0], array_fill(i, ARRAY[i % 40]), ARRAY[i, i + 1], '{}', ARRAY[i / 8.0], '{0.25}', array_fill('text ' || i, ARRAY[i % 5]), '{}',
    '{}', '{}', '{}', '{}', '{red}', '{}', '{}' FROM generate_series(4, 3000) i"""


def elements(value):
    return None if value is None else [None if v is None else str(v) if isinstance(v, (Decimal, uuid.UUID, datetime.date)) else v for v in value]


def test_arrays(command, server):
    """Lists: as pyarrow, DuckDB and the server's own JSON have them."""
    server.sql(ARRAYS)
    table = command.table(command.url("arrays")).sort_by("id")  # rows are where there was room for them
    types = {f.name: str(f.type) for f in table.schema}
    assert all(t.startswith("list<") for name, t in types.items() if name != "id"), types
    assert [types[n].split(": ")[1].rstrip(">") for n in ("b", "i", "l", "f", "n", "o", "d", "ts")] == [
        "bool", "int32", "int64", "double", "decimal128(10, 3)", "decimal128(3, 2)", "date32[day]", "timestamp[us, tz=UTC]"]
    assert [f.nullable for f in table.schema] == [n != "l" for n in types]
    first, second, third = ({k: elements(v) if isinstance(v, list) else v for k, v in row.items()} for row in table.slice(0, 3).to_pylist())
    assert math.isnan(first["f"].pop())
    assert first == {"id": 1, "b": [True, False, None], "i": [1, None, -3], "l": [], "f": [0.5], "n": ["1.500", None, "-99.125"], "o": ["1.10", "2.00"],
                     "t": ["", None, "a,b", "a text of many letters"], "ba": [b"\x00\xff", None], "d": ["2024-02-29", None],
                     "ts": ["2024-06-01 12:00:00+00:00"], "u": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"], "j": ['{"a": 1}'],
                     "e": ["red", "a green that is long enough"], "ip": ["10.0.0.1/32", None], "tz": ["04:05:06.789-08", "01:02:03+00"]}
    assert second["b"] is None and second["i"] == [] and second["l"] == [2**63 - 1] and third["i"] is None and third["l"] == [1, 2, 3]
    theirs = [json.loads(line) for line in server.psql("-At", "-c", "SELECT json_build_array(id, b, i, l, n::text[], t) FROM arrays ORDER BY id").splitlines()]
    ours = [[row[0], *map(elements, row[1:])] for row in zip(*(table[c].to_pylist() for c in ("id", "b", "i", "l", "n", "t")))]
    duck = duckdb.sql(f"SELECT id, b, i, l, n::VARCHAR[], t FROM '{command.folder / 'out.parquet'}' ORDER BY id").fetchall()
    assert ours == theirs and [list(row) for row in duck] == theirs
    for connections in (1, 3):
        again = command.table(command.url("arrays"), "--reader-option", f"connections={connections}", "--memory", "24MB").sort_by("id")
        assert again.slice(3).equals(table.slice(3))
    asked = command.table(command.url("arrays"), "--reader-option", 'columns=["i","n","t"]', "--reader-option",
                          'types={"i":"list<int64>","n":"list<float64>","t":"string"}')
    assert [str(f.type).replace("element: ", "") for f in asked.schema] == ["list<int64>", "list<double>", "string"]
    assert asked.slice(0, 1).to_pylist() == [{"i": [1, None, -3], "n": [1.5, None, -99.125], "t": '{"",NULL,"a,b","a text of many letters"}'}]
    command.fails("convert", command.url("arrays"), "no.parquet", "--types", "i=int64", says=['column "i" of type integer[]', "not read as int64"])
    server.sql("INSERT INTO arrays (id, l, d) VALUES (3001, '{}', '{2024-01-01,infinity}')")
    command.fails("convert", command.url("arrays"), "no.parquet", says=["public.arrays, row ", 'column "d"', "infinity", "special_values"])
    nulled = command.table(command.url("arrays"), "--reader-option", "special_values=null").sort_by("id")
    assert elements(nulled["d"][3000].as_py()) == ["2024-01-01", None]
    server.sql("UPDATE arrays SET d = NULL, i = '{{1,2},{3,4}}' WHERE id = 3001")
    command.fails("convert", command.url("arrays"), "no.parquet", says=["public.arrays, row ", 'column "i"', "several dimensions", "arrays: text"])
    texts = command.table(command.url("arrays"), "--reader-option", "arrays=text").sort_by("id")
    assert texts["i"][3000].as_py() == "{{1,2},{3,4}}" and texts["b"][0].as_py() == "{t,f,NULL}"


def test_arrays_as_json_records(command, server):
    server.sql("DROP TABLE IF EXISTS few; CREATE TABLE few (i int[], t text[]); INSERT INTO few VALUES ('{1,NULL}', '{a}'), (NULL, '{}')")
    connection = {"host": str(server.folder), "port": server.port, "user": "postgres", "database": "postgres"}
    [text] = records("postgres_reader", {"type": "postgres", "connection": connection, "objects": ["few"]})
    assert json.loads(text) == [{"i": [1, None], "t": ["a"]}, {"i": None, "t": []}]


def test_types_that_are_asked_for(command, server):
    server.sql("""CREATE TABLE IF NOT EXISTS asked (a int2, b int8, c numeric(10,0), d text, e timestamptz, f date, g jsonb, h uuid, i numeric(6,2), k float4);
        TRUNCATE asked; INSERT INTO asked VALUES (7, 2147483647, 5, '2024-02-29', '2024-02-29 12:00:00+02', '2024-02-29', '{"a": 1}',
        'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 1.25, 0.5), (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)""")
    types = "a=int64,b=int32,c=int64,d=date,e=timestamp,f=timestamp,g=string,h=string,i=float64,k=float64"
    table = command.table(command.url("asked"), "--types", types)
    assert [str(f.type) for f in table.schema] == ["int64", "int32", "int64", "date32[day]", "timestamp[us]", "timestamp[us]", "string", "string", "double",
                                                   "double"]
    first, second = table.to_pylist()
    assert [str(v) for v in first.values()] == ["7", "2147483647", "5", "2024-02-29", "2024-02-29 10:00:00", "2024-02-29 00:00:00", '{"a": 1}',
                                                "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "1.25", "0.5"]
    assert set(second.values()) == {None}
    assert str(command.table(command.url("asked"), "--types", "a=decimal(5,2),i=decimal(20,4)")["i"][0].as_py()) == "1.2500"
    for types, says in (("f=int64", 'column "f" of type date is not read as int64'), ("i=int64", "not read as int64"), ("e=date", "not read as date"),
                        ("k=float32,z=int64", 'no column "z"'), ("d=timestamp[ns]", "not read as timestamp[ns]"),
                        ("a=list<date>", "not read as list<date>")):
        command.fails("convert", command.url("asked"), "no.parquet", "--types", types, says=says)
    server.sql("UPDATE asked SET b = 2147483648, d = 'none'")
    command.fails("convert", command.url("asked"), "no.parquet", "--types", "b=int32", says=["integer out of range", "22003", '"b" as int32'])
    command.fails("convert", command.url("asked"), "no.parquet", "--types", "d=date", says=["none", "22007"])
