"""Every encoding of every type that pyarrow writes, in both page versions, read back by us."""

import collections
import functools
import itertools
import json
import random
import struct
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import stream

CODECS = ["none", "snappy", "gzip", "brotli", "zstd", "lz4"]
# around the sizes of blocks and miniblocks, of words and of pages
COUNTS = [0, 1, 2, 33, 129, 258, 2500]


def ints(bits, rng, n):
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    kinds = [
        lambda i: rng.randint(low, high),
        lambda i: rng.choice([low, high, 0, -1]),
        lambda i: i - n // 2,
        lambda i: 7,
        lambda i: (1 << min(bits - 2, i % bits)) - rng.randint(0, 1),
    ]
    out = []
    while len(out) < n:  # stretches of every kind
        kind = rng.choice(kinds)
        out += [kind(i) for i in range(rng.randint(1, 200))]
    return out[:n]


def floats(pattern, bits, rng, n):
    special = [0, 1 << bits - 1, (1 << bits - 1) - 1]  # zeros of both signs, a NaN
    raw = [rng.choice(special) if rng.random() < 0.2 else rng.getrandbits(bits) for _ in range(n)]
    quiet = {"f": 0x7FC00000, "d": 0x7FF8000000000000}[pattern]
    values = [struct.unpack(f"<{pattern}", struct.pack("<I" if pattern == "f" else "<Q", v))[0] for v in raw]
    return [struct.unpack(f"<{pattern}", struct.pack("<I" if pattern == "f" else "<Q", quiet))[0] if v != v else v
            for v in values]


def texts(rng, n):
    out, last = [], ""
    for i in range(n):
        kind = rng.randint(0, 5)
        if kind == 0:
            last = last[: rng.randint(0, len(last))] + str(i)
        elif kind == 1:
            last = "".join(rng.choice("aé日𝄞") for _ in range(rng.randint(0, 40)))
        elif kind == 2:
            last = ""
        elif kind == 3:
            last = (last + "tail")[:200]
        elif kind == 4:
            last = f"https://example.org/{i:08}"
        out.append(last)
    return out


def fixed(width, rng, n):
    return [bytes(rng.choice([0, 255, rng.getrandbits(8)]) for _ in range(width)) for _ in range(n)]


TYPES = {
    "bool": (pa.bool_(), lambda rng, n: [rng.random() < 0.5 if i % 300 < 150 else i % 600 < 300 for i in range(n)]),
    "int32": (pa.int32(), lambda rng, n: ints(32, rng, n)),
    "int64": (pa.int64(), lambda rng, n: ints(64, rng, n)),
    "float": (pa.float32(), lambda rng, n: floats("f", 32, rng, n)),
    "double": (pa.float64(), lambda rng, n: floats("d", 64, rng, n)),
    "string": (pa.string(), texts),
    "fixed16": (pa.binary(16), lambda rng, n: fixed(16, rng, n)),
    "fixed5": (pa.binary(5), lambda rng, n: fixed(5, rng, n)),
}
ENCODINGS = {
    "bool": ["PLAIN", "RLE"],
    "int32": ["PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT", "dictionary"],
    "int64": ["PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT", "dictionary"],
    "float": ["PLAIN", "BYTE_STREAM_SPLIT", "dictionary"],
    "double": ["PLAIN", "BYTE_STREAM_SPLIT", "dictionary"],
    "string": ["PLAIN", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY", "dictionary"],
    "fixed16": ["PLAIN", "DELTA_BYTE_ARRAY", "BYTE_STREAM_SPLIT", "dictionary"],
    "fixed5": ["PLAIN", "DELTA_BYTE_ARRAY", "BYTE_STREAM_SPLIT", "dictionary"],
}
NULLS = ["required", "none", "some", "most", "runs", "all"]


def with_nulls(values, nulls, rng):
    is_null = {
        "required": lambda i: False,
        "none": lambda i: False,
        "some": lambda i: rng.random() < 0.3,
        "most": lambda i: rng.random() < 0.97,
        "runs": lambda i: i // 70 % 2 == 0,
        "all": lambda i: True,
    }[nulls]
    return [None if is_null(i) else v for i, v in enumerate(values)]


@functools.cache
def table_of(n, seed):
    """A column of every type, encoding and kind of nulls, and the encodings by name."""
    rng = random.Random(seed)
    arrays, fields, encodings = [], [], {}
    for kind, (arrow, make) in TYPES.items():
        for encoding, nulls in itertools.product(ENCODINGS[kind], NULLS):
            name = f"{kind}-{encoding}-{nulls}"
            arrays.append(pa.array(with_nulls(make(rng, n), nulls, rng), arrow))
            fields.append(pa.field(name, arrow, nulls != "required"))
            encodings[name] = encoding
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields)), encodings


