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
    write(tmp_path / "t.parquet", t, values)
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
    values = [base64.b64decode(text) for text in ("1234", "true", "null", "A/8=", "aQ==", "")]
    write(tmp_path / "t.parquet", pa.binary(), values)
    command = [str(BIN), "convert", "--writer-option", f"delimiter={delimiter}", "t.parquet", "t.csv"]
    done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "t.csv").read_text().splitlines()
    assert lines[1:4] == ['"1234"', '"true"', '"null"'] and lines[6] == '""'
    assert lines[4].startswith('"') == (delimiter in ("/", "=")) and lines[5].startswith('"') == (delimiter == "=")
