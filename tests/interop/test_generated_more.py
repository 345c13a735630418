"""Many tables of generated.py in both directions."""

import pytest

import generated


@pytest.mark.parametrize("first", range(1000, 2000, 200))
def test_ours_come_back(first, tmp_path):
    assert [wrong for n in range(first, first + 200) if (wrong := generated.check_ours(n, tmp_path))] == []


@pytest.mark.parametrize("writer", generated.WRITERS)
@pytest.mark.parametrize("first", range(1000, 2000, 500))
def test_theirs_are_read(first, writer, tmp_path):
    assert [wrong for n in range(first, first + 500) if (wrong := generated.check_theirs(n, writer, tmp_path))] == []
