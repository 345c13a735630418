"""Values behind the sample, with and without rejects: what a type other than a string holds for all rows is not set aside."""

import random

import pyarrow.parquet as pq
import pytest

BLANK = "|" + 10_000 * "p" + "\n"  # forty of them, and no sample looks behind
KINDS = {
    "int": lambda r: str(r.randint(-999, 999)),
    "big": lambda r: str(r.choice([2**53 - 1, 2**53 + 1, 2**63 - 1, -(2**63)])),
    "uint": lambda r: str(r.randint(2**63, 2**64 - 1)),
    "float": lambda r: f"{r.randint(-99, 99)}.{r.randint(0, 9)}5",
    "long": lambda r: f"1234567890123456{r.randint(0, 9)}.{r.randint(0, 99):02d}",
    "special": lambda r: r.choice(["nan", "inf", "-inf"]),
    "date": lambda r: f"20{r.randint(10, 30)}-0{r.randint(1, 9)}-11",
    "time": lambda r: f"10:1{r.randint(0, 9)}:00" + r.choice(["", ".5", ".123456789"]),
    "stamp": lambda r: f"2024-01-0{r.randint(1, 9)}T00:00:00" + r.choice(["", ".5", ".123456789"]),
    "far": lambda r: f"0{r.randint(100, 999)}-01-01 00:00:00",
    "bool": lambda r: r.choice(["true", "false"]),
}
TOGETHER = [["int", "big"], ["int", "uint"], ["int", "float"], ["int", "big", "float", "long", "uint"], ["float", "special"],
            ["float", "long"], ["date"], ["time"], ["stamp"], ["stamp", "far"], ["bool"]]  # fmt: skip


@pytest.mark.parametrize("seed", range(150))
def test_as_without_rejects(tool, seed):
    r = random.Random(seed)
    kinds = r.choice(TOGETHER)
    quoting = r.choice([lambda: False, lambda: False, lambda: r.random() < 0.5, lambda: True])
    values = [KINDS[r.choice(kinds)](r) for _ in range(r.randint(2, 8))]
    lines = [f'"{v}"|\n' if quoting() else f"{v}|\n" for v in values]
    early = r.randint(0, min(3, len(lines)))
    (tool.cwd / "in.csv").write_text("v|pad\n" + "".join(lines[:early]) + 40 * BLANK + "".join(lines[early:]))
    flags = ["-t", r.choice([1, 2]), "--reader-option", f"block_bytes={r.choice([100, 20_000, 400_000])}", "-d", "|"]
    tool.ok("convert", *flags, "in.csv", "all.parquet")
    due = pq.read_table(tool.cwd / "all.parquet")
    tool.ok("convert", *flags, "--max-rejects", "20", "--rejects", "r.csv", "in.csv", "kept.parquet")
    kept = pq.read_table(tool.cwd / "kept.parquet")
    if str(due.schema.field("v").type) in ("string", "string_view", "large_string"):
        assert kept.num_rows + len((tool.cwd / "r.csv").read_text().splitlines()) - 1 == due.num_rows
    else:
        assert kept.schema == due.schema and kept["v"].to_pylist().__repr__() == due["v"].to_pylist().__repr__()
