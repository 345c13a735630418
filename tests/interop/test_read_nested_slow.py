"""Every flat type within every kind of nesting, of pyarrow, DuckDB and Polars, in pages of both versions and every codec."""

import datetime as dt
import decimal
import random
import uuid

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from test_read_nested import check

D = decimal.Decimal
DAY, TIME = dt.date(2024, 2, 29), dt.time(10, 11, 12, 13000)
FLAT = {  # type: values
    pa.null(): [None], pa.bool_(): [True, False],
    pa.int8(): [-128, 127], pa.int16(): [-32768, 5], pa.int32(): [-(2**31), 7], pa.int64(): [-(2**63), 2**63 - 1],
    pa.uint8(): [0, 255], pa.uint16(): [65535], pa.uint32(): [2**32 - 1], pa.uint64(): [2**64 - 1, 1],
    pa.float16(): [1.5, -0.0], pa.float32(): [1.5, float("inf")], pa.float64(): [0.1, -0.0, 1e300],
    pa.decimal128(7, 2): [D("-1.23")], pa.decimal128(18, 0): [D(10**17)], pa.decimal128(38, 10): [D("1.5")], pa.decimal256(60, 3): [D("-7.125")],
    pa.date32(): [DAY], pa.time32("ms"): [TIME], pa.time64("us"): [TIME], pa.time64("ns"): [TIME],
    pa.timestamp("ms"): [dt.datetime(2024, 1, 2)], pa.timestamp("us"): [dt.datetime(1900, 1, 2)], pa.timestamp("ns"): [dt.datetime(2024, 1, 2)],
    pa.timestamp("us", "UTC"): [dt.datetime(2024, 1, 2, tzinfo=dt.timezone.utc)],
    pa.string(): ["", "short", "a text of more than twelve bytes"], pa.binary(): [b"", b"\0\xff" * 9], pa.binary(3): [b"abc"],
    pa.large_string(): ["large"], pa.large_binary(): [b"large"],
}  # fmt: skip
KINDS = {
    "list": pa.list_, "large": pa.large_list, "fixed": lambda t: pa.list_(t, 3), "struct": lambda t: pa.struct([("a", t), ("b", pa.int8())]),
    "map": lambda t: pa.map_(pa.string(), t), "parts": lambda t: pa.list_(pa.struct([("a", pa.list_(t)), ("b", t)])),
    "deep": lambda t: pa.list_(pa.list_(pa.list_(t))), "inner": lambda t: pa.struct([("s", pa.struct([("l", pa.list_(t))]))]),
}  # fmt: skip
CODECS = ["none", "snappy", "gzip", "brotli", "zstd", "lz4"]


def value(made, kind, leaves, nulls):
    if made.random() < nulls:
        return None
    if pa.types.is_map(kind):
        return [(f"key {i}", value(made, kind.item_type, leaves, nulls)) for i in range(made.choice((0, 1, 3)))]
    if pa.types.is_fixed_size_list(kind):
        return [value(made, kind.value_type, leaves, nulls) for _ in range(kind.list_size)]
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return [value(made, kind.value_type, leaves, nulls) for _ in range(made.choice((0, 0, 1, 2, 5)))]
    if pa.types.is_struct(kind):
        return {f.name: value(made, f.type, leaves, nulls) for f in kind}
    return made.choice(leaves.get(kind, [1]))


def tables(n=200):
    made = random.Random(11)
    for name, wrap in KINDS.items():
        for nulls in (0, 0.3, 1):
            columns = {}
            for flat in FLAT:
                kind = wrap(flat)
                rows = [value(made, kind, FLAT, nulls) for _ in range(n)]
                columns[f"{flat}"] = pa.array(rows, kind)
            yield name, nulls, pa.table(columns)


def test_pyarrow(tmp_path):
    for i, (name, nulls, table) in enumerate(tables()):
        options = {"compression": CODECS[i % len(CODECS)], "data_page_version": f"{1 + i % 2}.0", "data_page_size": 300,
                   "row_group_size": 90, "use_dictionary": i % 3 != 0, "dictionary_pagesize_limit": 40 if i % 2 else 1 << 20,
                   "store_schema": i % 4 != 0, "write_page_index": i % 5 == 0, "write_page_checksum": True}
        pq.write_table(table, tmp_path / "a.parquet", **options)
        for rows, threads in ((0, 2), (13, 1)):
            check(tmp_path / "a.parquet", rows=rows, threads=threads)


@pytest.mark.parametrize("codec", ["uncompressed", "snappy", "zstd", "gzip", "lz4_raw"])
@pytest.mark.parametrize("version", ["V1", "V2"])
def test_duckdb(tmp_path, codec, version):
    path = tmp_path / "a.parquet"
    duckdb.sql(f"""copy (select i,
        case when i % 7 = 0 then null else [x for x in range(i % 5)] end as l,
        case when i % 5 = 0 then null else {{'a': i, 'b': case when i % 3 = 0 then null else 'text number ' || i end}} end as s,
        map {{'k' || (i % 3): [i, null], 'second': null}} as m,
        [[[i::double]], [], null] as d, [{{'t': timestamp '2024-01-01' + interval (i) second, 'n': (i / 4)::decimal(12, 2)}}] as p,
        [(i % 100)::tinyint, null]::tinyint[2] as f
        from range(20000) t(i)) to '{path}' (format parquet, codec '{codec}', row_group_size 5000, parquet_version {version})""")
    check(path, rows=777, threads=3)


@pytest.mark.parametrize("codec", ["uncompressed", "snappy", "zstd", "gzip", "brotli", "lz4"])
def test_polars(tmp_path, codec):
    n = 5000
    pl.DataFrame({
        "l": [None if i % 7 == 0 else list(range(i % 5)) for i in range(n)],
        "s": [None if i % 5 == 0 else {"a": i, "b": None if i % 3 == 0 else f"text number {i}"} for i in range(n)],
        "d": [[[[float(i)]], [], None] for i in range(n)],
        "p": [[{"t": dt.datetime(2024, 1, 1) + dt.timedelta(seconds=i), "x": [str(i)]}] for i in range(n)],
    }).write_parquet(tmp_path / "a.parquet", compression=codec, row_group_size=1200, data_page_size=4000)
    check(tmp_path / "a.parquet", rows=500, threads=3)


def test_uuids_and_many_row_groups(tmp_path):
    ids = [uuid.UUID(int=i).bytes for i in range(400)]
    storage = pa.array(ids, pa.binary(16))
    table = pa.table({"u": pa.ListArray.from_arrays(pa.array(range(0, 401, 4), pa.int32()), pa.ExtensionArray.from_storage(pa.uuid(), storage))})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=1)
    check(tmp_path / "a.parquet", threads=4)
