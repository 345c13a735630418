"""Files of numbers that are hard on ranges, distances, counts and widths: made, written, read back, compared bit by bit.

A file is a few columns of segments in any order: runs, cycles and neighbours of the ends of the type and of sentinels, numbers that
ascend across them, anything at all; with nulls in several patterns, at several sizes of row groups, pages and batches.  Everything
follows from the number of the file.
"""

import os
import pathlib
import subprocess

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from conftest import verify

TESTS = pathlib.Path(os.environ.get("DN_TESTS", "build/tests"))

ENDS = [-1, 0, 1, 2, 100, 255, 256, 257, 1000, 4095, 4096, 65535, 65536, 1000000]
ENDS_32 = [v for lo in (-(2**31),) for v in (lo, lo + 1, lo + 127, lo + 128, lo + 255, lo + 4095, lo + 4096)]
ENDS_32 += [-1 - v for v in ENDS_32]
ENDS_64 = [v for lo in (-(2**63),) for v in (lo, lo + 1, lo + 127, lo + 128, lo + 255, lo + 4095, lo + 4096)]
ENDS_64 += [-1 - v for v in ENDS_64]
DAYS = [-719162, 2932896, -25567, 10957, 18262]  # 0001-01-01 9999-12-31 1900-01-01 2000-01-01 2020-01-01
MICROSECONDS = [-62135596800000000, 253402300799999999, -2208988800000000, 946684800000000]
FLOATS = [0.0, -0.0, 1.0, -1.0, 0.1, 1e300, -1e300, 5e-324, -5e-324, np.inf, -np.inf, 1e38, -1e38, 1e-45, -1e-45]
NANS_64 = [0x7FF8000000000000, 0xFFF8000000000000 - 2**64, 0x7FF0000000000001, 0xFFFFFFFFFFFFFFFF - 2**64]
NANS_32 = [0x7FC00000, 0xFFC00000 - 2**32, 0x7F800001, 0xFFFFFFFF - 2**32]

TYPES = {
    "int32": (pa.int32(), ENDS + ENDS_32),
    "int64": (pa.int64(), ENDS + ENDS_32 + ENDS_64),
    "date": (pa.date32(), ENDS[:5] + ENDS_32 + DAYS),
    "timestamp": (pa.timestamp("us"), ENDS[:5] + ENDS_64 + MICROSECONDS),
    "timestamptz": (pa.timestamp("us", "UTC"), ENDS[:5] + ENDS_64 + MICROSECONDS),
    "float32": (pa.float32(), []),
    "float64": (pa.float64(), []),
}
LENGTHS = [1, 2, 3, 7, 8, 9, 63, 64, 65, 255, 256, 257, 511, 512, 513, 1000]


def is_float(name):
    return name.startswith("float")


def is_narrow(name):
    return name in ("int32", "date", "float32")


def pool_of(rng, name):
    """Some bit patterns of the type, as int64."""
    pool = TYPES[name][1]
    if not is_float(name) and rng.random() < 0.6:  # both ends, and something between
        last = 2**31 - 1 if is_narrow(name) else 2**63 - 1
        near = [int(v) for v in rng.choice([0, 1, 2, 100, 127, 128, 300], 4)]
        between = [int(v) for v in rng.choice(pool, int(rng.integers(1, 3)))]
        pool = [last - near[0], last - near[1], -last - 1 + near[2], -last - 1 + near[3], *between]
        return np.array(pool, dtype=np.int64)[rng.permutation(len(pool))]
    if is_float(name):
        with np.errstate(over="ignore"):
            floats = np.array(FLOATS).astype(np.float32 if is_narrow(name) else np.float64)
        pool = [int(v) for v in floats.view(np.int32 if is_narrow(name) else np.int64)]
        if rng.random() < 0.4:
            pool = pool + (NANS_32 if is_narrow(name) else NANS_64)
    some = rng.integers(1, len(pool) + 1)
    return np.array(pool, dtype=np.int64)[rng.permutation(len(pool))[:some]]


