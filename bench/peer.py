"""One measured operation of one peer, in a process of its own: peer.py PEER TASK SRC DST -> one JSON line.

The clock starts after the imports, so a peer is not charged for Python's start; ours is measured as a whole process.
"""
import json
import pathlib
import resource
import sys
import time

BATCH = 100_000
RECORDS = 10_000


def duckdb_run(task, src, dst, ordered):
    import duckdb

    yield
    con = duckdb.connect()
    con.execute("SET threads = 2")
    con.execute(f"SET preserve_insertion_order = {'true' if ordered else 'false'}")
    query = f"SELECT * FROM read_{'parquet' if task.startswith('drain') else 'csv'}('{src}')"
    if task == "read" or task.startswith("drain"):
        for _ in con.sql(query).to_arrow_reader(BATCH):
            pass
    elif task == "json":
        con.execute(f"COPY ({query}) TO '/dev/null' (FORMAT json, ARRAY true)")
    else:
        con.execute(f"COPY ({query}) TO '{dst}' (FORMAT parquet, COMPRESSION {task})")


def polars_run(task, src, dst):
    import polars

    yield
    if task.startswith("drain"):
        for frame in polars.scan_parquet(src).collect_batches(chunk_size=BATCH, maintain_order=True, lazy=True):
            frame.to_arrow()
    elif task == "read":
        polars.read_csv(src, try_parse_dates=True)
    elif task == "json":
        frame = polars.read_csv(src, try_parse_dates=True)
        for at in range(0, frame.height, RECORDS):
            frame.slice(at, RECORDS).write_json()
    else:
        polars.scan_csv(src, try_parse_dates=True).sink_parquet(dst, compression=task)


def pyarrow_run(task, src, dst):
    import pyarrow.csv
    import pyarrow.parquet

    # the reader cuts at any line end unless told that values hold some
    parse = pyarrow.csv.ParseOptions(newlines_in_values=True)
    yield
    if task.startswith("drain"):
        for _ in pyarrow.parquet.ParquetFile(src).iter_batches(BATCH):
            pass
        return
    reader = pyarrow.csv.open_csv(src, parse_options=parse)
    if task == "read":
        for _ in reader:
            pass
    elif task == "json":
        for batch in reader:
            for at in range(0, batch.num_rows, RECORDS):
                json.dumps(batch.slice(at, RECORDS).to_pylist(), default=str)
    else:
        with pyarrow.parquet.ParquetWriter(dst, reader.schema, compression=task) as writer:
            for batch in reader:
                writer.write_batch(batch)


# The columns of the shapes that all others find to be dates, and pandas to be text unless it is told.
DATES = {"lineitem": ["l_shipdate", "l_commitdate", "l_receiptdate"], "quoted": ["day"]}


def pandas_run(task, src, dst):
    import pandas

    yield
    if task.startswith("drain"):
        pandas.read_parquet(src)
    elif task == "json":
        for frame in pandas.read_csv(src, chunksize=RECORDS):
            frame.to_json(orient="records")
    else:
        frame = pandas.read_csv(src, parse_dates=DATES.get(pathlib.Path(src).name.partition("_")[0], False))
        if task != "read":
            frame.to_parquet(dst, compression=task)


def plugin_json(src, library):
    """Ours through Level 0, called the way the Python host calls it."""
    import ctypes

    lib = ctypes.CDLL(library)
    for name in ("create_reader", "extract_batch"):
        getattr(lib, name).restype = ctypes.c_void_p
    lib.create_reader.argtypes = [ctypes.c_char_p]
    for name in ("extract_batch", "free_reader", "free_string"):
        getattr(lib, name).argtypes = [ctypes.c_void_p]
    config = {"type": "csv", "files": [{"path": src}], "engine": {"options": {"chunk_size": RECORDS}}}
    yield
    reader = lib.create_reader(json.dumps(config).encode())
    while True:
        text = lib.extract_batch(reader)
        if not text:
            break
        if ctypes.string_at(text, 1) != b"[":
            raise SystemExit(ctypes.string_at(text).decode())
        lib.free_string(text)
    lib.free_reader(reader)


def main():
    peer, task, src, dst = sys.argv[1:5]
    runs = {
        "duckdb": lambda: duckdb_run(task, src, dst, True),
        "duckdb-unordered": lambda: duckdb_run(task, src, dst, False),
        "polars": lambda: polars_run(task, src, dst),
        "pyarrow": lambda: pyarrow_run(task, src, dst),
        "pandas": lambda: pandas_run(task, src, dst),
        "dativo": lambda: plugin_json(src, dst),
    }
    run = runs[peer]()
    next(run)
    before = resource.getrusage(resource.RUSAGE_SELF)
    started = time.perf_counter()
    next(run, None)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"wall": wall, "cpu": cpu}))


if __name__ == "__main__":
    main()
