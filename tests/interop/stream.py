"""The Parquet reader, as pyarrow sees it: a stream over the Arrow C interface."""

import ctypes
import functools
import os
import pathlib

import pyarrow as pa

TESTS = pathlib.Path(os.environ.get("DN_TESTS", "build/release/tests"))


class Error(ctypes.Structure):
    """struct dn_error"""

    _fields_ = [
        ("code", ctypes.c_int32),
        ("os_errno", ctypes.c_int32),
        ("row", ctypes.c_int64),
        ("line", ctypes.c_int64),
        ("byte_offset", ctypes.c_int64),
        ("path", ctypes.c_char * 512),
        ("column", ctypes.c_char * 128),
        ("expected", ctypes.c_char * 64),
        ("suggested_type", ctypes.c_char * 32),
        ("message", ctypes.c_char * 1024),
        ("option", ctypes.c_char * 64),
        ("reserved", ctypes.c_char * 192),
    ]


class Refused(Exception):
    pass


@functools.cache
def library():
    lib = ctypes.CDLL(str(TESTS / "libparquet_stream.so"))
    lib.parquet_stream_open.argtypes = [
        ctypes.c_void_p,
        ctypes.c_char_p,
        ctypes.c_uint32,
        ctypes.c_int64,
        ctypes.c_uint64,
        ctypes.POINTER(ctypes.c_char_p),
        ctypes.c_size_t,
        ctypes.POINTER(Error),
    ]
    return lib


def batches(path, threads=2, rows=0, budget=0, columns=None):
    """A pyarrow.RecordBatchReader; Refused with the message of dn_parquet_reader_open()."""
    # pyarrow imports a stream from the address of the struct, which it moves out of it
    memory = ctypes.create_string_buffer(5 * 8)
    error = Error()
    names = None if columns is None else (ctypes.c_char_p * len(columns))(*[c.encode() for c in columns])
    n_names = 0 if columns is None else len(columns)
    code = library().parquet_stream_open(
        ctypes.addressof(memory), os.fsencode(path), threads, rows, budget, names, n_names, ctypes.byref(error)
    )
    if code != 0:
        raise Refused(error.message.decode())
    return pa.RecordBatchReader._import_from_c(ctypes.addressof(memory))


def read(path, **options):
    return batches(path, **options).read_all()