def segment(rng, name, pool, n):
    kind = rng.integers(0, 6)
    base = rng.choice(pool)
    if kind == 0:
        return np.full(n, base)
    if kind == 1:
        return rng.choice(pool, n)
    if kind == 2:
        return np.resize(rng.permutation(pool)[:3], n)
    step = np.int64(rng.choice([-1000, -1, 1, 3, 2**20]))
    away = np.arange(n, dtype=np.int64) * step
    if kind == 3:
        away = rng.integers(0, 2 ** int(rng.integers(1, 40)), n, dtype=np.int64)
    if is_float(name):  # patterns of bits would be NaNs here and there
        numbers = away.astype(np.float32 if is_narrow(name) else np.float64) / 8
        return numbers.view(np.int32 if is_narrow(name) else np.int64).astype(np.int64)
    if kind == 4:
        away = rng.integers(-(2**63), 2**63, n, dtype=np.int64)
    with np.errstate(over="ignore"):
        return base + away  # goes around at the ends


def around(rng, name, n_rows):
    """A block near one end of the type, then both ends and what is between: a table of values near that end goes around it."""
    last = 2**31 - 1 if is_narrow(name) else 2**63 - 1
    at_last = rng.random() < 0.5
    near, step = int(rng.integers(0, 100)), int(rng.integers(0, 2))
    away = near + np.arange(512, dtype=np.int64) * step % 16
    block = last - away if at_last else -last - 1 + away
    n = min(n_rows - 512, 600)
    ends = np.where(rng.random(n) < 0.5, last - rng.integers(0, 40, n), -last - 1 + rng.integers(0, 40, n))
    between = rng.choice(np.array(TYPES[name][1], dtype=np.int64), n)
    return np.concatenate([block, np.where(rng.random(n) < 0.4, between, ends)])


def values_of(rng, name, n_rows):
    pool = pool_of(rng, name)
    parts = []
    left = n_rows
    if left > 512 and not is_float(name) and rng.random() < 0.4:
        parts.append(around(rng, name, n_rows))
        left -= len(parts[0])
    elif left > 512 and rng.random() < 0.5:  # a whole block of one number
        parts.append(np.full(512, pool[0]))
        left -= 512
    longest = len(LENGTHS) if n_rows < 10000 else 1
    while left > 0:
        n = min(left, int(rng.choice(LENGTHS)) * (1 if longest > 1 else 40))
        parts.append(segment(rng, name, pool, n))
        left -= n
    values = np.concatenate(parts)
    if is_narrow(name):
        values = values.astype(np.int32).astype(np.int64)
    return values


def valid_of(rng, n_rows):
    """(nullable, which rows have a value)."""
    kind = rng.integers(0, 7)
    if kind < 3:
        return kind > 0, np.ones(n_rows, dtype=np.uint8)
    if kind == 3:
        return True, (rng.random(n_rows) < rng.choice([0.01, 0.5, 0.9, 0.999])).astype(np.uint8)
    if kind == 4:
        return True, (np.arange(n_rows) % 2).astype(np.uint8)
    valid = np.empty(0, dtype=np.uint8)
    while len(valid) < n_rows:  # stretches of one kind
        valid = np.concatenate([valid, np.full(int(rng.choice(LENGTHS)), rng.integers(0, 2), dtype=np.uint8)])
    return True, valid[:n_rows]


class Column:
    def __init__(self, rng, name, n_rows):
        self.type = name
        self.nullable, self.valid = valid_of(rng, n_rows)
        self.values = values_of(rng, name, n_rows)

    def stored(self):
        """As signed integers of the type's width, with nulls."""
        values = self.values.astype(np.int32 if is_narrow(self.type) else np.int64)
        mask = self.valid == 0
        return pa.array(values, mask=mask if mask.any() else None)

    def bounds(self, at, n):
        """(has a value, smallest and largest as stored or None) of some rows."""
        values = self.values[at : at + n][self.valid[at : at + n] == 1]
        if len(values) == 0:
            return False, None
        if not is_float(self.type):
            return True, (int(values.min()), int(values.max()))
        narrow = is_narrow(self.type)
        floats = values.astype(np.int32).view(np.float32) if narrow else values.view(np.float64)
        if np.isnan(floats).any():
            return True, None
        low, high = floats.min(), floats.max()
        return True, (-0.0 if low == 0 else low, 0.0 if high == 0 else high)


