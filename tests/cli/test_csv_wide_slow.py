"""Very many columns, and very many of one name: the time grows with their number and no faster."""
import re

import pytest

import pyarrow.parquet as pq

from conftest import SANITIZED, cpu_seconds
from test_memory import peak


def wide(write, name, names, rows=2):
    write(name, ",".join(names) + "\n" + "".join(",".join(str(i * r) for i in range(len(names))) + "\n" for r in range(rows)))


@pytest.mark.skipif(SANITIZED, reason="processor time of a plain build")
@pytest.mark.parametrize("args", [("schema",), ("convert", "-qf", "--names", "unique"), ("convert", "-qf", "--columns", "-#7"),
                                  ("convert", "-qf", "--union-by-name")])
def test_equal_names(tool, write, args):
    wide(write, "few.csv", ["a"] * 4000)
    wide(write, "many.csv", ["a"] * 16000)
    out = ["null:"] if args[0] == "convert" else []
    seconds = [min(cpu_seconds(lambda: tool.ok(*args, name, *out))[1] for _ in range(3)) for name in ("few.csv", "many.csv")]
    assert seconds[0] < 0.1 and seconds[1] < 8 * seconds[0], seconds  # four times as many; sixteen, if each looked at all others


def test_an_asset_of_many_columns(tool, write):
    wide(write, "in.csv", [f"c{i}" for i in range(16000)])
    (tool.cwd / "asset.json").write_bytes(tool.ok("schema", "--json", "in.csv").stdout)
    tool.ok("convert", "-q", "--schema", "asset.json", "in.csv", "out.parquet")
    assert pq.read_schema(tool.cwd / "out.parquet").names == [f"c{i}" for i in range(16000)]


def test_union_of_many_files_and_columns(tool, write):
    """300 files of 300 columns each, a third of them new every time."""
    for f in range(300):
        wide(write, f"{f}.csv", [f"c{i}" for i in range(f * 10, f * 10 + 300)], 1)
    tool.ok("convert", "-q", "--union-by-name", "--memory", "64MB", *[f"{f}.csv" for f in range(300)], "out.parquet")
    rows = pq.read_table(tool.cwd / "out.parquet")
    assert rows.num_rows == 300 and rows.column_names == [f"c{i}" for i in range(3290)]
    assert [rows.column(0).null_count, rows.column(1500).null_count, rows.column(3289).null_count] == [299, 270, 299]


@pytest.mark.skipif(SANITIZED, reason="processor time of a plain build")
def test_a_long_row(tool):
    """A quoted field of 64 MB and one of 256 MB: four times the time, and a margin; what is held stays below the budget that is named."""
    seconds = []
    for n in (64, 256):
        with open(tool.cwd / "in.csv", "w", encoding="utf-8") as out:
            out.write('a,b\n1,"')
            for _ in range(n):
                out.write("some text\n" * 100_000)
            out.write('"\n2,x\n')
        args = ("convert", "-qf", "--memory", f"{8 * n + 1}MB", "in.csv", "out.parquet")
        seconds.append(min(cpu_seconds(lambda: tool.ok(*args))[1] for _ in range(2)))
    assert pq.read_metadata(tool.cwd / "out.parquet").num_rows == 2
    assert seconds[1] < 4.5 * seconds[0], seconds


KINDS = [lambda x: str(x), lambda x: str(x / 100), lambda x: f"text {x % 997}", lambda x: f"2024-{1 + x % 12:02}-{1 + x % 28:02}"]


def mixed(write, name, n):
    """50 rows of integers, fractions, texts and dates."""
    rows = [",".join(KINDS[c % 4]((c * 7919 + r * 104729) % 1000003) for c in range(n)) for r in range(50)]
    write(name, "\n".join([",".join(f"column_{c}" for c in range(n)), *rows]) + "\n")


@pytest.mark.skipif(SANITIZED, reason="memory and processor time of a plain build")
def test_what_columns_take(tool, write):
    """20,000 columns name a budget that they keep, and take little more than twice the time of 10,000."""
    seconds = {}
    for n in (10000, 20000):
        mixed(write, f"{n}.csv", n)
        said = tool("convert", "-f", f"{n}.csv", "out.parquet", "--memory", "16MB").stderr.decode()
        least = int(re.search(r"at least (\d+)MB", said).group(1))
        runs = [cpu_seconds(lambda: tool.ok("convert", "-f", "--memory", f"{least}MB", f"{n}.csv", "out.parquet")) for _ in range(2)]
        assert max(peak(done) for done, _ in runs) <= (least + 64) * 1_000_000
        seconds[n] = min(cpu for _, cpu in runs)
    rows = pq.read_table(tool.cwd / "out.parquet", columns=["column_0", "column_19998"])
    assert rows.num_rows == 50 and rows.column(0)[1].as_py() == 104729 and rows.column(1)[0].as_py().startswith("text ")
    assert seconds[20000] < 4 * seconds[10000], seconds  # cache misses included
