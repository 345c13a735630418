"""kill -9 at any moment of an upload; the next run of the same target has it whole and leaves nothing of the one before."""

from kill_runs import kill_and_run_again


def test_killed_and_run_again(runs):
    found = runs.each(kill_and_run_again, range(12))
    assert sum(killed for killed, _ in found) >= 6 and sum(left for _, left in found) >= 2  # how many is a matter of the machine
