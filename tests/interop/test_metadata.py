"""What the footers say: layout, row groups, encodings, statistics recomputed from the cells; and the manifest."""

import json
import math
import os
import re
import struct

import duckdb
import pyarrow.parquet as pq

import expected

PHYSICAL = {
    "null": "INT32",
    "bool": "BOOLEAN",
    "int32": "INT32",
    "int64": "INT64",
    "float32": "FLOAT",
    "float64": "DOUBLE",
    "date": "INT32",
    "timestamp": "INT64",
    "timestamptz": "INT64",
    "string": "BYTE_ARRAY",
}
CODECS = {"none": "UNCOMPRESSED", "lz4_raw": "LZ4"}
BOUND_BYTES = 64


def float_bounds(values, type_name):
    """No bounds if there is a NaN; zeros widened so that both zeros lie inside."""
    form = ("<f", "<I") if type_name == "float32" else ("<d", "<Q")
    floats = [struct.unpack(form[0], struct.pack(form[1], v))[0] for v in values]
    if not floats or any(math.isnan(f) for f in floats):
        return None
    low, high = min(floats), max(floats)
    return (-0.0 if low == 0 else low), (0.0 if high == 0 else high)


def bounds(column, at, n):
    values = [v for v in column.values[at : at + n] if v is not None]
    if not values:
        return None
    if column.type in ("float32", "float64"):
        return float_bounds(values, column.type)
    if column.type == "string":
        values = [v.encode() for v in values]
    return min(values), max(values)


def check_text_bounds(got_min, got_max, low, high, name):
    if len(low) <= BOUND_BYTES:
        assert got_min == low, name
    else:
        assert BOUND_BYTES - 3 <= len(got_min) <= BOUND_BYTES and low.startswith(got_min), name
        got_min.decode()  # cut between characters
    if len(high) <= BOUND_BYTES:
        assert got_max == high, name
    else:
        assert len(got_max) <= BOUND_BYTES and got_max > high, name
        got_max.decode()


def gives_bounds(column, slices):
    """A row group that has values but no bounds takes them from all row groups of the column."""
    return all(
        bounds(column, at, n) is not None or all(v is None for v in column.values[at : at + n]) for at, n in slices
    )


def check_statistics(chunk, column, at, n, given):
    s = chunk.statistics
    due = bounds(column, at, n) if given else None
    name = column.name
    assert s is not None, name
    assert s.has_null_count and s.null_count == column.values[at : at + n].count(None), name
    assert s.has_min_max == (due is not None), name
    if due is None:
        return
    if column.type == "string":
        check_text_bounds(s.min_raw, s.max_raw, due[0], due[1], name)
    else:
        assert [expected.bits(v) for v in (s.min_raw, s.max_raw)] == [expected.bits(v) for v in due], name


def check_chunk(chunk, column, n):
    assert chunk.path_in_schema == column.name
    assert chunk.physical_type == PHYSICAL[column.type]
    assert chunk.num_values == n
    start = chunk.data_page_offset
    assert chunk.has_dictionary_page == ("RLE_DICTIONARY" in chunk.encodings)
    if chunk.has_dictionary_page:
        assert column.type != "bool"
        assert chunk.dictionary_page_offset < start
        start = chunk.dictionary_page_offset
        assert set(chunk.encodings) == {"PLAIN", "RLE", "RLE_DICTIONARY"}
    else:
        assert set(chunk.encodings) == {"PLAIN", "RLE"}
    return start


