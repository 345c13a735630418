"""Every flat type as text: in CSV files and in JSON records, against what Python and DuckDB make of the values."""

import base64
import csv
import ctypes
import json
import os
import subprocess
import uuid

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import level1
from conftest import BIN
from test_flat_types import IDS, TYPES, write

ENVIRONMENT = dict(os.environ, DATIVO_PLUGIN_PATH=str(level1.PLUGINS))


def is_raw(t):
    return pa.types.is_binary(t) or pa.types.is_large_binary(t) or t == pa.binary_view() or pa.types.is_fixed_size_binary(t)


def text_of(t, value):
    """What CSV has of a value, for the types whose text Python knows."""
    if t == pa.uuid():
        return str(uuid.UUID(bytes=value))
    if is_raw(t):
        return base64.b64encode(value).decode()
    if pa.types.is_decimal(t):
        return f"{value:.{t.scale}f}"
    if t == pa.time32("s"):
        return f"{value // 3600:02}:{value // 60 % 60:02}:{value % 60:02}"
    return str(value)


def csv_of(tmp_path, t, values):
    write(tmp_path / "t.parquet", t, values, arrow_schema="never")
    command = [str(BIN), "convert", "--overwrite", "t.parquet", "t.csv"]
    done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return tmp_path / "t.csv"


KNOWN = [case for case in TYPES if not pa.types.is_temporal(case[0]) or case[0] == pa.time32("s")]


@pytest.mark.parametrize("t, values, read_as", KNOWN, ids=[str(t) for t, *_ in KNOWN])
def test_csv(t, values, read_as, tmp_path):
    with open(csv_of(tmp_path, t, [*values, None]), newline="") as file:
        rows = list(csv.reader(file))
    assert [row[0] if row else "" for row in rows] == ["c", *(text_of(t, v) for v in values), ""]


# What DuckDB reads the text as; its range of dates and times ends before ours.
DUCKDB = [
    ("UTINYINT", pa.uint8(), [0, 255]),
    ("UBIGINT", pa.uint64(), [0, 2**64 - 1]),
    ("DECIMAL(38,10)", pa.decimal128(38, 10), ["-1234567890123456789012345678.0123456789", "0.0000000001"]),
    ("TIME", pa.time64("us"), [0, 1, 86_399_999_999]),
    ("DATE", pa.date64(), [-719162 * 86_400_000, 0, 2932896 * 86_400_000]),
    ("TIMESTAMP_MS", pa.timestamp("ms"), [-62135596800000, -1, 253402300799999]),
    ("TIMESTAMP_NS", pa.timestamp("ns"), [-(2**62), -1, 1, 2**62]),
    ("UUID", pa.uuid(), [b"\x00" * 16, bytes(range(16)), b"\xff" * 16]),
]


@pytest.mark.parametrize("type_, t, values", DUCKDB, ids=[d[0] for d in DUCKDB])
def test_csv_is_what_duckdb_reads(type_, t, values, tmp_path):
    if pa.types.is_decimal(t):
        values = pa.array(values).cast(t).to_pylist()
    path = csv_of(tmp_path, t, [*values, None])
    parquet = tmp_path / "t.parquet"
    both = duckdb.sql(
        f"SELECT a.c IS NOT DISTINCT FROM b.c::{type_} FROM read_csv('{path}', columns={{'c': '{type_}'}}) a "
        f"POSITIONAL JOIN read_parquet('{parquet}') b"
    )
    assert both.fetchall() == [(True,)] * (len(values) + 1)


def records_of(path):
    library = ctypes.CDLL(str(level1.PLUGINS / "libparquet_reader_plugin.so"))
    library.create_reader.restype = library.extract_batch.restype = ctypes.c_void_p
    library.create_reader.argtypes = [ctypes.c_char_p]
    for function in (library.extract_batch, library.free_reader, library.free_string):
        function.argtypes = [ctypes.c_void_p]
    reader = library.create_reader(json.dumps({"type": "parquet", "files": [{"path": str(path)}]}).encode())
    try:
        pointer = library.extract_batch(reader)
        text = ctypes.string_at(pointer).decode()
        library.free_string(pointer)
        return text
    finally:
        library.free_reader(reader)


