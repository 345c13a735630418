"""Write the Parquet files of other writers under tests/data/parquet/ (the C tests hold what they must give).

Usage: python tools/gen_parquet_samples.py [FOLDER]
Needs pyarrow, duckdb and polars.  The files are committed; run this only to add one, because other versions of the
writers give other bytes.
"""

import datetime as dt
import decimal
import pathlib
import sys
import uuid

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

UTC = dt.timezone.utc
D = decimal.Decimal

COMMON = {
    "b": [True, None, False],
    "i": [1, -2147483648, None],
    "l": [None, 9223372036854775807, -5],
    "f": [1.5, None, -0.25],
    "d": [0.1, 1e300, None],
    "day": [dt.date(1970, 1, 1), None, dt.date(2024, 2, 29)],
    "ts": [dt.datetime(2024, 1, 2, 3, 4, 5), dt.datetime(1969, 12, 31, 23, 59, 59, 999999), None],
    "tz": [None, dt.datetime(2024, 1, 2, 3, 4, 5, 600000, UTC), dt.datetime(1970, 1, 1, tzinfo=UTC)],
    "s": ["", 'quote " and \n', None],
}
COMMON_TYPES = {
    "b": pa.bool_(),
    "i": pa.int32(),
    "l": pa.int64(),
    "f": pa.float32(),
    "d": pa.float64(),
    "day": pa.date32(),
    "ts": pa.timestamp("us"),
    "tz": pa.timestamp("us", "UTC"),
    "s": pa.string(),
}
V1 = {"data_page_version": "1.0", "store_schema": False}


def common():
    return pa.table({k: pa.array(v, COMMON_TYPES[k]) for k, v in COMMON.items()})


