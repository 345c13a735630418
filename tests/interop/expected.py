"""What write_types says its cells are, as Arrow arrays that compare bit by bit."""

import datetime as dt
import functools
import json
import math
import struct

import pyarrow as pa

BITS = {"float32": pa.uint32(), "float64": pa.uint64()}
STORED = {
    "null": pa.null(),
    "bool": pa.bool_(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "float32": pa.uint32(),
    "float64": pa.uint64(),
    "date": pa.int32(),
    "timestamp": pa.int64(),
    "timestamptz": pa.int64(),
    "string": pa.large_string(),
}
ARROW = {
    "null": pa.null(),
    "bool": pa.bool_(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "float32": pa.float32(),
    "float64": pa.float64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", "UTC"),
    "string": pa.string(),
}
EPOCH = dt.datetime(1970, 1, 1)


class Column:
    def __init__(self, line):
        described = json.loads(line)
        self.name = described["name"]
        self.type = described["type"]
        self.nullable = described["nullable"]
        self.values = described["values"]
        self.array = pa.array(self.values, STORED[self.type])

    def typed(self):
        """The array in its own type, not as stored."""
        if self.type in ("float32", "float64", "date", "timestamp", "timestamptz"):
            return self.array.view(ARROW[self.type])
        return self.array

    @functools.cached_property
    def json(self):
        """The cells as dn_parquet_inspect() shows them, read by a JSON parser."""
        return [None if v is None else SHOW[self.type](v) for v in self.values]


def show_float(value):
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def show_timestamp(us):
    return (EPOCH + dt.timedelta(microseconds=us)).isoformat()


SHOW = {
    "null": lambda v: v,
    "bool": lambda v: v,
    "int32": lambda v: v,
    "int64": lambda v: v,
    "float32": lambda v: show_float(struct.unpack("<f", struct.pack("<I", v))[0]),
    "float64": lambda v: show_float(struct.unpack("<d", struct.pack("<Q", v))[0]),
    "date": lambda v: (EPOCH + dt.timedelta(days=v)).date().isoformat(),
    "timestamp": show_timestamp,
    "timestamptz": lambda v: show_timestamp(v) + "Z",
    "string": lambda v: v,
}


def stored(array, type_name):
    """A column that some reader gave, in the form of `Column.array`."""
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    if type_name in ("float32", "float64", "date", "timestamp", "timestamptz"):
        return array.view(STORED[type_name])
    return array.cast(STORED[type_name])


def difference(table, columns):
    """The first cell in which a table differs from the expected columns, or None."""
    names = [c.name for c in columns]
    if table.column_names != names:
        return f"columns {table.column_names}, expected {names}"
    for column in columns:
        got = table.column(column.name)
        if len(got) != len(column.array):
            return f"{column.name}: {len(got)} rows, expected {len(column.array)}"
        if column.type == "null":
            if got.null_count != len(got):
                return f"{column.name}: not null everywhere"
            continue
        got = stored(got, column.type)
        if not got.equals(column.array):
            for row, (a, b) in enumerate(zip(got.to_pylist(), column.values)):
                if a != b:
                    return f"{column.name}, row {row}: {a!r}, expected {b!r}"
            return f"{column.name}: {got.type}, expected {column.array.type}"
    return None


def bits(value):
    """A float with its sign of zero; other values as they are."""
    return struct.pack("<d", value) if isinstance(value, float) else value


def json_difference(rows, columns, n):
    """The first cell in which the rows of an inspected file differ from the first n expected ones, or None."""
    n = min(n, len(columns[0].values))
    if len(rows) != n:
        return f"{len(rows)} rows, expected {n}"
    if rows and list(rows[0]) != [c.name for c in columns]:
        return f"columns {list(rows[0])}"
    for column in columns:
        got = [row[column.name] for row in rows]
        if [bits(v) for v in got] != [bits(v) for v in column.json[:n]]:
            for row, (a, b) in enumerate(zip(got, column.json)):
                if bits(a) != bits(b):
                    return f"{column.name}, row {row}: {a!r}, expected {b!r}"
    return None
