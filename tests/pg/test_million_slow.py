"""A million generated rows, as TPC-H's lineitem: cell for cell what the server's CSV says, within a budget of memory."""

import re

import duckdb

N = 1_000_000

TABLE = f"""CREATE TABLE lineitem (orderkey int8 NOT NULL, partkey int4, linenumber int2, quantity numeric(15,2) NOT NULL, price numeric(15,2), discount numeric(15,2),
    flag char(1), shipdate date, received timestamptz, mode varchar(10), comment text, ratio float8, open numeric);
INSERT INTO lineitem SELECT i / 4, (i * 7919::int8) % 200000, i % 7, (i % 50)::numeric, (i * 31::int8 % 10000000) / 100.0, (i % 11) / 100.0, chr(65 + i % 3),
    '1992-01-01'::date + (i % 2500), '1992-01-01'::timestamptz + i * interval '17 s', CASE WHEN i % 13 = 0 THEN NULL ELSE 'MODE ' || i % 7 END,
    CASE WHEN i % 17 = 0 THEN '' ELSE repeat('carefully ', i % 6) || i END, i / 7.0::float8, trim_scale((i % 1000) / 8.0) FROM generate_series(1, {N}) i;
ANALYZE lineitem"""


def test_a_million_rows(command, server):
    server.sql(TABLE)
    server.psql("-c", f"\\copy (SELECT * FROM lineitem) TO '{command.folder / 'all.csv'}' WITH (FORMAT csv, NULL '~', FORCE_QUOTE *)")
    peaks = []
    for connections in (1, 3):
        done = command("convert", "-f", "-c", "zstd", "--memory", "128MB", "--reader-option", f"connections={connections}", command.url("lineitem"), "out.parquet")
        text = done.stderr.decode()
        assert done.returncode == 0 and "1,000,000 in = 1,000,000 out" in text, text
        peaks.append(float(re.search(r"memory +([\d.]+) MB", text).group(1)))
        columns = "{'orderkey': 'BIGINT', 'partkey': 'INTEGER', 'linenumber': 'SMALLINT', 'quantity': 'DECIMAL(15,2)', 'price': 'DECIMAL(15,2)', "\
            "'discount': 'DECIMAL(15,2)', 'flag': 'VARCHAR', 'shipdate': 'DATE', 'received': 'TIMESTAMPTZ', 'mode': 'VARCHAR', 'comment': 'VARCHAR', "\
            "'ratio': 'DOUBLE', 'open': 'DECIMAL(6,3)'}"
        theirs = f"read_csv('{command.folder / 'all.csv'}', header=false, nullstr='~', allow_quoted_nulls=false, columns={columns})"
        ours = f"'{command.folder / 'out.parquet'}'"
        types = [str(t) for _, t, *_ in duckdb.sql(f"DESCRIBE SELECT * FROM {ours}").fetchall()]
        assert types == re.findall(r": '(.*?)'", columns.replace("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE")), types
        for a, b in ((ours, theirs), (theirs, ours)):
            assert duckdb.sql(f"SELECT count(*) FROM (SELECT * FROM {a} EXCEPT ALL SELECT * FROM {b})").fetchall() == [(0,)]
        assert duckdb.sql(f"SELECT count(*) FROM {ours}").fetchall() == [(N,)]
    assert max(peaks) < 200, peaks
    server.gone()
