"""The calls a stock Python host makes, in its order and with its ctypes habits: a raw pointer comes back, the text is copied
through c_char_p, free_string() follows at once, json.loads() comes last, and the handle is freed in __del__."""

import ctypes
import json
import os
from pathlib import Path

PLUGINS = Path(os.environ["DN_PLUGINS"])
READER = PLUGINS / "libcsv_reader_plugin.so"
PARQUET_READER = PLUGINS / "libparquet_reader_plugin.so"
WRITER = PLUGINS / "libparquet_writer_plugin.so"
ERROR_PREFIX = "DATIVO_PLUGIN_ERROR "

_SIGNATURES = {
    "create_reader": (ctypes.c_void_p, [ctypes.c_char_p]),
    "extract_batch": (ctypes.c_void_p, [ctypes.c_void_p]),
    "free_reader": (None, [ctypes.c_void_p]),
    "create_writer": (ctypes.c_void_p, [ctypes.c_char_p]),
    "write_batch": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_char_p]),
    "free_writer": (None, [ctypes.c_void_p]),
    "free_string": (None, [ctypes.c_void_p]),
    "last_error": (ctypes.c_void_p, [ctypes.c_void_p]),
    "plugin_info": (ctypes.c_void_p, []),
    "check_connection": (ctypes.c_void_p, [ctypes.c_char_p]),
    "discover": (ctypes.c_void_p, [ctypes.c_char_p]),
    "commit_files": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_char_p]),
}


def load(path):
    lib = ctypes.CDLL(str(path))
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(lib, name, None)
        if function is not None:
            function.restype = result
            function.argtypes = arguments
    return lib


def take(lib, pointer):
    """The bytes behind a returned pointer; the pointer is given back."""
    if not pointer:
        return None
    value = ctypes.c_char_p(pointer).value
    lib.free_string(pointer)
    return value


def as_bytes(config):
    return config if isinstance(config, bytes) else json.dumps(config).encode("utf-8")


class StockReader:
    """extract() as the host loops: NULL ends it, so does undecodable text and anything falsy."""

    def __init__(self, config, lib=None):
        self.lib = lib or load(READER)
        self.pointer = self.lib.create_reader(as_bytes(config))

    def raw(self):
        return take(self.lib, self.lib.extract_batch(self.pointer))

    def extract(self):
        while True:
            value = self.raw()
            if value is None:
                break
            try:
                text = value.decode("utf-8") if value else ""
            except UnicodeDecodeError:
                break
            batch = json.loads(text)
            if not batch:
                break
            yield batch

    def rows(self):
        return [row for batch in self.extract() for row in batch]

    def last_error(self):
        value = take(self.lib, self.lib.last_error(self.pointer))
        return None if value is None else json.loads(value)

    def __del__(self):
        if hasattr(self, "pointer"):
            self.lib.free_reader(self.pointer)


class StockWriter:
    def __init__(self, config, lib=None):
        self.lib = lib or load(WRITER)
        self.pointer = self.lib.create_writer(as_bytes(config))

    def raw(self, payload):
        return take(self.lib, self.lib.write_batch(self.pointer, payload))

    def write_batch(self, records, file_counter):
        text = json.dumps({"records": records, "file_counter": file_counter}).encode("utf-8")
        value = self.raw(text)
        return [] if not value else json.loads(value.decode("utf-8"))

    def last_error(self):
        value = take(self.lib, self.lib.last_error(self.pointer))
        return None if value is None else json.loads(value)

    def __del__(self):
        if hasattr(self, "pointer"):
            self.lib.free_writer(self.pointer)


def reader_config(*paths, options=None, **more):
    """The seven keys the host sends."""
    config = {
        "type": "csv",
        "connection": {},
        "credentials": {"type": "none"},
        "objects": [],
        "files": [{"path": str(path), "object": "t"} for path in paths],
        "incremental": {},
        "engine": {"type": "native", "options": options or {}},
    }
    config.update(more)
    return config


def writer_config(output, schema, name="Sales-Order Header", options=None, **more):
    config = {
        "asset_name": name,
        "schema": schema,
        "output_base": str(output),
        "target_type": "iceberg",
        "connection": {"s3": {"endpoint": "${S3_ENDPOINT}", "bucket": "test-bucket"}},
        "file_format": "parquet",
        "engine": {"type": "native", "options": options or {}},
    }
    config.update(more)
    return config


def assert_loud(value, code=None):
    """An error text: a non-empty UTF-8 text that no JSON parser takes, so that the host cannot take it for data or the end."""
    assert value, "an error must never look like the end of the data"
    text = value.decode("utf-8")
    assert text.startswith(ERROR_PREFIX)
    try:
        json.loads(text)
    except json.JSONDecodeError:
        pass
    else:
        raise AssertionError("an error text must not be JSON")
    error = json.loads(text[len(ERROR_PREFIX) :])
    assert error["message"]
    assert set(error) >= {"code", "message", "path", "row", "line", "column", "byte_offset", "retryable"}
    if code is not None:
        assert error["code"] in ((code,) if isinstance(code, str) else code), error
    return error


def log_lines(captured):
    """The JSON lines of stderr."""
    return [json.loads(line) for line in captured.err.splitlines() if line.strip()]


def assert_one_log_line(captured):
    lines = log_lines(captured)
    assert len(lines) == 1, lines
    line = lines[0]
    assert line["event_type"] == "plugin_error"
    assert line["level"] == "ERROR"
    assert line["message"]
    assert line["timestamp"][4] == "-" and line["timestamp"][19] == ","
    assert captured.out == ""
    return line
