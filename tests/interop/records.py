"""JSON records by src/json, of any table that pyarrow has."""

import ctypes
import functools

from stream import TESTS, Error, Refused


@functools.cache
def library():
    lib = ctypes.CDLL(str(TESTS / "librecords_json.so"))
    lib.records_json_write.restype = ctypes.c_void_p
    lib.records_json_write.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p]
    lib.records_json_free.argtypes = [ctypes.c_void_p]
    return lib


def write(batch, row=0, n_rows=None):
    """Rows of a record batch as a text."""
    schema, array = (ctypes.create_string_buffer(n) for n in (72, 80))
    error = Error()
    batch._export_to_c(ctypes.addressof(array), ctypes.addressof(schema))
    n = batch.num_rows - row if n_rows is None else n_rows
    text = library().records_json_write(ctypes.byref(schema), ctypes.byref(array), row, n, ctypes.byref(error))
    if text is None:
        raise Refused(error.message.decode())
    try:
        return ctypes.string_at(text).decode()
    finally:
        library().records_json_free(text)
