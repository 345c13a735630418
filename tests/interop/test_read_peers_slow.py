"""As test_read_peers: what DuckDB writes."""

import duckdb
import pytest

from stream import same


DUCKDB_COLUMNS = """
    (i % 100)::TINYINT a, (i % 1000)::SMALLINT b, i::INTEGER c, i::BIGINT d, (i % 200)::UTINYINT e, i::USMALLINT f, i::UINTEGER g,
    i::UBIGINT h, i / 7::FLOAT j, i / 7::DOUBLE k, (i / 7)::DECIMAL(4, 1) l, (i / 3)::DECIMAL(9, 2) m, (i / 3)::DECIMAL(18, 3) n,
    (i / 3)::DECIMAL(38, 4) o, i % 2 = 0 p, 'text number ' || i % 50 q, i::VARCHAR r, encode(i::VARCHAR) s,
    DATE '1970-01-01' + i::INTEGER t, TIME '00:00:00' + to_seconds(i) u, TIMESTAMP '2000-01-01' + to_seconds(i) v,
    (TIMESTAMP '2000-01-01' + to_seconds(i))::TIMESTAMPTZ w, (TIMESTAMP '2000-01-01' + to_seconds(i))::TIMESTAMP_MS x,
    (TIMESTAMP '2000-01-01' + to_seconds(i))::TIMESTAMP_NS y, md5(i::VARCHAR)::UUID z,
    (CASE i % 3 WHEN 0 THEN 'small' WHEN 1 THEN 'medium' ELSE 'large and long' END)::ENUM('small', 'medium', 'large and long') aa,
    json_object('k', i) ab, CASE WHEN i % 5 > 1 THEN i END ac, CASE WHEN i % 7 > 2 THEN 'sometimes a text ' || i END ad, NULL::INTEGER ae
"""


@pytest.mark.parametrize("version", ["V1", "V2"])
@pytest.mark.parametrize("codec", ["snappy", "zstd", "uncompressed", "gzip", "lz4_raw", "brotli"])
def test_files_of_duckdb(tmp_path, version, codec):
    path = tmp_path / "a.parquet"
    duckdb.execute("SET threads = 1")
    duckdb.execute(
        f"COPY (SELECT {DUCKDB_COLUMNS} FROM range(6000) t(i)) TO '{path}' "
        f"(FORMAT parquet, CODEC '{codec}', PARQUET_VERSION {version}, ROW_GROUP_SIZE 2048)"
    )
    same(path)
