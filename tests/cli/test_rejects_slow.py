"""As test_rejects, of many rows."""

import pyarrow.parquet as pq
import pytest

from conftest import SANITIZED, cpu_seconds
from test_rejects import listed


def good(i):
    return f'{i},"n\n{i}",{i / 4},2024-01-0{i % 9 + 1}'


def make(path, n, wrong):
    """n rows; `wrong`: those that are, and their text."""
    path.write_text("id,name,price,day\n" + "".join(f"{wrong.get(i, good(i))}\n" for i in range(1, n + 1)))


def check_mended(tool, n, wrong):
    """Every listed row is where the list says, and mended and converted they are the missing ones."""
    data = (tool.cwd / "in.csv").read_bytes()
    rejects = listed(tool.cwd / "rejects.csv")
    assert [(int(r["row"]), r["raw"]) for r in rejects] == sorted(wrong.items())
    for r in rejects:
        at = int(r["byte"])
        assert r["file"] == "in.csv" and data[:at].count(b"\n") + 1 == int(r["line"])
        row = data.rindex(r["raw"].encode(), 0, at + len(r["raw"]))
        assert row <= at < row + len(r["raw"])
    mended = "".join(f"{good(int(r['row']))}\n" for r in rejects)
    (tool.cwd / "mended.csv").write_text("id,name,price,day\n" + mended)
    tool.ok("convert", "mended.csv", "mended.parquet")
    make(tool.cwd / "whole.csv", n, {})
    tool.ok("convert", "whole.csv", "whole.parquet")
    ids = set(wrong)
    whole, rest = pq.read_table(tool.cwd / "whole.parquet"), pq.read_table(tool.cwd / "out.parquet")
    missing = pq.read_table(tool.cwd / "mended.parquet")
    assert rest.schema.equals(whole.schema) and missing.schema.equals(whole.schema)
    assert missing.to_pylist() == [row for row in whole.to_pylist() if row["id"] in ids]
    assert rest.to_pylist() == [row for row in whole.to_pylist() if row["id"] not in ids]


@pytest.mark.parametrize("threads", [1, 4])
def test_three_of_many(tool, threads):
    n = 200_000
    wrong = {5: '5,"n\n",x1,2024-01-01', 90_000: "90000,short", n - 1: f"{n - 1},n,1.5,2024-02-30"}
    make(tool.cwd / "in.csv", n, wrong)
    tool.fails("convert", "-q", "--max-rejects", 2, "--rejects", "rejects.csv", "in.csv", "out.parquet",
               says=["in.csv", "column \"day\"", "with it 3 rows are wrong, and --max-rejects allows 2"])
    done = tool.ok("convert", "-t", threads, "--max-rejects", 10, "--rejects", "rejects.csv", "in.csv", "out.parquet")
    assert b"3 rejected rows, in rejects.csv; the first: in.csv, line 11:" in done.stderr
    assert b"200,000 in = 199,997 out + 3 rejected" in done.stderr
    assert [r["code"] for r in listed(tool.cwd / "rejects.csv")] == ["type", "fields", "type"]
    assert [r["expected"] for r in listed(tool.cwd / "rejects.csv")] == ["float64", "4 fields", "date"]
    check_mended(tool, n, wrong)


@pytest.mark.parametrize("row, flags", [("x", []), ("\xff", []), ('1"', ["--strict"]), ("1,,", []), ("1,2,3", ["--ragged", "reject"])])
def test_the_time_is_linear_in_the_rows_set_aside(tool, row, flags):
    """Some seconds for every block of them, if each one costs a look at the others."""
    n = 250_000
    (tool.cwd / "in.csv").write_bytes(b"a\n" + f"{row}\n".encode("latin1") * n)
    flags = ["--reader-option", "strict=true"] if flags == ["--strict"] else flags
    done, seconds = cpu_seconds(lambda: tool.ok("convert", "--types", "a=int64", "--max-rejects", "100%", "--allow-empty", *flags, "in.csv", "out.parquet"))
    assert b"250,000 in = 0 out + 250,000 rejected" in done.stderr
    assert SANITIZED or seconds < 4
