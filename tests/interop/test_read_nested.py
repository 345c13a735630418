"""Nested columns of other writers, read through the Arrow stream: equal to what pyarrow reads, whatever the batches and pages."""

import random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import level1
import nested
import stream

TEXTS = ["", "a", "twelve bytes", "a text of more than twelve bytes", "äöü"]
TYPES = {
    "ints": pa.list_(pa.int64()),
    "texts": pa.list_(pa.string()),
    "parts": pa.struct([("a", pa.int32()), ("b", pa.string()), ("c", pa.struct([("d", pa.bool_())]))]),
    "map": pa.map_(pa.string(), pa.list_(pa.float64())),
    "lists": pa.list_(pa.list_(pa.list_(pa.bool_()))),
    "mixed": pa.list_(pa.struct([("x", pa.list_(pa.string())), ("y", pa.bool_()), ("z", pa.map_(pa.int64(), pa.int32()))])),
    "flat": pa.int64(),
}


def value(made, kind, nulls):
    if made.random() < nulls:
        return None
    if pa.types.is_map(kind):
        return [(value(made, kind.key_type, 0), value(made, kind.item_type, nulls)) for _ in range(made.choice((0, 1, 3)))]
    if pa.types.is_list(kind):
        return [value(made, kind.value_type, nulls) for _ in range(made.choice((0, 0, 1, 2, 7)))]
    if pa.types.is_struct(kind):
        return {f.name: value(made, f.type, nulls) for f in kind}
    if pa.types.is_string(kind):
        return made.choice(TEXTS)
    return made.random() < 0.5 if pa.types.is_boolean(kind) else made.randrange(1000) if pa.types.is_integer(kind) else made.random()


def generated(n, nulls, seed=7):
    made = random.Random(seed)
    return pa.table({name: pa.array([value(made, kind, nulls) for _ in range(n)], kind) for name, kind in TYPES.items()})


def check(path, want=None, **options):
    want = pq.read_table(path) if want is None else want
    got = stream.read(path, **options)
    got.validate(full=True)
    assert got.column_names == want.column_names
    for name, mine, theirs in zip(want.column_names, got.columns, want.columns):
        assert nested.equal(mine, theirs), (name, options)
    return got


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("nulls", [0, 0.2, 0.9])
def test_generated(tmp_path, version, nulls):
    table = generated(600, nulls)
    pq.write_table(table, tmp_path / "a.parquet", data_page_version=version, data_page_size=1000, row_group_size=250,
                   dictionary_pagesize_limit=100)
    for rows, threads in ((0, 1), (0, 4), (1, 1), (7, 3), (250, 2)):
        check(tmp_path / "a.parquet", rows=rows, threads=threads)


def test_through_the_plugin(tmp_path):
    pq.write_table(generated(300, 0.2), tmp_path / "a.parquet", row_group_size=100)
    got, want = level1.read(tmp_path / "a.parquet", {"columns": ["mixed", "map"]}), pq.read_table(tmp_path / "a.parquet")
    got.validate(full=True)
    assert got.column_names == ["mixed", "map"]
    assert all(nested.equal(got[name], want[name]) for name in got.column_names)


def test_columns_are_taken_whole(tmp_path):
    pq.write_table(generated(100, 0.2), tmp_path / "a.parquet")
    got = stream.read(tmp_path / "a.parquet", columns=["mixed", "flat", "mixed"])
    want = pq.read_table(tmp_path / "a.parquet")
    assert got.column_names == ["mixed", "flat", "mixed"]
    for i, name in enumerate(got.column_names):
        assert nested.equal(got.column(i), want.column(name))


def skewed(long, n=20_000, size=50_000):
    """One item in every row, but for the rows `long`."""
    made = random.Random(3)
    lengths = np.ones(n, np.int32)
    lengths[list(long)] = size
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int32)]).astype(np.int32)
    items = np.arange(offsets[-1], dtype=np.int64) * made.randrange(3, 9)
    lists = pa.ListArray.from_arrays(pa.array(offsets), pa.array(items))
    pairs = pa.ListArray.from_arrays(pa.array(offsets), pa.StructArray.from_arrays(
        [pa.array(items), pa.array(items % 7 == 0)], ["a", "b"]))
    return pa.table({"i": pa.array(range(n)), "l": lists, "p": pairs})


@pytest.mark.parametrize("long", [range(10_000, 10_020), [0], [19_999], [1, 5_000, 9_999], range(9_990, 10_010)],
                         ids=["some", "first", "last", "far apart", "at the end of a row group"])
def test_rows_of_very_many_items_make_smaller_batches(tmp_path, long):
    table = skewed(long)
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=10_000, compression="none", use_dictionary=False, data_page_size=1 << 15)
    for threads in (1, 4):
        rows, largest = [], 0
        for batch in stream.batches(tmp_path / "a.parquet", threads=threads, budget=8 << 20):
            rows.append(batch)
            largest = max(largest, batch.nbytes)
        got = pa.Table.from_batches(rows)
        got.validate(full=True)
        assert got["i"].equals(table["i"])
        assert all(nested.equal(got[name], table[name]) for name in ("l", "p"))
        assert largest < 8 << 20, "the rows together are 24 MB"
        if len(long) > 3:
            assert len({len(batch) for batch in rows}) > 1


def test_a_row_that_is_too_long(tmp_path):
    pq.write_table(skewed([500], 1000, 1_000_000), tmp_path / "a.parquet", compression="none", use_dictionary=False)
    with pytest.raises(OSError, match=r'column "l.list.element", row group 0, .*row 501 takes more than .*; raise the memory budget'):
        stream.read(tmp_path / "a.parquet", budget=1 << 20)
    assert nested.equal(stream.read(tmp_path / "a.parquet", budget=64 << 20)["l"], pq.read_table(tmp_path / "a.parquet")["l"])
