"""The extension dativo.rejects/1: rows that were set aside, as Arrow, beside the rows."""

import ctypes
import json

import pyarrow as pa

import level1


def stream_of(function, handle, error):
    stream = (ctypes.c_uint8 * 40)()
    level1.checked(function(handle, ctypes.addressof(stream), ctypes.addressof(error)), error)
    return pa.RecordBatchReader._import_from_c(ctypes.addressof(stream))


def open_reader(path, options):
    plugin = level1.load("csv_reader")
    table = level1.Table(plugin, b"dativo.reader/1", level1.READER)
    rejects = level1.Table(plugin, b"dativo.rejects/1", ["stream"])
    error = level1.Error(struct_size=ctypes.sizeof(level1.Error))
    config = json.dumps({"files": [{"path": str(path)}], "engine": {"options": options}}).encode()
    handle = ctypes.c_void_p()
    level1.checked(table.open_reader(config, None, ctypes.addressof(handle), ctypes.addressof(error)), error)
    return table, rejects, handle, error


def test_rows_and_rejects_side_by_side(tmp_path):
    n = 30_000
    wrong = set(range(7, n, 1000))
    (tmp_path / "in.csv").write_text("a,b\n" + "".join(f"{i},x\n" if i not in wrong else f"{i}\n" for i in range(n)))
    table, rejects, handle, error = open_reader(tmp_path / "in.csv", {"max_rejects": n, "block_bytes": 10_000})
    aside = stream_of(rejects.stream, handle, error)
    rows = stream_of(table.stream, handle, error)
    seen, kept, n_early = [], [], 0
    for batch in rows:
        kept += batch.column(0).to_pylist()
        got = aside.read_next_batch()
        seen += got.to_pylist()
        n_early += got.num_rows
    for batch in aside:
        seen += batch.to_pylist()
    assert n_early > 0, "they come as the rows do"
    assert kept == [i for i in range(n) if i not in wrong]
    assert [(s["line"], s["row"], s["code"], s["column"], s["expected"], s["raw"]) for s in seen] == [
        (i + 2, i + 1, "fields", None, "2 fields", str(i)) for i in sorted(wrong)]
    assert rejects.stream(handle, ctypes.addressof((ctypes.c_uint8 * 40)()), ctypes.addressof(error)) != 0 and b"taken already" in error.message
    aside.close()
    rows.close()
    table.close(handle)


def test_where_nothing_is_set_aside_there_is_no_stream(tmp_path):
    (tmp_path / "in.csv").write_text("a\n1\n")
    table, rejects, handle, error = open_reader(tmp_path / "in.csv", {})
    assert rejects.stream(handle, ctypes.addressof((ctypes.c_uint8 * 40)()), ctypes.addressof(error)) != 0
    assert b"max_rejects" in error.message
    table.close(handle)