@pytest.mark.parametrize("t, values, read_as", TYPES, ids=IDS)
def test_json(t, values, read_as, tmp_path):
    write(tmp_path / "t.parquet", t, [*values, None])
    records = [r["c"] for r in json.loads(records_of(tmp_path / "t.parquet"))]
    assert records[-1] is None
    for value, got in zip(values, records):
        if pa.types.is_integer(t) or pa.types.is_floating(t):
            assert got == value
        elif t == pa.json_():
            assert got == json.loads(value)
        elif pa.types.is_decimal(t):  # a number only if printing it gives the digits again
            text = f"{value:.{t.scale}f}"
            assert str(got) == text
            assert isinstance(got, str) == (text not in (str(int(value)), repr(float(value))) or abs(value) >= 2**63)
        elif pa.types.is_temporal(t) and t != pa.time32("s"):
            assert isinstance(got, str)
        else:
            assert got == text_of(t, value)


def test_a_text_that_is_not_json_is_no_record(tmp_path):
    write(tmp_path / "t.parquet", pa.json_(), ['{"a":1}', '{"a":'])
    text = records_of(tmp_path / "t.parquet")
    assert text.startswith("DATIVO_PLUGIN_ERROR ")
    assert "is not JSON" in text and json.loads(text.split(" ", 1)[1])["column"] == "c"


@pytest.mark.parametrize("delimiter", [",", "/", "="])
def test_bytes_that_look_like_something_else_are_quoted(delimiter, tmp_path):
    """All but the first, which stands bare so that nobody reads numbers through quotes."""
    values = [base64.b64decode(text) for text in ("1234", "5678", "true", "null", "A/8=", "aQ==", "")]
    write(tmp_path / "t.parquet", pa.binary(), values)
    command = [str(BIN), "convert", "--writer-option", f"delimiter={delimiter}", "t.parquet", "t.csv"]
    done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "t.csv").read_text().splitlines()
    assert lines[1:5] == ["1234", '"5678"', '"true"', '"null"'] and lines[7] == '""'
    assert lines[5].startswith('"') == (delimiter in ("/", "=")) and lines[6].startswith('"') == (delimiter == "=")


WRONG = [
    ("uint8", "256"), ("uint8", "-1"), ("int8", "128"), ("int16", "1.0"), ("uint64", "18446744073709551616"),
    ("decimal(5,2)", "1234.5"), ("decimal(5,2)", "1.005"), ("decimal(5,2)", "."), ("decimal(5,2)", "1e"), ("decimal(5,2)", "nan"),
    ("time", "24:00:00"), ("time", "10:60"), ("time[ms]", "10:11:12.0005"), ("time", "1:02:03"),
    ("timestamp[ns]", "2300-01-01T00:00:00"), ("timestamp[ns]", "2024-01-01T00:00:00.0000000001"), ("timestamp[s]", "2024-01-01T00:00:00.5"),
    ("timestamp[ms]", "2024-01-01T00:00:00Z"), ("uuid", "123e4567-e89b-12d3-a456-42661417400"), ("uuid", "123e4567e89b-12d3-a456-4266141740001"),
    ("float32", "3.5e38"), ("float32", "1.5x"), ("float16", "65520"), ("float16", "-1e400"), ("json", "{"), ("json", "[1,"), ("json", "1 2"), ("json", "x"),
    ("duration", "P1M"), ("duration", "PT0.0000001S"), ("duration[s]", "PT9223372036854775808S"), ("duration[ns]", "P106752D"),
    ("interval", "1 day"), ("interval", "P2147483648D"), ("interval_months", "P1D"), ("interval_day_time", "P1M"),
    ("interval_day_time", "PT2147483.648S"), ("interval", "PT9223372036.854775808S"),
    ("binary:hex", "abc"), ("binary:base64", "abc"), ("binary(2):hex", "abcdef"), ("binary(2)", "YQ=="),
]  # fmt: skip


