"""More of test_convert_faults.py."""

from convert_faults import run_with_faults


def test_a_thousand_runs_with_faults(runs):
    found = runs.each(run_with_faults, range(1000, 2000))
    assert sum(n for n, _ in found) > 2000
    assert 300 < sum(exact for _, exact in found) < 1000
