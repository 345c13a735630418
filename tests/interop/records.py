"""JSON records by src/json, of any table that pyarrow has."""

import ctypes
import functools

import pyarrow as pa

from stream import TESTS, Error, Refused


@functools.cache
def library():
    lib = ctypes.CDLL(str(TESTS / "librecords_json.so"))
    lib.records_json_write.restype = ctypes.c_void_p
    lib.records_json_write.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p]
    lib.records_json_free.argtypes = [ctypes.c_void_p]
    texts = ctypes.POINTER(ctypes.c_char_p)
    lib.records_json_read.argtypes = [ctypes.c_char_p, texts, texts, ctypes.c_int64, *[ctypes.c_void_p] * 4]
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


def read(text, columns):
    """A record batch of the columns, {name: words of its type}, and how many values were rounded."""
    schema, array = (ctypes.create_string_buffer(n) for n in (72, 80))
    error, n_rounded = Error(), ctypes.c_int64()
    names, words = ((ctypes.c_char_p * len(columns))(*[t.encode() for t in texts]) for texts in (columns, columns.values()))
    code = library().records_json_read(
        text.encode() if isinstance(text, str) else text, names, words, len(columns),
        ctypes.byref(schema), ctypes.byref(array), ctypes.byref(n_rounded), ctypes.byref(error),
    )  # fmt: skip
    if code != 0:
        refused = Refused(error.message.decode())
        refused.error = error
        raise refused
    batch = pa.RecordBatch._import_from_c(ctypes.addressof(array), ctypes.addressof(schema))
    batch.validate(full=True)
    return batch, n_rounded.value
