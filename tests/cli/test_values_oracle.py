"""Random values of every kind, quoted and not, in every mixture: types and values as docs/csv-reading.md says, by another program."""

import datetime
import decimal
import math
import random
import re
import struct

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

FILES = 40  # of 24 columns each
EPOCH = datetime.date(1970, 1, 1).toordinal()
INT = re.compile(r"0|-?[1-9][0-9]*")
FLOAT = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9})0*)?)?(Z| UTC| ?[+-]\d\d(?::?\d\d)?)?", re.ASCII)
CLOCK = re.compile(r"(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})0*)?", re.ASCII)
BARE = re.compile(r"-?(\.[0-9]+|(0|[1-9][0-9]*)\.)([eE][+-]?[0-9]+)?")
SPECIAL = re.compile(r"-?(nan|inf|infinity)", re.I)


def days(text):
    m = DATE.fullmatch(text)
    try:
        return datetime.date(*map(int, m.groups())).toordinal() - EPOCH if m else None
    except ValueError:
        return None


def nanos(text):
    """(nanoseconds, zoned) of a timestamp, or None."""
    m = TIME.fullmatch(text)
    day = days(m.group(1)) if m else None
    if day is None:
        return None
    hour, minute, second = int(m.group(2)), int(m.group(3)), int(m.group(4) or 0)
    zone = (m.group(6) or "").replace(":", "").strip()
    shift = 0
    if zone not in ("", "Z", "UTC"):
        hours, minutes = int(zone[1:3]), int(zone[3:5] or 0)
        if hours > 23 or minutes > 59:
            return None
        shift = (hours * 60 + minutes) * 60 * (-1 if zone[0] == "-" else 1)
    if hour > 23 or minute > 59 or second > 59:
        return None
    return ((day * 86400 + hour * 3600 + minute * 60 + second - shift) * 10**9 + int((m.group(5) or "").ljust(9, "0")), zone != "")


def clock(text):
    """Nanoseconds of a time of day, or None."""
    m = CLOCK.fullmatch(text)
    if m is None or int(m.group(1)) > 23 or int(m.group(2)) > 59 or int(m.group(3)) > 59:
        return None
    seconds = int(m.group(1)) * 3600 + int(m.group(2)) * 60 + int(m.group(3))
    return seconds * 10**9 + int((m.group(4) or "").ljust(9, "0"))


def is_rounded(text):
    """Printed with the text's own number of significant digits, zeros at its end aside, the double is another number."""
    number, value = decimal.Decimal(text), float(text)
    if number == 0 or value == 0:
        return number != 0
    digits = text.lstrip("-").lower().split("e")[0].replace(".", "").strip("0")
    return decimal.Decimal("%.*e" % (len(digits) - 1, value)) != number


def decimal_type(texts):
    """(38, digits behind the point) if all the numbers fit, or string."""
    whole = behind = 0
    for text in texts:
        number = decimal.Decimal(text).normalize(decimal.Context(prec=900))
        if number != 0:
            _, digits, exponent = number.as_tuple()
            whole, behind = max(whole, len(digits) + exponent), max(behind, -exponent)
    return ("decimal", behind) if whole + behind <= 38 else "string"


def kind(text):
    if INT.fullmatch(text) and -2**63 <= int(text) < 2**63:
        return "int" if int(float(int(text))) == int(text) and float(int(text)) < 2.0**63 else "big"
    if FLOAT.fullmatch(text) and math.isfinite(float(text)) and (float(text) == 0 or not re.fullmatch("-?[0-9]+", text)):
        return "long" if is_rounded(text) else "float"
    if re.fullmatch("[1-9][0-9]*", text) and int(text) < 2**64:
        return "uint"
    if BARE.fullmatch(text) and math.isfinite(float(text)):
        return "long" if is_rounded(text) else "float"
    if clock(text) is not None:
        return "time"
    if days(text) is not None:
        return "date"
    if nanos(text) is not None:
        value, zoned = nanos(text)
        if value % 1000 and not -2**63 <= value < 2**63:
            return "text"
        return "timestamptz" if zoned else "timestamp"
    if text.lower() in ("true", "false"):
        return "bool"
    return "float" if SPECIAL.fullmatch(text) else "text"


