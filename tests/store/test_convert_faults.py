"""Faults over uploads and downloads of `convert`."""

from convert_faults import run_with_faults


def test_faults(runs):
    found = runs.each(run_with_faults, range(24))
    assert sum(n for n, _ in found) > 20
    assert 5 < sum(exact for _, exact in found) < 24
