"""Every cell of every file, as pyarrow, DuckDB and Polars read it."""

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import expected

DUCKDB_TYPES = {
    "bool": "BOOLEAN",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "float32": "FLOAT",
    "float64": "DOUBLE",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMP WITH TIME ZONE",
    "string": "VARCHAR",
}
POLARS_TYPES = {
    "null": pl.Int32(),  # of the logical type UNKNOWN Polars takes no notice, whoever wrote it
    "bool": pl.Boolean(),
    "int32": pl.Int32(),
    "int64": pl.Int64(),
    "float32": pl.Float32(),
    "float64": pl.Float64(),
    "date": pl.Date(),
    "timestamp": pl.Datetime("us"),
    "timestamptz": pl.Datetime("us", "UTC"),
    "string": pl.String(),
}


def test_pyarrow(case):
    table = pq.read_table(case.path, page_checksum_verification=True)
    assert table.schema == pa.schema([pa.field(c.name, expected.ARROW[c.type], c.nullable) for c in case.columns])
    assert expected.difference(table, case.columns) is None


@pytest.fixture(scope="module")
def db():
    with duckdb.connect() as connection:
        connection.sql("SET TimeZone = 'UTC'")
        yield connection


def test_duckdb(case, db):
    relation = db.sql(f"SELECT * FROM read_parquet('{case.path}')")
    types = {c.name: DUCKDB_TYPES.get(c.type) for c in case.columns}
    assert {n: str(t) for n, t in zip(relation.columns, relation.types) if types[n]} == {n: t for n, t in types.items() if t}
    assert expected.difference(relation.to_arrow_table(), case.columns) is None


def test_polars(case):
    frame = pl.read_parquet(case.path)
    assert dict(frame.schema) == {c.name: POLARS_TYPES[c.type] for c in case.columns}
    assert expected.difference(frame.to_arrow(), case.columns) is None


def test_row_groups_are_found_by_statistics(case_named, db):
    """DuckDB and Polars skip row groups by their statistics: no row may get lost."""
    case = case_named("rows60001-zstd")
    checked = 0
    for column in case.columns:
        if column.type not in ("int32", "int64", "date", "timestamp", "string"):
            continue
        array = column.typed().drop_null()
        for value in {array[0].as_py(), array[-1].as_py(), array[len(array) // 2].as_py()}:
            due = column.typed().to_pylist().count(value)
            name = column.name
            got = db.execute(f'SELECT count(*) FROM read_parquet(?) WHERE "{name}" = ?', [case.path, value]).fetchone()
            assert got == (due,), (name, value)
            frame = pl.scan_parquet(case.path).filter(pl.col(name) == pl.lit(value)).select(pl.len()).collect()
            assert frame.item() == due, (name, value)
            checked += 1
    assert checked > 50


def test_threads_and_batches_do_not_change_a_byte(case_named):
    with open(case_named("rows60001-zstd").path, "rb") as a, open(case_named("rows60001-zstd-again").path, "rb") as b:
        assert a.read() == b.read()


def test_a_changed_byte_is_noticed(case_named, inspect, tmp_path):
    """Checksums are there, and of every page."""
    case = case_named("rows7-none")
    data = bytearray(open(case.path, "rb").read())
    meta = pq.ParquetFile(case.path).metadata.row_group(0)
    damaged = tmp_path / "damaged.parquet"
    for i in range(0, meta.num_columns, 7):
        chunk = meta.column(i)
        last = (chunk.dictionary_page_offset or chunk.data_page_offset) + chunk.total_compressed_size - 1
        data[last] ^= 0x40
        damaged.write_bytes(data)
        data[last] ^= 0x40
        with pytest.raises(OSError, match="(?i)crc|checksum"):
            pq.read_table(damaged, columns=[chunk.path_in_schema], page_checksum_verification=True)
        found = inspect(damaged, 7)
        assert found["error"] == 3 and "checksum" in found["message"] and chunk.path_in_schema in found["message"]
