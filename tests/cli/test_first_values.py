"""Columns that are empty as far as the sample goes take the type of their first values, wherever these stand."""

import gzip
import json
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

PAST_SAMPLE = 12_000  # rows with some text, which together are longer than the sample


def rows(late, n=PAST_SAMPLE):
    return "id,name,late\n" + "".join(f"{i},some name number {i},\n" for i in range(n)) + "".join(f"{n},x,{v}\n" for v in late)


def converted(tool, text, *flags, **kwargs):
    """The column's type, its last values, and what the last event says."""
    (tool.cwd / "in.csv").write_text(text, newline="")
    done = tool.ok("convert", "-f", "--log-format", "json", *flags, *([] if "stdin" in kwargs else ["in.csv"]), "out.parquet", **kwargs)
    events = [json.loads(line) for line in done.stderr.decode().splitlines()]
    column = pq.read_table(tool.cwd / "out.parquet")["late"]
    return column, events


CASES = [
    (["1.5", "2"], pa.float64(), 1), (["7"], pa.int64(), 1), (["2024-03-01"], pa.date32(), 1), (["true"], pa.bool_(), 1),
    (["10:11:12"], pa.time64("us"), 1), (["2024-03-01T10:11:12Z"], pa.timestamp("us", "UTC"), 1), (["18446744073709551615"], pa.uint64(), 1),
    (["1001.999999999999999785"], pa.decimal128(38, 18), 1), (['"7"', '"8"'], pa.int64(), 1), (["nan", "3"], pa.float64(), 1),
    (["2024-03-01 10:11:12.123456789"], pa.timestamp("ns"), 1), (["5", "x"], pa.string(), 1), (['"5"', "6"], pa.int64(), 1), (["5", '"6"'], pa.string(), 1), (["5", '"6"', "7"], pa.int64(), 1), (["x", "5"], pa.string(), 0), (["007", "5"], pa.string(), 0),
    (['"a ""b"""', "5"], pa.string(), 0), ([], pa.string(), 0), (['""', '""'], pa.string(), 0), (['""', "7"], pa.int64(), 1)]


@pytest.mark.parametrize("late, type, restarts", CASES)
def test_the_first_values_decide(tool, late, type, restarts):
    column, events = converted(tool, rows(late))
    assert column.type == type
    assert events[-1]["restarts"] == restarts
    widened = [e for e in events if e["event_type"] == "type_widened"]
    assert len(widened) == (type != pa.string())
    if widened:
        assert f"column \"late\" becomes" in widened[0]["message"] and "instead of string" in widened[0]["message"]
        assert widened[0]["line"] == PAST_SAMPLE + 2 + (late[0] == '""')
    tail = column.to_pylist()[PAST_SAMPLE:]
    texts = [v.strip('"') if v != '"a ""b"""' else 'a "b"' for v in late]
    if type == pa.string():
        assert tail == texts
    elif type == pa.int64():
        assert tail == [int(t) if t else None for t in texts]
    assert column.null_count == PAST_SAMPLE + (type != pa.string()) * texts.count("")


def test_a_pipe_gives_a_string(tool):
    text = rows(["1.5"])
    (tool.cwd / "in.csv").write_text(text)
    tool.ok("convert", "-q", "-", "out.parquet", stdin=text.encode())
    assert pq.read_schema(tool.cwd / "out.parquet").field("late").type == pa.string()


def test_what_null_means_is_no_value(tool):
    text = rows(["NA"] * 5 + ["7"]).replace(",\n", ",NA\n")
    column, events = converted(tool, text, "--null-values", "NA")
    assert column.type == pa.int64() and column.null_count == PAST_SAMPLE + 5 and column[-1].as_py() == 7


def test_declared_types_are_left_alone(tool):
    column, events = converted(tool, rows(["007"]), "--types", "late=string")
    assert column.type == pa.string() and events[-1]["restarts"] == 0
    column, events = converted(tool, rows(["007"]), "--types", "late=int64")
    assert column[-1].as_py() == 7 and events[-1]["restarts"] == 0


def test_one_restart_for_late_columns_of_every_kind(tool, write):
    n = PAST_SAMPLE
    lines = [f"{i},,,some name number {i},\n" for i in range(n)]
    lines[n - 9] = "1.5,,5,x,\n"
    lines[n - 5] = "1,2024-01-01,x,x,\n"
    column, events = converted(tool, "n,d,s,name,late\n" + "".join(lines))
    assert events[-1]["restarts"] == 1 and events[-1]["columns_widened"] == 2
    schema = pq.read_schema(tool.cwd / "out.parquet")
    assert [f.type for f in schema] == [pa.float64(), pa.date32(), pa.string(), pa.string(), pa.string()]


@pytest.mark.parametrize("seed", range(6))
def test_types_do_not_depend_on_where_the_values_are(tool, seed):
    """The same few values at the beginning, at the end, or anywhere: one type, whatever the threads."""
    rng = random.Random(seed)
    pools = [["1", "2"], ["1.5", "-0"], ["9007199254740993"], ["2024-01-01"], ["true"], ["x"], ['"5"', '"x"'], ["1e-400"], ["10:11:12"]]
    some = [rng.choice(rng.choice(rng.sample(pools, 2))) for _ in range(4)]
    empty = [""] * 15_000
    found = set()
    for threads, at in (1, 0), (2, 0), (1, 14_000), (2, 14_900), (2, 7_000):
        values = empty[:at] + some + empty[at:]
        text = "id,name,late\n" + "".join(f"{i},some name number {i},{v}\n" for i, v in enumerate(values))
        column, _ = converted(tool, text, "--threads", str(threads))
        found.add((str(column.type), str([v for v in column.to_pylist() if v is not None])))
    assert len(found) == 1, (some, found)


@pytest.mark.parametrize("length", [200_000, 300_000, 1_100_000, 3_000_000])
@pytest.mark.parametrize("piped", [False, True])
def test_a_long_first_row_tells_nothing_less(tool, length, piped):
    text = f'id,late,area,day\n1,"{"x" * length}",2.5,2024-01-01\n' + "".join(f'{i},"p",{i}.5,2024-01-02\n' for i in range(2, 8000))
    (tool.cwd / "in.csv").write_text(text)
    tool.ok("convert", "-q", *(["-"] if piped else ["in.csv"]), "out.parquet", stdin=text.encode() if piped else None)
    table = pq.read_table(tool.cwd / "out.parquet")
    assert [f.type for f in table.schema] == [pa.int64(), pa.string(), pa.float64(), pa.date32()]
    assert table.num_rows == 7999 and len(table["late"][0].as_py()) == length


def test_a_long_first_row_that_ends_in_the_middle(tool):
    """More of it than usual is looked at, and that may fail."""
    rng = random.Random(3)
    packed = gzip.compress(('id,x\n1,"' + "".join(rng.choice("abcdefgh") for _ in range(3_000_000)) + '"\n2,y\n').encode(), 1)
    (tool.cwd / "in.csv.gz").write_bytes(packed[:-200_000])
    tool.fails("convert", "in.csv.gz", "out.parquet", says=["in.csv.gz", "gzip: the data ends in the middle"])


def test_schema_says_string(tool, write):
    write("in.csv", rows(["5"]))
    said = tool.ok("schema", "in.csv").stdout.decode()
    assert "late" in said and "string" in said.split("late")[1] and "null" not in said.split("late")[1]
