"""As test_types: where nanoseconds decide, and many columns that change late."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import SANITIZED, cpu_seconds
from test_types import PAST_SAMPLE


def test_many_late_columns_cost_one_restart(tool, write):
    n, rows = 400, 4000
    lines = [["1"] * n for _ in range(rows)]
    for i in range(n):
        lines[rows - 2 * n + 2 * i][i] = ["x", "2.5", "2024-01-01", "9223372036854775808"][i % 4]
    write("in.csv", ",".join(f"c{i}" for i in range(n)) + "\n" + "\n".join(map(",".join, lines)) + "\n")
    done, seconds = cpu_seconds(lambda: tool.ok("convert", "--log-format", "json", "in.csv", "out.parquet"))
    assert seconds < (200 if SANITIZED else 40)  # under a second; a restart for each column were minutes
    events = [json.loads(line) for line in done.stderr.decode().splitlines()]
    last = events[-1]
    assert last["restarts"] == 1
    widened = [e for e in events if e["event_type"] == "type_widened"]
    assert len(widened) == 1 and widened[0]["line"] > 1 and len(widened[0]["message"]) < 1000
    told = {c["column"]: c["to"] for c in widened[0]["columns"]}
    assert last["columns_widened"] == len(told) > 300
    table = pq.read_table(tool.cwd / "out.parquet")
    for i in range(n):
        assert table.schema.field(i).type == [pa.string(), pa.float64(), pa.string(), pa.uint64()][i % 4]
        wanted = [[str, float, str, int][i % 4](row[i]) for row in lines]
        assert table.column(i).to_pylist() == wanted


NANOS = [
    (["2024-01-01 10:11:12"], ["2024-01-01 10:11:12.123456789"], pa.timestamp("ns")),
    (["2024-01-01 10:11:12 UTC"], ["2024-01-01 10:11:12.1234567 +0000", "2024-01-01T10:11:12.12Z"], pa.timestamp("ns", "UTC")),
    (["10:11:12"], ["10:11:12.1234567"], pa.time64("ns")), (["10:11:12"], ["10:11:12.1234567891"], pa.string()),
    (["9999-12-31 00:00:00"], ["2024-01-01 10:11:12.123456789"], pa.string()), (["9999-12-31 00:00:00"], ["2024-01-01 10:11:12.123456"], pa.timestamp("us")),
    (["2024-01-01 10:11:12"], ["2024-01-01 10:11:12.123456789Z"], pa.string()), (["2024-01-01 10:11:12"], ["2024-01-01 10:11:12.1234567891"], pa.string()),
    (["2024-01-01 10:11:12"], ["2262-04-11 23:47:16.854775808"], pa.string()), (["2024-01-01 10:11:12"], ["10:11:12.1234567"], pa.string())]


@pytest.mark.parametrize("first, late, type", NANOS)
@pytest.mark.parametrize("swapped", [False, True])
def test_nanoseconds_where_they_are_needed(tool, first, late, type, swapped):
    first, late = (late, first) if swapped else (first, late)
    texts = first + first[:1] * PAST_SAMPLE + late
    (tool.cwd / "in.csv").write_text("a,b\n" + "".join(f"{t},x\n" for t in texts))
    tool.ok("convert", "-q", "in.csv", "out.parquet")
    column = pq.read_table(tool.cwd / "out.parquet")["a"]
    assert column.type == type
    if type == pa.string():
        assert column.to_pylist() == texts
    else:
        digits = 9 if type.unit == "ns" else 6
        fractions = [int((t.split(".")[1] if "." in t else "0").split(" ")[0].rstrip("Z").ljust(digits, "0")) for t in texts]
        assert [v % 10**digits for v in column.cast(pa.int64()).to_pylist()] == fractions
