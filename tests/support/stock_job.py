"""A job as a stock Python host runs it, with all that it takes for the end of the data or for success: exit code, rows read, files."""

import json


def text_of(lib, pointer):
    import ctypes
    if not pointer:
        return None
    value = ctypes.c_char_p(pointer).value
    lib.free_string(pointer)
    return value


def extract(lib, reader):
    """Batches up to what this host takes for the end; raises where it does."""
    while (value := text_of(lib, lib.extract_batch(reader))) is not None:
        try:
            text = value.decode()
        except UnicodeDecodeError:
            return
        batch = json.loads(text)
        if not batch:
            return
        yield [dict(record.items()) for record in batch]  # a text, a number, a key: an exception


def run(reader_lib, reader_config, writer_lib, writer_config):
    """0: well, 2: the job failed; how many rows came; the files that it believes to have written."""
    rows, files, any_batch = 0, [], False
    reader = reader_lib.create_reader(json.dumps(reader_config).encode())
    writer = writer_lib.create_writer(json.dumps(writer_config).encode())  # neither is compared with NULL
    try:
        for batch in extract(reader_lib, reader):
            any_batch = True
            rows += len(batch)
            value = text_of(writer_lib, writer_lib.write_batch(writer, json.dumps({"records": batch, "file_counter": len(files)}).encode()))
            files += json.loads(value.decode()) if value is not None else []
        sum(entry.get("size_bytes", 0) for entry in files)
        code = 0 if any_batch else 2  # "No batches extracted"
    except Exception:  # noqa: BLE001 (as the host)
        code = 2
    finally:
        reader_lib.free_reader(reader)
        writer_lib.free_writer(writer)
    return code, rows, files
