"""A host of both levels in ctypes: any plugin, several hosts in one process, and what a handle must keep to whatever its source is."""

import ctypes
import json
import os
import threading
import time

import pyarrow as pa
import pytest

from csv_splits import Error, Failure, Plugin

POINTER = ctypes.c_void_p
CANCELLED = 10
IS_ASAN = "asan" in os.environ.get("LD_PRELOAD", "")
ERROR = ctypes.POINTER(Error)
CALL = ctypes.CFUNCTYPE(ctypes.c_int32, POINTER, POINTER, ERROR)


class Progress(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("reserved", ctypes.c_uint32), ("bytes_done", ctypes.c_int64), ("bytes_total", ctypes.c_int64),
                ("rows_done", ctypes.c_int64)]  # fmt: skip


class Host(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("n_threads", ctypes.c_uint32), ("ctx", POINTER),
                ("log", ctypes.CFUNCTYPE(None, POINTER, ctypes.c_int32, ctypes.c_char_p, ctypes.c_char_p)), ("cancelled", ctypes.CFUNCTYPE(ctypes.c_int32, POINTER)),
                ("progress", ctypes.CFUNCTYPE(None, POINTER, ctypes.POINTER(Progress))), ("submit", POINTER), ("memory_budget_bytes", ctypes.c_uint64),
                ("memory_total_bytes", ctypes.c_uint64)]  # fmt: skip


class ReaderTable(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("reserved", ctypes.c_uint32),
                ("open", ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_char_p, ctypes.POINTER(Host), ctypes.POINTER(POINTER), ERROR)), ("schema", CALL), ("stream", CALL),
                ("last_error", ctypes.CFUNCTYPE(ctypes.c_int32, POINTER, ERROR)), ("progress", ctypes.CFUNCTYPE(None, POINTER, ctypes.POINTER(Progress))),
                ("cancel", ctypes.CFUNCTYPE(None, POINTER)), ("close", ctypes.CFUNCTYPE(None, POINTER)),
                ("splits", ctypes.CFUNCTYPE(ctypes.c_int32, POINTER, ctypes.c_uint64, ctypes.POINTER(POINTER), ERROR)),
                ("open_split", ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_char_p, ctypes.c_char_p, ctypes.POINTER(Host), ctypes.POINTER(POINTER), ERROR))]  # fmt: skip


class WriterTable(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("reserved", ctypes.c_uint32),
                ("open", ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_char_p, POINTER, ctypes.POINTER(Host), ctypes.POINTER(POINTER), ERROR)), ("append", CALL),
                ("append_stream", CALL), ("finish", CALL), ("commit", ctypes.CFUNCTYPE(ctypes.c_int32, POINTER, ERROR)),
                ("abort", ctypes.CFUNCTYPE(None, POINTER)), ("close", ctypes.CFUNCTYPE(None, POINTER))]  # fmt: skip


class Services:
    """One host: what it was told, and whether it wants to stop."""

    def __init__(self):
        self.logged, self.told, self.stop = [], [], False
        self.host = Host(struct_size=ctypes.sizeof(Host), n_threads=2)
        self.host.log = Host._fields_[3][1](lambda ctx, level, event, text: self.logged.append((level, event, text)))
        self.host.cancelled = Host._fields_[4][1](lambda ctx: int(self.stop))
        self.host.progress = Host._fields_[5][1](lambda ctx, p: self.told.append((p[0].bytes_done, p[0].bytes_total, p[0].rows_done)))


def load(path):
    library = ctypes.CDLL(str(path))
    library.dativo_plugin_get.restype = ctypes.POINTER(Plugin)
    return library.dativo_plugin_get(ctypes.c_uint32(0x10002), None).contents


