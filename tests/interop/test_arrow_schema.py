"""What a file says of the Arrow schema it was written with: ARROW:schema, durations, intervals, metadata, numbers of fields."""

import base64
import datetime
import json
import os
import subprocess

import duckdb
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import level1
from conftest import BIN, must_verify

FLAT = {
    "duration": pa.array([-(2**63) + 1, -1, 0, None, 2**63 - 1], pa.int64()).cast(pa.duration("ms")),
    "zoned": pa.array([-1, 0, 1, None, 2**40], pa.timestamp("us", "America/New_York")),
    "large": pa.array(["a", "", None, "ä" * 40, "z"], pa.large_string()),
    "large_bytes": pa.array([b"\xff", b"", None, b"\0", b"z"], pa.large_binary()),
    "wide": pa.array([1, 2, None, -3, 4], pa.decimal256(5, 0)),
    "marked": pa.array([1, 2, 3, None, 5], pa.int32()),
    "opaque": pa.ExtensionArray.from_storage(pa.opaque(pa.int32(), "t", "v"), pa.array([1, None, 3, 4, 5], pa.int32())),
    "plain": pa.array([1.5, None, -0.0, 3, 4], pa.float64()),
}
MONTHS, DAYS, NANOS = 0, 1, 2
INTERVALS = [(0, 0, 0), (1, 2, 500_000_000), None, (-1, 2, -3), (2**31 - 1, -(2**31), 2**63 - 1), (0, 0, 1), (14, 0, 0), (0, 3, 0)]


def write(path, table, **options):
    level1.write(table.to_batches(), table.schema, path, {"overwrite": True, "verify": True, **options})
    must_verify([path])
    return path


def flat_table(metadata=None):
    fields = [
        pa.field(name, array.type, name != "plain" or True, {"unit": "kg", "": "nothing"} if name == "marked" else None)
        for name, array in FLAT.items()
    ]
    return pa.table(list(FLAT.values()), schema=pa.schema(fields, metadata=metadata))


def pairs(path):
    return pq.ParquetFile(path).metadata.metadata or {}


@pytest.mark.parametrize("metadata", [None, {"pandas": '{"a": 1}', "": "", "k": ""}], ids=["without", "with"])
def test_pyarrow_reads_the_schema_back(metadata, tmp_path):
    table = flat_table(metadata)
    for mode in ("auto", "always"):
        read = pq.read_table(write(tmp_path / "t.parquet", table, arrow_schema=mode), arrow_extensions_enabled=True)
        assert read.schema.equals(table.schema, check_metadata=True)
        assert read.equals(table)
    never = pq.read_table(write(tmp_path / "t.parquet", table, arrow_schema="never"))
    assert [f.type for f in never.schema][:3] == [pa.int64(), pa.timestamp("us", "UTC"), pa.string()]
    assert (never.schema.metadata or {}) == {k.encode(): v.encode() for k, v in (metadata or {}).items()}
    assert never["duration"].to_pylist() == FLAT["duration"].cast(pa.int64()).to_pylist()


PLAIN = [
    pa.null(), pa.bool_(), pa.int8(), pa.uint64(), pa.float16(), pa.float64(), pa.decimal128(10, 2), pa.decimal256(39, 0), pa.date32(),
    pa.time32("ms"), pa.time64("ns"), pa.timestamp("ms"), pa.timestamp("us", "UTC"), pa.string(), pa.string_view(), pa.binary(),
    pa.binary_view(), pa.binary(3), pa.uuid(), pa.json_(),
]  # fmt: skip


def test_it_is_left_out_where_it_says_nothing(tmp_path):
    """As of everything from CSV: files are as large as before."""
    schema = pa.schema([pa.field(f"c{i}", t, metadata={"PARQUET:field_id": str(i)}) for i, t in enumerate(PLAIN)])
    path = write(tmp_path / "t.parquet", schema.empty_table())
    assert pairs(path) == {}
    read = pq.read_schema(path)
    views = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}
    assert [f.type for f in read] == [views.get(t, t) for t in PLAIN]
    always = write(tmp_path / "always.parquet", schema.empty_table(), arrow_schema="always")
    assert pq.read_schema(always).equals(schema, check_metadata=True)
    csv = tmp_path / "t.csv"
    csv.write_text("a,b,c,d,e\n1,x,2024-01-01,1.5,2024-01-01T00:00:00Z\n")
    subprocess.run([BIN, "convert", csv, tmp_path / "csv.parquet"], check=True, env=os.environ | {"DATIVO_PLUGIN_PATH": os.environ["DN_PLUGINS"]})
    assert pairs(tmp_path / "csv.parquet") == {}


