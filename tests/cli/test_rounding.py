"""What a float64 does not hold is counted and said, and nothing else is."""

import json
import random
import struct
from decimal import Decimal, getcontext

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

getcontext().prec = 900


def is_rounded(text):
    """Printed with the text's own number of significant digits, zeros at its end aside, the double is another number."""
    number, value = Decimal(text), float(text)
    if number == 0 or value == 0:
        return number != 0
    digits = text.lstrip("-").split("e")[0].replace(".", "").strip("0")
    return Decimal("%.*e" % (len(digits) - 1, value)) != number


def random_number(rng):
    double = struct.unpack("<d", struct.pack("<Q", rng.getrandbits(62)))[0]
    digits = "".join(rng.choice("0123456789") for _ in range(rng.randint(1, 20)))
    text = rng.choice([lambda: repr(rng.random() * 10 ** rng.randint(-20, 20)), lambda: "%.17g" % double, lambda: "%.16g" % double,
                       lambda: "%d.%s" % (rng.getrandbits(rng.randint(1, 60)), digits),
                       lambda: "%de%d" % (rng.getrandbits(rng.randint(1, 70)), rng.randint(-400, 280)),
                       lambda: str(Decimal(double)).replace("E", "e")[:780], lambda: "%.18f" % rng.random(),
                       lambda: "0." + "0" * rng.randint(300, 330) + str(rng.getrandbits(50))])()
    text = text.replace("e+", "e") if "." in text or "e" in text else text + ".0"
    return ("-" if rng.random() < 0.3 else "") + text


ROUND = ("--reader-option", "decimals=float")


def counters(tool, texts, *flags):
    (tool.cwd / "in.csv").write_text("a,b\n" + "".join(f"{t},x\n" for t in texts))
    done = tool.ok("convert", "--log-format", "json", *flags, "in.csv", "null:")
    events = [json.loads(line) for line in done.stderr.decode().splitlines()]
    return events[-1]["counters"]["rounded"], [e["message"] for e in events if e["event_type"] == "values_rounded"]


@pytest.mark.parametrize("seed", range(3))
def test_rounded_values_are_counted(tool, seed):
    rng = random.Random(seed)
    texts = [t for t in (random_number(rng) for _ in range(8000)) if abs(float(t)) != float("inf")]
    wanted = sum(map(is_rounded, texts))
    assert 0 < wanted < len(texts) / 2
    for flags in ROUND, ("--types", "a=float64"):
        assert counters(tool, texts, *flags)[0] == wanted


@pytest.mark.parametrize("text", ["0.1", "0.10000000000000000000", "0.1000000000000000055511151231257827021181583404541015625",
                                  "1e22", "1e-300", "9007199254740992.0", "-0.0", "5e-324", "0e999", "1.7976931348623157e308", "nan"])
def test_not_rounded(tool, text):
    assert counters(tool, ["1.5", text]) == (0, [])


@pytest.mark.parametrize("text", ["12345678901234567.89", "1e-400", "1001.999999999999999785", "9007199254740993.0",
                                  "0.10000000000000000001", "3e-324", "8.000000000000003"])
def test_rounded_is_said_with_its_place(tool, text):
    count, messages = counters(tool, ["1.5"] * 3 + [text, text], *ROUND)
    assert count == 2
    assert len(messages) == 1 and "2 values are rounded" in messages[0]
    assert "in.csv: line 5" in messages[0] and 'column "a"' in messages[0] and text in messages[0]
    quiet = tool.ok("convert", "--quiet", *ROUND, "in.csv", "null:").stderr.decode()
    assert "rounded" in quiet and text in quiet


def test_declared_whole_numbers_are_counted_too(tool):
    assert counters(tool, ["1", "9007199254740993", " 9007199254740993 ", "+1"], "--types", "a=float64")[0] == 2


# The first values, those behind the sample, and the type that all of them have.
EXACT = [
    (["963.019363229999955968"], ["1001.999999999999999785"], pa.decimal128(38, 18)),
    (["1.5", "-2"], ["12345678901234567.89"], pa.decimal128(38, 2)),
    (["12345678901234567.89"], ["0.00000000000000000001", "1e2"], pa.decimal128(38, 20)),
    (["7"], ["9007199254740993.0", "18446744073709551615", "-.5"], pa.decimal128(38, 1)),
    (["1.5"], ["8.000000000000003"], pa.decimal128(38, 15)),
    (["1001.999999999999999785"], ["nan"], pa.string()),
    (["1001.999999999999999785"], ["18446744073709551616"], pa.string()),
    (["1001.999999999999999785"], ["007"], pa.string()),
    (["1.5"], ["1e-400"], pa.string()),
    (["0.123456789012345678901234567890"], ["1234567890.5"], pa.string()),
    (["0.1"], ["0.1000000000000000055511151231257827", "%.25f" % (2 / 3)], pa.float64()),
]


@pytest.mark.parametrize("first, late, type", EXACT)
@pytest.mark.parametrize("swapped", [False, True])
def test_what_a_float64_does_not_hold_is_a_decimal(tool, first, late, type, swapped):
    """Whatever the order, and whether the sample has it: a value arrives exactly."""
    first, late = (late, first) if swapped else (first, late)
    texts = first + first[:1] * 70_000 + late
    (tool.cwd / "in.csv").write_text("a,b\n" + "".join(f"{t},x\n" for t in texts))
    tool.ok("convert", "-q", "in.csv", "out.parquet")
    column = pq.read_table(tool.cwd / "out.parquet")["a"]
    assert column.type == type
    got = column.to_pylist()
    if pa.types.is_decimal(type):
        assert got == [Decimal(t) for t in texts]
    else:
        assert got == (texts if type == pa.string() else [float(t) for t in texts])
