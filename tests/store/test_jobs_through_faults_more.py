"""More of test_jobs_through_faults.py."""

from job_fault_runs import run_with_faults


def test_a_thousand_jobs_with_faults(runs):
    found = runs.each(run_with_faults, range(1000, 2000))
    assert sum(n for n, _ in found) > 2000
    assert 300 < sum(exact for _, exact in found) < 1000