class File:
    def __init__(self, number):
        rng = np.random.default_rng(number)
        self.name = f"f{number}"
        if number % 100 == 99:  # ids of more than 16 bits
            self.n_rows = 90000
        else:
            self.n_rows = int(rng.choice([1, 9, 100, 513, 516, 600, 1025, 1500, 2600, 5000]))
        self.row_group_rows = int(rng.choice([0, 0, 7, 512, 600, 1000, 4097] if self.n_rows < 10000 else [0, 70000]))
        self.page_rows = int(rng.choice([0, 0, 1, 100, 513] if self.n_rows < 10000 else [0, 5000]))
        self.page_bytes = int(rng.choice([0, 0, 1, 77, 4096] if self.n_rows < 3000 else [0, 4096]))
        self.batch_rows = int(rng.choice([self.n_rows, 1000, 512, 100, 13]))
        self.threads = int(rng.integers(1, 4))
        self.codec = str(rng.choice(["none", "snappy", "zstd:1", "lz4_raw"]))
        names = rng.choice(list(TYPES), int(rng.integers(1, 4)))
        self.columns = [Column(rng, str(name), self.n_rows) for name in names]

    def case(self):
        head = [self.name, self.n_rows, len(self.columns), self.row_group_rows, self.page_rows, self.page_bytes]
        parts = [" ".join(str(v) for v in [*head, self.batch_rows, self.threads, self.codec]).encode(), b"\n"]
        for c in self.columns:
            parts.append(f"{c.type} {int(c.nullable)}\n".encode())
            parts.append(c.valid.tobytes())
            parts.append(c.values.tobytes())
        return b"".join(parts)

    def group_slices(self):
        n = self.row_group_rows or 1000000
        return [(at, min(n, self.n_rows - at)) for at in range(0, self.n_rows, n)]

    def wrong(self, path):
        """What is wrong with the file, or None."""
        table = pq.read_table(path, page_checksum_verification=True)
        due = [pa.field(f"c{i}", TYPES[c.type][0], c.nullable) for i, c in enumerate(self.columns)]
        if table.schema != pa.schema(due):
            return f"schema {table.schema}"
        metadata = pq.ParquetFile(path).metadata
        slices = self.group_slices()
        if [metadata.row_group(g).num_rows for g in range(metadata.num_row_groups)] != [n for _, n in slices]:
            return "rows of the row groups"
        for i, c in enumerate(self.columns):
            stored = c.stored()
            got = table.column(i).combine_chunks().view(stored.type)
            if not got.equals(stored):
                row = next(r for r in range(self.n_rows) if got[r] != stored[r])
                return f"column {i}, row {row}: {got[row]}, not {stored[row]}"
            chunks = [metadata.row_group(g).column(i) for g in range(len(slices))]
            wrong = wrong_statistics(c, chunks, slices)
            if wrong is not None:
                return f"column {i}, {wrong}"
        return None


def same(a, b):
    return a == b and np.signbit(a) == np.signbit(b)


def wrong_statistics(column, chunks, slices):
    due = [column.bounds(at, n) for at, n in slices]
    given = all(bounds is not None for has_values, bounds in due if has_values)
    for g, (chunk, (at, n), (_, bounds)) in enumerate(zip(chunks, slices, due)):
        s = chunk.statistics
        if s.null_count != int((column.valid[at : at + n] == 0).sum()):
            return f"row group {g}: {s.null_count} nulls"
        if s.has_min_max != (given and bounds is not None):
            return f"row group {g}: has_min_max is {s.has_min_max}"
        if s.has_min_max and not (same(s.min_raw, bounds[0]) and same(s.max_raw, bounds[1])):
            return f"row group {g}: bounds {s.min_raw} {s.max_raw}, not {bounds}"
    return None


def check(numbers, folder):
    """Write and check files; returns what was wrong, one line per file."""
    files = [File(number) for number in numbers]
    done = subprocess.run(
        [TESTS / "write_numbers", folder], input=b"".join(f.case() for f in files), capture_output=True, timeout=300
    )
    written = done.stdout.decode().split()
    paths = {f.name: folder / f"{f.name}.parquet" for f in files if f.name in written}
    verified = dict(zip(paths, verify(paths.values()) if paths else []))
    wrong = []
    for f in files:
        path = folder / f"{f.name}.parquet"
        if f.name in written:
            said = f.wrong(path) or next(iter(verified[f.name]["findings"]), None)
            path.unlink()
        else:
            said = f"not written, exit {done.returncode}: {done.stderr.decode().strip()}"
            numbers_left = [int(g.name[1:]) for g in files[files.index(f) + 1 :]]
            wrong.append(f"{f.name}: {said}")
            return wrong + check(numbers_left, folder) if numbers_left else wrong
        if said is not None:
            wrong.append(f"{f.name}: {said}")
    return wrong
