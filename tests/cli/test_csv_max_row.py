"""--max-row-size: the longest row, to the byte, wherever blocks are cut."""
import csv
import re

import pyarrow.parquet as pq
import pytest

from conftest import SANITIZED
from test_memory import peak


def rows_of(tool, *args):
    tool.ok("convert", "-qf", *args, "out.parquet")
    return pq.read_table(tool.cwd / "out.parquet")


@pytest.mark.parametrize("block", [1, 16, 100, 5000])
@pytest.mark.parametrize("text", ["x" * 50, '"' + "a\n" * 24 + '"', '"' + "q\r\n" * 16 + '"'])
def test_to_the_byte(tool, write, block, text):
    row = f"7,{text}"
    write("in.csv", "a,b\n1,y\n" + row + "\n2,z\n" * 30)
    flags = ["--reader-option", f"block_bytes={block}", "--types", "a=int64"]
    assert rows_of(tool, *flags, f"--max-row-size={len(row)}", "in.csv").num_rows == 32
    said = tool.fails("convert", *flags, f"--max-row-size={len(row) - 1}", "in.csv", "no.parquet", says=["in.csv: line 3, byte 8", "--max-row-size"])
    assert "bytes" in said


def test_before_what_else_is_wrong_with_the_row(tool, write):
    write("in.csv", "a,b\n1,2\n" + "3," * 20 + "\n")
    tool.fails("convert", "--max-row-size", "20", "in.csv", "o.parquet", says=["line 3", "the row is longer than the 20 bytes that --max-row-size allows"])
    write("in.csv", "a,b\n1\n" + "3," * 20 + "\n")
    tool.fails("convert", "--max-row-size", "20", "in.csv", "o.parquet", says=["line 2", "the row has 1 field"])


def test_more_than_the_memory_allows(tool, write):
    """12 MiB in a row, of which an eighth of --memory is too little: as Python's csv with a larger limit reads it."""
    write("in.csv", 'a,b\n1,"' + "some words, \n" * 1_000_000 + '"\n2,x\n')
    said = tool.fails("convert", "--memory", "64MB", "in.csv", "o.parquet", says=["in.csv: line 2", "goes on for more than 8388608 bytes", "lets it through"])
    assert "max_row" not in said
    ours = rows_of(tool, "--memory", "64MB", "--max-row-size", "13MiB", "in.csv").column("b").to_pylist()
    csv.field_size_limit(1 << 30)
    with open(tool.cwd / "in.csv", newline="") as source:
        assert ours == [r[1] for r in csv.reader(source)][1:]


@pytest.mark.parametrize("size", ["0", "x", "513MiB", "", "-1"])
def test_what_is_refused(tool, write, size):
    write("in.csv", "a\n1\n")
    tool.fails("convert", f"--max-row-size={size}", "in.csv", "o.parquet", says=["--max-row-size needs a whole number and a unit"])


def quoted(length, text):
    return '1,"' + text * ((length - 4) // 2) + '"\n'


@pytest.mark.skipif(SANITIZED, reason="a sanitizer's own memory is not bounded")
def test_what_the_memory_is_said_to_allow(tool, write):
    """An eighth of --memory, several in a row, without more than that; a little more is refused with what it takes."""
    most = 72_000_000 // 8
    write("in.csv", "a,b\n" + quoted(most, '""') * 3)  # nothing but escapes takes the most
    done = tool.ok("convert", "-f", "--memory", "72MB", "in.csv", "out.csv")
    assert peak(done) <= 72_000_000 + 16_000_000, done.stderr.decode()
    assert (tool.cwd / "out.csv").stat().st_size == (tool.cwd / "in.csv").stat().st_size
    more = most + (1 << 20)
    write("in.csv", "a,b\n" + quoted(more, "x\n") * 4)
    said = tool.fails("convert", "-f", "--memory", "72MB", "in.csv", "out.csv", says=["in.csv: line 2", f"the row has {more + 1} bytes"])
    least = int(re.search(r"--memory of (\d+)MB lets it through", said).group(1))
    assert more * 8 <= least * 1_000_000 <= more * 8 + 2_000_000
    done = tool.ok("convert", "-f", "--memory", f"{least}MB", "in.csv", "out.csv")
    assert peak(done) <= least * 1_000_000 + 16_000_000, done.stderr.decode()
