"""What tests of the plugins leave behind is held against the format, as that of all others."""

import pytest

import written


@pytest.fixture(autouse=True)
def what_is_left_verifies(tmp_path):
    yield
    written.must_verify(tmp_path)