def column_type(cells):
    """From the cells' texts: None is null, a text in a 1-tuple is quoted."""
    quoted = [c[0] for c in cells if isinstance(c, tuple) and c[0] != ""]
    plain = [c for c in cells if isinstance(c, str)]
    values = quoted + plain
    first = next((c for c in cells if c not in (None, ("",))), None)
    if not values or (isinstance(first, str) and len(plain) == 1 and quoted):  # the latter is how our writer has texts
        return "string"
    if any('"' in text for text in quoted):
        return "string"
    kinds = {kind(text) for text in values}
    if kinds <= {"int", "big"}:
        return "int64"
    if kinds <= {"int", "big", "uint"}:
        return "string" if any(text[0] == "-" for text in values) else "uint64"
    if "long" in kinds:
        numbers = all(kind(t) in ("int", "big", "uint", "float", "long") and not SPECIAL.fullmatch(t) for t in values)
        return decimal_type(values) if numbers else "string"
    if kinds <= {"int", "float"}:
        return "float64"
    if len(kinds) != 1 or kinds == {"text"}:
        return "string"
    kind_of_all = kinds.pop()
    if kind_of_all.startswith("time"):
        instants = [clock(t) if kind_of_all == "time" else nanos(t)[0] for t in values]
        if any(v % 1000 for v in instants):
            return kind_of_all + "_ns" if all(-2**63 <= v < 2**63 for v in instants) else "string"
    return kind_of_all


def value_of(cell, type):
    text = cell[0] if isinstance(cell, tuple) else cell
    if type == "string":
        return text
    if text is None or text == "":
        return None
    if type[0] == "decimal":
        return decimal.Decimal(text)
    return {"uint64": int, "time": lambda t: clock(t) // 1000, "time_ns": clock, "int64": int, "float64": lambda t: struct.pack("<d", float(t)) if "nan" not in t.lower() else "nan", "date": days,
            "timestamp": lambda t: nanos(t)[0] // 1000, "timestamptz": lambda t: nanos(t)[0] // 1000, "timestamp_ns": lambda t: nanos(t)[0],
            "timestamptz_ns": lambda t: nanos(t)[0], "bool": lambda t: t.lower() == "true"}[type](text)


ARROW = {"uint64": pa.uint64(), "time": pa.time64("us"), "string": pa.string(), "int64": pa.int64(), "float64": pa.float64(), "date": pa.date32(), "bool": pa.bool_(),
         "timestamp": pa.timestamp("us"), "timestamptz": pa.timestamp("us", "UTC"), "time_ns": pa.time64("ns"),
         "timestamp_ns": pa.timestamp("ns"), "timestamptz_ns": pa.timestamp("ns", "UTC")}


def values_of(column, type):
    if type[0] == "decimal":
        return column.to_pylist()
    if type == "float64":
        return [None if v is None else "nan" if v != v else struct.pack("<d", v) for v in column.to_pylist()]
    if type == "date":
        column = column.cast(pa.int32())
    elif type.startswith("time"):
        column = column.cast(pa.int64())
    return column.to_pylist()


