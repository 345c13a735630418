"""Types that the sample got wrong: learnt all at once, whatever the order, with every value as it was written."""

import decimal
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest


PAST_SAMPLE = 70_000  # rows of a few bytes that the sample of a small file does not reach


@pytest.mark.parametrize("end, types", [
    (["nan", "1.5"], pa.float64()), (["1.5", "nan"], pa.float64()), (["-0", "inf"], pa.float64()),
    (["9007199254740993", "1.5"], pa.string()), (["1.5", "9007199254740993"], pa.string()),
    (["nan", "9007199254740993"], pa.string()), (["9007199254740993"], pa.int64()), (["-0"], pa.float64()),
    (["18446744073709551615"], pa.uint64()), (["18446744073709551615", "-1"], pa.string()), (["-1", "18446744073709551615"], pa.string()),
    (["18446744073709551616"], pa.string()), (["18446744073709551615", "1.5"], pa.string()), ([".5", "5."], pa.float64()), (["10:11:12"], pa.string()),
    (["1.5", "true"], pa.string()), (['"7"'], pa.int64()), (['"7"', '"1.5"'], pa.float64()), (["007"], pa.string()), (["1e400"], pa.string())])
def test_late_values_decide_in_any_order(tool, write, end, types):
    write("in.csv", "a,b\n" + "".join(f"{i},text {i}\n" for i in range(PAST_SAMPLE)) + "".join(f"{v},x\n" for v in end))
    tool.ok("convert", "--quiet", "in.csv", "out.parquet")
    assert pq.read_schema(tool.cwd / "out.parquet").field("a").type == types


@pytest.mark.parametrize("late", [["9007199254740993", "1.5"], ["18446744073709551615", "-1.5"], ["9007199254740993", ".5", "18446744073709551615"]])
@pytest.mark.parametrize("swapped", [False, True])
def test_numbers_that_a_decimal_holds_may_stand_anywhere(tool, late, swapped):
    """Whole numbers that are no doubles beside fractions are no decimal until one of them is long, in whichever block that is."""
    long = ["-0.123456789012345678"]
    first, second = (long, late) if swapped else (late, long)
    texts = ["1"] * PAST_SAMPLE + first + ["2"] * PAST_SAMPLE + second
    (tool.cwd / "in.csv").write_text("a,b\n" + "".join(f"{t},x\n" for t in texts))
    tool.ok("convert", "-q", "-t", "1", "--reader-option", "block_bytes=65536", "in.csv", "out.parquet")
    column = pq.read_table(tool.cwd / "out.parquet")["a"]
    assert column.type == pa.decimal128(38, 18)
    odd = {i: t for i, t in enumerate(texts) if t not in "12"}
    assert [str(column[i].as_py().normalize()) for i in odd] == [str(decimal.Decimal(t).normalize()) for t in odd.values()]


def test_a_null_that_looks_like_a_number_says_nothing_of_the_next_value(tool, write):
    write("in.csv", "a,b\n1.5,x\n12345678901234567890123,x\nnan,x\n")
    done = tool.ok("convert", "--null-values", "12345678901234567890123", "in.csv", "out.parquet")
    assert pq.read_schema(tool.cwd / "out.parquet").field("a").type == pa.float64() and b"warning" not in done.stderr


def shuffled_type(tool, values, rng, name):
    rng.shuffle(values)
    text = "".join(f"{v},filler that makes the rows longer than the sample is\n" for v in values)
    (tool.cwd / name).write_text("a,b\n" + text)
    tool.ok("convert", "--quiet", "-f", "--threads", "2", name, "out.parquet")
    table = pq.read_table(tool.cwd / "out.parquet")
    return table.schema.field("a").type, values, table.column("a").to_pylist()


@pytest.mark.parametrize("seed", range(6))
def test_types_do_not_depend_on_the_order(tool, seed):
    """A few odd values among many: wherever they stand, in the sample or past it, the column is the same."""
    rng = random.Random(seed)
    pools = [["nan", "-inf"], ["1.5", "2e3"], ["-0"], ["9007199254740993"], ["2024-01-01"], ["true"], ["x"], [""]]
    odd = [rng.choice(rng.choice(pools)) for _ in range(rng.randint(1, 4))]
    values = [str(rng.randint(-1000, 1000)) for _ in range(20_000)] + odd
    types = {str(shuffled_type(tool, values, rng, "in.csv")[0]) for _ in range(4)}
    assert len(types) == 1, (odd, types)


def test_errors_past_a_late_value_are_the_readings_own(tool, write):
    rows = "".join(f"{i},text {i}\n" for i in range(PAST_SAMPLE))
    write("in.csv", "a,b\n" + rows + "1.5,x\n1,2,3\n")
    tool.fails("convert", "in.csv", "out.parquet", says=[f"line {PAST_SAMPLE + 3}", "3 fields"])
    write("asset.yaml", "name: t\nversion: 1.0.0\nsource_type: csv\nschema:\n  - {name: a, type: integer, required: true}\n")
    write("in.csv", "a,b\n" + rows + ",x\n1.5,x\n1,2,3\n")
    tool.fails("convert", "--schema", "asset.yaml", "in.csv", "out.parquet", says=[f"line {PAST_SAMPLE + 2}", "required"])


def test_repeated_names_widen_together(tool, write):
    rows = "".join(f"{i},2024-01-01,{i}\n" for i in range(PAST_SAMPLE))
    write("in.csv", "a,a,b\n" + rows + "1.5,2024-01-01,x\n")
    tool.ok("convert", "--quiet", "in.csv", "out.parquet")
    table = pq.read_table(tool.cwd / "out.parquet")
    assert [f.type for f in table.schema] == [pa.string(), pa.string(), pa.string()]
    assert table.column(1)[0].as_py() == "2024-01-01" and table.column(0)[0].as_py() == "0"


def test_negative_zero(tool, write):
    write("in.csv", "a,b,c\n1,-0,9007199254740993\n-0,1,-0\n")
    tool.ok("convert", "in.csv", "out.parquet")
    table = pq.read_table(tool.cwd / "out.parquet")
    assert [f.type for f in table.schema] == [pa.float64(), pa.float64(), pa.string()]
    assert [str(v) for v in table.column("a").to_pylist()] == ["1.0", "-0.0"]
    assert table.column("c").to_pylist() == ["9007199254740993", "-0"]
    tool.ok("convert", "-f", "--types", "a=int64", "in.csv", "out.parquet")
    assert pq.read_table(tool.cwd / "out.parquet").column("a").to_pylist() == [1, 0]