SPECIAL = [
    pa.duration("s"), pa.month_day_nano_interval(), pa.timestamp("us", "Europe/Berlin"), pa.timestamp("us", "+00:00"), pa.timestamp("s"),
    pa.time32("s"), pa.date64(), pa.large_string(), pa.large_binary(), pa.decimal256(5, 0), pa.opaque(pa.int8(), "t", "v"),
]  # fmt: skip


@pytest.mark.parametrize("kind", SPECIAL, ids=str)
def test_every_type_that_asks_for_it(kind, tmp_path):
    path = write(tmp_path / "t.parquet", pa.schema([("view", pa.string_view()), ("c", kind)]).empty_table())
    (value,) = pairs(path).values()
    said = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(value)))
    assert said == pa.schema([("view", pa.string()), ("c", kind)])  # not every reader has views
    assert path.stat().st_size < 1200


def test_metadata_is_text(tmp_path):
    schema = pa.schema([("a", pa.int32())], metadata={b"k\xff": b"v"})
    with pytest.raises(level1.Failure, match="metadata under the key 'k.xff' is not UTF-8"):
        level1.write([], schema, tmp_path / "t.parquet", {})
    assert list(tmp_path.iterdir()) == []
    # the schema of another file is not handed on
    schema = pa.schema([("a", pa.int32())], metadata={"ARROW:schema": "of another file", "k": "v"})
    assert pairs(write(tmp_path / "t.parquet", schema.empty_table())) == {b"k": b"v"}


# ---- intervals ----


def iso(value):
    months, days, nanos = value
    text = "P" + (f"{months}M" if months else "") + (f"{days}D" if days else "")
    if nanos or text == "P":
        whole, fraction = divmod(abs(nanos), 10**9)
        text += f"T{'-' if nanos < 0 else ''}{whole}" + (f".{fraction:09}".rstrip("0") if fraction else "") + "S"
    return text


@pytest.mark.parametrize("offset", [0, 3])
def test_intervals_are_texts(offset, tmp_path):
    array = pa.array(INTERVALS * 500, pa.month_day_nano_interval())[offset:]
    due = [v and iso(v) for v in (INTERVALS * 500)[offset:]]
    for mode in ("auto", "never"):
        path = write(tmp_path / "t.parquet", pa.table({"i": array}), arrow_schema=mode, row_group_size=999, page_rows=77)
        assert pq.read_table(path)["i"].to_pylist() == due
        assert polars.read_parquet(path)["i"].to_list() == due
        assert [v for (v,) in duckdb.sql(f"select i from '{path}'").fetchall()] == due
        group = pq.ParquetFile(path).metadata.row_group(0).column(0)
        texts = [v for v in due[:999] if v]
        assert (group.statistics.min, group.statistics.max) == (min(texts), max(texts))
    whole = pa.array([v for v in INTERVALS if v], pa.month_day_nano_interval())
    required = pa.schema([pa.field("i", whole.type, nullable=False)])
    path = write(tmp_path / "t.parquet", pa.table([whole], schema=required))
    assert pq.read_table(path)["i"].to_pylist() == [iso(v) for v in INTERVALS if v]


FIT = [(0, 0, 0), (1, 2, 3_000_000), None, (2**31 - 1, 2**31 - 1, (2**32 - 1) * 10**6), (12, 0, 0)]