def pyarrow_files(out):
    pq.write_table(common(), out / "pyarrow_dictionary.parquet", compression="snappy", write_page_checksum=True, **V1)
    pq.write_table(common(), out / "pyarrow_plain.parquet", compression="none", use_dictionary=False,
                   write_page_index=True, **V1)
    pq.write_table(pa.table({
        "i8": pa.array([-128, 127, None], pa.int8()),
        "u16": pa.array([65535, 0, 1], pa.uint16()),
        "u32": pa.array([4294967295, None, 7], pa.uint32()),
        "u64": pa.array([18446744073709551615, 0, None], pa.uint64()),
        "h": pa.array([1.5, -0.0, None], pa.float16()),
        "t": pa.array([dt.time(1, 2, 3), dt.time(23, 59, 59, 1000), None], pa.time32("ms")),
        "ns": pa.array([1, -1, 1700000000000000000], pa.timestamp("ns")),
        "ms": pa.array([1, -1, None], pa.timestamp("ms", "UTC")),
    }), out / "pyarrow_numbers.parquet", compression="zstd", **V1)
    pq.write_table(pa.table({
        "d9": pa.array([D("-1.23"), D("99999.99"), None], pa.decimal128(7, 2)),
        "d18": pa.array([D("0.000000000000000001"), None, D("-0.5")], pa.decimal128(18, 18)),
        "d38": pa.array([D("12345678901234567890123456789012345678"), D(-1), None], pa.decimal128(38, 0)),
        "raw": pa.array([b"\x00\xff", b"", None], pa.binary()),
        "fix": pa.array([b"abc", None, b"\x01\x02\x03"], pa.binary(3)),
        "id": pa.ExtensionArray.from_storage(pa.uuid(), pa.array(
            [uuid.UUID("00112233-4455-6677-8899-aabbccddeeff").bytes, None, bytes(16)], pa.binary(16))),
        "nothing": pa.nulls(3),
    }), out / "pyarrow_bytes.parquet", compression="gzip", store_decimal_as_integer=True, **V1)
    pq.write_table(pa.table({
        "list": pa.array([[1, 2], None, []], pa.list_(pa.int32())),
        "struct": pa.array([{"x": 1, "y": "a"}, None, {"x": None, "y": "b"}]),
    }), out / "pyarrow_nested.parquet", **V1)
    parts = pa.struct([("x", pa.list_(pa.string())), ("y", pa.bool_())])
    pq.write_table(pa.table({
        "m": pa.array([[("a", [1, 2]), ("b", None)], [], None, [("a long key of thirteen", [None])], [("c", [])]],
                      pa.map_(pa.string(), pa.list_(pa.int32()))),
        "l": pa.array([[{"x": ["p", "q of more than twelve bytes"], "y": True}, None], None, [], [{"x": None, "y": None}],
                       [{"x": [], "y": False}]], pa.list_(parts)),
    }), out / "pyarrow_deep.parquet", compression="none", data_page_version="2.0", use_dictionary=["m.key_value.key"],
        store_schema=False, write_statistics=False, data_page_size=20, row_group_size=3)
    pq.write_table(pa.table({"n": pa.array([1, 2, 3], pa.int64())}), out / "pyarrow_delta.parquet", use_dictionary=False,
                   column_encoding={"n": "DELTA_BINARY_PACKED"}, **V1)
    pq.write_table(pa.table({"n": pa.array([1, 2, 3], pa.int64())}), out / "pyarrow_v2.parquet",
                   data_page_version="2.0", store_schema=False)
    pq.write_table(pa.table({"when": pa.array([dt.datetime(2024, 1, 2, 3, 4, 5, 6), None], pa.timestamp("us"))}),
                   out / "pyarrow_int96.parquet", use_deprecated_int96_timestamps=True, **V1)
    # 20 rows in row groups of 12, pages of 4 rows: every codec, required and optional columns
    numbers = list(range(20))
    schema = pa.schema([
        pa.field("none", pa.int64(), nullable=False), pa.field("snappy", pa.string()), pa.field("gzip", pa.string()),
        pa.field("brotli", pa.int32()), pa.field("zstd", pa.float64(), nullable=False), pa.field("lz4_raw", pa.bool_()),
    ])
    table = pa.table([
        pa.array([n * n for n in numbers], pa.int64()), pa.array([f"k{n % 3}" for n in numbers]),
        pa.array([None if n % 4 == 1 else "x" * n for n in numbers]),
        pa.array([n if n < 8 else None for n in numbers], pa.int32()), pa.array([n / 4 for n in numbers], pa.float64()),
        pa.array([None if n % 5 == 0 else n % 2 == 0 for n in numbers]),
    ], schema=schema)
    pq.write_table(table, out / "pyarrow_codecs.parquet", row_group_size=12, data_page_size=1, write_batch_size=4,
                   use_dictionary=["snappy", "brotli"], write_page_checksum=True,
                   compression={name.split("_")[0] if name != "lz4_raw" else name: name for name in schema.names}
                   | {"lz4_raw": "lz4"}, **V1)
    pq.write_table(pa.table([pa.array([n]) for n in range(4)], names=["a", "a", "a_1", "a"]),
                   out / "pyarrow_names.parquet", **V1)
    pq.write_table(common().slice(0, 0).select(["i", "s"]), out / "pyarrow_no_rows.parquet", **V1)
    pq.write_table(pa.table({"long": ["é" * 50, "z" * 65]}), out / "pyarrow_long.parquet", **V1)


def other_files(out):
    pl.DataFrame(pa.table(common())).write_parquet(out / "polars.parquet")
    db = duckdb.connect()
    db.register("common", common())
    db.sql("SET TimeZone = 'UTC'")
    db.sql(f"COPY (SELECT * FROM common) TO '{out}/duckdb.parquet' (FORMAT parquet)")
    # few distinct values: dictionaries and bloom filters
    db.sql(f"""COPY (SELECT i % 3 AS k, 'v' || (i % 2) AS v FROM range(50) t(i))
               TO '{out}/duckdb_bloom.parquet' (FORMAT parquet, CODEC zstd)""")


def main():
    here = pathlib.Path(__file__).resolve().parent.parent / "tests" / "data" / "parquet"
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here
    out.mkdir(parents=True, exist_ok=True)
    pyarrow_files(out)
    other_files(out)
    for path in sorted(out.glob("*.parquet")):
        size = path.stat().st_size
        print(f"{size:6} {path.name}")
        assert size <= 4096, "keep the samples small"


main()
