"""More of test_secrets_everywhere.py."""

from secret_runs import PASSING, QUICK, WRONG, run_all


def test_every_command_and_every_fault(tmp_path):
    well, badly = run_all(tmp_path, [*WRONG, *QUICK, *PASSING])
    assert badly > 150 and well > 20