def test_intervals_as_parquet_has_them(tmp_path):
    array = pa.array(FIT * 300, pa.month_day_nano_interval())
    path = write(tmp_path / "t.parquet", pa.table({"i": array}), intervals="parquet", row_group_size=500)
    file = pq.ParquetFile(path)
    column = file.schema.column(0)
    assert column.physical_type == "FIXED_LEN_BYTE_ARRAY" and column.length == 12 and column.converted_type == "INTERVAL"
    statistics = file.metadata.row_group(0).column(0).statistics
    assert not statistics.has_min_max and statistics.null_count == 100
    raw = [v and b"".join(n.to_bytes(4, "little") for n in (v[0], v[1], v[2] // 10**6)) for v in FIT * 300]
    assert pq.read_table(path)["i"].to_pylist() == raw
    found = duckdb.sql(f"select datepart(['month', 'year', 'day', 'microseconds', 'second', 'minute', 'hour'], i) from '{path}' limit 2").fetchall()
    assert found[1][0]["month"] == 1 and found[1][0]["day"] == 2 and found[1][0]["microseconds"] == 3000


@pytest.mark.parametrize(
    "value, says",
    [((-1, 0, 0), "below zero"), ((0, -1, 0), "below zero"), ((0, 0, -(10**6)), "below zero"), ((0, 0, 1), "not in whole milliseconds"),
     ((0, 0, 2**32 * 10**6), "not in whole milliseconds of 32 bits")],
)  # fmt: skip
def test_intervals_that_parquet_has_no_form_for(value, says, tmp_path):
    table = pa.table({"i": pa.array([None, (0, 0, 0), value], pa.month_day_nano_interval())})
    with pytest.raises(level1.Failure, match="column 'i', row 3: the interval") as failure:
        level1.write(table.to_batches(), table.schema, tmp_path / "t.parquet", {"intervals": "parquet"})
    assert says in str(failure.value)
    assert list(tmp_path.iterdir()) == []


def test_durations_have_bounds(tmp_path):
    path = write(tmp_path / "t.parquet", flat_table())
    column = pq.ParquetFile(path).metadata.row_group(0).column(0)
    assert column.physical_type == "INT64" and str(pq.ParquetFile(path).schema.column(0).logical_type) == "None"
    assert (column.statistics.min, column.statistics.max) == (-(2**63) + 1, 2**63 - 1)
    assert duckdb.sql(f"select count(*) from '{path}' where duration >= 0").fetchall() == [(2,)]


# ---- numbers of fields ----


def ids(path):
    return [int(f.metadata[b"PARQUET:field_id"]) if f.metadata else None for f in pq.read_schema(path)]


def test_field_ids(tmp_path):
    table = pa.table({name: [1] for name in "abc"})
    path = tmp_path / "t.parquet"
    assert ids(write(path, table)) == [None] * 3
    assert ids(write(path, table, field_ids="auto")) == [1, 2, 3]
    assert ids(write(path, table, field_ids=[7, -1, 0])) == [7, None, 0]
    fields = [pa.field("a", pa.int64(), metadata={"PARQUET:field_id": "2147483647"}), pa.field("b", pa.int64()),
              pa.field("c", pa.int64(), metadata={"PARQUET:field_id": "0"})]  # fmt: skip
    with_ids = pa.table(table.columns, schema=pa.schema(fields))
    assert ids(write(path, with_ids)) == [2147483647, None, 0]
    assert ids(write(path, with_ids, field_ids=[5, 6, 7])) == [5, 6, 7]
    assert duckdb.sql(f"select field_id from parquet_schema('{path}') where name <> 'schema'").fetchall() == [(5,), (6,), (7,)]


@pytest.mark.parametrize(
    "given, says",
    [([1, 2], "has 2 numbers for 3 fields"), ([1, 2, 3, 4], "has 4 numbers for 3 fields"), ([1, 2, 1], "has 1 twice"),
     ([1, 2, -2], "field_ids must be a list of whole numbers from -1"), ("some", "field_ids must be a list of whole numbers"),
     ([1, 2, 2**31], "field_ids must be a list of whole numbers")],
)  # fmt: skip
def test_wrong_field_ids(given, says, tmp_path):
    table = pa.table({name: [1] for name in "abc"})
    with pytest.raises(level1.Failure, match=says):
        level1.write(table.to_batches(), table.schema, tmp_path / "t.parquet", {"field_ids": given})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "x", "-1", "2147483648", "1.0", "12345678901"])
def test_wrong_field_ids_in_metadata(text, tmp_path):
    schema = pa.schema([pa.field("a", pa.int64(), metadata={"PARQUET:field_id": text})])
    with pytest.raises(level1.Failure, match='field "a" has the number'):
        level1.write([], schema, tmp_path / "t.parquet", {})


def test_options_that_are_no_words(tmp_path):
    for option, value in (("arrow_schema", "sometimes"), ("intervals", "text"), ("arrow_schema", True)):
        with pytest.raises(level1.Failure, match=f"{option} must be one of "):
            level1.write([], pa.schema([("a", pa.int64())]), tmp_path / "t.parquet", {option: value})


# ---- reading ----


def lie(path, columns, claimed, **more):
    """A file of pyarrow's whose footer claims another schema."""
    table = columns if isinstance(columns, pa.Table) else pa.table(columns)
    message = claimed if isinstance(claimed, bytes) else base64.b64encode(claimed.serialize().to_pybytes())
    with pq.ParquetWriter(path, table.schema, store_schema=False) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({"ARROW:schema": message.decode("latin-1"), **more})
    return path


def test_we_read_our_own_back(tmp_path):
    table = flat_table({"pandas": "{}", "k": "ä"})
    path = write(tmp_path / "t.parquet", table, field_ids=[*range(10, 18)])
    read = level1.read(path, {})
    views = {pa.large_string(): pa.string_view(), pa.large_binary(): pa.binary_view(), pa.decimal256(5, 0): pa.decimal128(5, 0)}
    assert [f.type for f in read.schema] == [views.get(f.type, f.type) for f in table.schema]
    assert read.schema.metadata == table.schema.metadata
    for i, (due, got) in enumerate(zip(table.schema, read.schema)):
        assert got.metadata == {**(due.metadata or {}), b"PARQUET:field_id": str(10 + i).encode()}
    assert read.cast(pa.schema([pa.field(f.name, f.type) for f in table.schema])).equals(table)


def test_intervals_come_back(tmp_path):
    array = pa.array(INTERVALS * 700, pa.month_day_nano_interval())
    path = write(tmp_path / "t.parquet", pa.table({"i": array}), row_group_size=1000, page_rows=33)
    assert level1.read(path, {})["i"].combine_chunks().equals(array)
    nulls = write(tmp_path / "nulls.parquet", pa.table({"i": pa.nulls(3, array.type)}))
    assert level1.read(nulls, {})["i"].to_pylist() == [None] * 3
    never = write(tmp_path / "never.parquet", pa.table({"i": array}), arrow_schema="never")
    assert level1.read(never, {})["i"].type == pa.string_view()
    fit = pa.array(FIT * 700, array.type)
    path = write(tmp_path / "fit.parquet", pa.table({"i": fit}), intervals="parquet", row_group_size=1000)
    assert level1.read(path, {})["i"].combine_chunks().equals(fit)


def test_what_pyarrow_says(tmp_path):
    columns = {name: FLAT[name] for name in ("duration", "zoned", "large", "marked", "opaque")}
    columns["code"] = pa.array(["a", "b", None, "a", "b"]).dictionary_encode()
    columns["old_uuid"] = pa.array([b"x" * 16] * 5, pa.binary(16))
    fields = [pa.field(n, a.type, metadata={"unit": "kg"} if n == "marked" else None) for n, a in columns.items()]
    table = pa.table(list(columns.values()), schema=pa.schema(fields, metadata={"by": "pyarrow"}))
    pq.write_table(table, tmp_path / "t.parquet")
    read = level1.read(tmp_path / "t.parquet", {})
    assert read.schema.field("duration").type == pa.duration("ms")
    assert read.schema.field("zoned").type == pa.timestamp("us", "America/New_York")
    assert read.schema.field("opaque").type == table.schema.field("opaque").type
    assert read.schema.field("code").type == pa.string_view()
    assert read.schema.field("marked").metadata == {b"unit": b"kg"}
    assert read.schema.metadata == {b"by": b"pyarrow"}
    assert read["duration"].equals(table["duration"])


INTS = {"a": pa.array([5, 6], pa.int64())}
TEXTS = {"a": pa.array(["P1M", "x"])}
WRONG = {
    "no base64": (INTS, b"###"),
    "no message": (INTS, base64.b64encode(b"\xff" * 40)),
    "cut": (INTS, base64.b64encode(pa.schema([("a", pa.duration("s"))]).serialize().to_pybytes()[:-16])),
    "empty": (INTS, b""),
    "another name": (INTS, pa.schema([("b", pa.duration("s"))])),
    "fewer columns": (INTS, pa.schema([])),
    "more columns": (INTS, pa.schema([("a", pa.duration("s")), ("b", pa.int8())])),
    "a text of a number": (INTS, pa.schema([("a", pa.month_day_nano_interval())])),
    "a list of a number": (INTS, pa.schema([("a", pa.list_(pa.duration("s")))])),
    "a uuid of a number": (INTS, pa.schema([("a", pa.uuid())])),
    "a zone of a number": (INTS, pa.schema([("a", pa.timestamp("us", "Asia/Tokyo"))])),
    "texts that are no intervals": (TEXTS, pa.schema([("a", pa.month_day_nano_interval())])),
    "a duration of a text": (TEXTS, pa.schema([("a", pa.duration("s"))])),
    "a duration of a date": ({"a": pa.array([5], pa.date32())}, pa.schema([("a", pa.duration("s"))])),
    "a duration of a timestamp": ({"a": pa.array([5], pa.timestamp("us"))}, pa.schema([("a", pa.duration("us"))])),
    "an instant of a local time": ({"a": pa.array([5], pa.timestamp("us"))}, pa.schema([("a", pa.timestamp("us", "Asia/Tokyo"))])),
    "a local time of an instant": ({"a": pa.array([5], pa.timestamp("us", "UTC"))}, pa.schema([("a", pa.timestamp("us"))])),
    "an extension of another type": (INTS, pa.schema([("a", pa.opaque(pa.int32(), "t", "v"))])),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_schema_that_does_not_fit_is_ignored(name, tmp_path):
    columns, claimed = WRONG[name]
    path = lie(tmp_path / "t.parquet", columns, claimed)
    due = level1.read(lie(tmp_path / "due.parquet", columns, b""), {})
    assert due.schema.field(0).metadata is None
    read = level1.read(path, {})
    assert read.schema.field(0).type == due.schema.field(0).type and read.equals(due)
    must_verify([path])


def test_a_schema_of_a_text_that_hides_among_intervals(tmp_path):
    """The bounds are intervals: the text between them is an error that says where."""
    path = lie(tmp_path / "t.parquet", {"a": ["P1D", "P1Z", "P2D"]}, pa.schema([("a", pa.month_day_nano_interval())]))
    with pytest.raises(pa.ArrowInvalid, match="row 2: 'P1Z' is not of type interval as ISO 8601"):
        level1.read(path, {})


def test_pairs_that_are_no_text_are_passed_over(tmp_path):
    path = lie(tmp_path / "t.parquet", INTS, b"", **{"good": "pair", "zero": ""})
    raw = path.read_bytes()
    assert level1.read(path, {}).schema.metadata == {b"good": b"pair", b"zero": b""}
    assert raw.count(b"pair") == 1
    path.write_bytes(raw.replace(b"pair", b"p\xff\xffr"))
    assert level1.read(path, {}).schema.metadata == {b"zero": b""}


def convert(*args):
    environment = os.environ | {"DATIVO_PLUGIN_PATH": os.environ["DN_PLUGINS"]}
    done = subprocess.run([BIN, "convert", *map(str, args)], capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0, done.stderr
    return args[1]


def test_convert_hands_everything_on(tmp_path):
    table = flat_table({"k": "v"})
    table = table.append_column("interval", pa.array([(1, 2, 3), None, (0, 0, 0), (0, 0, 1), (0, -1, 0)], pa.month_day_nano_interval()))
    path = write(tmp_path / "t.parquet", table, field_ids="auto")
    again = convert(path, tmp_path / "again.parquet")
    assert level1.read(again, {}).schema.equals(level1.read(path, {}).schema, check_metadata=True)
    assert level1.read(again, {}).equals(level1.read(path, {}))
    csv = convert(path, tmp_path / "t.csv").read_text().splitlines()
    assert csv[2].startswith("PT-0.001S,") and csv[1].endswith("P1M2DT0.000000003S")
    parquet = convert(csv_of_intervals(tmp_path), tmp_path / "i.parquet", "--types", "i=interval,d=duration[ms]", "--writer-option", "intervals=parquet")
    assert pq.ParquetFile(parquet).schema.column(0).converted_type == "INTERVAL"
    assert level1.read(parquet, {}).to_pydict() == {"i": [(1, 2, 500_000_000)], "d": [datetime.timedelta(milliseconds=-1500)]}


def csv_of_intervals(tmp_path):
    (tmp_path / "i.csv").write_text("i,d\nP1M2DT0.5S,PT-1.5S\n")
    return tmp_path / "i.csv"


def test_inspect_shows_them(tmp_path):
    table = pa.table({
        "d": pa.array([1500, None, -1], pa.duration("ms")),
        "i": pa.array([(1, 2, 500_000_000), None, (0, 0, 0)], pa.month_day_nano_interval()),
    })  # fmt: skip
    for intervals in ("iso8601", "parquet"):
        path = write(tmp_path / "t.parquet", table, intervals=intervals)
        done = subprocess.run([BIN, "inspect", "--json", "--rows", "3", path], capture_output=True, timeout=60, check=True,
                              env=os.environ | {"DATIVO_PLUGIN_PATH": os.environ["DN_PLUGINS"]})  # fmt: skip
        shown = json.loads(done.stdout)
        shown = shown[0] if isinstance(shown, list) else shown
        assert [c["type"] for c in shown["schema"]] == ["duration[ms]", "interval"]
        assert shown["rows"] == [{"d": "PT1.5S", "i": "P1M2DT0.5S"}, {"d": None, "i": None}, {"d": "PT-0.001S", "i": "PT0S"}]
        d, i = shown["row_groups"][0]["columns"]
        assert (d["min"], d["max"]) == ("PT-0.001S", "PT1.5S")
        assert (i["min"], i["max"]) == (("P1M2DT0.5S", "PT0S") if intervals == "iso8601" else (None, None))
        (file,) = level1.write(table.to_batches(), table.schema, tmp_path / f"{intervals}.parquet", {"intervals": intervals})
        assert [(c["min"], c["max"], c["null_count"]) for c in file["columns"]] == [(d["min"], d["max"], 1), (i["min"], i["max"], 1)]


def test_what_pyarrow_says_of_what_is_within(tmp_path):
    def field(name, kind, number, **metadata):
        return pa.field(name, kind, metadata={"PARQUET:field_id": str(number), **metadata})

    zoned = pa.timestamp("us", "Asia/Tokyo")
    schema = pa.schema([
        field("l", pa.large_list(field("element", pa.duration("ms"), 2)), 1, note="x"),
        field("s", pa.struct([field("z", zoned, 4, unit="kg"), pa.field("d", pa.duration("s"))]), 3),
        field("m", pa.map_(pa.string(), pa.duration("us")), 6),
    ])  # fmt: skip
    table = pa.table([
        pa.array([[5, None], []], schema.field("l").type),
        pa.array([{"z": 1, "d": 2}, None], schema.field("s").type),
        pa.array([[("a", 7)], None], schema.field("m").type),
    ], schema=schema)  # fmt: skip
    pq.write_table(table, tmp_path / "t.parquet")
    read = level1.read(tmp_path / "t.parquet", {})
    assert read.to_pydict() == table.to_pydict()
    for name in "ls":
        assert read.schema.field(name).metadata == schema.field(name).metadata
    item, first = read.schema.field("l").type.value_field, read.schema.field("s").type.field("z")
    assert (item.type, item.metadata) == (pa.duration("ms"), {b"PARQUET:field_id": b"2"})
    assert (first.type, first.metadata) == (zoned, {b"PARQUET:field_id": b"4", b"unit": b"kg"})
    assert read.schema.field("m").type.item_type == pa.duration("us")
    # a schema with the columns, but not with what is within them, counts as far as it fits
    lied = pa.schema([("l", pa.list_(pa.list_(pa.duration("s")))), ("s", pa.struct([("other", zoned), ("d", pa.duration("s"))])),
                      ("m", pa.struct([("key", pa.string()), ("value", pa.duration("us"))]))])  # fmt: skip
    plain = pa.table({"l": [[5, None], []], "s": [{"z": 1, "d": 2}, None], "m": pa.array([[("a", 7)], None], pa.map_(pa.string(), pa.int64()))})
    read = level1.read(lie(tmp_path / "lie.parquet", plain, lied), {})
    assert read.to_pydict() == {**plain.to_pydict(), "s": [{"z": 1, "d": datetime.timedelta(seconds=2)}, None]}


# ---- columns with something within ----

STRUCT = pa.struct([pa.field("a", pa.duration("us"), nullable=False), pa.field("ä", pa.large_string())])
NESTED = {
    "list": (pa.list_(pa.field("element", pa.duration("ms"))), [[1, None], [], None]),
    "large": (pa.large_list(pa.field("element", pa.timestamp("us", "Asia/Tokyo"), nullable=False)), [[1, 2], [], None]),
    "views": (pa.list_view(pa.field("element", pa.int64())), [[1, None], [], None]),
    "fixed": (pa.list_(pa.field("element", pa.int8()), 2), [[1, None], [3, 4], None]),
    "struct": (STRUCT, [{"a": 1, "ä": "x"}, {"a": 2, "ä": None}, None]),
    "map": (pa.map_(pa.string(), STRUCT), [[("k", {"a": 1, "ä": "v"})], [], None]),
    "coded": (pa.dictionary(pa.int16(), pa.string()), ["a", None, "b"]),
    "codes within": (pa.list_(pa.field("element", pa.dictionary(pa.int32(), pa.string()))), [["a", "b"], [None], None]),
}


def nested_table():
    columns = [pa.array(values, kind) for kind, values in NESTED.values()]
    return pa.table(columns, schema=pa.schema([pa.field(name, kind, metadata={"n": name}) for name, (kind, _) in NESTED.items()]))


def test_pyarrow_reads_nested_schemas_back(tmp_path):
    table = nested_table()
    read = pq.read_table(write(tmp_path / "t.parquet", table))
    # pyarrow gives back no dictionary of indices other than int32; one of its own files says the same
    pq.write_table(table, tmp_path / "theirs.parquet")
    due = pq.read_table(tmp_path / "theirs.parquet")
    lists = due.column_names.index("views")  # how lists lay in memory is not said
    field = due.schema.field(lists)
    due = due.set_column(lists, field.with_type(pa.list_(field.type.value_field)), due["views"].cast(pa.list_(field.type.value_field)))
    assert read.schema.equals(due.schema, check_metadata=True)
    assert read.equals(due)
    for name in ("list", "large", "struct", "coded"):
        assert read.schema.field(name).equals(table.schema.field(name), check_metadata=True)


def test_field_ids_of_what_is_within(tmp_path):
    """A column, then what is within it: items, fields, keys and values; not the groups that Parquet has between."""
    table = nested_table()
    path = write(tmp_path / "t.parquet", table, field_ids="auto")
    found = {row[0]: row[1] for row in duckdb.sql(f"select name, field_id from parquet_schema('{path}') where field_id is not null").fetchall()}
    elements = duckdb.sql(f"select name, field_id from parquet_schema('{path}')").fetchall()
    numbered = [(name, number) for name, number in elements if number is not None]
    assert [number for _, number in numbered] == list(range(1, len(numbered) + 1))
    assert [name for name, _ in numbered] == [
        "list", "element", "large", "element", "views", "element", "fixed", "element", "struct", "a", "ä",
        "map", "key", "value", "a", "ä", "coded", "codes within", "element",
    ]  # fmt: skip
    assert found["codes within"] == 18
    read = pq.read_schema(path)
    assert read.field("map").type.key_field.metadata[b"PARQUET:field_id"] == b"13"
    assert read.field("map").type.item_field.metadata[b"PARQUET:field_id"] == b"14"
    ours = level1.read(path, {}).schema
    assert ours.field("struct").type.field("ä").metadata == {b"PARQUET:field_id": b"11"}
    assert ours.field("list").type.value_field.metadata == {b"PARQUET:field_id": b"2"}
    again = convert(path, tmp_path / "again.parquet")  # metadata is handed on
    assert duckdb.sql(f"select name, field_id from parquet_schema('{again}')").fetchall() == elements


def test_intervals_within(tmp_path):
    kind = pa.list_(pa.field("element", pa.month_day_nano_interval()))
    array = pa.array([[v for v in FIT], [], None, [None]] * 300, kind)
    for intervals in ("iso8601", "parquet"):
        path = write(tmp_path / "t.parquet", pa.table({"l": array}), intervals=intervals, row_group_size=500, page_rows=30)
        assert level1.read(path, {})["l"].combine_chunks().equals(array)
    due = [None if row is None else [v and iso(v) for v in row] for row in array.to_pylist()]
    assert pq.read_table(write(tmp_path / "t.parquet", pa.table({"l": array})))["l"].to_pylist() == due
