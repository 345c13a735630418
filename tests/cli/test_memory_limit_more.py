"""As test_memory_limit, over a wide range and at the levels that want the most memory."""

import pytest
from memory_limit import sweep, table


@pytest.mark.parametrize("compression", ["snappy", "zstd", "zstd:9", "brotli", "brotli:9", "gzip:12", "lz4_raw", "none"])
def test_ends_well_or_says_why(tool, write, compression):
    write("in.csv", table(20000))
    assert {0, 2} == set(sweep(tool, compression, [1000000, *range(160000, 8000, -2500)]))
