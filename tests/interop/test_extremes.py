"""Extremes, sentinels, runs and nulls in every order come back as they were.  test_extremes_more.py makes many more."""

import pytest

import extremes


@pytest.mark.parametrize("first", range(0, 100, 25))
def test_numbers_come_back(first, tmp_path):
    assert extremes.check(range(first, first + 25), tmp_path) == []
