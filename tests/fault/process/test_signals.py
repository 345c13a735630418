"""Signals at any moment; many more of them are in test_signals_more.py."""

import shutil

import pytest

from rig import CASES, STOPS, check_stopped, first_rows, kills, signalled, stops

WRITERS = [case for case in CASES if case.name in ("replaced", "csv", "widened", "job again")]


@pytest.mark.parametrize("number", STOPS)
def test_heeded_at_the_first_rows(rig, number):
    for case in WRITERS:
        folder, done = signalled(rig, case, number, first_rows(case, number))
        assert done.code == STOPS[number] and "stopped on request" in done.err, done
        check_stopped(rig, case, folder, done, number)
        shutil.rmtree(folder)


def test_kills(rig):
    kills(rig, WRITERS, "everyday", 5)


def test_requests_to_stop(rig):
    stops(rig, WRITERS, "everyday", 6)
