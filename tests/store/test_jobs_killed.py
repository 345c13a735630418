"""kill -9 at any moment of incremental jobs that write to a bucket."""

from incremental_kills import kill_and_run_again


def test_incremental_jobs(runs):
    found = runs.each(kill_and_run_again, range(12))
    assert sum(killed for killed, _ in found) > 8 and sum(left for _, left in found) > 1
