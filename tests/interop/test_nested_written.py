"""Nested columns, dictionaries and runs that come in as Arrow arrays: what pyarrow, DuckDB, Polars and we ourselves read of them."""

import os
import pathlib

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import level1
import nested_arrays
import thrift_file
from conftest import must_verify
from nested_written import CODECS, check, readers

SHAPES = list(nested_arrays.SHAPES)
PATTERNS = list(nested_arrays.PATTERNS)
SOME = {name: nested_arrays.TYPES[name] for name in ("bool", "int64", "string", "large_string", "uuid", "decimal38", "null")}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_type_is_read_back(shape, tmp_path):
    i = SHAPES.index(shape)
    for k, pattern in enumerate((PATTERNS[i % 7], PATTERNS[(i + 3) % 7])):
        others = ("duckdb", "polars", "ours")[(i + k) % 3]
        wrong = check(tmp_path, i, shape, pattern, CODECS[(2 * i + k) % 6], ("pyarrow", others))
        assert wrong is None
    must_verify(sorted(tmp_path.glob("*.parquet")))


@pytest.mark.parametrize("shape", ["list", "large_list", "struct", "map", "list_of_struct_of_list", "deep"])
@pytest.mark.parametrize("pattern", ["some", "required", "empty_lists", "all"])
def test_levels_are_those_of_pyarrow(shape, pattern, tmp_path):
    """Names, levels, entries and nulls of every leaf."""
    table = nested_arrays.table_of(3, shape, pattern, SOME)
    level1.write(table.to_batches(), table.schema, tmp_path / "a.parquet", {})
    pq.write_table(table, tmp_path / "b.parquet", store_schema=False)
    mine, theirs = (pq.ParquetFile(tmp_path / f"{name}.parquet").metadata for name in "ab")
    assert mine.num_columns == theirs.num_columns
    for i in range(theirs.num_columns):
        for what in ("path", "max_definition_level", "max_repetition_level", "physical_type", "converted_type"):
            assert getattr(mine.schema.column(i), what) == getattr(theirs.schema.column(i), what)
        a, b = mine.row_group(0).column(i), theirs.row_group(0).column(i)
        assert (a.path_in_schema, a.num_values) == (b.path_in_schema, b.num_values)
        if b.statistics is not None and b.statistics.has_null_count:
            assert a.statistics.null_count == b.statistics.null_count
            if b.statistics.has_min_max and a.statistics.has_min_max:
                assert (a.statistics.min, a.statistics.max) == (b.statistics.min, b.statistics.max)


def written(path, batches, schema, **options):
    level1.write(batches, schema, path, {"overwrite": True, "arrow_schema": "never", **options})
    return pathlib.Path(path).read_bytes()


def lists(n, t=pa.int64(), seed=1):
    made = nested_arrays.Maker(seed, nested_arrays.Pattern(nulls=0.2, rows=n))
    return made.list(lambda k: made.leaf(t, k), n)


@pytest.mark.parametrize("t", [pa.int64(), pa.string(), pa.bool_(), pa.float32()], ids=str)
@pytest.mark.parametrize("options", [{}, {"page_size": 100}, {"page_rows": 7}, {"row_group_size": 333}, {"row_group_bytes": 9000, "page_size": 900}], ids=str)
def test_the_same_rows_are_the_same_bytes(t, options, tmp_path):
    """However they come: in batches, in one or in many threads, as lists or as views of them."""
    array = lists(2000, t)
    rows = array.to_pylist()
    schema = pa.schema([("c", array.type)])
    due = written(tmp_path / "a.parquet", [pa.record_batch([array], schema)], schema, **options)
    parts = [pa.record_batch([array.slice(at, 77)], schema) for at in range(0, 2000, 77)]
    assert written(tmp_path / "b.parquet", parts, schema, n_threads=3, **options) == due
    for kind in (pa.large_list(t), pa.list_view(t)):
        other = pa.array(rows, kind)
        assert written(tmp_path / "c.parquet", [pa.record_batch([other], ["c"])], pa.schema([("c", kind)]), **options) == due
    must_verify([tmp_path / "a.parquet"])
    assert nested_arrays.difference(pq.read_table(tmp_path / "a.parquet")["c"], array) is None


