"""One peer reads a table into Parquet, zstd, as its documentation has it: postgres_peer.py TOOL DSN TABLE KEY THREADS OUT."""
import sys


def duckdb(dsn, table, _key, threads, out):
    import duckdb as library
    import importlib.util
    import pathlib

    package = pathlib.Path(importlib.util.find_spec("duckdb_extension_postgres_scanner").origin).parent
    extension = package / f"extensions/v{library.__version__}/postgres_scanner.duckdb_extension"
    db = library.connect()
    db.execute(f"SET threads = {threads}")
    db.execute("SET preserve_insertion_order = false")  # its faster mode
    db.execute(f"LOAD '{extension}'")
    db.execute(f"ATTACH '{dsn}' AS pg (TYPE postgres, READ_ONLY)")
    db.execute(f"COPY (SELECT * FROM pg.{table}) TO '{out}' (FORMAT parquet, COMPRESSION zstd)")


def adbc(dsn, table, _key, _threads, out):
    import adbc_driver_postgresql.dbapi as driver
    import pyarrow.parquet as parquet

    with driver.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table}")
        reader = cursor.fetch_record_batch()
        with parquet.ParquetWriter(out, reader.schema, compression="zstd") as writer:
            for batch in reader:
                writer.write_batch(batch)


def connectorx(dsn, table, key, threads, out):
    import connectorx as library
    import pyarrow.parquet as parquet

    result = library.read_sql(dsn, f"SELECT * FROM {table}", return_type="arrow", partition_on=key, partition_num=int(threads))
    parquet.write_table(result, out, compression="zstd")


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
