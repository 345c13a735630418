"""`verify` finds no fault in files of pyarrow, DuckDB and Polars, only the habits that docs/verify.md names."""

import datetime
import decimal
import pathlib
import uuid

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import verify

N = 3000
DATA = pathlib.Path(__file__).parent.parent / "data" / "parquet"


def some(values):
    """The values over and over, with a null now and then."""
    return [None if i % 11 == 5 else values[i * 7 % len(values)] for i in range(N)]


def flat_table():
    day, moment = datetime.date(2024, 2, 29), datetime.datetime(2024, 2, 29, 12, 30, 1, 5)
    texts = ["", "a", "ä", "z" * 100, "\U0001f600", "\uffff" * 30, "b\0c"]
    columns = {
        "b": pa.array(some([True, False])),
        **{f"i{w}": pa.array(some([-2 ** (w - 1), -1, 0, 1, 2 ** (w - 1) - 1]), f"int{w}") for w in (8, 16, 32, 64)},
        **{f"u{w}": pa.array(some([0, 1, 2 ** (w - 1), 2**w - 1]), f"uint{w}") for w in (8, 16, 32, 64)},
        "f16": pa.array(some([0.0, -0.0, 1.5, -65504.0, float("inf")]), pa.float16()),
        "f32": pa.array(some([0.0, -0.0, 1.5, -1e30, float("-inf")]), pa.float32()),
        "f64": pa.array(some([0.0, -0.0, 1.5, 1e300])),
        "nan": pa.array(some([float("nan"), 1.0, -0.0])),
        "nans": pa.array([float("nan")] * N),
        "zero": pa.array([0.0, -0.0] * (N // 2)),
        "s": pa.array(some(texts)),
        "sorted": pa.array(sorted(f"{i:05}" for i in range(N))),
        "bytes": pa.array(some([b"", b"\xff" * 80, b"\0", b"\x80\xff"])),
        "fixed": pa.array(some([bytes([i] * 5) for i in (0, 127, 128, 255)]), pa.binary(5)),
        "day": pa.array(some([day, datetime.date(1, 1, 1), datetime.date(9999, 12, 31)])),
        "t32": pa.array(some([0, 86399999]), pa.time32("ms")),
        "t64": pa.array(some([0, 86399999999]), pa.time64("us")),
        **{f"ts{u}": pa.array(some([moment]), pa.timestamp(u)) for u in ("ms", "us", "ns")},
        "tz": pa.array(some([moment]), pa.timestamp("us", "UTC")),
        **{f"d{p}": pa.array(some([decimal.Decimal(x) / 100 for x in (-10**p + 1, 0, 1, 10**p - 1)]),
                             pa.decimal128(p, 2)) for p in (5, 9, 18, 25)},
        "nothing": pa.nulls(N, pa.int32()),
        "null": pa.nulls(N),
        "uuid": pa.array(some([uuid.UUID(int=i << 120).bytes for i in (0, 100, 200)]), pa.binary(16)),
    }
    return pa.table(columns)


def nested_table():
    lists = [None if i % 7 == 0 else [None if j % 3 == 0 else i * j for j in range(i % 5)] for i in range(N)]
    structs = [None if i % 5 == 0 else {"a": i, "b": None if i % 3 == 0 else str(i), "l": [str(i)] * (i % 3)} for i in range(N)]
    maps = [None if i % 4 == 0 else [(f"k{j}", j if j % 2 else None) for j in range(i % 3)] for i in range(N)]
    deep = [[[i] * (i % 3), [], None] if i % 6 else None for i in range(N)]
    return pa.table({"l": lists, "s": structs, "m": pa.array(maps, pa.map_(pa.string(), pa.int64())), "d": deep})


def rules(path):
    (file,) = verify([path])
    errors = [f for f in file["findings"] if f["severity"] == "error"]
    assert errors == [], errors
    assert file["values"] > 0
    return {f["rule"] for f in file["findings"]}


WAYS = [
    {},
    {"use_dictionary": False, "compression": "none", "data_page_size": 2000},
    {"data_page_version": "2.0", "compression": "zstd"},
    {"write_page_index": True, "data_page_size": 1000, "write_page_checksum": True},
    {"write_page_index": True, "data_page_size": 1000, "data_page_version": "2.0", "use_dictionary": False},
    {"compression": "gzip", "row_group_size": 700, "store_schema": False},
    {"compression": "lz4", "version": "1.0", "use_deprecated_int96_timestamps": True},
    {"compression": "brotli", "write_statistics": False, "dictionary_pagesize_limit": 200},
]


@pytest.mark.parametrize("way", WAYS, ids=range(len(WAYS)))
@pytest.mark.parametrize("make", [flat_table, nested_table])
def test_pyarrow(make, way, tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(make(), path, **way)
    assert rules(path) <= {"chunk.encoding_stats"}


def test_pyarrow_encodings(tmp_path):
    table = flat_table().select(["i32", "i64", "f32", "f64", "s", "bytes", "fixed", "b"])
    encodings = {"i32": "DELTA_BINARY_PACKED", "i64": "DELTA_BINARY_PACKED", "f32": "BYTE_STREAM_SPLIT",
                 "f64": "BYTE_STREAM_SPLIT", "s": "DELTA_BYTE_ARRAY", "bytes": "DELTA_LENGTH_BYTE_ARRAY",
                 "fixed": "BYTE_STREAM_SPLIT", "b": "RLE"}
    for version in ("1.0", "2.0"):
        path = tmp_path / f"{version}.parquet"
        pq.write_table(table, path, use_dictionary=False, column_encoding=encodings, data_page_version=version,
                       write_page_index=True, data_page_size=1000)
        assert rules(path) <= {"chunk.encoding_stats"}


def test_pyarrow_counts_too_few_bytes_of_repeated_texts(tmp_path):
    for n, values in enumerate((["q"] * 9, ["quite", "qui", None, "quite"] * 50)):
        path = tmp_path / f"{n}.parquet"
        pq.write_table(pa.table({"s": values}), path, use_dictionary=False, column_encoding={"s": "DELTA_BYTE_ARRAY"},
                       write_page_index=True)
        assert rules(path) <= {"sizes.unencoded", "index.unencoded"}


def test_pyarrow_without_rows(tmp_path):
    pq.write_table(pa.table({"b": pa.array([], pa.bool_()), "i": pa.array([], pa.int64())}), tmp_path / "a.parquet",
                   column_encoding={"b": "RLE"}, use_dictionary=["i"])
    (file,) = verify([tmp_path / "a.parquet"])
    assert file["errors"] == 0, file["findings"]
    assert "group.file_offset" in {f["rule"] for f in file["findings"]}


@pytest.mark.parametrize("column", ["sorted", "i64", "f64", "s", "d18"])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("dictionary", [False, True])
def test_what_is_sorted(column, descending, dictionary, tmp_path):
    table = flat_table().sort_by([(column, "descending" if descending else "ascending")])
    pq.write_table(table, tmp_path / "a.parquet", use_dictionary=dictionary,
                   sorting_columns=[pq.SortingColumn(table.column_names.index(column), descending)])
    assert rules(tmp_path / "a.parquet") == set()


@pytest.mark.parametrize("options", ["", ", PARQUET_VERSION v2", ", COMPRESSION zstd, ROW_GROUP_SIZE 2048"])
@pytest.mark.parametrize("make", [flat_table, nested_table])
def test_duckdb(make, options, tmp_path):
    path = tmp_path / "d.parquet"
    table = make()
    if "f16" in table.column_names:
        table = table.drop_columns(["f16", "null"])
    duckdb.from_arrow(table).query("t", f"COPY (FROM t) TO '{path}' (FORMAT parquet{options})")
    assert rules(path) <= {"chunk.encodings", "statistics.bounds"}


@pytest.mark.parametrize("options", [{}, {"compression": "snappy", "data_page_size": 2000}, {"row_group_size": 700}])
@pytest.mark.parametrize("make", [flat_table, nested_table])
def test_polars(make, options, tmp_path):
    path = tmp_path / "p.parquet"
    table = make()
    pl.from_arrow(table.drop_columns([c for c in ("f16", "m") if c in table.column_names])).write_parquet(
        path, statistics="full", **options)
    assert rules(path) <= {"schema.converted_type"}


# parquet-go 0.27 counts no nulls in the statistics of chunks whose pages have version 2
FAULTS = {"parquet_go_v2": {"statistics.null_count"}}


@pytest.mark.parametrize("path", sorted(DATA.glob("*.parquet")), ids=lambda path: path.stem)
def test_files_of_others(path):
    (file,) = verify([path])
    assert {f["rule"] for f in file["findings"] if f["severity"] == "error"} == FAULTS.get(path.stem, set())
