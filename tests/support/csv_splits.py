"""Pieces of a CSV source through the plugin's table, each perhaps read by a process of its own: `python csv_splits.py CONFIG < TOKEN`."""

import ctypes
import json
import os
import pathlib
import subprocess
import sys

import pyarrow as pa

PLUGIN = pathlib.Path(os.environ["DN_PLUGINS"]) / "libcsv_reader_plugin.so"
POINTER = ctypes.c_void_p


class Error(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("code", ctypes.c_int32), ("os_errno", ctypes.c_int32), ("retryable", ctypes.c_int32),
                ("row", ctypes.c_int64), ("line", ctypes.c_int64), ("byte_offset", ctypes.c_int64), ("path", ctypes.c_char * 512),
                ("column", ctypes.c_char * 128), ("expected", ctypes.c_char * 64), ("suggested_type", ctypes.c_char * 32),
                ("message", ctypes.c_char * 1024), ("option", ctypes.c_char * 64)]  # fmt: skip

    def place(self):
        return [getattr(self, name) if isinstance(getattr(self, name), int) else getattr(self, name).decode()
                for name in ("code", "row", "line", "byte_offset", "path", "column", "message")]  # fmt: skip


class Plugin(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("abi_version", ctypes.c_uint32), ("name", ctypes.c_char_p), ("version", ctypes.c_char_p),
                ("description", ctypes.c_char_p), ("get_extension", ctypes.CFUNCTYPE(POINTER, ctypes.c_char_p)),
                ("free_text", ctypes.CFUNCTYPE(None, POINTER))]  # fmt: skip


ERROR = ctypes.POINTER(Error)
CALL = ctypes.CFUNCTYPE(ctypes.c_int32, POINTER, POINTER, ERROR)


class Table(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("reserved", ctypes.c_uint32),
                ("open", ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_char_p, POINTER, ctypes.POINTER(POINTER), ERROR)),
                ("schema", CALL), ("stream", CALL), ("last_error", ctypes.CFUNCTYPE(ctypes.c_int32, POINTER, ERROR)),
                ("progress", POINTER), ("cancel", POINTER), ("close", ctypes.CFUNCTYPE(None, POINTER)),
                ("splits", ctypes.CFUNCTYPE(ctypes.c_int32, POINTER, ctypes.c_uint64, ctypes.POINTER(POINTER), ERROR)),
                ("open_split", ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_char_p, ctypes.c_char_p, POINTER, ctypes.POINTER(POINTER), ERROR)),
                ("report", CALL)]  # fmt: skip


class Failure(Exception):
    def __init__(self, error):
        super().__init__(error.message.decode())
        self.place, self.option = error.place(), error.option.decode()


class Reader:
    """Of the whole, or of the piece of a token."""

    def __init__(self, config, token=None):
        library = ctypes.CDLL(str(PLUGIN))
        library.dativo_plugin_get.restype = ctypes.POINTER(Plugin)
        self.plugin = library.dativo_plugin_get(ctypes.c_uint32(0x10001), None).contents
        self.table = Table.from_address(self.plugin.get_extension(b"dativo.reader/1"))
        self.handle, self.error = POINTER(), Error(struct_size=ctypes.sizeof(Error))
        text = json.dumps(config).encode()
        if token is None:
            self.check(self.table.open(text, None, ctypes.byref(self.handle), self.error))
        else:
            self.check(self.table.open_split(text, token.encode(), None, ctypes.byref(self.handle), self.error))

    def check(self, code):
        if code != 0:
            assert code == self.error.code
            raise Failure(self.error)

    def splits(self, target):
        text = POINTER()
        self.check(self.table.splits(self.handle, target, ctypes.byref(text), self.error))
        value = json.loads(ctypes.string_at(text.value))
        self.plugin.free_text(text)
        return value

    def read(self):
        stream = ctypes.create_string_buffer(64)
        self.check(self.table.stream(self.handle, ctypes.addressof(stream), self.error))
        with pa.RecordBatchReader._import_from_c(ctypes.addressof(stream)) as batches:
            try:
                return batches.read_all()
            except pa.ArrowException:
                self.check(self.table.last_error(self.handle, self.error))
                raise

    def report(self):
        text = POINTER()
        self.check(self.table.report(self.handle, ctypes.addressof(text), self.error))
        value = json.loads(ctypes.string_at(text.value))
        self.plugin.free_text(text)
        return value

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.table.close(self.handle)


def read(config, token=None):
    with Reader(config, token) as reader:
        return reader.read()


def cut(config, target):
    with Reader(config) as reader:
        return reader.splits(target)


def read_elsewhere(config, token):
    """By a process of its own.  LookupError: its error."""
    command = [sys.executable, __file__, json.dumps(config)]
    done = subprocess.run(command, input=token.encode(), capture_output=True, check=False, timeout=120)
    if done.returncode != 0:
        raise LookupError(done.stderr.decode())
    return pa.ipc.open_stream(done.stdout).read_all()


if __name__ == "__main__":
    rows = read(json.loads(sys.argv[1]), sys.stdin.read())
    with pa.ipc.new_stream(sys.stdout.buffer, rows.schema) as out:
        out.write_table(rows)
