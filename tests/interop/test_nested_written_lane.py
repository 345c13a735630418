"""Every shape, pattern and codec of test_nested_written.py, read by all."""

import pytest

import nested_arrays
from nested_written import CODECS, check_shape


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("shape", nested_arrays.SHAPES)
def test_every_type_is_read_back(shape, codec, tmp_path):
    for i, pattern in enumerate(nested_arrays.PATTERNS):
        check_shape(tmp_path, i, shape, pattern, codec)
