"""Every shape, pattern and codec of test_nested_written.py, read by all."""

import pytest

import nested_arrays
from conftest import must_verify
from nested_written import check, readers

OPTIONS = [{}, {"row_group_size": 13, "page_rows": 3}, {"page_size": 64, "n_threads": 3}]


@pytest.mark.parametrize("codec", ["none", "snappy", "zstd", "gzip", "lz4_raw", "brotli"])
@pytest.mark.parametrize("shape", nested_arrays.SHAPES)
def test_every_type_is_read_back(shape, codec, tmp_path):
    for i, pattern in enumerate(nested_arrays.PATTERNS):
        names = set(readers()) - {"polars"}
        assert check(tmp_path, 100 + i, shape, pattern, codec, names, **OPTIONS[i % 3]) is None
        assert check(tmp_path, 200 + i, shape, pattern, codec, {"polars"}, **OPTIONS[i % 3]) is None
    must_verify(sorted(tmp_path.glob("*.parquet")))
