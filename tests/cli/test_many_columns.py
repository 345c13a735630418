"""What very many columns take, whatever they hold: the budget that is named is enough, and it is kept."""

import re

import pytest

import pyarrow.parquet as pq

from conftest import SANITIZED
from test_memory import peak

pytestmark = pytest.mark.skipif(SANITIZED, reason="a sanitizer's own memory is not bounded")  # for the budgets below

# What a column begins with; in every row stands another number at @.
KINDS = {
    "integers": lambda c: f"{c * 7919 % 1000}@",
    "floats": lambda c: f"{c % 1000}.@7",
    "short": lambda c: f"t{c % 10}@",
    "texts": lambda c: f"text {c * 7919 % 10**9:09}@",
    "long": lambda c: f"{c * 7919:090} @",
    "timestamps": lambda c: f"2024-{1 + c % 12:02}-{1 + c % 28:02}T10:20:30.@",
    "decimals": lambda c: f"{10**20 + c}.@",
    "booleans": lambda c: "true" if c & 1 else "false",
    "nulls": lambda c: "",
}
MIXED = ["integers", "floats", "texts", "timestamps", "booleans"]
THIRD = ["integers", "floats", "texts"]


def wide(write, kinds, columns, rows):
    template = ",".join([KINDS[kinds[c % len(kinds)]](c) for c in range(columns)]) + "\n"
    names = ",".join([f"c{c}" for c in range(columns)]) + "\n"
    write("many.csv", names + "".join([template.replace("@", f"{row * 37 % 10000:04}") for row in range(rows)]))
    write("one.csv", "a\n1\n")


def held(tool, memory):
    """Beside what the program takes by itself."""
    peaks = [peak(tool.ok("convert", "-f", "--memory", f"{memory}MB", "-t", "2", name, "out.parquet")) for name in ("one.csv", "many.csv")]
    return peaks[1] - peaks[0]


def least(tool):
    """What the message names; the smallest budget that there is has room for some thousand columns."""
    said = tool("convert", "-f", "many.csv", "out.parquet", "--memory", "16MB").stderr.decode()
    named = re.search(r"at least (\d+)MB", said)
    return int(named.group(1)) if named else 16


def check_kept(tool, memory):
    """64 MB beside the budget are promised, with 15 to 20 for the program itself; no more than half of the rest is used."""
    assert held(tool, memory) < (memory + 24) * 1_000_000


def test_twenty_thousand_columns_in_64_mb(tool, write):
    wide(write, MIXED, 20_000, 50)
    check_kept(tool, 64)


@pytest.mark.parametrize("kind", KINDS)
def test_the_budget_that_is_named_is_enough(tool, write, kind):
    wide(write, [kind], 2_000, 60)
    check_kept(tool, least(tool))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_blocks_of_few_rows(tool, write, end):
    """Rows of more than 32 KiB first, short ones behind them, row ends in quotes and escaped quotes: blocks end between any two rows."""
    columns, rows = 1100, 241
    quoted = [f"a{end}b{row}{end}" if row % 3 else f'say "{end}" {row}' for row in range(rows)]
    filler = [("z" * 60 if row < 150 else "") for row in range(rows)]
    lines = [",".join(f"c{c}" for c in range(columns))]
    for row in range(rows):
        text = '"' + quoted[row].replace('"', '""') + '"'
        lines.append(",".join([str(row), text, *[filler[row]] * (columns - 3), f"last {row}"]) + (end if row % 50 == 49 else ""))
    write("in.csv", (end.join(lines) + (end if rows % 2 else "")).encode())
    tool.ok("convert", "-q", "in.csv", "out.parquet")
    table = pq.read_table(tool.cwd / "out.parquet", columns=["c0", "c1", "c500", f"c{columns - 1}"])
    assert table.column(0).to_pylist() == list(range(rows))
    assert table.column(1).to_pylist() == quoted
    assert table.column(2).to_pylist() == [text or None for text in filler]
    assert table.column(3).to_pylist() == [f"last {row}" for row in range(rows)]
