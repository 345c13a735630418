"""What every plugin keeps to whatever it reads or writes: progress, cancelling, fork, several hosts in a process, thousands of handles."""

import json
import os
import pathlib
import tempfile
import threading

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
import stock_host
from plugin_host import (CANCELLED, Failure, Reader, Writer, cancel_is_told, fork_is_refused, forks, hosts_do_not_meet, in_child,
                         progress_grows, stays_flat)
from stock_host import PARQUET_READER, PLUGINS, READER, WRITER, StockReader, StockWriter, assert_loud, load, reader_config, take, writer_config

CSV_WRITER = PLUGINS / "libcsv_writer_plugin.so"
N = 60_000
TABLE = pa.table({"id": pa.array(range(N)), "text": pa.array([f"text number {i % 977}" for i in range(N)])})
READERS, WRITERS = {"csv": READER, "parquet": PARQUET_READER}, {"csv": CSV_WRITER, "parquet": WRITER}
SCHEMA = [{"name": "id", "type": "integer"}, {"name": "text", "type": "string"}]


def put(folder, kind, table=TABLE, name="a"):
    path = folder / f"{name}.{kind}"
    if kind == "csv":
        pacsv.write_csv(table, path)
    else:
        pq.write_table(table, path, row_group_size=5000)
    return path


def config_of(kind, path, **options):
    return reader_config(path, type=kind, options=options or None)


@pytest.fixture(params=READERS)
def kind(request):
    return request.param


def small_blocks(kind):
    return {"block_bytes": 4096} if kind == "csv" else {}


# ---- readers, Level 1 ----


def test_progress(tmp_path, kind):
    path = put(tmp_path, kind)
    done, total, rows = progress_grows(READERS[kind], config_of(kind, path), N)
    assert rows == N and done == total > 0
    assert kind == "parquet" or total == path.stat().st_size


def test_cancel(tmp_path, kind):
    cancel_is_told(READERS[kind], config_of(kind, put(tmp_path, kind), **small_blocks(kind)))


@forks
def test_fork(tmp_path, kind):
    fork_is_refused(READERS[kind], config_of(kind, put(tmp_path, kind), **small_blocks(kind)), N)


def test_two_hosts(tmp_path, kind):
    tables = [TABLE, TABLE.slice(7, 20_000)]
    configs = [config_of(kind, put(tmp_path, kind, table, name)) for table, name in zip(tables, "ab")]
    hosts_do_not_meet(READERS[kind], configs, [t.cast(read_alone(READERS[kind], c).schema) for t, c in zip(tables, configs)])


def read_alone(path, config):
    reader = Reader(path, config)
    table = pa.Table.from_batches(reader.batches())
    reader.close()
    return table


def test_splits(tmp_path, kind):
    """Pieces hold every row once, in order, or there is no such function."""
    config = config_of(kind, put(tmp_path, kind))
    whole = Reader(READERS[kind], config)
    pieces = whole.splits(200_000)
    whole.close()
    if pieces is None:
        assert kind == "parquet"
        return
    assert len(pieces) > 2
    tables = []
    for piece in pieces:
        reader = Reader(READERS[kind], config, piece["token"])
        tables.append(pa.Table.from_batches(reader.batches()))
        reader.close()
    assert pa.concat_tables(tables).equals(read_alone(READERS[kind], config))


# ---- readers, Level 0 ----


def test_discover_says_types_and_rows(tmp_path, kind):
    lib = load(READERS[kind])

    def discover(*paths, **options):
        found = json.loads(take(lib, lib.discover(json.dumps(reader_config(*paths, type=kind, options=options)).encode())))
        return found["objects"][0]

    one, other = put(tmp_path, kind), put(tmp_path, kind, TABLE.slice(0, 3), "b")
    found = discover(one)
    assert [(c["name"], c["type"]) for c in found["columns"]] == [("id", "int64"), ("text", "string")]
    assert found["rows"] == N if kind == "parquet" else abs(found["rows"] - N) < N / 10
    assert discover(other)["rows"] == 3  # small files are seen as a whole
    assert discover(other, other)["rows"] == 6
    empty = put(tmp_path, kind, TABLE.slice(0, 0), "c")
    assert discover(empty)["rows"] == 0
    if kind == "csv":
        os.system(f"gzip -k '{one}' '{other}'")
        assert discover(tmp_path / "a.csv.gz")["rows"] is None  # what is behind the sample is not known
        assert discover(tmp_path / "b.csv.gz")["rows"] == 3


def test_both_levels_at_once(tmp_path, kind):
    config = config_of(kind, put(tmp_path, kind))
    plain, columns = StockReader(config, load(READERS[kind])), Reader(READERS[kind], config)
    batches, n = columns.batches(), [0, 0]
    while (text := plain.raw()) is not None:
        n[0] += len(json.loads(text))
        batch = next(batches, None)
        n[1] += batch.num_rows if batch is not None else 0
    n[1] += sum(batch.num_rows for batch in batches)
    columns.close()
    assert n == [N, N]


@forks
def test_level_0_in_a_child(tmp_path, kind):
    config = config_of(kind, put(tmp_path, kind))
    reader = StockReader(config, load(READERS[kind]))
    first = json.loads(reader.raw())

    def child():
        assert_loud(reader.raw(), "invalid")
        assert_loud(reader.raw(), "invalid")
        reader.lib.free_reader(reader.pointer)
        return "" if len(StockReader(config, reader.lib).rows()) == N else "rows are missing"

    assert in_child(child) == ""
    assert len(first) + sum(len(json.loads(text)) for text in iter(reader.raw, None)) == N


