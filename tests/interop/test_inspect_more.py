"""As test_inspect: what DuckDB writes, rows over many pages, and many row groups of Polars."""

import duckdb
import pytest

import expected
from test_inspect import POLARS_CODECS, check_document, check_polars, table  # noqa: F401: fixtures, too


def test_own_rows_across_pages_and_row_groups(case_named, inspect):
    case = case_named("rows60001-zstd")
    found = inspect(case.path, 26000)  # the first row group has 25 000, its pages 4096
    check_document(found, case.path)
    assert expected.json_difference(found["rows"], case.columns, 26000) is None


@pytest.mark.parametrize("codec", ["uncompressed", "snappy", "gzip", "zstd", "brotli", "lz4_raw"])
@pytest.mark.parametrize("group_rows", [122880, 2048 // 4])
def test_files_of_duckdb(codec, group_rows, table, inspect, tmp_path):
    path = tmp_path / "duckdb.parquet"
    data, columns = table
    # DuckDB has no column without a type
    columns = [c for c in columns if c.type != "null"]
    data = data.select([c.name for c in columns])
    with duckdb.connect() as db:
        db.sql("SET TimeZone = 'UTC'")
        db.register("data", data)
        db.sql(f"COPY (SELECT * FROM data) TO '{path}' (FORMAT parquet, CODEC {codec}, ROW_GROUP_SIZE {group_rows})")
    found = inspect(path, 1500)
    check_document(found, path)
    assert expected.json_difference(found["rows"], columns, 1500) is None


@pytest.mark.parametrize("codec", POLARS_CODECS)
def test_pieces_of_polars(codec, table, inspect, tmp_path):
    check_polars(table, inspect, tmp_path / "polars.parquet", compression=codec, row_group_size=400, data_page_size=500)
