"""Four hundred writers of one name."""

from test_output import race


def test_four_hundred_writers(tool, write):
    race(tool, write, 400, 16)