@pytest.mark.parametrize("distinct", [3, 400, 30000])
@pytest.mark.parametrize("t", [pa.string(), pa.string_view(), pa.int32(), pa.binary(3), pa.bool_(), pa.decimal128(20, 2)], ids=str)
def test_dictionaries_and_runs_are_the_values_that_they_stand_for(t, distinct, tmp_path):
    """The same bytes as of the values themselves: dictionaries with values that come twice and nulls, another one in every batch."""
    rng = np.random.default_rng(distinct)
    batches, plain, runs = [], [], []
    for k in range(3):
        values = [f"value {i // 2}" if i % 7 else None for i in range(k, distinct + k)]
        values = [v if v is None else int(v[6:]) for v in values] if not pa.types.is_string(t) and t != pa.string_view() else values
        if t == pa.binary(3):
            values = [v if v is None else v.to_bytes(3, "big") for v in values]
        dictionary = pa.array([v if v is None else v % 2 == 0 for v in values] if t == pa.bool_() else values, t)
        indices = pa.array(np.sort(rng.integers(0, distinct, 20000)) if k == 1 else rng.integers(0, distinct, 20000))
        indices = pc.if_else(pa.array(rng.random(20000) < 0.05), None, indices).cast(pa.int32())
        listed = dictionary.to_pylist()
        picked = pa.array([None if i is None else listed[i] for i in indices.to_pylist()], t)
        batches.append(pa.record_batch([pa.DictionaryArray.from_arrays(indices, dictionary)], ["c"]))
        plain.append(pa.record_batch([picked], ["c"]))
        ends = pa.array(np.arange(1, 20001, dtype=np.int32))
        runs.append(pa.record_batch([pa.RunEndEncodedArray.from_arrays(ends, picked)], ["c"]))
    due = written(tmp_path / "a.parquet", plain, plain[0].schema)
    assert written(tmp_path / "b.parquet", batches, batches[0].schema) == due
    assert written(tmp_path / "c.parquet", runs, runs[0].schema) == due