def readers_come_and_go(tmp_path, kind, times):
    """Freed at once, in the middle, with an error: memory, files and threads are what they were."""
    lib = load(READERS[kind])
    good = json.dumps(config_of(kind, put(tmp_path, kind, TABLE.slice(0, 5)))).encode()
    bad = json.dumps(config_of(kind, tmp_path / "none")).encode()
    count = iter(range(10**9))

    def one():
        i = next(count)
        config = good if i % 3 else b"{" if i % 2 else bad
        reader = lib.create_reader(config)
        if i % 4 == 1:
            assert take(lib, lib.extract_batch(reader))
        lib.free_reader(reader)

    silent(stays_flat, one, times)


def test_thousands_of_readers(tmp_path, kind):
    readers_come_and_go(tmp_path, kind, 3000)


def silent(work, *args):
    """Errors are logged; thousands of lines are of no use to anybody."""
    saved, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        return work(*args)
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nothing)


# ---- writers ----


def visible(folder):
    return [name for name in os.listdir(folder) if not name.startswith(".")]


@pytest.fixture
def memory_path(tmp_path):
    """A folder in memory, if there is one: a writer's list of files is made durable."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield pathlib.Path(folder)


def writers_come_and_go(tmp_path, what, times):
    lib = load(WRITERS[what])
    good = json.dumps(writer_config(tmp_path, SCHEMA, file_format=what)).encode()
    count = iter(range(10**9))

    def one():
        i = next(count)
        writer = lib.create_writer(good if i % 3 else b"{")
        if i % 500 == 1:
            assert take(lib, lib.write_batch(writer, b'{"records":[{"id":1}],"file_counter":0}'))
        lib.free_writer(writer)

    silent(stays_flat, one, times)
    assert len(visible(tmp_path)) == 1


@pytest.mark.parametrize("what", WRITERS)
def test_thousands_of_writers(memory_path, what):
    writers_come_and_go(memory_path, what, 3000)


@forks
@pytest.mark.parametrize("what", WRITERS)
def test_a_writer_in_a_child(tmp_path, what):
    config = {**writer_config(tmp_path, SCHEMA, file_format=what), "path": str(tmp_path / f"out.{what}")}
    writer = Writer(WRITERS[what], config, TABLE.schema)
    batches = TABLE.to_batches(max_chunksize=10_000)
    writer.append(batches[0])

    def child():
        for call in (lambda: writer.append(batches[1]), writer.finish, writer.commit):
            try:
                call()
                return "a call was accepted"
            except Failure as e:
                if "process" not in str(e):
                    return str(e)
        writer.table.abort(writer.handle)
        writer.close()
        return ""

    assert in_child(child) == ""
    for batch in batches[1:]:
        writer.append(batch)
    assert writer.finish()[0]["record_count"] == N
    writer.commit()
    writer.close()
    assert os.listdir(tmp_path) == [f"out.{what}"]


@forks
@pytest.mark.parametrize("what", WRITERS)
def test_level_0_writers_in_a_child(tmp_path, what):
    config = writer_config(tmp_path, SCHEMA, file_format=what)
    writer = StockWriter(config, load(WRITERS[what]))
    assert writer.write_batch([{"id": 1}], 0)

    def child():
        assert_loud(writer.raw(b'[{"id":2}]'), "invalid")
        assert_loud(take(writer.lib, writer.lib.commit_files(writer.pointer, b"[]")), "invalid")
        writer.lib.free_writer(writer.pointer)
        return ""

    assert in_child(child) == ""
    (entry,) = writer.write_batch([{"id": 3}], 1)
    assert entry["record_count"] == 1
    del writer
    assert len(visible(tmp_path)) == 2


@pytest.mark.parametrize("what", WRITERS)
def test_a_host_that_wants_to_stop_is_heard_by_its_writer_alone(tmp_path, what):
    writers = []
    for name in "ab":
        config = {**writer_config(tmp_path, SCHEMA, file_format=what), "path": str(tmp_path / f"{name}.{what}")}
        writers.append(Writer(WRITERS[what], config, TABLE.schema))
    writers[0].services.stop = True
    failed = []

    def run(writer):
        try:
            for _ in range(20):
                for batch in TABLE.to_batches(max_chunksize=10_000):
                    writer.append(batch)
            writer.finish()
            writer.commit()
        except Failure:
            failed.append((writer, writer.error.code))

    threads = [threading.Thread(target=run, args=(writer,)) for writer in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for writer in writers:
        writer.close()
    assert failed == [(writers[0], CANCELLED)] and os.listdir(tmp_path) == [f"b.{what}"]


@pytest.mark.parametrize("what", WRITERS)
def test_commit_files(tmp_path, what):
    writer = StockWriter(writer_config(tmp_path, SCHEMA, file_format=what), load(WRITERS[what]))
    files = [entry for i in range(3) for entry in writer.write_batch([{"id": i}], i)]

    def commit(value):
        return take(writer.lib, writer.lib.commit_files(writer.pointer, value if isinstance(value, bytes) else json.dumps(value).encode()))

    assert json.loads(commit(files)) == {"files_committed": 3, "success": True}
    assert json.loads(commit({"files": files[:1]}))["files_committed"] == 1
    assert_loud(commit(b"nonsense"), "config")
    assert stock_host.take(writer.lib, writer.lib.last_error(writer.pointer)) is not None
