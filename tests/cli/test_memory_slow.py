"""As test_memory, of shapes that take longer."""

import random
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from test_memory import ALLOWED_BEYOND, convert, peak, pytestmark, write  # noqa: F401: fixtures, too


def test_too_many_columns_name_the_least_that_works(tool):
    n = 20_000
    rows = [[f"v{(i + c) % 97}" for c in range(n)] for i in range(40)]
    write(tool.cwd / "in.csv", [f"column_{i}" for i in range(n)], (",".join(row) + "\n" for row in rows))
    text = tool.fails("convert", "in.csv", "out.parquet", "--memory", "32MB", says=[f"{n} columns", "--memory"])
    least = int(re.search(r"at least (\d+)MB", text).group(1))
    tool.fails("convert", "in.csv", "out.parquet", "--memory", f"{least - 1}MB", says=f"at least {least}MB")
    table = convert(tool, least)
    assert [column[7].as_py() for column in table.columns[:500]] == rows[7][:500]


@pytest.mark.parametrize("codec", ["brotli:9", "gzip:12", "zstd:12"])
def test_compressors_of_many_threads_count(tool, codec):
    """At high levels each holds tens of megabytes.  The file is the same with any number of threads."""
    r = random.Random(5)
    rows = [[f"{r.getrandbits(160):040x}" for _ in range(24)] for _ in range(2500)]
    write(tool.cwd / "in.csv", [f"c{i}" for i in range(24)], (",".join(row) + "\n" for row in rows))
    files = []
    for threads in ("1", "16"):
        table = convert(tool, 24, "--compression", codec, "--threads", threads)
        files.append((tool.cwd / "out.parquet").read_bytes())
    assert files[0] == files[1]
    assert table.column(17).to_pylist() == [row[17] for row in rows]


@pytest.mark.parametrize("target, options", [
    ("null:", {}), ("out.parquet", {}), ("null:", {"data_page_size": 16 << 20, "use_dictionary": False})])  # fmt: skip
def test_of_parquet(tool, target, options):
    """One row group of several times the reader's share, pages of any size."""
    rows, columns = 120_000, 24
    base = [f"{i * 2654435761 % 2**32:08x} of {i}, some text" for i in range(rows)]
    table = pa.table({f"c{i}": base[i:] + base[:i] for i in range(columns)})
    pq.write_table(table, tool.cwd / "in.parquet", row_group_size=rows, **options)
    done = tool.ok("convert", "in.parquet", target, "--memory", "128MB", "--threads", "4")
    assert peak(done) <= 128_000_000 + ALLOWED_BEYOND, done.stderr.decode()
    if target != "null:":
        assert pq.read_table(tool.cwd / target).equals(table)


def test_many_threads_hold_no_more(tool):
    write(tool.cwd / "in.csv", [f"c{i}" for i in range(2000)], ["," * 1999 + "\n"] * 6000)
    convert(tool, 48, "--threads", "16")


def test_long_rows_that_are_read_again(tool):
    """Slices become smaller more than once, and what is in front of them in the row group is skipped each time: 160 MB."""
    lens = [1] * 40_000
    lens[400:600] = [100_000] * 200
    offsets = [0]
    for n in lens:
        offsets.append(offsets[-1] + n)
    lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.nulls(offsets[-1], pa.int64()).fill_null(7))
    pq.write_table(pa.table({"l": lists}), tool.cwd / "in.parquet", row_group_size=len(lens), data_page_size=1 << 15)
    done = tool.ok("convert", "in.parquet", "null:", "--memory", "32MB")
    assert peak(done) <= 32_000_000 + ALLOWED_BEYOND, done.stderr.decode()