@pytest.mark.parametrize("runs", [False, True], ids=["dictionary", "runs"])
def test_rows_of_dictionaries_are_not_hashed(runs, tmp_path):
    """Each value is looked at once: to hash, or to compare, that of every row would be to read 60 GB."""
    n, texts = 3_000_000, pa.array([chr(97 + i) * 20000 for i in range(20)])
    indices = np.arange(n, dtype=np.int32) // (n // 20) if runs else np.arange(n, dtype=np.int32) % 20
    array = pa.DictionaryArray.from_arrays(pa.array(indices), texts)
    if runs:
        array = pa.RunEndEncodedArray.from_arrays(pa.array(np.arange(1, 21, dtype=np.int32) * (n // 20)), texts)
    batch = pa.record_batch([array], ["c"])
    before = sum(os.times()[:2])
    written(tmp_path / "a.parquet", [batch], batch.schema)
    assert sum(os.times()[:2]) - before < 2.5
    read = pq.read_table(tmp_path / "a.parquet", read_dictionary=["c"])["c"]
    places = {text: i for i, text in enumerate(texts.to_pylist())}
    got = [np.array([places[v] for v in chunk.dictionary.to_pylist()])[chunk.indices.to_numpy()] for chunk in read.chunks]
    assert np.array_equal(np.concatenate(got), indices)


def first_repetition_levels(path):
    """Of each data page of the only leaf of a file without a codec; levels are of one bit."""
    data, first = path.read_bytes(), []
    for group in range(pq.read_metadata(path).num_row_groups):
        chunk = pq.read_metadata(path).row_group(group).column(0)
        at = chunk.data_page_offset
        end = (chunk.dictionary_page_offset or at) + chunk.total_compressed_size
        while at < end:
            header, body = thrift_file.read_struct(data, at)
            _, run = thrift_file.read_varint(data, body + 4)
            first.append(data[run] & 1)  # the value of a run, or the first of many
            at = body + header[3].value
    return first


@pytest.mark.parametrize("t, distinct", [(pa.bool_(), 2), (pa.int64(), 3), (pa.int64(), 10**9), (pa.string(), 10**9)], ids=str)
@pytest.mark.parametrize("options", [{"page_size": 100}, {"page_rows": 3}, {"page_size": 1}], ids=str)
def test_pages_end_between_rows(t, distinct, options, tmp_path):
    rng = np.random.default_rng(5)
    items = [rng.integers(0, distinct, n) for n in rng.integers(0, 60, 300)]
    rows = [[str(i) if t == pa.string() else bool(i) if t == pa.bool_() else int(i) for i in row] for row in items]
    path = tmp_path / "a.parquet"
    batch = pa.record_batch([pa.array(rows, pa.list_(t))], ["c"])
    written(path, [batch], batch.schema, compression="none", **options)
    levels = first_repetition_levels(path)
    assert len(levels) > 10 and not any(levels)
    assert pq.read_table(path)["c"].to_pylist() == rows


def test_a_row_may_be_long(tmp_path):
    """It is one page, whatever the limits."""
    rows = [[1, 2], list(range(3_000_000)), None, [3]]
    table = pa.table({"c": pa.array(rows, pa.list_(pa.int32()))})
    level1.write(table.to_batches(), table.schema, tmp_path / "a.parquet", {"verify": True, "page_size": 1000})
    assert pq.read_table(tmp_path / "a.parquet").equals(table.cast(pq.read_schema(tmp_path / "a.parquet")))
    assert duckdb.sql(f"SELECT len(c) FROM '{tmp_path}/a.parquet'").fetchall() == [(2,), (3_000_000,), (None,), (1,)]
    must_verify([tmp_path / "a.parquet"])


def refused(batch, schema, path, says):
    batch = pa.RecordBatch.from_arrays(batch.columns, schema=schema)
    with pytest.raises(level1.Failure, match=says):
        level1.write([batch.slice(0, 2), batch.slice(2)], schema, path / "a.parquet", {})
    assert list(path.iterdir()) == []


def test_what_may_not_be_is_named_with_its_row(tmp_path):
    batch = pa.record_batch({"c": pa.array([[1], [], [1, 2], None, [3, None]], pa.list_(pa.int32()))})
    items = pa.list_(pa.field("item", pa.int32(), False))
    wrong = pa.Array.from_buffers(items, 5, batch["c"].buffers()[:2], children=[batch["c"].values])
    refused(pa.record_batch([wrong], ["c"]), pa.schema([("c", items)]), tmp_path, r"column 'c\.list\.element', row 5: a null where")
    times = pa.array([[1], [2, 3], [86401 * 10**6, 4]], pa.list_(pa.time64("us")))
    refused(pa.record_batch([times], ["c"]), pa.schema([("c", times.type)]), tmp_path, "row 3: the time is not within a day")
    end = pa.array([1, 86399, 86400], pa.time32("s"))
    refused(pa.record_batch([end], ["c"]), pa.schema([("c", end.type)]), tmp_path, "row 3: the time is not within a day")
    bytes_ = pa.array([[b"a"], None, [b"b", b"\xff"]], pa.list_(pa.binary()))
    texts = pa.Array.from_buffers(pa.list_(pa.string()), 3, bytes_.buffers()[:2], children=[bytes_.values.view(pa.string())])
    refused(pa.record_batch([texts], ["c"]), pa.schema([("c", texts.type)]), tmp_path, "row 3: byte 1 of the text is not UTF-8")
    words = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0, 1], pa.int8()), pa.array(["a", None]))
    refused(pa.record_batch([words], ["c"]), pa.schema([pa.field("c", words.type, False)]), tmp_path, "column 'c', row 2: a null where")


def test_readers_are_all_there():
    assert set(readers()) == {"pyarrow", "duckdb", "polars", "ours"}