class Handle:
    def __init__(self, path, extension, table):
        self.plugin = load(path)
        self.table = table.from_address(self.plugin.get_extension(extension))
        self.handle, self.error, self.services = POINTER(), Error(struct_size=ctypes.sizeof(Error)), Services()

    def check(self, code):
        if code != 0:
            assert code == self.error.code and self.error.message
            raise Failure(self.error)

    def text(self, pointer):
        value = json.loads(ctypes.string_at(pointer.value))
        self.plugin.free_text(pointer)
        return value

    def close(self):
        self.table.close(self.handle)
        self.handle = POINTER()


class Reader(Handle):
    def __init__(self, path, config, token=None):
        super().__init__(path, b"dativo.reader/1", ReaderTable)
        config, host, out = json.dumps(config).encode(), ctypes.byref(self.services.host), ctypes.byref(self.handle)
        self.check(self.table.open(config, host, out, self.error) if token is None else
                   self.table.open_split(config, token.encode(), host, out, self.error))

    def progress(self):
        p = Progress(struct_size=ctypes.sizeof(Progress))
        self.table.progress(self.handle, p)
        return p.bytes_done, p.bytes_total, p.rows_done

    def cancel(self):
        self.table.cancel(self.handle)

    def last_error(self):
        return self.table.last_error(self.handle, self.error)

    def batches(self):
        """The batches of the stream, one by one."""
        stream = ctypes.create_string_buffer(64)
        self.check(self.table.stream(self.handle, ctypes.addressof(stream), self.error))
        with pa.RecordBatchReader._import_from_c(ctypes.addressof(stream)) as batches:
            while True:
                try:
                    yield batches.read_next_batch()
                except StopIteration:
                    return
                except (pa.ArrowException, OSError):
                    self.check(self.last_error())
                    raise

    def splits(self, target):
        if not ctypes.cast(self.table.splits, POINTER).value:
            return None
        text = POINTER()
        self.check(self.table.splits(self.handle, target, ctypes.byref(text), self.error))
        return self.text(text)


class Writer(Handle):
    def __init__(self, path, config, schema):
        super().__init__(path, b"dativo.writer/1", WriterTable)
        c_schema = ctypes.create_string_buffer(128)
        schema._export_to_c(ctypes.addressof(c_schema))
        code = self.table.open(json.dumps(config).encode(), ctypes.addressof(c_schema), ctypes.byref(self.services.host), ctypes.byref(self.handle), self.error)
        pa.Schema._import_from_c(ctypes.addressof(c_schema))  # releases it
        self.check(code)

    def append(self, batch):
        c_array = ctypes.create_string_buffer(128)
        batch._export_to_c(ctypes.addressof(c_array))
        self.check(self.table.append(self.handle, ctypes.addressof(c_array), self.error))

    def finish(self):
        text = POINTER()
        self.check(self.table.finish(self.handle, ctypes.addressof(text), self.error))
        return self.text(text)

    def commit(self):
        self.check(self.table.commit(self.handle, self.error))


# Marks tests of in_child(); a skip inside of them would leave their handles open.
forks = pytest.mark.skipif(IS_ASAN, reason="AddressSanitizer's allocator takes no notice of fork(): a child beside threads may hang")


