"""What DuckDB, Polars, fastparquet and parquet-go write, read by our reader, is what pyarrow reads of it."""

import pathlib

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stream import read, same


@pytest.mark.parametrize("codec", ["snappy", "zstd", "uncompressed", "gzip", "lz4", "brotli"])
def test_files_of_polars(tmp_path, codec):
    n = 3000
    i = pl.int_range(n, eager=True)
    sometimes = (i % 4 > 0).alias("sometimes")
    frame = pl.DataFrame(
        {
            "i8": (i % 100).cast(pl.Int8),
            "u16": i.cast(pl.UInt16),
            "i64": pl.select(pl.when(sometimes).then(i)).to_series(),
            "u64": i.cast(pl.UInt64),
            "f32": (i / 7).cast(pl.Float32),
            "f64": i / 7,
            "bool": i % 3 == 0,
            "text": i.cast(pl.String) + " is the number",
            "few": (i % 9).cast(pl.String),
            "nulls": pl.Series([None] * n, dtype=pl.String),
            "binary": i.cast(pl.String).cast(pl.Binary),
            "date": i.cast(pl.Int32).cast(pl.Date),
            "time": (i * 1000).cast(pl.Time),
            "ms": i.cast(pl.Datetime("ms")),
            "us": i.cast(pl.Datetime("us", "UTC")),
            "ns": i.cast(pl.Datetime("ns")),
            "decimal": i.cast(pl.Decimal(20, 3)),
            "category": (i % 5).cast(pl.String).cast(pl.Categorical),
        }
    )
    path = tmp_path / "a.parquet"
    frame.write_parquet(path, compression=codec, row_group_size=1000, data_page_size=4000)
    # what is ours of a category is its text; pyarrow makes a dictionary of it where the file's Arrow schema says so
    want = pq.read_table(path)
    got = read(path)
    got.validate(full=True)
    for name, mine, theirs in zip(want.schema.names, got.columns, want.columns):
        if pa.types.is_dictionary(theirs.type):
            theirs = theirs.cast(pa.string())
        wanted = theirs.type
        assert mine.cast(pa.large_string() if wanted == pa.string_view() else wanted).equals(
            theirs.cast(pa.large_string()) if wanted == pa.string_view() else theirs
        ), name


@pytest.mark.parametrize("name", ["fastparquet", "parquet_go_v1", "parquet_go_v2"])
def test_files_of_writers_that_are_not_here(name):
    same(pathlib.Path(__file__).parent.parent / "data" / "parquet" / f"{name}.parquet")
