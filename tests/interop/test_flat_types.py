"""Types that files and readers have rules of their own for: what they are read as, their bounds, and values that no file can hold."""

import datetime
import decimal
import struct
import subprocess

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import level1
from conftest import BIN

D = decimal.Decimal
DAY_MS = 86_400_000

# type, values with the extremes among them, and what pyarrow reads it as, if not as what it was
TYPES = [
    (pa.int8(), [-128, 0, 127], None),
    (pa.int16(), [-(2**15), 7, 2**15 - 1], None),
    (pa.uint8(), [0, 128, 255], None),
    (pa.uint16(), [0, 2**15, 2**16 - 1], None),
    (pa.uint32(), [0, 2**31, 2**32 - 1], None),
    (pa.uint64(), [0, 2**63, 2**64 - 1], None),
    (pa.float16(), [-65504.0, -0.5, 65504.0], None),
    (pa.decimal128(1, 0), [D(-9), D(0), D(9)], None),
    (pa.decimal128(9, 2), [D("-9999999.99"), D("0.01"), D("9999999.99")], None),
    (pa.decimal128(18, 18), [D("-0.999999999999999999"), D("0"), D("0.999999999999999999")], None),
    (pa.decimal128(19, 0), [D(-(10**19) + 1), D(-1), D(10**19 - 1)], None),
    (pa.decimal128(38, 0), [D(-(10**38) + 1), D(1), D(10**38 - 1)], None),
    (pa.decimal256(20, 1), [D("-1234567890123456789.1"), D("0.1")], None),
    (pa.decimal256(76, 0), [D(-(10**76) + 1), D(-1), D(1), D(10**76 - 1)], None),
    (pa.date64(), [-719162 * DAY_MS, 0, 2932896 * DAY_MS], pa.date32()),
    (pa.time32("s"), [0, 86399], pa.time32("ms")),
    (pa.time32("ms"), [0, DAY_MS - 1], None),
    (pa.time64("us"), [0, DAY_MS * 1000 - 1], None),
    (pa.time64("ns"), [0, DAY_MS * 10**6 - 1], None),
    (pa.timestamp("s"), [-(2**53), 0, 2**53], pa.timestamp("ms")),
    (pa.timestamp("s", "Asia/Tokyo"), [-1, 1], pa.timestamp("ms", "Asia/Tokyo")),
    (pa.timestamp("ms"), [-(2**63) + 1, 2**63 - 1], None),
    (pa.timestamp("ms", "UTC"), [-(2**63) + 1, 2**63 - 1], None),
    (pa.timestamp("ns"), [-(2**63) + 1, 2**63 - 1], None),
    (pa.timestamp("ns", "Europe/Berlin"), [-1, 1], None),
    (pa.binary(), [b"", b"\x00", b"\x7f", b"\xff" * 300], None),
    (pa.large_binary(), [b"", b"\xff\xfe"], None),
    (pa.binary_view(), [b"", b"\xff" * 13], pa.binary()),
    (pa.binary(5), [b"\x00" * 5, b"\x80" * 5, b"\xff" * 5], None),
    (pa.binary(64), [b"\x00" * 64, b"\xff" * 64], None),
    (pa.uuid(), [b"\x00" * 16, b"\x80" + b"\x00" * 15, b"\xff" * 16], None),
    (pa.json_(), ['"a"', '{"a": [1, null]}'], None),
]
IDS = [str(t) for t, _, _ in TYPES]


