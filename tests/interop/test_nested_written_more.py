"""Every shape and pattern of test_nested_written.py, read by all, each with one codec; with every one: test_nested_written_lane.py."""

import pytest

import nested_arrays
from nested_written import CODECS, check_shape


@pytest.mark.parametrize("shape", nested_arrays.SHAPES)
def test_every_type_is_read_back(shape, tmp_path):
    first = list(nested_arrays.SHAPES).index(shape)
    for i, pattern in enumerate(nested_arrays.PATTERNS):
        check_shape(tmp_path, i, shape, pattern, CODECS[(first + i) % 6])