def shown(value):
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    return value


def difference(rows, table):
    for name, column in zip(table.column_names, table.columns):
        for at, value in enumerate(column.to_pylist()):
            if rows[at][name] != shown(value):
                return f"{name}, row {at}: {rows[at][name]!r} instead of {value!r}"
    return None if len(rows) == table.num_rows else f"{len(rows)} rows"


def write(table, encodings, path, **options):
    dictionary = [n for n, e in encodings.items() if e == "dictionary"]
    pq.write_table(table, path, use_dictionary=dictionary,
                   column_encoding={n: e for n, e in encodings.items() if e != "dictionary"}, **options)


SHAPES = {
    "one-page": {},
    "small-pages": {"data_page_size": 400, "write_batch_size": 64, "write_page_checksum": True},
    "row-groups": {"row_group_size": 700, "write_page_index": True},
    "dictionary-fallback": {"dictionary_pagesize_limit": 600, "write_batch_size": 50, "data_page_size": 900},
}


def bits(column):
    """Floats by their bits: NaN is equal to itself, and zeros have signs."""
    array = column.combine_chunks()
    return array.view(pa.uint32() if array.type == pa.float32() else pa.uint64()) if pa.types.is_floating(array.type) else array


def check_batches(path, table, **options):
    found = stream.read(path, **options)
    found.validate(full=True)
    assert found.num_rows == table.num_rows
    for name, column in zip(table.column_names, table.columns):
        assert bits(found[name].cast(column.type)).equals(bits(column)), name


def check_used(group, encodings):
    for column in group["columns"]:
        due = encodings[column["name"]].replace("dictionary", "RLE_DICTIONARY")
        assert due in column["encodings"] or (due == "RLE_DICTIONARY" and "PLAIN_DICTIONARY" in column["encodings"])


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_encoding(version, shape, inspect, tmp_path):
    for seed, (n, codec) in enumerate(zip(COUNTS, itertools.cycle(CODECS))):
        table, encodings = table_of(n, seed)
        path = tmp_path / "encodings.parquet"
        write(table, encodings, path, data_page_version=version, compression=codec, **SHAPES[shape])
        check_batches(path, table)
        if n in (33, 258):
            check_batches(path, table, rows=29)
            found = inspect(path, 1000)
            assert difference(found["rows"], table) is None
            check_used(found["row_groups"][0], encodings)


def test_every_codec_of_each_version(tmp_path):
    table, encodings = table_of(300, 99)
    for version, codec in itertools.product(["1.0", "2.0"], CODECS):
        path = tmp_path / f"{version}-{codec}.parquet"
        write(table, encodings, path, data_page_version=version, compression=codec, data_page_size=1000)
        check_batches(path, table)


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_what_we_encode_is_what_pyarrow_does(version, tmp_path):
    """Pages of the encodings that leave no choice are the same byte by byte."""
    pages = collections.Counter()
    for seed, n in enumerate(COUNTS):
        table, encodings = table_of(n, seed)
        path = tmp_path / "encodings.parquet"
        write(table, encodings, path, data_page_version=version, data_page_size=500, write_batch_size=90)
        done = subprocess.run([stream.TESTS / "reencode", path], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        pages.update(json.loads(done.stdout))
    assert min(pages.values()) > 50, pages
