"""Bounds are believed: what engines leave unread for them is what a filter over all rows leaves out, for every type and its extremes."""

import duckdb
import level1
import numpy as np
import polars
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest

from test_flat_types import TYPES, array_of, is_sound, write
from thrift_file import read_struct

ZEROS = [0.0, -0.0, 1.5, -1.5, float("inf"), float("-inf")]
MORE = [
    (pa.duration("us"), [-(2**63) + 1, -1, 0, 2**63 - 1]),
    (pa.bool_(), [False, True]),
    (pa.int64(), [-(2**63), -1, 0, 2**63 - 1]),
    (pa.float16(), [np.float16(v) for v in (-65504, -0.0, 0.0, 2**-24, 65504)]),
    (pa.float32(), ZEROS),
    (pa.float64(), ZEROS),
    (pa.float64(), [*ZEROS, float("nan")]),
    (pa.string(), ["", "a", "\x7f", "é", "\U0010ffff" * 20, "z" * 300]),
    (pa.date32(), [-719162, 0, 2932896]),
    (pa.decimal128(25, 3), [-(10**21), -1, 0, 1, 10**21]),
    (pa.decimal256(60, 0), [-(10**59), -(2**100), -1, 0, 255, 256, 2**100, 10**59]),
]
# beyond what engines can show: years of six digits
MODERATE = [-(2**33), -1, 0, 1, 2**33]
CASES = [(t, MODERATE if pa.types.is_timestamp(t) and t.unit in ("s", "ms") else values) for t, values, _ in TYPES] + MORE


def known(lacks):
    """The cases that an engine has values for."""
    cases = [case for case in CASES if not lacks(case[0])]
    return pytest.mark.parametrize("written", cases, ids=[str(t) for t, _ in cases], indirect=True)


OPERATORS = ["=", "<=", ">="]


def made(path, t, values):
    """A row group for each value, and some of two or of nulls."""
    write(path, t, [*values, None, *reversed(values), values[0]], row_group_size=1)
    assert is_sound(path)
    assert pq.ParquetFile(path).metadata.num_row_groups == 2 * len(values) + 2
    return path


@pytest.fixture
def written(request, tmp_path):
    t, values = request.param
    return t, made(tmp_path / "t.parquet", t, values)


@known(lambda t: False)
def test_duckdb(written):
    _, path = written
    with duckdb.connect() as db:
        db.execute(f"create table everything as select * from '{path}'")
        kind = db.execute("select typeof(c) from everything limit 1").fetchall()[0][0]
        texts = [row[0] for row in db.execute("select distinct c::varchar from everything where c is not null").fetchall()]
        assert texts
        for text in texts:
            for operator in OPERATORS:
                where = f"""where c {operator} cast('{text.replace("'", "''")}' as {kind})"""
                due, got = (db.execute(f"select count(*) from {source} {where}").fetchall() for source in ("everything", f"'{path}'"))
                assert got == due, (text, operator)


@known(lambda t: t == pa.float16() or (pa.types.is_decimal(t) and t.precision > 38))
def test_polars(written):
    _, path = written
    everything = polars.read_parquet(path)
    for value in everything["c"].unique().drop_nulls():
        for compared in (polars.col("c") == value, polars.col("c") <= value, polars.col("c") >= value):
            got = polars.scan_parquet(path).filter(compared).select(polars.len()).collect().item()
            assert got == everything.filter(compared).height, (value, compared)


COMPARISONS = {"=": pc.equal, "<=": pc.less_equal, ">=": pc.greater_equal}


@known(lambda t: t == pa.float16())
def test_pyarrow(written):
    _, path = written
    column = pq.read_table(path, arrow_extensions_enabled=False)["c"].combine_chunks()
    for value in column.unique().drop_null():
        for operator in OPERATORS:
            due = pc.sum(COMPARISONS[operator](column, value)).as_py() or 0
            got = pyarrow.dataset.dataset(path).count_rows(filter=COMPARISONS[operator](pc.field("c"), value))
            assert got == due, (value, operator)


def test_every_column_has_the_order_of_its_type(tmp_path):
    """ColumnOrder is TypeDefinedOrder for all: without it readers may not believe min_value and max_value."""
    arrays = {f"c{i}": array_of(t, [*values, None][:1]) for i, (t, values) in enumerate(CASES)}
    table = pa.table(list(arrays.values()), names=list(arrays))
    path = tmp_path / "t.parquet"
    level1.write(table.to_batches(), table.schema, path, {"verify": True})
    raw = path.read_bytes()
    length = int.from_bytes(raw[-8:-4], "little")
    footer, _ = read_struct(raw[-8 - length : -8])
    _, orders = footer[7].value
    assert len(orders) == len(CASES) and all(list(order) == [1] for order in orders)
