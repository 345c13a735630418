"""What other writers wrote, read by our reader, is what pyarrow reads of it."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import stream

ROWS = 50_000


def with_nulls(rng, values, share=0.2):
    return pa.array(values, mask=rng.random(len(values)) < share)


def mixed_table(n=ROWS):
    rng = np.random.default_rng(1)
    words = np.array([f"{i}" for i in range(n)], dtype=object)
    return pa.table(
        {
            "i32": pa.array(rng.integers(-1000, 1000, n).astype("int32")),
            "i64": with_nulls(rng, rng.integers(-(2**60), 2**60, n)),
            "f64": with_nulls(rng, rng.random(n)),
            "few": pa.array([f"text {i % 1000} that is long enough" for i in range(n)]),
            "short": with_nulls(rng, words),
            "bool": with_nulls(rng, rng.random(n) < 0.5),
            "nulls": pa.nulls(n, pa.string()),
        }
    )


def same(path, threads=(1, 2, 8), **options):
    """Read with every number of threads, and as pyarrow does: equal, types included, but views for what has offsets there."""
    want = pq.read_table(path)
    for n in threads:
        got = stream.read(path, threads=n, **options)
        got.validate(full=True)
        assert got.schema.names == want.schema.names
        columns = []
        for column, field in zip(got.columns, want.schema):
            wanted = field.type
            if pa.types.is_string(wanted) or pa.types.is_large_string(wanted):
                assert column.type == pa.string_view()
            elif pa.types.is_binary(wanted) or pa.types.is_large_binary(wanted):
                assert column.type == pa.binary_view()
            else:
                assert column.type == wanted
            columns.append(column.cast(wanted))
        assert pa.table(columns, schema=want.schema).equals(want)
    return want


WAYS = {
    "plain": dict(use_dictionary=False),
    "snappy": dict(compression="snappy"),
    "none": dict(compression="none"),
    "zstd_v2": dict(compression="zstd", data_page_version="2.0"),
    "gzip_pages": dict(compression="gzip", data_page_size=1000),
    "brotli_groups": dict(compression="brotli", row_group_size=7000),
    "lz4": dict(compression="lz4"),
    "delta": dict(
        use_dictionary=False,
        column_encoding={
            "i32": "DELTA_BINARY_PACKED",
            "i64": "BYTE_STREAM_SPLIT",
            "few": "DELTA_BYTE_ARRAY",
            "short": "DELTA_LENGTH_BYTE_ARRAY",
            "bool": "RLE",
        },
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_ways_of_pyarrow(tmp_path, way):
    pq.write_table(mixed_table(), tmp_path / "a.parquet", **WAYS[way])
    same(tmp_path / "a.parquet")
