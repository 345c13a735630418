"""Which files a writer may replace: those of earlier runs, never those of the run that is under way.  Writers of one table that are open
at the same time are one run, whatever their threads and processes."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from stock_host import StockWriter, writer_config

SCHEMA = [{"name": "id", "type": "integer"}]
OPTIONS = {"n_threads": 1, "compression": "none"}


def config(directory):
    return writer_config(directory, SCHEMA, name="t", options=OPTIONS)


class Here:
    """A writer of this process."""

    def __init__(self, directory):
        self.writer = StockWriter(config(directory))

    def write(self, ident, counter):
        return self.writer.write_batch([{"id": ident}], counter)[0]["path"]

    def free(self):
        self.writer = None


class There:
    """A writer of another process, which does what the lines of its standard input say."""

    def __init__(self, directory):
        self.process = subprocess.Popen(
            [sys.executable, __file__, directory], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout.readline() == "open\n"

    def write(self, ident, counter):
        self.process.stdin.write(f"{ident} {counter}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().rstrip("\n")

    def free(self):
        self.process.stdin.close()
        assert self.process.wait(timeout=300) == 0

    def kill(self):
        self.process.kill()
        self.process.wait(timeout=300)


def serve(directory):
    writer = Here(directory)
    print("open", flush=True)
    for line in sys.stdin:
        ident, counter = map(int, line.split())
        print(writer.write(ident, counter), flush=True)
    writer.free()


def rows(directory):
    """All rows under final names; nothing else may be there."""
    found = []
    for name in os.listdir(directory):
        assert name.endswith(".parquet") and not name.startswith("."), name
        found += pq.read_table(Path(directory) / name)["id"].to_pylist()
    return sorted(found)


def play(directory, makers, order):
    """`order` has every writer's number several times: the first is its creation, the last its end, those between are writes.
    Returns the runs: lists of the rows that were acknowledged while one writer or another was open all the time."""
    writers, counters, runs, n_rows = {}, {}, [], 0
    left = {i: order.count(i) for i in set(order)}
    for i in order:
        left[i] -= 1
        if i not in writers:
            if not any(writers.values()):
                runs.append([])
            writers[i], counters[i] = makers[i](directory), 0
        elif left[i] == 0:
            writers[i].free()
            writers[i] = None
        else:
            assert writers[i].write(n_rows, counters[i])
            runs[-1].append((n_rows, counters[i]))
            n_rows += 1
            counters[i] += 1
    return runs


def check(directory, runs):
    """The last run is there, and of each earlier one what no later one wrote under the same counter."""
    expected = []
    for number, run in enumerate(runs):
        for counter in {c for _, c in run}:
            mine = [row for row, c in run if c == counter]
            later = max((sum(1 for _, c in other if c == counter) for other in runs[number + 1 :]), default=0)
            expected += mine[later:]  # names of a counter are taken in their order
    assert rows(directory) == sorted(expected)


def interleave_here(directory, seed):
    pick = random.Random(seed)
    order = [i for i in range(pick.choice((2, 3))) for _ in range(pick.randint(2, 5))]
    pick.shuffle(order)
    check(directory, play(str(directory), [Here] * 3, order))


def interleave_processes(directory, seed):
    pick = random.Random(seed)
    makers = [There, Here if seed % 2 else There]
    order = [i for i in range(2) for _ in range(pick.randint(3, 6))]
    pick.shuffle(order)
    check(directory, play(str(directory), makers, order))


@pytest.mark.parametrize("seed", range(20))
def test_interleavings_in_one_process(tmp_path, seed):
    interleave_here(tmp_path, seed)


@pytest.mark.parametrize("order", ["0011", "00110011", "010101", "001101", "011100", "0101100", "0100111"])
def test_orders_of_two(tmp_path, order):
    check(tmp_path, play(str(tmp_path), [Here] * 2, [int(c) for c in order]))


@pytest.mark.parametrize("seed", range(3))
def test_interleavings_of_processes(tmp_path, seed):
    interleave_processes(tmp_path, seed)


def test_created_while_another_is_open(tmp_path):
    """The second is created late, and writes when the first is gone: what the first acknowledged stays."""
    a = Here(str(tmp_path))
    a.write(1, 0)
    b = There(str(tmp_path))
    a.free()
    b.write(2, 0)
    b.free()
    assert rows(tmp_path) == [1, 2]


def test_a_run_that_is_repeated_replaces(tmp_path):
    """Also where writers stood side by side, and where the earlier run was longer: then what nobody wrote again stays."""
    for n_batches in (3, 3, 2):
        a, b = Here(str(tmp_path)), There(str(tmp_path))
        for counter in range(n_batches):
            a.write(10 + counter, counter)
            b.write(20 + counter, counter)
        a.free()
        b.free()
        assert rows(tmp_path) == [10, 11, 12, 20, 21, 22]


def test_killed_and_run_again(tmp_path):
    """A killed run holds nothing: its files are an earlier run's.  Its marker and temporary files are taken away."""
    for counter in range(3):
        killed = There(str(tmp_path))
        killed.write(1, 0)
        for i in range(counter):
            killed.write(2 + i, 1 + i)
        killed.kill()
    assert ".t.run" in os.listdir(tmp_path)
    again = There(str(tmp_path))
    for counter in range(3):
        again.write(7, counter)
    again.free()
    assert rows(tmp_path) == [7, 7, 7]


