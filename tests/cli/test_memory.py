"""--memory bounds what a conversion holds, whatever the shape of the file."""

import random
import re

import pyarrow.parquet as pq
import pytest

from conftest import SANITIZED

ALLOWED_BEYOND = 64_000_000

pytestmark = pytest.mark.skipif(SANITIZED, reason="a sanitizer's own memory is not bounded")


def peak(done):
    number, unit = re.search(r"memory +([\d.]+) ([KMG]?B) at the peak", done.stderr.decode()).groups()
    return float(number) * {"B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9}[unit]


def convert(tool, budget, *args):
    done = tool.ok("convert", "in.csv", "out.parquet", "--overwrite", "--memory", f"{budget}MB", *args)
    assert peak(done) <= budget * 1_000_000 + ALLOWED_BEYOND, done.stderr.decode()
    return pq.read_table(tool.cwd / "out.parquet")


def write(path, header, rows):
    with open(path, "w", encoding="utf-8") as out:
        out.write(",".join(header) + "\n")
        out.writelines(rows)


def test_rows_without_a_value_count(tool):
    write(tool.cwd / "in.csv", [f"c{i}" for i in range(2000)], ["," * 1999 + "\n"] * 12_000)
    table = convert(tool, 32)
    assert table.num_rows == 12_000
    assert all(column.null_count == 12_000 for column in table.columns)


def test_dictionaries_count(tool):
    r = random.Random(1)
    pool = [f"{i:016d}" for i in range(40_000)]
    rows = [r.choices(pool, k=32) for _ in range(40_000)]
    write(tool.cwd / "in.csv", [f"c{i}" for i in range(32)], (",".join(row) + "\n" for row in rows))
    table = convert(tool, 48, "--types", ",".join(f"c{i}=string" for i in range(32)))
    assert table.column(17).to_pylist() == [row[17] for row in rows]


def test_what_is_over_the_budget_waits_on_the_disk(tool):
    """Packed pages and the footer; one column loses its bounds at the end.  The file is the same with any number of threads."""
    r = random.Random(2)
    kinds = [lambda: str(r.getrandbits(62)), lambda: f"text{r.randrange(10**6)}", lambda: repr(r.random()),
             lambda: r.choice(["", "a", "bb"])]
    rows = [[kinds[i % 4]() for i in range(40)] for _ in range(30_000)]
    rows[29_000][2] = "nan"
    write(tool.cwd / "in.csv", [f"c{i}" for i in range(40)], (",".join(row) + "\n" for row in rows))
    files = []
    for threads in ("1", "3"):
        tool.ok("convert", "in.csv", "out.parquet", "--overwrite", "--memory", "1200KB", "--compression", "none", "--threads", threads)
        files.append((tool.cwd / "out.parquet").read_bytes())
    assert files[0] == files[1]
    table = pq.read_table(tool.cwd / "out.parquet")
    assert table.column(36).to_pylist() == [int(row[36]) for row in rows]
    assert table.column(37).to_pylist() == [row[37] for row in rows]
    assert table.column(39).to_pylist() == [row[39] or None for row in rows]
    metadata = pq.ParquetFile(tool.cwd / "out.parquet").metadata
    assert metadata.num_row_groups > 10
    for i in range(metadata.num_row_groups):
        assert not metadata.row_group(i).column(2).statistics.has_min_max
        assert metadata.row_group(i).column(6).statistics.has_min_max
