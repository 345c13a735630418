"""Signals at any moment: 200 kills, 300 requests to stop."""

import pytest

from rig import CASES, kills, stops

WRITERS = [case for case in CASES if case.out]


@pytest.mark.parametrize("seed", range(4))
def test_kills(rig, seed):
    kills(rig, WRITERS, seed, 50)


@pytest.mark.parametrize("seed", range(4))
def test_requests_to_stop(rig, seed):
    stops(rig, WRITERS, seed, 75)
