"""A Python host under the preloaded library: conversations with both plugins at Level 0, each with one fault.

    LD_PRELOAD=libfault_preload.so python host.py reader|writer SEED N

Prints each conversation that ended wrong; exit code 1 if there was one.
"""

import contextlib
import ctypes
import errno
import json
import os
import pathlib
import random
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(os.environ["DN_SOURCE"]) / "tests/abi"))

import pyarrow.parquet as pq
from stock_host import READER, WRITER, StockReader, StockWriter, assert_loud, load, reader_config, writer_config

FAULTS = ctypes.CDLL(os.environ["LD_PRELOAD"])
FAULTS.fault_fired.restype = ctypes.c_long
FIRED = []  # did the fault of a conversation come to pass?
SCHEMA = [{"name": "id", "type": "integer"}, {"name": "name", "type": "string"}]
HARMLESS = [f"errno={errno.EINTR}", "short", "short times=0"]
FAILURES = {
    "write": [errno.EIO, errno.ENOSPC, errno.EDQUOT],
    "fsync": [errno.EIO, errno.ENOSPC],
    "rename": [errno.EIO, errno.ENOSPC, errno.EINVAL],
    "open": [errno.EMFILE, errno.EACCES, errno.ENOSPC],
    "flock": [errno.ENOLCK],
    "read": [errno.EIO, errno.ESTALE],
    "pread": [errno.EIO],
    "pthread_create": [errno.EAGAIN],
}


@contextlib.contextmanager
def fault(words):
    """Inside, calls that the words choose go wrong."""
    FAULTS.fault_arm(words.encode())
    try:
        yield
    finally:
        FIRED.append(FAULTS.fault_fired() > 0)
        FAULTS.fault_arm(b"")


def choose(r, calls, path):
    """A fault, and whether nothing may come of it."""
    call = r.choice(calls)
    at = r.randint(1, 6 if call in ("read", "write") else 2)
    path = "" if call == "pthread_create" else f" path={path}"
    if call in ("read", "pread", "write") and r.random() < 0.4:
        return f"call={call} at={at} {r.choice(HARMLESS)}{path}", True
    return f"call={call} at={at} errno={r.choice(FAILURES[call])} times={r.choice([1, 1, 0])}{path}", False


def batch(r, n):
    return [{"id": r.randrange(10**9), "name": f"name {r.randrange(10**6)}"} for _ in range(n)]


def write_conversation(r, lib, folder):
    """Every file that was acknowledged is there with its rows, behind a failure is nothing but that failure."""
    words, harmless = choose(r, ["write", "fsync", "rename", "open", "flock", "pthread_create"], ".parquet")
    batches = [batch(r, r.choice([1, 50, 4000])) for _ in range(4)]
    texts = []
    with fault(words):
        writer = StockWriter(writer_config(folder / "out", SCHEMA), lib)
        for i, rows in enumerate(batches):
            texts.append(writer.raw(json.dumps({"records": rows, "file_counter": i}).encode()))
        del writer
    acknowledged = set()
    failure = None
    for text, rows in zip(texts, batches):
        if failure is None and not text.startswith(b"DATIVO"):
            (entry,) = json.loads(text)
            assert pq.read_table(entry["path"]).to_pylist() == rows and os.path.getsize(entry["path"]) == entry["size_bytes"]
            acknowledged.add(entry["path"])
            continue
        error = assert_loud(text)
        assert failure in (None, error), "another error than the first one"
        failure = error
    assert failure is None or not harmless, failure
    left = {str(p) for p in (folder / "out").rglob("*") if p.is_file() and p.suffix != ".run"} if (folder / "out").exists() else set()
    if failure is not None and "is complete" in failure["message"]:
        left = {p for p in left if p in acknowledged or pq.read_table(p).num_rows > 0}
        assert len(left) <= len(acknowledged) + 1
    else:
        assert left == acknowledged, f"{left} and not {acknowledged}"


def read_conversation(r, lib, folder):
    """Rows in order, then the end; or a failure, and nothing else from there on."""
    rows = [{"id": i, "name": f"name {r.randrange(10**6)}"} for i in range(r.choice([1, 500, 60_000]))]
    (folder / "in.csv").write_text("id,name\n" + "".join(f"{row['id']},{row['name']}\n" for row in rows))
    words, harmless = choose(r, ["read", "pread", "open", "pthread_create"], "in.csv")
    got = []
    failure = None
    with fault(words):
        reader = StockReader(reader_config(folder / "in.csv"), lib)
        for _ in range(200):
            text = reader.raw()
            if text is None:
                break
            if failure is None and not text.startswith(b"DATIVO"):
                batch_rows = json.loads(text)
                assert batch_rows, "an empty batch is the end for a host"
                got += batch_rows
                continue
            error = assert_loud(text)
            assert failure in (None, error), "another error than the first one"
            if failure is not None:
                break
            failure = error
        del reader
    assert got == rows[: len(got)], "other rows"
    assert failure is not None or len(got) == len(rows), f"the end after {len(got)} of {len(rows)} rows"
    assert failure is None or not harmless, failure


def main(role, seed, n):
    talk, lib = {"reader": (read_conversation, load(READER)), "writer": (write_conversation, load(WRITER))}[role]
    wrong = 0
    for i in range(n):
        r = random.Random(f"{role} {seed} {i}")
        folder = pathlib.Path(tempfile.mkdtemp(prefix="dn-host-"))
        try:
            talk(r, lib, folder)
        except AssertionError as e:
            wrong += 1
            print(f"{role} {seed} {i}: {str(e)[:600]}")
        finally:
            shutil.rmtree(folder)
    assert sum(FIRED) > n / 3, f"only {sum(FIRED)} of {n} faults came to pass"
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