def in_child(work):
    """What `work` says in a child of fork(): "" is well."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            said = work() or ""
        except BaseException as e:  # noqa: BLE001 (a child must not go on as pytest)
            said = repr(e)
        os.write(theirs, said.encode()[:4000] or b"well")
        os._exit(0)
    os.close(theirs)
    said = b""
    while piece := os.read(ours, 4096):
        said += piece
    os.close(ours)
    _, status = os.waitpid(pid, 0)
    assert status == 0, f"the child ended with {status}"
    return "" if said == b"well" else said.decode()


class Allocated(ctypes.Structure):
    """struct mallinfo2 of glibc; resident memory depends on what else the machine does."""

    _fields_ = [(name, ctypes.c_size_t) for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")]


def usage():
    """Bytes that are allocated, open files, threads."""
    mallinfo = ctypes.CDLL(None).mallinfo2
    mallinfo.restype = Allocated
    allocated = mallinfo()
    with open("/proc/self/status", encoding="ascii") as file:
        lines = dict(line.split(":", 1) for line in file)
    return allocated.uordblks + allocated.hblkhd, len(os.listdir("/proc/self/fd")), int(lines["Threads"])


def stays_flat(work, times=10_000, slack=64 << 10):
    """`work`, so many times over, takes no more memory (`slack` bytes), files and threads than its first tenth did; under AddressSanitizer,
    which keeps what is freed, a tenth of that, and memory is left out."""
    if IS_ASAN:
        times, slack = times // 10, 1 << 40
    for _ in range(times // 10):
        work()
    before = usage()
    for _ in range(times - times // 10):
        work()
    after = usage()
    assert after[0] <= before[0] + slack and after[1] <= before[1] and after[2] <= before[2], (before, after)


# ---- what every reader must keep to ----


def progress_grows(path, config, n_rows):
    """It may be asked at any time, by any thread, never goes back, and ends at what there was; the host is told the same."""
    reader, seen, done = Reader(path, config), [], threading.Event()

    def watch():
        while not done.is_set():
            seen.append(reader.progress())

    thread = threading.Thread(target=watch)
    thread.start()
    rows = sum(batch.num_rows for batch in reader.batches())
    done.set()
    thread.join()
    last = reader.progress()
    told = reader.services.told
    reader.close()
    assert rows == n_rows == last[2] and told and told[-1][2] <= n_rows
    assert last[1] == -1 or last[0] <= last[1] or last[1] == 0, last
    for one in (seen, told):
        assert all(a[0] <= b[0] and a[2] <= b[2] for a, b in zip(one, one[1:])), "progress went back"
    return last


def cancel_is_told(path, config):
    """In front of the first batch, behind it, when all the rest is in memory, and by the host: the stream ends with that error, and stays so."""
    for how in ("before", "behind", "late", "host"):
        reader = Reader(path, config)
        batches = reader.batches()
        if how != "before":
            next(batches)
        if how == "late":
            time.sleep(0.5)
        if how == "host":
            reader.services.stop = True
        else:
            thread = threading.Thread(target=reader.cancel)
            thread.start()
            thread.join()
        try:
            for _ in batches:
                pass
            raise AssertionError(f"{how}: the stream ended as if all rows were there")
        except Failure:
            assert reader.error.code == CANCELLED and reader.last_error() == CANCELLED
        reader.close()


def fork_is_refused(path, config, n_rows):
    """In a child the handle is an error and nothing else; a new one works there; the parent goes on."""
    reader = Reader(path, config)
    batches = reader.batches()
    n = next(batches).num_rows

    def child():
        try:
            next(batches)
            return "a batch of the parent's"
        except Failure as e:
            if "process" not in str(e):
                return str(e)
        reader.cancel()
        reader.close()
        return ""

    def anew():
        other = Reader(path, config)
        got = sum(batch.num_rows for batch in other.batches())
        other.close()
        return "" if got == n_rows else f"{got} rows"

    assert in_child(child) == "" and in_child(anew) == ""
    assert n + sum(batch.num_rows for batch in batches) == n_rows
    reader.close()


def hosts_do_not_meet(path, configs, tables):
    """Two hosts in one process, each with its own services, read at the same time what each alone reads; one that stops stops nobody else."""
    got, failed = {}, []

    def run(i, config):
        try:
            for _ in range(3):
                reader = Reader(path, config)
                got[i] = pa.Table.from_batches(reader.batches())
                assert reader.services.told and not reader.services.stop
                reader.close()
        except BaseException as e:  # noqa: BLE001 (told by the main thread)
            failed.append(e)

    stopped = Reader(path, configs[0])
    stopped.services.stop = True
    threads = [threading.Thread(target=run, args=(i, config)) for i, config in enumerate(configs * 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed
    for i in range(len(threads)):
        assert got[i].equals(tables[i % len(configs)])
    try:
        list(stopped.batches())
        raise AssertionError("the one that is to stop went on")
    except Failure:
        assert stopped.error.code == CANCELLED
    stopped.close()
