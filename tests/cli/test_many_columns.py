"""20,000 columns of 50 rows: `--memory 64MB` is enough, and it is kept."""

import pytest

from conftest import SANITIZED
from test_memory import peak

COLUMNS = 20_000
KINDS = [
    lambda x: str(x),
    lambda x: str(x / 8),
    lambda x: f"s{x}text",
    lambda x: f"2024-0{1 + x % 9}-11",
    lambda x: "true" if x & 1 else "false",
]


def table(kinds):
    yield ",".join(f"c{i}" for i in range(COLUMNS)) + "\n"
    for row in range(50):
        yield ",".join(kinds[i % len(kinds)]((i * 7919 + row * 31) % 100_000) for i in range(COLUMNS)) + "\n"


def held(tool, name):
    return peak(tool.ok("convert", "-f", name, "out.parquet", "--memory", "64MB", "-t", "2"))


@pytest.mark.skipif(SANITIZED, reason="a sanitizer's own memory is not bounded")
@pytest.mark.parametrize("kinds", [KINDS[:1], KINDS], ids=["integers", "mixed"])
def test_many_columns_keep_the_budget(tool, write, kinds):
    """Beside what the program takes by itself; a sixteenth more for allocators that round otherwise."""
    write("one.csv", "a\n1\n")
    write("many.csv", "".join(table(kinds)))
    assert held(tool, "many.csv") - held(tool, "one.csv") < 68_000_000
