"""More of test_convert_kills.py."""

from kill_runs import kill_and_run_again


def test_killed_a_hundred_times(runs):
    found = runs.each(kill_and_run_again, range(100, 200))
    assert sum(killed for killed, _ in found) > 60 and sum(left for _, left in found) > 15