def test_footer(case):
    meta = pq.ParquetFile(case.path).metadata
    assert re.fullmatch(r"dativo-native version \d+\.\d+\.\d+ \(build [^)]+\)", meta.created_by)
    assert meta.num_rows == case.rows
    assert meta.num_columns == len(case.columns)
    slices = case.group_slices()
    assert meta.num_row_groups == len(slices)  # and none that is empty
    given = [gives_bounds(column, slices) for column in case.columns]
    end = 4
    for g, (at, n) in enumerate(slices):
        group = meta.row_group(g)
        assert group.num_rows == n
        for i, column in enumerate(case.columns):
            chunk = group.column(i)
            assert chunk.compression == CODECS.get(case.codec.split(":")[0], case.codec.split(":")[0].upper())
            assert check_chunk(chunk, column, n) == end  # without gaps
            end += chunk.total_compressed_size
            check_statistics(chunk, column, at, n, given[i])
        assert group.total_byte_size == sum(group.column(i).total_uncompressed_size for i in range(group.num_columns))
    assert end + meta.serialized_size + 8 == os.path.getsize(case.path)
    # text bounds are believed only where a column order says how texts compare
    if case.rows == 1500:
        name = next(c.name for c in case.columns if c.type == "string" and not c.nullable)
        chunk = meta.row_group(0).column([c.name for c in case.columns].index(name))
        assert chunk.statistics.has_min_max and isinstance(chunk.statistics.min, str)


def test_schema_of_other_readers(case_named):
    """Converted types are there too, for readers that know nothing else."""
    case = case_named("rows7-none")
    rows = duckdb.sql(f"SELECT name, repetition_type, converted_type FROM parquet_schema('{case.path}')").fetchall()
    # a timestamp without zone has no converted type: old readers would take it for UTC
    converted = {"string": "UTF8", "date": "DATE", "timestamptz": "TIMESTAMP_MICROS"}
    kinds = {name: (repetition, conv) for name, repetition, conv in rows[1:]}
    for c in case.columns:
        repetition, conv = kinds[c.name]
        assert repetition == ("OPTIONAL" if c.nullable else "REQUIRED")
        if c.type in converted:
            assert conv == converted[c.type], c.name
        else:
            assert conv in (None, "INT_32", "INT_64"), c.name


def test_cut_text_bounds_are_marked(case_named):
    case = case_named("rows1500-none")
    rows = duckdb.sql(f"""SELECT path_in_schema, stats_min_value, stats_max_value, min_is_exact, max_is_exact
                          FROM parquet_metadata('{case.path}')""").fetchall()
    found = {name: rest for name, *rest in rows}
    cut = 0
    for c in case.columns:
        due = bounds(c, 0, 1500) if c.type == "string" else None
        if due is None:
            continue
        _, _, min_exact, max_exact = found[c.name]
        assert min_exact == (len(due[0]) <= BOUND_BYTES), c.name
        assert max_exact == (len(due[1]) <= BOUND_BYTES), c.name
        cut += not max_exact
    assert cut > 0


def test_both_encodings_happen(case_named):
    case = case_named("rows60001-none")
    group = pq.ParquetFile(case.path).metadata.row_group(0)
    by_dictionary = {c.name: group.column(i).has_dictionary_page for i, c in enumerate(case.columns)}
    n_low = n_high = 0
    for c in case.columns:
        variety = c.name.rsplit("_", 1)[1]
        if c.type in ("bool", "null"):
            continue
        if variety == "low":
            assert by_dictionary[c.name], c.name
            n_low += 1
        if variety == "high" and c.type not in ("date",):
            assert not by_dictionary[c.name], c.name
            n_high += 1
    assert n_low >= 8 and n_high >= 8


def test_manifest(case):
    m = case.manifest
    assert m["path"] == case.path
    assert m["size_bytes"] == os.path.getsize(case.path)
    assert m["record_count"] == case.rows
    assert [c["name"] for c in m["columns"]] == [c.name for c in case.columns]
    for said, column in zip(m["columns"], case.columns):
        assert said["null_count"] == column.values.count(None), column.name
        due = bounds(column, 0, case.rows)
        if due is None:
            assert said["min"] is None and said["max"] is None, column.name
        elif column.type == "string":
            check_text_bounds(said["min"].encode(), said["max"].encode(), *due, column.name)
        elif column.type in ("float32", "float64"):
            shown = [json.dumps(said[k]) for k in ("min", "max")]
            assert shown == [json.dumps(expected.show_float(v)) for v in due], column.name
        else:
            assert [said["min"], said["max"]] == [expected.SHOW[column.type](v) for v in due], column.name
