"""cancel() and the host's cancelled(), over the ABI: a reader of a silent service ends its wait within a second."""

import ctypes
import json
import os
import threading
import time

import pytest

import s3_server
from command import PLUGINS
from conftest import KEY_ID, SECRET
from stopping import within_a_second

# more than what is fetched ahead
TEXT = b"id,name\n" + b"".join(b"%d,name %d\n" % (i, i) for i in range(800_000))
CANCELLED = 10


class Error(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("code", ctypes.c_int32), ("rest", ctypes.c_uint8 * 4096)]


class Plugin(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("abi_version", ctypes.c_uint32), ("texts", ctypes.c_char_p * 3),
                ("get_extension", ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_char_p))]


ASKED = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)


class Host(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("n_threads", ctypes.c_uint32), ("ctx", ctypes.c_void_p), ("log", ctypes.c_void_p),
                ("cancelled", ASKED), ("progress", ctypes.c_void_p), ("submit", ctypes.c_void_p), ("memory", ctypes.c_uint64 * 2)]


CALL = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(Error))


class Table(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("reserved", ctypes.c_uint32),
                ("open", ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_char_p, ctypes.POINTER(Host), ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(Error))),
                ("schema", CALL), ("stream", CALL), ("last_error", ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.POINTER(Error))), ("progress", ctypes.c_void_p),
                ("cancel", ctypes.CFUNCTYPE(None, ctypes.c_void_p)), ("close", ctypes.CFUNCTYPE(None, ctypes.c_void_p))]


class Stream(ctypes.Structure):
    """ArrowArrayStream"""


STREAM_CALL = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(Stream), ctypes.c_void_p)
Stream._fields_ = [("get_schema", STREAM_CALL), ("get_next", STREAM_CALL), ("get_last_error", ctypes.c_void_p),
                   ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(Stream))), ("private_data", ctypes.c_void_p)]


class Array(ctypes.Structure):
    """ArrowArray"""


Array._fields_ = [("numbers", ctypes.c_int64 * 5), ("buffers", ctypes.c_void_p), ("children", ctypes.c_void_p), ("dictionary", ctypes.c_void_p),
                  ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(Array))), ("private_data", ctypes.c_void_p)]


def table_of(name):
    library = ctypes.CDLL(str(PLUGINS / f"lib{name}_plugin.so"))
    library.dativo_plugin_get.restype = ctypes.POINTER(Plugin)
    return Table.from_address(library.dativo_plugin_get(ctypes.c_uint32(0x10001), None).contents.get_extension(b"dativo.reader/1"))


def until_its_end(table, reader, error):
    """The code with which the stream ends."""
    stream, code = Stream(), 0
    assert table.stream(reader, ctypes.addressof(stream), error) == 0
    while code == 0:
        array = Array()
        code = stream.get_next(ctypes.byref(stream), ctypes.addressof(array))
        assert code != 0 or array.release, "the end of the data came"
        if code == 0:
            array.release(ctypes.byref(array))
    stream.release(ctypes.byref(stream))
    return code


@pytest.mark.parametrize("when, how", [("open", "cancelled"), ("stream", "cancelled"), ("stream", "cancel")])
@pytest.mark.parametrize("fault", ["stall", "held"])
def test_a_silent_service(server, when, how, fault):
    opened, silent, asked, over = (threading.Event() for _ in range(4))
    table = table_of("csv_reader")
    error = Error(struct_size=ctypes.sizeof(Error))
    host = Host(struct_size=ctypes.sizeof(Host), n_threads=2, cancelled=ASKED(lambda ctx: int(how == "cancelled" and asked.is_set())))
    host.memory[0] = 8 << 20
    reader = ctypes.c_void_p()
    times = []

    def fall_silent(request):
        if request.operation != ("head" if when == "open" else "get") or (when == "stream" and not opened.is_set()):
            return None
        silent.set()
        if fault == "held":
            over.wait(60)
            return "reset-before"
        return fault

    def stop():
        assert silent.wait(60)
        time.sleep(0.1)
        times.append(time.monotonic())
        asked.set()
        if how == "cancel":
            table.cancel(reader)

    server.buckets["bucket"]["in.csv"] = s3_server.make_object(TEXT)
    server.fault = fall_silent
    config = {"type": "csv", "files": [{"path": "s3://bucket/in.csv"}], "engine": {"options": {"types": {"id": "int64", "name": "string"}}},
              "connection": {"endpoint": server.url, "region": "us-east-1", "access_key_id": KEY_ID, "secret_access_key": SECRET}}
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    stopper = threading.Thread(target=stop)
    stopper.start()
    code = table.open(json.dumps(config).encode(), ctypes.byref(host), ctypes.byref(reader), error)
    if when == "stream":
        assert code == 0, bytes(error.rest)
        opened.set()
        until_its_end(table, reader, error)
        code = table.last_error(reader, error)
    stopper.join()
    table.close(reader)
    ended = time.monotonic()
    over.set()
    assert code == CANCELLED, (code, bytes(error.rest).rstrip(b"\0"))
    within_a_second(ended - times[0])