def test_killed_beside_an_open_one(tmp_path):
    """Its run is still under way: what it acknowledged stays."""
    a, b = Here(str(tmp_path)), There(str(tmp_path))
    b.write(1, 0)
    b.kill()
    a.write(2, 0)
    a.free()
    assert rows(tmp_path) == [1, 2]


def test_children_do_not_keep_a_run_open(tmp_path):
    """A child of fork() outlives its killed parent, which had a writer open; the run is over all the same."""
    reading, writing = os.pipe()
    parent = os.fork()
    if parent == 0:
        writer = Here(str(tmp_path))
        writer.write(1, 0)
        child = os.fork()
        if child == 0:
            signal.alarm(300)
            signal.pause()
        os.write(writing, str(child).encode())
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(parent, 0)
    child = int(os.read(reading, 32))
    try:
        again = Here(str(tmp_path))
        again.write(2, 0)
        again.free()
        assert rows(tmp_path) == [2]
    finally:
        os.kill(child, signal.SIGKILL)
        os.close(reading)
        os.close(writing)


def test_a_writer_of_a_child(tmp_path):
    """A child of fork() opens its own: it is of the same run as its parent's."""
    writer = Here(str(tmp_path))
    writer.write(1, 0)
    child = os.fork()
    if child == 0:
        own = Here(str(tmp_path))
        own.write(2, 0)
        own.free()
        writer.free()  # nothing happens
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    writer.write(3, 1)
    writer.free()
    assert rows(tmp_path) == [1, 2, 3]


@pytest.mark.parametrize("counter", [0, 999999, 2**31, 2**53 + 1, 2**63 - 1])
def test_large_counters(tmp_path, counter):
    """The next one is behind the last there is: a suffix tells them apart."""
    writer = StockWriter(config(str(tmp_path)))
    answers = [writer.raw(json.dumps(batch).encode()) for batch in
               ({"records": [{"id": 1}], "file_counter": counter}, [{"id": 2}], {"records": [{"id": 3}]})]  # fmt: skip
    assert len({json.loads(answer)[0]["path"] for answer in answers}) == 3
    del writer
    assert rows(tmp_path) == [1, 2, 3]


@pytest.mark.parametrize("counter", ["-1", "9223372036854775808", "1e308", "0.5", "-9223372036854775808", '""', '"7"', "true", "[]"])
def test_counters_that_are_none(tmp_path, counter):
    writer = StockWriter(config(str(tmp_path)))
    answer = writer.raw(b'{"records":[{"id":1}],"file_counter":' + counter.encode() + b"}")
    assert b"file_counter" in answer and answer.startswith(b"DATIVO_PLUGIN_ERROR ")
    del writer
    assert rows(tmp_path) == []


if __name__ == "__main__":
    serve(sys.argv[1])