def array_of(t, values):
    if isinstance(t, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(t, pa.array(values, t.storage_type))
    if pa.types.is_decimal(t) or pa.types.is_floating(t) or pa.types.is_binary(t):
        return pa.array(values, t)
    ints = {32: pa.int32(), 64: pa.int64()}
    if pa.types.is_temporal(t):
        return pa.array(values, ints[t.bit_width]).cast(t)
    return pa.array(values, t)


def is_sound(path):
    return subprocess.run([str(BIN), "verify", str(path)], capture_output=True, timeout=60).returncode == 0


def write(path, t, values, **options):
    table = pa.table({"c": array_of(t, values)})
    level1.write(table.to_batches(), table.schema, path, {"overwrite": True, "verify": True, **options})


@pytest.mark.parametrize("t, values, read_as", TYPES, ids=IDS)
@pytest.mark.parametrize("repeated", [1, 3000])
def test_values_and_type_come_back(t, values, read_as, repeated, tmp_path):
    path = tmp_path / "t.parquet"
    some = [v for v in values for _ in range(repeated)] + [None]
    write(path, t, some)
    read = pq.read_table(path, arrow_extensions_enabled=True)
    assert read.schema.field("c").type == (read_as or t)
    due = array_of(t, some)
    storage = due.storage if isinstance(t, pa.BaseExtensionType) else due
    got = read["c"].combine_chunks()
    got = got.storage if isinstance(got.type, pa.BaseExtensionType) else got
    assert got.cast(storage.type).equals(storage) if t != pa.date64() else got.equals(due.cast(pa.date32()))
    assert is_sound(path)
    ours = level1.read(path, {})
    assert ours["c"].null_count == 1 and len(ours) == len(some)


@pytest.mark.parametrize("t, values, read_as", TYPES, ids=IDS)
def test_bounds_have_the_order_of_the_type(t, values, read_as, tmp_path):
    path = tmp_path / "t.parquet"
    write(path, t, [None, *reversed(values), *values])
    statistics = pq.ParquetFile(path).metadata.row_group(0).column(0).statistics
    assert statistics is not None and statistics.null_count == 1
    if isinstance(t, pa.BaseExtensionType) or pa.types.is_temporal(t):
        return  # test_verify and gen_batches compare them as bytes
    can_be_raised = values[-1] != b"\xff" * 300  # which is cut, and nothing of 64 bytes is more
    assert statistics.has_min_max == can_be_raised
    if can_be_raised:
        halves = t == pa.float16()
        bounds = [struct.unpack("<e", b)[0] if halves else b for b in (statistics.min, statistics.max)]
        assert bounds == [values[0], values[-1]]


NO_VALUES = [
    (pa.date64(), [0, DAY_MS + 1], 2, "not the start of a day"),
    (pa.timestamp("s"), [5, 2**60], 2, "do not fit milliseconds"),
    (pa.time32("s"), [None, 86401], 2, "not within a day"),
    (pa.time32("ms"), [-1], 1, "not within a day"),
    (pa.time64("us"), [None, None, 2**50], 3, "not within a day"),
]


@pytest.mark.parametrize("t, values, row, says", NO_VALUES, ids=[str(t) for t, *_ in NO_VALUES])
def test_a_value_that_no_file_can_hold_is_named(t, values, row, says, tmp_path):
    ints = {32: pa.int32(), 64: pa.int64()}[t.bit_width]
    array = pa.array(values, ints).view(t)
    table = pa.table({"c": array})
    with pytest.raises(level1.Failure) as failure:
        level1.write(table.to_batches(), table.schema, tmp_path / "t.parquet", {})
    assert f"column 'c', row {row}: " in str(failure.value) and says in str(failure.value)
    assert not (tmp_path / "t.parquet").exists()


@pytest.mark.parametrize("bits", [128, 256])
def test_a_decimal_with_more_digits_than_its_column_is_named(bits, tmp_path):
    wide = (pa.decimal128 if bits == 128 else pa.decimal256)(bits // 8 * 2, 0)
    narrow = (pa.decimal128 if bits == 128 else pa.decimal256)(3, 0)
    array = pa.array([D(999), D(-999), D(1000)], wide)
    table = pa.table({"c": pa.Array.from_buffers(narrow, 3, array.buffers())})
    with pytest.raises(level1.Failure, match="row 3: the decimal has more digits"):
        level1.write(table.to_batches(), table.schema, tmp_path / "t.parquet", {})


@pytest.mark.parametrize(
    "t, says",
    [
        (pa.decimal128(5, -2), 'column "c" is of type decimal'),
        (pa.dictionary(pa.int32(), pa.decimal128(5, -2)), 'column "c" is of type decimal'),
        (pa.map_(pa.int8(), pa.list_(pa.decimal128(5, -2))), r'column "c\.key_value\.value\.list\.element" is of type dec'),
        (pa.struct([]), "column 'c' is a struct without fields"),
        (pa.list_(pa.struct([])), r"column 'c\.list\.element' is a struct without fields"),
        (pa.struct([("a", pa.int8()), ("a", pa.int8())]), "two fields of column 'c' are named 'a'"),
        (pa.dense_union([pa.field("a", pa.int8())]), r'column "c" is of type Arrow type \+ud'),
    ],
    ids=str,
)
def test_what_parquet_lacks_is_told_when_the_file_is_opened(t, says, tmp_path):
    with pytest.raises(level1.Failure, match=says):
        level1.write([], pa.schema([("c", t)]), tmp_path / "t.parquet", {})
    assert list(tmp_path.iterdir()) == []


def test_float16_bounds(tmp_path):
    """Zeros are widened to both, and with a NaN there are no bounds."""
    for values, bounds in (([0.0, 1.0], (-0.0, 1.0)), ([-1.0, -0.0], (-1.0, 0.0)), ([1.0, float("nan")], None)):
        path = tmp_path / "t.parquet"
        write(path, pa.float16(), [np.float16(v) for v in values])
        statistics = pq.ParquetFile(path).metadata.row_group(0).column(0).statistics
        assert statistics.has_min_max == (bounds is not None)
        if bounds is not None:
            found = [struct.unpack("<e", b)[0] for b in (statistics.min, statistics.max)]
            assert list(map(str, found)) == list(map(str, bounds))
        assert is_sound(path)


def test_a_date64_is_a_date(tmp_path):
    path = tmp_path / "t.parquet"
    write(path, pa.date64(), [DAY_MS])
    assert pq.read_table(path)["c"].to_pylist() == [datetime.date(1970, 1, 2)]
