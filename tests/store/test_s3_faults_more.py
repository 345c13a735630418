"""More of the random faults of test_s3_faults.py."""

from fault_runs import run_with_faults


def test_a_thousand_faults_at_random(tool, server):
    run_with_faults(tool, server, range(1000, 2000))
