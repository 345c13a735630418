"""Some tables of generated.py in both directions.  test_generated_more.py makes many more."""

import pytest

import generated


def test_ours_come_back(tmp_path):
    assert [wrong for n in range(25) if (wrong := generated.check_ours(n, tmp_path))] == []


@pytest.mark.parametrize("writer", generated.WRITERS)
def test_theirs_are_read(writer, tmp_path):
    assert [wrong for n in range(20) if (wrong := generated.check_theirs(n, writer, tmp_path))] == []