@pytest.mark.parametrize("words, text", WRONG)
def test_what_is_no_value_of_a_declared_type(words, text, tmp_path):
    (tmp_path / "t.csv").write_text(f"a;c\n1;\n2;{text}\n")
    command = [str(BIN), "convert", "--delimiter", ";", "--types", f"c={words}", "t.csv", "back.csv"]
    done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "line 3" in done.stderr and f"'{text}'" in done.stderr
    assert not (tmp_path / "back.csv").exists()


RELAXED = [
    ("decimal(5,2)", [" +007.5", "1e2", "-.5", "5.", "0.1200", "125E-2", "-0"], ["7.50", "100.00", "-0.50", "5.00", "0.12", "1.25", "0.00"]),
    ("uint16", ["+007", " 12 "], [7, 12]),
    ("time", [" 10:11", "10:11:12.1000000"], ["10:11:00", "10:11:12.100000"]),
    ("timestamp[ns]", ["2024-01-01", "2024-01-01 00:00:00.000000001"], ["2024-01-01T00:00:00", "2024-01-01T00:00:00.000000001"]),
    ("timestamptz", ["2024-01-01 00:00:00 UTC", "2024-01-01 00:00:00 +0100", "2024-01-01 00:00:00 +00:00"],
     ["2024-01-01T00:00:00Z", "2023-12-31T23:00:00Z", "2024-01-01T00:00:00Z"]),
    ("uuid", ["123E4567E89B12D3A456426614174000"], ["123e4567-e89b-12d3-a456-426614174000"]),
    ("binary:hex", ["0x00ff", "\\x00FF", ""], ["AP8=", "AP8=", None]),
]  # fmt: skip


@pytest.mark.parametrize("words, texts, due", RELAXED, ids=[r[0] for r in RELAXED])
def test_declared_types_are_read_widely(words, texts, due, tmp_path):
    (tmp_path / "t.csv").write_text("a,c\n" + "".join(f"x,{text}\n" for text in texts))
    command = [str(BIN), "convert", "--types", f"c={words}", "t.csv", "t.parquet"]
    done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    got = [r["c"] for r in json.loads(records_of(tmp_path / "t.parquet"))]
    assert [v if v is None or isinstance(v, int) else f"{v:.2f}" if isinstance(v, float) else v for v in got] == due


# The text that is read, and the one that is written again: what these types have in it is the same as a value.
PERIODS = [
    ("duration[s]", ["PT1M", "-P1D", "PT9223372036854775807S", "PT-9223372036854775808S", "P1W"], ["PT60S", "PT-86400S", None, None, "PT604800S"]),
    ("duration[ms]", ["PT0.5S", "PT-0.001S", "PT1H-0.5S"], [None, None, "PT3599.5S"]),
    ("duration", ["PT0S", "PT9223372036854.775807S", "PT-9223372036854.775808S"], [None] * 3),
    ("duration[ns]", ["PT9223372036.854775807S", "PT-9223372036.854775808S", "PT0.000000001000S"], [None, None, "PT0.000000001S"]),
    ("interval_months", ["P1Y2M", "P-2147483648M", "P2147483647M", "P0M"], ["P14M", None, None, "PT0S"]),
    ("interval_day_time", ["P1DT1H", "P-2147483648DT-2147483.648S", "P2147483647DT2147483.647S"], ["P1DT3600S", None, None]),
    ("interval", ["P1Y2M3W4DT5H6M7.5S", "P-2147483648M-2147483648DT-9223372036.854775808S", "P2147483647M2147483647DT9223372036.854775807S"],
     ["P14M25DT18367.5S", None, None]),
]  # fmt: skip


