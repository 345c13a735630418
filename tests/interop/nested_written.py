"""Tables of nested_arrays.py written by us and read by everybody."""

import polars as pl
import pyarrow.parquet as pq

import generated
import level1
import nested_arrays
from conftest import must_verify

CODECS = ["none", "snappy", "zstd", "gzip", "lz4_raw", "brotli"]
OPTIONS = [{}, {"row_group_size": 13, "page_rows": 3}, {"page_size": 64, "n_threads": 3}]

# Types that a reader does not have, or keeps no more of than it has digits for.
LACKS = {
    "duckdb": {"wide_decimal76"},
    "polars": {"wide_decimal20", "wide_decimal76"},  # which it even ends at
}


def readers():
    return {
        "pyarrow": lambda path: pq.read_table(path, page_checksum_verification=True),
        "duckdb": generated.duckdb_table,
        "polars": lambda path: pl.read_parquet(path).to_arrow(),
        "ours": lambda path: level1.read(path, {}),
    }


def check(folder, number, shape, pattern, codec, names, **options):
    """What is wrong with a table, as any of the readers has it; None if nothing is.  The file stays."""
    lacking = set().union(*(LACKS.get(name, ()) for name in names))
    types = {name: t for name, t in nested_arrays.TYPES.items() if name not in lacking}
    table = nested_arrays.table_of(number, shape, pattern, types)
    path = folder / f"{number}_{shape}_{pattern}_{codec}.parquet"
    batches = [b for at in range(0, table.num_rows, 17) for b in table.slice(at, 17).to_batches()]
    level1.write(batches, table.schema, path, {"compression": codec, "verify": True, **options})
    for name in names:
        wrong = nested_arrays.table_difference(readers()[name](path), table)
        if wrong is not None:
            return f"{path.name}, {name}: {wrong}"
    return None


def check_shape(folder, i, shape, pattern, codec):
    """One table of every type, read by all; `i` chooses the options and the values."""
    others = set(readers()) - {"polars"}
    assert check(folder, 100 + i, shape, pattern, codec, others, **OPTIONS[i % 3]) is None
    assert check(folder, 200 + i, shape, pattern, codec, {"polars"}, **OPTIONS[i % 3]) is None
    must_verify(sorted(folder.glob(f"*_{shape}_{pattern}_{codec}.parquet")))
