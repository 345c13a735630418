"""The Parquet reader, as pyarrow sees it: a stream over the Arrow C interface."""

import ctypes
import functools
import os
import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

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
        ("value", ctypes.c_char * 64), ("reserved", ctypes.c_char * 128),
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


def storage_of(array):
    return array.storage if isinstance(array.type, pa.BaseExtensionType) else array


def as_pyarrow_has_it(column, wanted):
    """Our column in the type that pyarrow chose; the two differ in views, and in what pyarrow has extensions for, only."""
    if isinstance(wanted, pa.BaseExtensionType):
        return pa.chunked_array(
            [wanted.wrap_array(storage_of(c).cast(wanted.storage_type)) for c in column.chunks], type=wanted
        )
    if pa.types.is_binary(wanted) or pa.types.is_large_binary(wanted):
        assert column.type in (pa.binary_view(), pa.string_view())  # an ENUM is text for us
    elif pa.types.is_string(wanted) or pa.types.is_large_string(wanted):
        assert column.type == pa.string_view()
    else:
        assert column.type == wanted
    return column.cast(wanted)


def same(path, threads=(1, 2, 8), **options):
    """Read with every number of threads, and as pyarrow does: equal, types included."""
    want = pq.read_table(path, columns=options.get("columns"))
    for n in threads:
        got = read(path, threads=n, **options)
        got.validate(full=True)
        assert got.schema.names == want.schema.names
        for name, mine, theirs in zip(want.schema.names, got.columns, want.columns):
            mine = as_pyarrow_has_it(mine, theirs.type)
            assert mine.equals(theirs) or equal_but_nans(mine, theirs), (name, n)
        assert [f.nullable for f in got.schema] == [f.nullable for f in want.schema]
    return want


def equal_but_nans(a, b):
    """NaN is not equal to itself: floats are compared by their bits."""
    bits = {pa.float16(): np.uint16, pa.float32(): np.uint32, pa.float64(): np.uint64}.get(a.type)
    if bits is None or not a.is_null().equals(b.is_null()):
        return False
    mine, theirs = (np.concatenate([np.asarray(x.fill_null(0)) for x in c.chunks]) for c in (a, b))
    return (mine.view(bits) == theirs.view(bits)).all()
