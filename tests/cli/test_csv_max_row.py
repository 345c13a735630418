"""--max-row-size: the longest row, to the byte, wherever blocks are cut."""
import csv

import pyarrow.parquet as pq
import pytest


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
    """12 MiB in a row, of which a sixteenth of --memory is too little: as Python's csv with a larger limit reads it."""
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
