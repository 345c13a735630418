"""Signals at any moment; many more of them are in test_signals_slow.py."""

from rig import CASES, kills, stops

WRITERS = [case for case in CASES if case.name in ("replaced", "widened", "job again")]


def test_kills(rig):
    kills(rig, WRITERS, "everyday", 5)


def test_requests_to_stop(rig):
    stops(rig, WRITERS, "everyday", 6)