POOLS = {
    "int": ["0", "1", "-1", "9223372036854775807", "-9223372036854775808", "9007199254740992", "-9007199254740994"],
    "edge": ["9223372036854775808", "9007199254740993", "-0", "007", "+1", "-00", "1_000", "99999999999999999999"],
    "float": ["1.5", "-0.0", "1e308", "1e400", "5e-324", "0.1", "1E5", ".5", "5.", "12345678901234567.89", "-1.7976931348623157e308",
              "123456.789012", "0.000001", "1e-400", "9007199254740993.0"],
    "uint": ["9223372036854775808", "18446744073709551615", "18446744073709551616", "1", "12"],
    "time": ["00:00:00", "23:59:59.999999", "24:00:00", "10:11", "10:11:12.", "10:11:12.1234567", "10:11:12.1000000", "10:11:12.123456789", "10:11:12.1234567890",
             "10:11:12.1234567891"],
    "nanos": ["1677-09-21T00:12:43.145224192", "2262-04-11T23:47:16.854775807", "2262-04-11 23:47:16.854775807000", "1970-01-01 00:00:00.000000001",
              "2262-04-11T23:47:16.854775808", "1677-09-21T00:12:43.145224191", "1677-09-21T00:12:43.145225", "1677-09-21T00:12:43.145224",
              "2262-04-11T23:47:16.854775", "2262-04-11T23:47:16.854776", "2024-01-01T00:00:00.1234567Z", "2024-01-01T00:00:00.1234567891",
              "2262-04-12T01:47:16.854775807+02:00", "2024-01-01 00:00:00.123456789 UTC", " 2024-01-01 00:00:00.123456789"],
    "bare": [".5", "5.", "-.5", "0.", "00.", "-.", "5.e3", ".5e-2", "+.5", "-0."],
    "special": ["nan", "NaN", "-inf", "Infinity", "-nan", "infinit"],
    "date": ["1970-01-01", "0001-01-01", "9999-12-31", "2024-02-29", "2023-02-29", "0000-01-01", "2024-1-1", "1900-02-29"],
    "timestamp": ["1970-01-01 00:00", "9999-12-31T23:59:59.999999", "0001-01-01 00:00:00", "2024-02-29T10:00:00.1234560000",
                  "2024-01-01 00:00:00.0000001", "2024-01-01T24:00", "2024-01-01 10:00:60", "2024-01-01 1:00"],
    "zone": ["1970-01-01T00:00Z", "9999-12-31 23:59:59.9-23:59", "0001-01-01T00:00+23:59", "2024-01-01T00:00:00+0530",
             "2024-01-01 00:00:00 UTC", "2024-01-01 00:00:00 +0100", "2024-01-01 00:00:00 Z", "2024-01-01T00:00-08", "2024-01-01T00:00+24:00"],
    "bool": ["true", "FALSE", "True", "yes", "t"],
    "text": ["x", " 1", "1 ", "née", "0x1f", "01/02/2024", "$5", "-", "e5", "a,b", 'say "x"', "two\nlines"],
}


def random_cells(rng, n):
    names = rng.sample(sorted(POOLS), rng.choice([1, 1, 1, 2, 2, 3]))
    pool = [v for name in names for v in rng.sample(POOLS[name], rng.randint(1, min(4, len(POOLS[name]))))]
    if "int" in names:
        pool += [str(rng.randint(-10**rng.randint(1, 18), 10**rng.randint(1, 18))) for _ in range(8)]
    if "float" in names:
        pool += [repr(rng.uniform(-1, 1) * 10 ** rng.randint(-8, 15)) for _ in range(8)]
    quoting = rng.choice([0, 0, 0, 1, 1, 0.1])
    nulls = rng.choice([0, 0, 0.2, 0.9])
    cells = []
    for _ in range(n):
        text = rng.choice(pool)
        if rng.random() < nulls:
            cells.append(rng.choice([None, None, ("",)]))
        elif rng.random() < quoting or any(c in text for c in ',"\n'):
            cells.append((text,))
        else:
            cells.append(text)
    return cells


def written(cell):
    return "" if cell is None else '"' + cell[0].replace('"', '""') + '"' if isinstance(cell, tuple) else cell


@pytest.mark.parametrize("seed", range(4))
def test_random_columns(tool, seed):
    rng = random.Random(seed)
    for number in range(FILES // 4):
        n_rows = rng.choice([1, 2, 7, 64, 65, 200])
        columns = [random_cells(rng, n_rows) for _ in range(24)]
        (tool.cwd / "in.csv").write_text("".join(",".join(map(written, row)) + "\n" for row in
                                                 [[f"c{i}" for i in range(24)], *zip(*columns)]), newline="")
        tool.ok("convert", "-q", "-f", "in.csv", "out.parquet")
        table = pq.read_table(tool.cwd / "out.parquet")
        for i, cells in enumerate(columns):
            expected = column_type(cells)
            arrow = pa.decimal128(38, expected[1]) if expected[0] == "decimal" else ARROW[expected]
            assert table.schema.field(i).type == arrow, (seed, number, i, expected, cells[:8])
            assert values_of(table.column(i), expected) == [value_of(c, expected) for c in cells], (seed, number, i, expected)
