"""dn_parquet_inspect() on our own files and on those of pyarrow, DuckDB and Polars."""

import itertools

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import expected

CODEC_WORDS = {"UNCOMPRESSED": "none", "LZ4": "lz4_raw"}


def check_document(found, path):
    """Against what pyarrow says of the same file."""
    meta = pq.ParquetFile(path).metadata
    assert "error" not in found, found
    assert found["record_count"] == meta.num_rows
    assert found["created_by"] == meta.created_by
    assert [c["name"] for c in found["schema"]] == [meta.schema.column(i).path for i in range(meta.num_columns)]
    assert [c["physical_type"] for c in found["schema"]] == [
        meta.schema.column(i).physical_type for i in range(meta.num_columns)
    ]
    assert [c["nullable"] for c in found["schema"]] == [
        meta.schema.column(i).max_definition_level > 0 for i in range(meta.num_columns)
    ]
    assert len(found["row_groups"]) == meta.num_row_groups
    for g, group in enumerate(found["row_groups"]):
        assert group["rows"] == meta.row_group(g).num_rows
        assert group["bytes"] == sum(c["compressed_bytes"] for c in group["columns"])
        for i, column in enumerate(group["columns"]):
            chunk = meta.row_group(g).column(i)
            assert column["name"] == chunk.path_in_schema
            assert column["codec"] == CODEC_WORDS.get(chunk.compression, chunk.compression.lower())
            assert sorted(column["encodings"]) == sorted(set(chunk.encodings))
            assert column["compressed_bytes"] == chunk.total_compressed_size
            assert column["uncompressed_bytes"] == chunk.total_uncompressed_size
            s = chunk.statistics
            has_nulls = s is not None and s.has_null_count
            assert column["null_count"] == (s.null_count if has_nulls else None)
            if s is None or not s.has_min_max:
                assert column["min"] is None and column["max"] is None
            elif isinstance(s.min_raw, int):
                kind = found["schema"][i]["type"]
                assert [column["min"], column["max"]] == [expected.SHOW[kind](v) for v in (s.min_raw, s.max_raw)]
            elif isinstance(s.min, str) and len(s.min.encode()) <= 64 and len(s.max.encode()) <= 64:
                assert [column["min"], column["max"]] == [s.min, s.max]


OWN = ["rows0-none", "rows1-zstd", "rows7-brotli-9", "rows1500-none", "rows1500-snappy", "rows1500-gzip",
       "rows1500-brotli", "rows1500-zstd", "rows1500-lz4_raw"]  # fmt: skip


@pytest.mark.parametrize("name", OWN)
def test_own_files(name, case_named, inspect):
    case = case_named(name)
    found = inspect(case.path, 100000)
    check_document(found, case.path)
    assert [c["type"] for c in found["schema"]] == [c.type for c in case.columns]
    logical = {"string": "string", "date": "date", "timestamp": "timestamp[us]", "timestamptz": "timestamp[us, UTC]"}
    for said, column in zip(found["schema"], case.columns):
        if column.type in logical:
            assert said["logical_type"] == logical[column.type]
    if case.rows > 0:
        assert expected.json_difference(found["rows"], case.columns, case.rows) is None
    else:
        assert "rows" in found and found["rows"] == []


@pytest.fixture(scope="module")
def table():
    """The cells of the middle data set with their types; `columns` are the same for comparing."""
    from conftest import load_case

    columns = load_case("rows1500-none").columns
    # the others have no text with 64-bit offsets in files, and one string column is like another
    columns = [c for c in columns if not c.name.startswith("string64")]
    arrays = [c.typed().cast(pa.string()) if c.type == "string" else c.typed() for c in columns]
    fields = [pa.field(c.name, expected.ARROW[c.type], c.nullable) for c in columns]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields)), columns


PYARROW = [
    {"compression": codec, "use_dictionary": dictionary, **more}
    for (codec, dictionary), more in zip(
        itertools.product(["none", "snappy", "gzip", "brotli", "zstd", "lz4"], [True, False]),
        itertools.cycle(
            [
                {},
                {"data_page_size": 700, "write_batch_size": 50},
                {"row_group_size": 400, "write_page_checksum": True, "write_page_index": True},
                {"dictionary_pagesize_limit": 300, "write_batch_size": 30, "version": "1.0"},
            ]
        ),
    )
]


@pytest.mark.parametrize("options", PYARROW, ids=lambda o: "-".join(map(str, o.values())))
def test_files_of_pyarrow(options, table, inspect, tmp_path):
    path = tmp_path / "pyarrow.parquet"
    data, columns = table
    pq.write_table(data, path, data_page_version="1.0", **options)
    found = inspect(path, 1500)
    check_document(found, path)
    assert expected.json_difference(found["rows"], columns, 1500) is None


POLARS_CODECS = ["uncompressed", "snappy", "gzip", "zstd", "brotli", "lz4"]


def check_polars(table, inspect, path, **options):
    data, columns = table
    pl.from_arrow(data).write_parquet(path, **options)
    found = inspect(path, 1500)
    check_document(found, path)
    assert expected.json_difference(found["rows"], columns, 1500) is None


@pytest.mark.parametrize("codec", POLARS_CODECS)
def test_files_of_polars(codec, table, inspect, tmp_path):
    check_polars(table, inspect, tmp_path / "polars.parquet", compression=codec)
