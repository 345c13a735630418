"""Random tables in both directions: ours read by pyarrow, DuckDB and Polars; theirs, written with random options, read by us.

Everything follows from a number.  Values near the ends of their types are the matter of extremes.py and of tests/support/batch_gen.c;
here dates and times stay where every reader has them.
"""

import decimal
import functools
import json
import uuid

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import level1

DAYS = 700_000  # around 1970: within the years 1 to 9999
MICROSECONDS = 60_000_000_000_000_000
WORDS = ["", "a", "b", "ab", "twelve bytes", "thirteen bytes", "ä", "€uro", "\U0001f600", "x" * 63, "y" * 64, "z" * 65, "ÿ" * 40, "q" * 500]

# What others write, ...
THEIRS = {
    "bool": pa.bool_(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "float32": pa.float32(),
    "float64": pa.float64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", "UTC"),
    "string": pa.string(),
    "large_string": pa.large_string(),
    "null": pa.null(),
    "int8": pa.int8(),
    "int16": pa.int16(),
    "uint8": pa.uint8(),
    "uint16": pa.uint16(),
    "uint32": pa.uint32(),
    "uint64": pa.uint64(),
    "float16": pa.float16(),
    "time_ms": pa.time32("ms"),
    "time_us": pa.time64("us"),
    "time_ns": pa.time64("ns"),
    "timestamp_ms": pa.timestamp("ms"),
    "timestamp_ns": pa.timestamp("ns"),
    "decimal9": pa.decimal128(9, 2),
    "decimal18": pa.decimal128(18, 4),
    "decimal38": pa.decimal128(38, 10),
    "binary": pa.binary(),
    "fixed": pa.binary(7),
}
# ... and what our writer takes besides.
OURS = {
    **THEIRS,
    "string_view": pa.string_view(),
    "binary_view": pa.binary_view(),
    "large_binary": pa.large_binary(),
    "long_fixed": pa.binary(70),
    "time_s": pa.time32("s"),
    "timestamp_s": pa.timestamp("s"),
    "timestamptz_s": pa.timestamp("s", "UTC"),
    "timestamptz_ms": pa.timestamp("ms", "Europe/Berlin"),
    "timestamptz_ns": pa.timestamp("ns", "UTC"),
    "date64": pa.date64(),
    "decimal19": pa.decimal128(19, 19),
    "wide_decimal20": pa.decimal256(20, 3),
    "wide_decimal76": pa.decimal256(76, 38),
    "uuid": pa.uuid(),
    "json": pa.json_(),
}


def integers(rng, n, low, high):
    """In one of several manners, with both ends of the range."""
    manner = rng.integers(0, 5)
    if manner == 0:
        values = np.full(n, rng.integers(low, high, endpoint=True))
    elif manner == 1:
        values = rng.choice(rng.integers(low, high, 5, endpoint=True), n)
    elif manner == 2:
        values = np.clip(rng.integers(low, high) // 2 + np.arange(n) * int(rng.choice([1, 0, 3])), low, high)
    elif manner == 3:
        values = np.repeat(rng.integers(low, high, n // 9 + 1, endpoint=True), 9)[:n]
    else:
        values = rng.integers(low, high, n, endpoint=True)
    at = rng.integers(0, n, 2)
    values[at] = [low, high]
    return values


def floats(rng, n, dtype):
    values = rng.choice([0.0, -0.0, 1.5, -2.25, np.inf, -np.inf, np.nan, 1e-30, 65504.0], n).astype(dtype)
    some = rng.random(n) < rng.choice([0, 0.5, 1])
    values[some] = (rng.integers(-1000, 1000, n) / 8).astype(dtype)[some]
    return values


def texts(rng, n):
    manner = rng.integers(0, 4)
    if manner == 0:
        return [WORDS[i] for i in rng.integers(0, len(WORDS), n)]
    if manner == 1:
        return [f"key {i:08d}" for i in range(n)]
    if manner == 2:
        return [f"{'shared beginning of ' if i % 3 else ''}{i // 7}" for i in rng.integers(0, 5000, n)]
    return [WORDS[rng.integers(0, 4)]] * n


def values_of(rng, t, n):
    if t == pa.json_():
        return pa.ExtensionArray.from_storage(t, pa.array([json.dumps(v) for v in texts(rng, n)]))
    if isinstance(t, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(t, values_of(rng, t.storage_type, n))
    if pa.types.is_null(t):
        return pa.nulls(n)
    if pa.types.is_boolean(t):
        return pa.array(rng.random(n) < rng.choice([0.01, 0.5, 1]))
    if pa.types.is_floating(t):
        return pa.array(floats(rng, n, t.to_pandas_dtype()))
    if pa.types.is_integer(t):
        info = np.iinfo(t.to_pandas_dtype())
        low, high = (info.min, info.max) if info.max < 2**63 else (0, 2**63 - 1)
        return pa.array(integers(rng, n, low, high).astype(t.to_pandas_dtype()))
    if pa.types.is_date(t):
        return pa.array(integers(rng, n, -DAYS, DAYS).astype(np.int32)).cast(pa.date32()).cast(t)
    if pa.types.is_timestamp(t):
        most = {"s": MICROSECONDS // 10**6, "ms": MICROSECONDS // 1000, "us": MICROSECONDS, "ns": 2**62}[t.unit]
        return pa.array(integers(rng, n, -most, most)).cast(t)
    if pa.types.is_time(t):
        most = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}[t.unit] - 1
        values = integers(rng, n, 0, most)
        return pa.array(values.astype(np.int32) if t.bit_width == 32 else values).cast(t)
    if pa.types.is_decimal(t):
        most = 10 ** min(t.precision, 18) - 1
        scale = decimal.Decimal(1).scaleb(-t.scale)
        with decimal.localcontext(decimal.Context(prec=60)):
            factor = 10 ** (t.precision - 18) if t.precision > 18 and rng.random() < 0.5 else 1
            return pa.array([decimal.Decimal(int(v)) * factor * scale for v in integers(rng, n, -most, most)], t)
    if pa.types.is_fixed_size_binary(t):
        return pa.array([bytes(v) for v in rng.integers(0, 3, (n, t.byte_width)).astype(np.uint8)], t)
    if pa.types.is_binary(t) or pa.types.is_large_binary(t) or t == pa.binary_view():
        return pa.array([b"\xff\x00" + v.encode() for v in texts(rng, n)], t)
    return pa.array(texts(rng, n), t)


def with_nulls(rng, values):
    n, manner = len(values), rng.integers(0, 5)
    if manner < 2 or pa.types.is_null(values.type):
        return values
    mask = rng.random(n) < rng.choice([0.01, 0.5, 0.99]) if manner == 2 else np.arange(n) // int(rng.integers(1, 90)) % 2 == 0
    if manner == 4:
        mask[:] = True
    if isinstance(values.type, pa.BaseExtensionType):
        kept = pc.if_else(pa.array(mask), pa.scalar(None, values.type.storage_type), values.storage)
        return pa.ExtensionArray.from_storage(values.type, kept)
    known = {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary()}.get(values.type, values.type)  # no views
    return pc.if_else(pa.array(mask), pa.scalar(None, known), values.cast(known)).cast(values.type)


def table_of(number, types):
    """(rng, table)."""
    rng = np.random.default_rng(number)
    n = int(rng.choice([1, 8, 100, 1000, 3000, 9000]))
    names = rng.choice(list(types), int(rng.integers(1, 6)))
    fields, arrays = [], []
    for i, name in enumerate(names):
        values = values_of(rng, types[str(name)], n)
        nullable = pa.types.is_null(values.type) or bool(rng.random() < 0.7)
        arrays.append(with_nulls(rng, values) if nullable else values)
        fields.append(pa.field(f"c{i}_{name}", values.type, nullable))
    return rng, pa.table(arrays, pa.schema(fields))


# ---- comparing ----------------------------------------------------------------------------------------------------------------


def as_bits(column):
    """Floats as integers, so that NaNs and zeros are themselves; texts of one layout."""
    t = column.type
    if isinstance(t, pa.BaseExtensionType):
        return as_bits(column.storage)
    if t == pa.date64():
        return column.cast(pa.date32())
    if pa.types.is_floating(t):
        return column.view({16: pa.int16(), 32: pa.int32(), 64: pa.int64()}[t.bit_width])
    if pa.types.is_string_view(t) or pa.types.is_string(t):
        return column.cast(pa.large_string())
    if pa.types.is_binary(t) or t == pa.binary_view():
        return column.cast(pa.large_binary())
    return column


def alike(column, due):
    """What a reader gives of a type that it has none for: wider floats, UUIDs as texts."""
    if due.type == pa.float16() and column.type == pa.float32():
        return pa.array(column.to_numpy(zero_copy_only=False).astype(np.float16), mask=np.asarray(column.is_null()))
    if due.type == pa.uuid() and (pa.types.is_string(column.type) or pa.types.is_string_view(column.type)):
        return pa.array([v if v is None else uuid.UUID(v).bytes for v in column.to_pylist()], pa.binary(16))
    return column


def difference(got, due, without=()):
    """What is wrong with a table, or None; types are compared as far as values go, but those of some columns."""
    if got.num_columns != due.num_columns or got.num_rows != due.num_rows:
        return f"{got.num_rows} rows of {got.num_columns} columns, not {due.num_rows} of {due.num_columns}"
    for i, name in enumerate(due.column_names):
        if name.split("_", 1)[1] in without:
            continue
        mine, theirs = (t.column(i).combine_chunks() for t in (due, got))
        mine, theirs = as_bits(mine), as_bits(alike(theirs, mine))
        if mine.type != theirs.type:
            if not pa.types.is_null(mine.type):
                theirs = theirs.cast(mine.type)
            elif theirs.null_count == len(theirs):
                continue
        if not mine.equals(theirs):
            row = next(r for r in range(len(mine)) if mine[r] != theirs[r] or mine[r].is_valid != theirs[r].is_valid)
            return f"{name}, row {row}: {theirs[row]}, not {mine[row]}"
    return None


# ---- ours, read by others ---------------------------------------------------------------------------------------------------------


def batches_of(rng, table):
    """Cut anywhere; every batch is a slice with an offset."""
    at = 0
    while at < table.num_rows:
        n = int(rng.choice([1, 7, 100, 512, 4000]))
        n = max(n, table.num_rows // 50)
        yield from table.slice(at, n).combine_chunks().to_batches()
        at += n


def options_of(rng, n):
    options = {
        "compression": str(rng.choice(["none", "snappy", "zstd:1", "lz4_raw", "gzip:1", "brotli:1"])),
        "n_threads": int(rng.integers(1, 5)),
        "overwrite": True,
    }
    small = n < 2000
    for key, choices in (
        ("row_group_size", [7, 100, 513] if small else [1000, 4097]),
        ("page_rows", [1, 8, 100] if small else [500]),
        ("page_size", [1, 64, 4096] if small else [4096]),
        ("row_group_bytes", [5000, 100000]),
    ):
        if rng.random() < 0.4:
            options[key] = int(rng.choice(choices))
    return options


@functools.cache
def db():
    connection = duckdb.connect(config={"threads": 2})
    connection.sql("SET TimeZone = 'UTC'")
    return connection


def duckdb_table(path):
    return db().sql(f"SELECT * FROM read_parquet('{path}')").to_arrow_table()


def polars_table(path):
    """All columns but those of a type that it refuses to read."""
    schema = pq.read_schema(path)
    wide = [f.name for f in schema if pa.types.is_decimal256(f.type) and f.type.precision > 38]
    others = [name for name in schema.names if name not in wide]
    read = pl.read_parquet(path, columns=others).to_arrow() if others else None
    nulls = pa.nulls(pq.read_metadata(path).num_rows)
    return pa.table([nulls if name in wide else read[name] for name in schema.names], schema.names)


READERS = {
    "pyarrow": lambda path: pq.read_table(path, page_checksum_verification=True),
    "duckdb": duckdb_table,
    "polars": polars_table,
}


# Types of which a reader keeps no more than it has digits for.
NOT_IN = {"duckdb": {"wide_decimal76", "time_ns"}, "polars": {"wide_decimal76"}}


def check_ours(number, folder):
    """What is wrong with table `number`, as any of them reads it; None if nothing is."""
    rng, table = table_of(number, OURS)
    path = folder / "ours.parquet"
    level1.write(batches_of(rng, table), table.schema, path, options_of(rng, table.num_rows))
    for name, read in READERS.items():
        wrong = difference(read(path), table, NOT_IN.get(name, ()))
        if wrong is not None:
            return f"table {number}, {name}: {wrong}"
    wrong = difference(level1.read(path, {}), table)
    return f"table {number}, ourselves: {wrong}" if wrong is not None else None


# ---- theirs, read by us -----------------------------------------------------------------------------------------------------------


def encoding_of(rng, t):
    """An encoding that pyarrow has for the type; None: a dictionary, or PLAIN."""
    choices = [None, None, "PLAIN"]
    if pa.types.is_integer(t) or pa.types.is_temporal(t):
        choices += ["DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"]
    elif pa.types.is_floating(t) or pa.types.is_fixed_size_binary(t):
        choices.append("BYTE_STREAM_SPLIT")
    elif pa.types.is_string(t) or pa.types.is_large_string(t) or pa.types.is_binary(t):
        choices += ["DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"]
    elif pa.types.is_boolean(t):
        choices.append("RLE")
    return choices[rng.integers(0, len(choices))]


def by_pyarrow(rng, table, path):
    encodings = {f.name: encoding_of(rng, f.type) for f in table.schema}
    pq.write_table(
        table,
        path,
        row_group_size=int(rng.choice([10**6, 1000, 333])),
        data_page_size=int(rng.choice([2**20, 4096, 100])),
        data_page_version=str(rng.choice(["1.0", "2.0"])),
        version=str(rng.choice(["1.0", "2.4", "2.6"])) if pa.timestamp("ns") not in table.schema.types else "2.6",
        compression=str(rng.choice(["none", "snappy", "zstd", "lz4", "gzip", "brotli"])),
        use_dictionary=[name for name, encoding in encodings.items() if encoding is None and rng.random() < 0.8],
        column_encoding={name: encoding for name, encoding in encodings.items() if encoding is not None},
        dictionary_pagesize_limit=int(rng.choice([2**20, 200])),
        write_page_index=bool(rng.random() < 0.5),
        write_page_checksum=bool(rng.random() < 0.5),
        store_schema=bool(rng.random() < 0.5),
    )


def by_duckdb(rng, table, path):
    codec = rng.choice(["uncompressed", "snappy", "zstd", "gzip", "lz4_raw", "brotli"])
    version = rng.choice(["V1", "V2"])
    rows = int(rng.choice([122880, 2048]))
    db().register("t", table)
    db().sql(f"COPY t TO '{path}' (FORMAT parquet, CODEC '{codec}', PARQUET_VERSION {version}, ROW_GROUP_SIZE {rows})")


def by_polars(rng, table, path):
    pl.from_arrow(table).write_parquet(
        path,
        compression=str(rng.choice(["uncompressed", "snappy", "zstd", "lz4", "gzip", "brotli"])),
        row_group_size=int(rng.choice([10**6, 1000])),
        data_page_size=int(rng.choice([2**20, 4096])),
        statistics=bool(rng.random() < 0.7),
    )


WRITERS = {"pyarrow": by_pyarrow, "duckdb": by_duckdb, "polars": by_polars}
# Types that a writer does not have.
NOT_BY = {"duckdb": {"null", "float16", "fixed", "time_ns"}, "polars": {"float16", "null"}, "pyarrow": set()}


def check_theirs(number, writer, folder):
    """What the writer itself reads of its file is what we read of it; pyarrow cannot read all pages of nulls that DuckDB writes."""
    types = {name: t for name, t in THEIRS.items() if name not in NOT_BY[writer]}
    rng, table = table_of(number, types)
    path = folder / "theirs.parquet"
    WRITERS[writer](rng, table, path)
    due = READERS[writer](path)
    rows = int(rng.choice([0, 1, 100, 1000]))
    options = {"n_threads": int(rng.integers(1, 5))} | ({"chunk_size": max(rows, table.num_rows // 100)} if rows else {})
    got = level1.read(path, options)
    wrong = difference(got, due)
    return f"table {number} of {writer}: {wrong}" if wrong is not None else None
