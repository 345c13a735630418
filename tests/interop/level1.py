"""The plugins' tables of Level 1 from Python: Arrow data goes across by the C data interface, without a copy."""

import ctypes
import json
import os
import pathlib

import pyarrow as pa

PLUGINS = pathlib.Path(os.environ.get("DN_PLUGINS", "build/plugins"))
ABI = 0x00010002
POINTER = ctypes.c_void_p


class Error(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_uint32),
        ("code", ctypes.c_int32),
        ("os_errno", ctypes.c_int32),
        ("retryable", ctypes.c_int32),
        ("row", ctypes.c_int64),
        ("line", ctypes.c_int64),
        ("byte_offset", ctypes.c_int64),
        ("path", ctypes.c_char * 512),
        ("column", ctypes.c_char * 128),
        ("expected", ctypes.c_char * 64),
        ("suggested_type", ctypes.c_char * 32),
        ("message", ctypes.c_char * 1024),
    ]


class Plugin(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_uint32),
        ("abi_version", ctypes.c_uint32),
        ("name", ctypes.c_char_p),
        ("version", ctypes.c_char_p),
        ("description", ctypes.c_char_p),
        ("get_extension", ctypes.CFUNCTYPE(POINTER, ctypes.c_char_p)),
        ("free_text", ctypes.CFUNCTYPE(None, POINTER)),
    ]


class Table:
    """The functions of a table, by their place: a size, a reserved word, then pointers."""

    def __init__(self, plugin, extension, names):
        address = plugin.get_extension(extension)
        assert address, f"{plugin.name} has no {extension}"
        pointers = ctypes.cast(address + 8, ctypes.POINTER(POINTER))
        for i, name in enumerate(names):
            setattr(self, name, ctypes.CFUNCTYPE(ctypes.c_int32, *[POINTER] * COUNTS[name])(pointers[i]))


WRITER = ["open", "append", "append_stream", "finish", "commit", "abort", "close"]
READER = ["open_reader", "schema", "stream", "last_error", "progress", "cancel", "close"]
COUNTS = {
    "open": 5, "append": 3, "append_stream": 3, "finish": 3, "commit": 2, "abort": 1, "close": 1,
    "open_reader": 4, "schema": 3, "stream": 3, "last_error": 2, "progress": 2, "cancel": 1,
}  # fmt: skip


class Failure(Exception):
    pass


def load(name):
    library = ctypes.CDLL(str(PLUGINS / f"lib{name}_plugin.so"))
    library.dativo_plugin_get.restype = ctypes.POINTER(Plugin)
    library.dativo_plugin_get.argtypes = [ctypes.c_uint32, POINTER]
    return library.dativo_plugin_get(ABI, None).contents


def checked(code, error):
    if code != 0:
        raise Failure(error.message.decode())


def write(batches, schema, path, options):
    """Write record batches; the schema is the file's.  Returns its manifest."""
    plugin = load("parquet_writer")
    table = Table(plugin, b"dativo.writer/1", WRITER)
    error = Error(struct_size=ctypes.sizeof(Error))
    config = json.dumps({"path": str(path), "engine": {"options": options}}).encode()
    where = ctypes.addressof(error)
    c_schema, c_array = (ctypes.c_uint8 * 72)(), (ctypes.c_uint8 * 80)()
    handle, manifest = POINTER(), POINTER()
    schema._export_to_c(ctypes.addressof(c_schema))
    opened = table.open(config, ctypes.addressof(c_schema), None, ctypes.addressof(handle), where)
    pa.Schema._import_from_c(ctypes.addressof(c_schema))  # releases it
    checked(opened, error)
    try:
        for batch in batches:
            batch._export_to_c(ctypes.addressof(c_array))
            checked(table.append(handle, ctypes.addressof(c_array), where), error)
        checked(table.finish(handle, ctypes.addressof(manifest), where), error)
        described = json.loads(ctypes.string_at(manifest))
        plugin.free_text(manifest)
        checked(table.commit(handle, where), error)
        return described
    finally:
        table.close(handle)


def read(path, options):
    """The table that the reader plugin's stream has."""
    plugin = load("parquet_reader")
    table = Table(plugin, b"dativo.reader/1", READER)
    error = Error(struct_size=ctypes.sizeof(Error))
    config = json.dumps({"files": [{"path": str(path)}], "engine": {"options": options}}).encode()
    where = ctypes.addressof(error)
    stream = (ctypes.c_uint8 * 40)()
    handle = POINTER()
    checked(table.open_reader(config, None, ctypes.addressof(handle), where), error)
    try:
        checked(table.stream(handle, ctypes.addressof(stream), where), error)
        reader = pa.RecordBatchReader._import_from_c(ctypes.addressof(stream))
        try:
            return reader.read_all()
        finally:
            reader.close()
    finally:
        table.close(handle)
