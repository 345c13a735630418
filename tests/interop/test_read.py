"""What pyarrow writes, read by our reader, is what pyarrow reads of it: every type, encoding, codec and version of pages."""

import decimal
import functools
import json
import uuid

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stream import Refused, read, same

ROWS = 50_000


def with_nulls(rng, values, share=0.2):
    return pa.array(values, mask=rng.random(len(values)) < share)


@functools.cache
def mixed_table():
    rng = np.random.default_rng(1)
    words = np.array([f"{i}" for i in range(ROWS)], dtype=object)
    return pa.table(
        {
            "i32": pa.array(rng.integers(-1000, 1000, ROWS).astype("int32")),
            "i64": with_nulls(rng, rng.integers(-(2**60), 2**60, ROWS)),
            "f64": with_nulls(rng, rng.random(ROWS)),
            "few": pa.array([f"text {i % 1000} that is long enough" for i in range(ROWS)]),
            "short": with_nulls(rng, words),
            "bool": with_nulls(rng, rng.random(ROWS) < 0.5),
            "nulls": pa.nulls(ROWS, pa.string()),
        }
    )


WAYS = {
    "plain": dict(use_dictionary=False),
    "snappy": dict(compression="snappy"),
    "none": dict(compression="none"),
    "zstd_v2": dict(compression="zstd", data_page_version="2.0"),
    "gzip_pages": dict(compression="gzip", data_page_size=1000),
    "brotli_groups": dict(compression="brotli", row_group_size=7000),
    "lz4": dict(compression="lz4"),
    "delta": dict(
        use_dictionary=False,
        column_encoding={
            "i32": "DELTA_BINARY_PACKED",
            "i64": "BYTE_STREAM_SPLIT",
            "few": "DELTA_BYTE_ARRAY",
            "short": "DELTA_LENGTH_BYTE_ARRAY",
            "bool": "RLE",
        },
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_ways_of_pyarrow(tmp_path, way):
    pq.write_table(mixed_table(), tmp_path / "a.parquet", **WAYS[way])
    same(tmp_path / "a.parquet")


# ---- every type ----


def extremes(bits, signed):
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return [low, low + 1, high, high - 1, 0, 1, high // 2]


def decimals(precision, scale):
    digits = [0, 1, 10**precision - 1, 10 ** (precision - 1), 12345 % 10**precision]
    with decimal.localcontext() as c:
        c.prec = 100
        return [decimal.Decimal(sign * d).scaleb(-scale) for d in digits for sign in (1, -1)]


def values_by_type():
    floats = [0.0, -0.0, 1.5, -2.25, float("inf"), float("-inf"), float("nan")]
    types = {f"{'' if s else 'u'}int{b}": extremes(b, s) for b in (8, 16, 32, 64) for s in (True, False)}
    out = {name: (getattr(pa, name)(), values) for name, values in types.items()}
    out["float16"] = (pa.float16(), [np.float16(f) for f in floats])
    out["float32"] = (pa.float32(), floats + [3.4028234663852886e38])
    out["float64"] = (pa.float64(), floats + [5e-324, 1.7976931348623157e308])
    out["bool"] = (pa.bool_(), [True, False, False, True, True])
    out["date32"] = (pa.date32(), extremes(32, True))
    out["time_ms"] = (pa.time32("ms"), [0, 1, 86399999])
    out["time_us"] = (pa.time64("us"), [0, 1, 86399999999])
    out["time_ns"] = (pa.time64("ns"), [0, 1, 86399999999999])
    for unit in ("ms", "us", "ns"):
        for zone in (None, "UTC"):
            out[f"timestamp_{unit}_{zone}"] = (pa.timestamp(unit, zone), extremes(64, True))
    for precision in (1, 2, 4, 9, 10, 18, 19, 28, 38):
        out[f"decimal_{precision}"] = (pa.decimal128(precision, precision // 2), decimals(precision, precision // 2))
    for precision in (39, 57, 76):
        out[f"decimal_{precision}"] = (pa.decimal256(precision, 3), decimals(precision, 3))
    for width in (1, 2, 16, 17):
        out[f"fixed_{width}"] = (pa.binary(width), [bytes([i]) * width for i in (0, 1, 127, 128, 255)])
    out["binary"] = (pa.binary(), [b"", b"\x00", b"\xff" * 12, b"\xfe" * 13, b"x" * 1000])
    words = ["", "a", "twelve bytes", "thirteen byte", "h\u00e4\u00dflich \U0001f600", "\u20ac" * 40, "x" * 3000]
    out["string"] = (pa.string(), words)
    out["json"] = (pa.json_(), [json.dumps({"key": w}) for w in words])
    out["uuid"] = (pa.uuid(), [uuid.UUID(int=i).bytes for i in (0, 1, 2**128 - 1)])
    return out


def typed_array(rng, kind, values, n, share_of_nulls):
    storage = kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind
    at = rng.integers(0, len(values), n)
    null = rng.random(n) < share_of_nulls
    array = pa.array([None if z else values[i] for i, z in zip(at, null)], type=storage)
    return kind.wrap_array(array) if storage is not kind else array


def typed_table(n, share_of_nulls, seed=0):
    rng = np.random.default_rng(seed)
    columns = {
        name: typed_array(rng, kind, values, n, share_of_nulls) for name, (kind, values) in values_by_type().items()
    }
    columns["null"] = pa.nulls(n)
    fields = [pa.field(name, c.type, nullable=share_of_nulls > 0 or name == "null") for name, c in columns.items()]
    return pa.table(list(columns.values()), schema=pa.schema(fields))


def split_encodings(table):
    """BYTE_STREAM_SPLIT and the DELTA encodings wherever they can be."""
    out = {}
    for field in table.schema:
        kind = field.type
        if pa.types.is_integer(kind) or pa.types.is_date(kind) or pa.types.is_time(kind) or pa.types.is_timestamp(kind):
            out[field.name] = "DELTA_BINARY_PACKED"
        elif pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_fixed_size_binary(kind):
            out[field.name] = "BYTE_STREAM_SPLIT"
        elif pa.types.is_string(kind) or pa.types.is_binary(kind):
            out[field.name] = "DELTA_BYTE_ARRAY"
    return out


TYPED = {
    "dictionary": dict(compression="snappy"),
    "plain": dict(compression="none", use_dictionary=False),
    "v2": dict(compression="zstd", data_page_version="2.0", data_page_size=500),
    "fallback": dict(compression="lz4", dictionary_pagesize_limit=40, data_page_size=300, write_batch_size=16),
    "integers": dict(compression="gzip", store_decimal_as_integer=True, use_dictionary=False),
    "groups": dict(compression="brotli", row_group_size=57, data_page_version="2.0"),
}


@pytest.mark.parametrize("nulls", [0, 0.3, 1])
@pytest.mark.parametrize("way", [*TYPED, "split"])
def test_types_of_pyarrow(tmp_path, way, nulls):
    table = typed_table(500, nulls)
    options = TYPED.get(way) or dict(use_dictionary=False, column_encoding=split_encodings(table))
    pq.write_table(table, tmp_path / "a.parquet", store_schema=False, **options)
    same(tmp_path / "a.parquet")
    same(tmp_path / "a.parquet", threads=(2,), rows=33)


def test_int96(tmp_path):
    years = [1678, 1969, 1970, 1999, 2261]
    values = [np.datetime64(f"{y}-03-04T05:06:07.123456789", "ns") for y in years]
    table = pa.table({"t": pa.array(values * 5, pa.timestamp("ns")), "n": pa.nulls(25, pa.timestamp("ns"))})
    pq.write_table(table, tmp_path / "a.parquet", use_deprecated_int96_timestamps=True, store_schema=False)
    same(tmp_path / "a.parquet")


# ---- what is refused ----


def text_of(values):
    """Bytes as text, unchecked."""
    return pa.array(values, pa.binary()).view(pa.string())


BAD_TEXTS = {
    "cut": [b"whole", b"\xc3"],
    "lone": [b"", b"a long text with a \xff in it"],
    # between two texts only: with a length, or with the next text, the bytes make a character
    "length": [b"x", b"\xc3", b"y" * 0xA4],
    "neighbour": [b"x", b"\xc3", b"\xa4"],
}


@pytest.mark.parametrize("encoding", ["PLAIN", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY", None])
@pytest.mark.parametrize("kind", BAD_TEXTS)
def test_text_that_is_not_utf8(tmp_path, kind, encoding):
    texts = text_of([b"fine", None] * 500 + BAD_TEXTS[kind])
    table = pa.table({"good": pa.nulls(len(texts)), "bad": texts})
    plain = dict(use_dictionary=False, column_encoding={"bad": encoding})
    options = dict(use_dictionary=True) if encoding is None else plain
    pq.write_table(table, tmp_path / "a.parquet", **options)
    bad = 1001 + next(i for i, t in enumerate(BAD_TEXTS[kind]) if b"\xc3" in t or b"\xff" in t)
    for threads in (1, 2, 8):
        with pytest.raises(OSError) as refused:
            read(tmp_path / "a.parquet", threads=threads, rows=700)
        message = str(refused.value)
        assert 'column "bad", row group 0, page at byte ' in message
        assert "is not valid UTF-8" in message and "leave the column out" in message
        assert (f"row {bad}: " if encoding is not None else "of the dictionary: ") in message
    assert read(tmp_path / "a.parquet", columns=["good"]).num_rows == table.num_rows


def test_timestamps_beyond_nanoseconds(tmp_path):
    table = pa.table({"t": pa.array([0, 2**62], pa.timestamp("us"))})
    pq.write_table(table, tmp_path / "a.parquet", use_deprecated_int96_timestamps=True)
    with pytest.raises(OSError, match='column "t", row group 0, page at byte [0-9]*: row 2: a timestamp .* does not fit'):
        read(tmp_path / "a.parquet")


def test_pages_that_the_budget_has_no_room_for(tmp_path):
    texts = {"large": ["x" * (18 << 20)], "many": ["y" * (1 << 20)] * 20}
    said = {"large": "a row takes about 18[0-9]*", "many": 'column "many", row group 0, page at byte .*: the page unpacks to 20[0-9]*'}
    for name, values in texts.items():
        path = tmp_path / name
        pq.write_table(pa.table({name: values}), path, compression="zstd", use_dictionary=False, data_page_size=1 << 26)
        assert read(path)[name].to_pylist() == values
        with pytest.raises((OSError, Refused), match=said[name] + " bytes, .*raise the memory budget to [0-9]+ bytes"):
            read(path, budget=17 << 20)