@pytest.mark.parametrize("words, texts, due", PERIODS, ids=[p[0] for p in PERIODS])
@pytest.mark.parametrize("quoted", [False, True])
def test_durations_and_intervals(words, texts, due, quoted, tmp_path):
    (tmp_path / "t.csv").write_text("a,c\n" + "".join(f'x,"{t}"\n' if quoted else f"x, {t}\n" for t in texts) + "x,\n")
    command = [str(BIN), "convert", "--types", f"c={words}", "t.csv", "back.csv"]
    done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "back.csv").read_text().splitlines()
    assert lines[1:] == [f"x,{d or t}" for t, d in zip(texts, due)] + ["x,"]


def test_json_is_kept_as_it_is_written(tmp_path):
    values = ['{"a": [1, null, "x,y"]}', "[]", "null", "12", ' {"b" : 1} ', '{"two":\n"lines"}', "1e400"]
    (tmp_path / "t.csv").write_text("a,c\n" + "".join('x,"' + v.replace('"', '""') + '"\n' for v in values) + 'x,\nx,""\nx,[1]\n')
    command = [str(BIN), "convert", "--types", "c=json", "t.csv", "t.parquet"]
    done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    column = pq.read_table(tmp_path / "t.parquet")["c"]
    assert column.type == pa.json_(pa.string_view()) or pa.types.is_string(column.type) or column.type == pa.json_()
    assert column.to_pylist() == [*values, None, None, "[1]"]
    assert pq.ParquetFile(tmp_path / "t.parquet").schema.column(1).logical_type.type == "JSON"


def test_what_narrow_floats_lose_is_told(tmp_path):
    (tmp_path / "t.csv").write_text("h,f\n0.1,0.1\n1.5,16777217\n0.10003,0.12345678\n,\n")
    command = [str(BIN), "convert", "--log-format", "json", "--types", "h=float16,f=float32", "t.csv", "t.parquet"]
    done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    events = [json.loads(line) for line in done.stderr.splitlines()]
    told = [e["message"] for e in events if e["event_type"] == "values_rounded"]
    assert events[-1]["counters"]["rounded"] == 2 and len(told) == 1 and "line 3" in told[0] and '"f"' in told[0]
    table = pq.read_table(tmp_path / "t.parquet")
    assert table["h"].type == pa.float16() and table["f"].type == pa.float32()
    assert table["f"].to_pylist() == [0.10000000149011612, 16777216.0, 0.12345678359270096, None]


@pytest.mark.parametrize("words, encode", [("binary:hex", bytes.hex), ("binary:hex", lambda v: "\\x" + v.hex().upper()), ("binary:base64", lambda v: base64.b64encode(v).decode()),
                                           ("binary(16):hex", bytes.hex), ("binary(16):base64", lambda v: base64.b64encode(v).decode())],
                         ids=["hex", "bytea", "base64", "fixed hex", "fixed base64"])  # fmt: skip
@pytest.mark.parametrize("quoted", [False, True])
def test_bytes_come_back(words, encode, quoted, tmp_path):
    lengths = [16] * 300 if "16" in words else range(1, 300)
    values = [bytes((i * 7 + k * (i % 5 + 1)) % 256 for k in range(n)) for i, n in enumerate(lengths)]
    (tmp_path / "t.csv").write_text("a,c\n" + "".join(f'x,"{encode(v)}"\n' if quoted else f"x,{encode(v)}\n" for v in values) + "x,\n")
    command = [str(BIN), "convert", "--types", f"c={words}", "t.csv", "t.parquet"]
    done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    column = pq.read_table(tmp_path / "t.parquet")["c"]
    assert column.type == (pa.binary(16) if "16" in words else pa.binary()) and column.to_pylist() == [*values, None]
    command = [str(BIN), "convert", "t.parquet", "back.csv"]
    assert subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, timeout=60).returncode == 0
    with open(tmp_path / "back.csv", newline="") as file:
        assert [row[1] for row in csv.reader(file)][1:] == [*(base64.b64encode(v).decode() for v in values), ""]
