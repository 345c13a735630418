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
