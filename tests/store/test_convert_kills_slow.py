"""More of test_convert_kills.py."""

from kill_runs import kill_and_run_again
from test_convert_kills import runs  # noqa: F401: the fixture


def test_killed_a_hundred_times(runs):  # noqa: F811
    found = runs.each(kill_and_run_again, range(100, 200))
    assert sum(killed for killed, _ in found) > 80 and sum(left for _, left in found) > 50
