"""2,000 files of extremes, sentinels, runs and nulls in every order come back as they were."""

import pytest

import extremes


@pytest.mark.parametrize("first", range(1000, 3000, 100))
def test_numbers_come_back(first, tmp_path):
    assert extremes.check(range(first, first + 100), tmp_path) == []
