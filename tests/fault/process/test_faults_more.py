"""A thousand runs of the command, each with one call that fails, is interrupted or moves less than it was asked for."""

import pytest

from rig import CASES, sweep


@pytest.mark.parametrize("seed", range(10))
def test_faults(rig, seed):
    sweep(rig, CASES, seed, 100)
