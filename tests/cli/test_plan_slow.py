"""As test_plan.py, for longer."""

import pytest

from pieces import kill_at_random, make


@pytest.mark.parametrize("seed", range(10))
def test_whatever_is_killed_every_row_is_there_once(tool, write, seed):
    kill_at_random(tool, make(tool, write), seed=100 + seed, kills=20)
