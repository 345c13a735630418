"""Ctrl-C in the middle of the work: KeyboardInterrupt within a second, and no file."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

SCRIPT = """
import sys, time
import dativo_native as dn
source, target = sys.argv[1:]
{before}
print("begun", flush=True)
try:
    try:
        {work}
    except Exception:  # a library that reads may raise its own error first
        for _ in range(50):  # and the interrupt comes as soon as Python runs
            time.sleep(0.1)
except KeyboardInterrupt:
    print("interrupted", flush=True)
    sys.exit(7)
"""
MIDDLE = 32 << 20
TABLE = "import pyarrow as pa; table = pa.table({'t': [f'text {i * 7919 % 1000003}' for i in range(20000)] * 40}).combine_chunks()"
# name: what comes before, the work; the source is a pipe whose rows never end
WORKS = {
    "convert": ("", "dn.convert(source, target)"),
    "write_parquet": ("", "dn.write_parquet(dn.read_csv(source), target)"),
    "write_csv": ("", "dn.write_csv(dn.read_csv(source), target)"),
    "schema": ("", "dn.read_csv(source, infer='all').schema"),
    "pyarrow reads": ("import pyarrow as pa", "pa.table(dn.read_csv(source))"),
    "polars reads": ("import polars as pl", "pl.DataFrame(dn.read_csv(source))"),
    "one batch to parquet": (TABLE, "dn.write_parquet(table, target, compression='zstd:19')"),
    "one batch to csv": (TABLE + "; table = pa.table({str(i): table['t'] for i in range(20)}).combine_chunks()", "dn.write_csv(table, target)"),
}


class Endless:
    """A pipe, and how many bytes of it were read."""

    def __init__(self, path):
        self.path, self.n_bytes = path, 0

    def wait_until_read(self, n_bytes, seconds):
        until, end = self.n_bytes + n_bytes, time.monotonic() + seconds
        while self.n_bytes < until and time.monotonic() < end:
            time.sleep(0.01)


@pytest.fixture
def endless(tmp_path):
    """Somebody writes rows into it for as long as anybody reads."""
    path = tmp_path / "endless.csv"
    os.mkfifo(path)
    ends = threading.Event()
    source = Endless(path)

    def feed():
        rows = b"".join(b"%d,text %d\n" % (i, i * 7919 % 1000003) for i in range(10_000))
        while not ends.is_set():
            try:
                with open(path, "wb", buffering=0) as pipe:
                    pipe.write(b"a,b\n")
                    while not ends.is_set():
                        source.n_bytes += pipe.write(rows)
            except OSError:  # whoever read has ended
                pass

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    yield source
    ends.set()
    os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))  # it may wait for a reader
    feeder.join(10)


def interrupt(script, source, target, environment):
    """Seconds from the signal, in the middle of the work, to the exception."""
    process = subprocess.Popen([sys.executable, "-c", script, str(source.path), str(target)], env=environment, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    killer = threading.Timer(30, process.kill)
    killer.start()
    said = process.stdout.readline()
    # A table that is there already is soon under way.
    source.wait_until_read(MIDDLE, 20 if "(source" in script else 0.2)
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    said += process.stdout.readline()
    seconds = time.monotonic() - begun
    rest, errors = process.communicate()
    killer.cancel()
    assert process.returncode == 7 and said == "begun\ninterrupted\n", (process.returncode, said, rest, errors[-2000:])
    return seconds


@pytest.mark.parametrize("name", WORKS)
def test_interrupt(name, endless, tmp_path, environment):
    before, work = WORKS[name]
    for library in ("pyarrow", "polars"):
        if f"import {library}" in before:
            pytest.importorskip(library)
    folder = tmp_path / "out"
    folder.mkdir()
    target = folder / ("o.csv" if "csv" in name else "o.parquet")
    script = SCRIPT.format(before=before, work=work)
    # the machine may be busy with something else, but not each time
    assert any(interrupt(script, endless, target, environment) < 1 for _ in range(4))
    assert list(folder.iterdir()) == []
