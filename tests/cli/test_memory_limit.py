"""Under `ulimit -v` a conversion ends with exit code 0 or 2, whatever the limit."""

from memory_limit import sweep, table


def test_ends_well_or_says_why(tool, write):
    write("in.csv", table(60000))
    assert {0, 2} == set(sweep(tool, "snappy", [1000000, *range(58000, 46000, -500), 30000, 20000]))
