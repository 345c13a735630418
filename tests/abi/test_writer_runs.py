"""Which files a writer may replace: those of earlier runs, when its own is over, never those of the run that is under way.  Writers of one
table that are open at the same time are one run, whatever their threads and processes."""

import fcntl
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import writer_process
from stock_host import WRITER, StockWriter, assert_loud, take
from writer_process import Here, config

F_OFD_SETLK = 37


def hold(path, kind, byte):
    """A lock of a stranger; whoever may read the file can have a shared one."""
    fd = os.open(path, os.O_RDONLY if kind == fcntl.F_RDLCK else os.O_RDWR)
    fcntl.fcntl(fd, F_OFD_SETLK, struct.pack("hhqqi", kind, os.SEEK_SET, byte, 1, 0))
    return fd


def refusal(directory, **options):
    """What a writer that cannot begin says."""
    writer = StockWriter(config(directory, **options))
    return assert_loud(writer.raw(b'{"records":[{"id":1}]}'), "io")


class There:
    """A writer of another process, which does what the lines of its standard input say."""

    def __init__(self, directory):
        self.process = subprocess.Popen(
            [sys.executable, writer_process.__file__, directory], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
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


def rows(directory):
    """All rows under final names; nothing else may be there, but the list of whose they are."""
    found = []
    for name in set(os.listdir(directory)) - {".t.run"}:
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
            runs[-1].append(n_rows)
            n_rows += 1
            counters[i] += 1
    return runs


def check(directory, runs):
    """The last run that wrote anything is there, and nothing else."""
    written = [run for run in runs if run]
    assert rows(directory) == (written[-1] if written else [])


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


def test_two_writers_in_turns(tmp_path):
    """200 batches, while an earlier run's files wait to be removed."""
    run(tmp_path, 1, 2, 3)
    a, b = Here(str(tmp_path)), Here(str(tmp_path))
    for counter in range(100):
        a.write(1000 + counter, counter)
        b.write(2000 + counter, counter)
    a.free()
    assert set(rows(tmp_path)) > {1, 2, 3}
    b.free()
    assert rows(tmp_path) == [*range(1000, 1100), *range(2000, 2100)]


LISTINGS = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
static int n;
__attribute__((destructor)) static void tell(void)
{
    FILE *out = fopen(getenv("TOLD"), "w");
    fprintf(out, "%d", n);
    fclose(out);
}
void *fdopendir(int fd) { return n++, ((void *(*)(int))dlsym(RTLD_NEXT, "fdopendir"))(fd); }
void *opendir(const char *path) { return n++, ((void *(*)(const char *))dlsym(RTLD_NEXT, "opendir"))(path); }
"""
WRITES = """
import ctypes, sys
plugin = ctypes.CDLL(sys.argv[1])
plugin.create_writer.restype = plugin.write_batch.restype = ctypes.c_void_p
handle = ctypes.c_void_p(plugin.create_writer(sys.argv[2].encode()))
for n in range(int(sys.argv[3])):
    text = ctypes.c_void_p(plugin.write_batch(handle, b'{"records":[{"id":1}],"file_counter":%d}' % n))
    assert ctypes.string_at(text).startswith(b"[{"), ctypes.string_at(text)
    plugin.free_string(text)
plugin.free_writer(handle)
"""


def test_a_folder_is_not_listed_for_every_batch(tmp_path):
    """So that a batch costs the same whatever else is in it."""
    (tmp_path / "listings.c").write_text(LISTINGS)
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", "listings.so", "listings.c", "-ldl"], cwd=tmp_path, check=True)
    (tmp_path / "out").mkdir()
    for n in range(500):
        (tmp_path / "out" / f"other_{n:06}.parquet").touch()

    def listings(batches):
        preload = [*filter(None, [os.environ.get("LD_PRELOAD")]), str(tmp_path / "listings.so")]
        variables = {**os.environ, "LD_PRELOAD": ":".join(preload), "TOLD": str(tmp_path / "told")}
        words = [sys.executable, "-c", WRITES, str(WRITER), json.dumps(config(tmp_path / "out")), str(batches)]
        subprocess.run(words, env=variables, check=True)
        return int((tmp_path / "told").read_text())

    listings(2)
    assert listings(2) == listings(40) > 0


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


@pytest.mark.parametrize("maker", [Here, There])
def test_a_run_that_is_repeated_replaces(tmp_path, maker):
    """Also where writers stood side by side, and where the earlier run was longer."""
    for n_batches in (2, 3, 1):
        a, b = Here(str(tmp_path)), maker(str(tmp_path))
        for counter in range(n_batches):
            a.write(10 + counter, counter)
            b.write(20 + counter, counter)
        a.free()
        b.free()
        assert rows(tmp_path) == [n + counter for n in (10, 20) for counter in range(n_batches)]


def test_nothing_goes_before_the_end(tmp_path):
    """Who reads the folder meanwhile finds the earlier run's files as they were; a run that wrote nothing replaces nothing."""
    run(tmp_path, 1, 2, 3)
    before = contents(tmp_path)
    writer = Here(str(tmp_path))
    writer.free()
    assert contents(tmp_path) == before
    writer = Here(str(tmp_path))
    writer.write(7, 0)
    assert contents(tmp_path).items() > before.items() and rows(tmp_path) == [1, 2, 3, 7]
    writer.free()
    assert rows(tmp_path) == [7]


def run(directory, *idents):
    writer = Here(str(directory))
    for counter, ident in enumerate(idents):
        writer.write(ident, counter)
    writer.free()


def contents(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir() if not path.name.startswith(".")}


FAILURES = ["error", "killed", "left", "exit 2"]


@pytest.mark.parametrize("failure", FAILURES)
def test_a_run_that_failed_leaves_the_earlier_ones_files(tmp_path, failure):
    """As they were; and what it had acknowledged is there beside them, until a run is finished."""
    run(tmp_path, 1, 2, 3)
    before = contents(tmp_path)
    for n in range(2):
        fail(tmp_path, failure, 10 + n)
        assert before.items() < contents(tmp_path).items()
    assert rows(tmp_path) == [1, 2, 3, 10, 11]
    run(tmp_path, 7)
    assert rows(tmp_path) == [7]


def fail(directory, failure, ident):
    if failure == "error":
        writer = Here(str(directory))
        writer.write(ident, 0)
        assert_loud(writer.writer.raw(b'[{"id":"x"}]'), "type")
        writer.free()
    elif failure == "killed":
        writer = There(str(directory))
        writer.write(ident, 0)
        writer.kill()
    else:
        leave(directory, ident, "os._exit(0)" if failure == "left" else "libc.exit(2)", 0 if failure == "left" else 2)


def leave(directory, ident, end, status, commit=False):
    """A process that writes a batch, does not free its writer, and ends so."""
    code = f"""import ctypes, json, os
from stock_host import StockWriter
from writer_process import config
libc = ctypes.CDLL(None)
writer = StockWriter(config({str(directory)!r}))
files = writer.write_batch([{{"id": {ident}}}], 0)
if {commit}:
    writer.lib.commit_files(writer.pointer, json.dumps(files).encode())
{end}
"""
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent).returncode == status


def test_a_process_that_ends_well_without_freeing(tmp_path):
    run(tmp_path, 1, 2, 3)
    leave(tmp_path, 4, "libc.exit(0)", 0)
    assert rows(tmp_path) == [4]


def test_what_was_committed_was_finished(tmp_path):
    """Whatever becomes of the process then: the next run does what is left to do, whatever becomes of that one."""
    run(tmp_path, 1, 2, 3)
    leave(tmp_path, 4, "os._exit(1)", 1, commit=True)
    assert rows(tmp_path) == [1, 2, 3, 4]
    fail(tmp_path, "killed", 5)
    assert rows(tmp_path) == [4, 5]


def test_killed_in_the_batch_behind_a_commit(tmp_path):
    """The commit was not the last call: nothing is replaced, also not by the next run, which fails."""
    run(tmp_path, 1, 2, 3)
    leave(tmp_path, 4, """writer.raw(b'[{"id":"x"}]'); os._exit(1)""", 1, commit=True)
    assert rows(tmp_path) == [1, 2, 3, 4]
    fail(tmp_path, "killed", 5)
    assert rows(tmp_path) == [1, 2, 3, 4, 5]


def test_names_that_begin_alike(tmp_path):
    """Two tables, however late their names differ."""
    for length in (1, 199, 200, 201, 230):
        folder = tmp_path / str(length)
        for n in (1, 2):
            for name in "ab":
                writer = StockWriter(config(str(folder)) | {"asset_name": length * "t" + name})
                writer.write_batch([{"id": n}], 0)
                del writer
        made = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
        assert sorted(name[: length + 1] for name in made) == [length * "t" + name for name in "ab"]
        assert [pq.read_table(folder / name)["id"].to_pylist() for name in made] == [[2], [2]]


def test_one_of_two_fails(tmp_path):
    """The run has not ended well then."""
    run(tmp_path, 1, 2)
    a, b = Here(str(tmp_path)), There(str(tmp_path))
    a.write(3, 0)
    b.write(4, 0)
    b.kill()
    a.free()
    assert rows(tmp_path) == [1, 2, 3, 4]
    run(tmp_path, 5)
    assert rows(tmp_path) == [5]


def test_others_files_stay(tmp_path):
    """What no run wrote is no run's, whatever it is called; a file in the way of the first name is an earlier one's, as ever."""
    others = ["t_202401.parquet", "t.parquet", "u_000000.parquet", "t_000000.csv", "t_000001-1.parquet", "t_000000.parquet.bak"]
    for name in [*others, "t_000000.parquet"]:
        (tmp_path / name).write_text("not yours")
    run(tmp_path, 1, 2)
    run(tmp_path, 3)
    assert [(tmp_path / name).read_text() for name in others] == ["not yours"] * len(others)
    for name in others:
        (tmp_path / name).unlink()
    assert rows(tmp_path) == [3]


def test_what_cannot_be_removed_is_said(tmp_path, capfd):
    run(tmp_path, 1, 2)
    subprocess.run(["chattr", "+i", tmp_path / "t_000001.parquet"], check=False, stderr=subprocess.DEVNULL)
    try:
        run(tmp_path, 3)
    finally:
        subprocess.run(["chattr", "-i", tmp_path / "t_000001.parquet"], check=False, stderr=subprocess.DEVNULL)
    if rows(tmp_path) == [3]:
        pytest.skip("no immutable files here")
    assert "1 file of an earlier run cannot be removed" in capfd.readouterr().err
    run(tmp_path, 4)
    assert rows(tmp_path) == [4]


def test_appended_files_stay_during_their_run(tmp_path):
    """A writer with overwrite: false beside one that replaces, and before one."""
    run(tmp_path, 1)
    a = StockWriter(config(str(tmp_path), overwrite=False))
    a.write_batch([{"id": 2}], 0)
    b = Here(str(tmp_path))
    b.write(3, 0)
    del a
    b.free()
    assert rows(tmp_path) == [2, 3]


def test_killed_and_run_again(tmp_path):
    """A killed run holds nothing: its files are an earlier run's.  Its temporary files are taken away."""
    for counter in range(2):
        killed = There(str(tmp_path))
        killed.write(1, 0)
        for i in range(counter):
            killed.write(2 + i, 1 + i)
        killed.kill()
    assert rows(tmp_path) == [1, 1, 2]
    again = There(str(tmp_path))
    again.write(7, 0)
    again.free()
    assert rows(tmp_path) == [7]


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
            os.write(writing, str(os.getpid()).encode())  # fork() is over here, and what it has to do in a child is done
            signal.alarm(300)
            signal.pause()
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


@pytest.mark.parametrize("dangling", [False, True])
def test_a_run_over_a_link(tmp_path, dangling):
    """Who put the file elsewhere and a link in its place: the next run replaces the link, and what it leads to is no part of the table."""
    table, elsewhere = tmp_path / "table", tmp_path / "elsewhere"
    table.mkdir()
    elsewhere.mkdir()
    first = Here(str(table))
    first.write(1, 0)
    first.free()
    (name,) = contents(table)
    (table / name).rename(elsewhere / name)
    (table / name).symlink_to(elsewhere / name)
    if dangling:
        (elsewhere / name).unlink()
    again = Here(str(table))
    again.write(2, 0)
    again.write(3, 0)
    again.free()
    assert (elsewhere / name).is_file() is not dangling
    assert rows(table) == [2, 3]


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


@pytest.mark.parametrize("counter", ["-1", "9223372036854775808", "1e308", "0.5", "-9223372036854775808", "1.0", '""', '"7"', "true", "[]"])
def test_counters_that_are_none(tmp_path, counter):
    writer = StockWriter(config(str(tmp_path)))
    answer = writer.raw(b'{"records":[{"id":1}],"file_counter":' + counter.encode() + b"}")
    message = assert_loud(answer, "data")["message"]
    assert '"file_counter" must be a whole number from 0 to 9223372036854775807' in message
    assert "malformed" not in message
    del writer
    assert rows(tmp_path) == []


def test_list_taken_away(tmp_path):
    """Somebody deletes the hidden file: writers of one process know each other's files without it, also those of one that is gone."""
    a, gone = Here(str(tmp_path)), Here(str(tmp_path))
    a.write(1, 0)
    gone.write(2, 0)
    gone.free()
    os.unlink(tmp_path / ".t.run")
    b = Here(str(tmp_path))
    b.write(3, 0)
    a.write(4, 0)
    b.free()
    a.free()
    assert rows(tmp_path) == [1, 2, 3, 4]


def test_list_taken_away_and_written_anew(tmp_path):
    """A writer that goes on lists its files again, so that other processes know them, too."""
    a = Here(str(tmp_path))
    a.write(1, 0)
    os.unlink(tmp_path / ".t.run")
    a.write(2, 1)
    b = There(str(tmp_path))
    b.write(3, 0)
    b.write(4, 1)
    a.free()
    b.write(5, 1)
    b.free()
    assert rows(tmp_path) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("other", [Here, There])
def test_folder_made_again(tmp_path, other):
    folder = tmp_path / "q"
    a = Here(str(folder))
    shutil.rmtree(folder)
    folder.mkdir()
    a.write(1, 0)
    b = other(str(folder))
    b.write(2, 0)
    a.write(3, 1)
    b.free()
    a.free()
    assert rows(folder) == [1, 2, 3]


@pytest.mark.parametrize("other", [Here, There])
def test_folder_renamed(tmp_path, other):
    """What was acknowledged stays in both: the one with the new name, and the one that is made under the old name."""
    folder, moved = tmp_path / "q", tmp_path / "q2"
    a = Here(str(folder))
    a.write(1, 0)
    folder.rename(moved)
    a.write(2, 1)
    b, c = other(str(folder)), other(str(moved))
    b.write(3, 1)
    c.write(4, 0)
    for writer in (a, b, c):
        writer.free()
    assert (rows(folder), rows(moved)) == ([2, 3], [1, 4])


def test_another_working_directory(tmp_path, monkeypatch):
    """A relative folder is the one it was when the writer was made; answers name it as the configuration does."""
    (tmp_path / "x").mkdir()
    monkeypatch.chdir(tmp_path)
    writer = Here("o")
    assert writer.write(1, 0) == "o/t_000000.parquet"
    monkeypatch.chdir(tmp_path / "x")
    assert writer.write(2, 1) == "o/t_000001.parquet"
    other = Here("../o")
    assert other.write(3, 1) == "../o/t_000001-1.parquet"
    writer.free()
    other.free()
    assert (rows(tmp_path / "o"), os.listdir(".")) == ([1, 2, 3], [])


def test_freeing_ends(tmp_path):
    """A stranger's lock does not hold free_writer(): the list is left behind, and the next run takes it over."""
    writer = Here(str(tmp_path))
    writer.write(1, 0)
    lock = hold(tmp_path / ".t.run", fcntl.F_RDLCK, 1)
    writer.free()
    assert ".t.run" in os.listdir(tmp_path)
    os.close(lock)
    again = Here(str(tmp_path))
    again.write(2, 0)
    again.free()
    assert rows(tmp_path) == [2]


def something_else(path, kind):
    if kind == "text":
        path.write_text("my notes")
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("notes")


@pytest.mark.parametrize("kind", ["text", "folder", "pipe", "link"])
def test_something_else_of_that_name(tmp_path, kind):
    """It is not emptied, followed or removed; an error names it and what to do."""
    path = tmp_path / ".t.run"
    something_else(path, kind)
    before = os.lstat(path)
    message = refusal(str(tmp_path))["message"]
    assert str(path) in message and "overwrite to false" in message
    writer = StockWriter(config(str(tmp_path), overwrite=False))
    writer.write_batch([{"id": 1}], 0)
    del writer
    after = os.lstat(path)
    assert (after.st_ino, after.st_size) == (before.st_ino, before.st_size)
    assert sorted(os.listdir(tmp_path)) == [".t.run", "t_000000.parquet"]


def as_another_user(work):
    """A child without the rights of root, in which `work` gives no error."""
    child = os.fork()
    if child == 0:
        try:
            if os.getuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            work()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


@pytest.fixture
def common():
    """A folder that every user may write to."""
    folder = tempfile.mkdtemp(prefix="dn-runs-", dir="/tmp")
    os.chmod(folder, 0o777)
    yield folder
    shutil.rmtree(folder)


def test_list_of_another_user(common):
    """Left by a killed one, it gives way, and what is in it is an earlier run's."""
    killed = There(common)
    killed.write(0, 1)
    killed.write(1, 0)
    killed.kill()
    os.chmod(f"{common}/.t.run", 0o444)

    def work():
        writer = Here(common)
        writer.write(2, 0)
        writer.free()
        assert rows(common) == [2]

    as_another_user(work)


def test_list_that_another_user_holds(common):
    writer = There(common)
    writer.write(1, 0)
    os.chmod(f"{common}/.t.run", 0o444)

    def work():
        message = refusal(common)["message"]
        assert f"{common}/.t.run" in message and "another user's, who has a writer" in message

    as_another_user(work)
    writer.free()
    assert rows(common) == [1]


def test_commit_files_of_others(tmp_path):
    """Only what this writer wrote is acknowledged."""
    writer, other = StockWriter(config(str(tmp_path))), StockWriter(config(str(tmp_path)))
    files = writer.write_batch([{"id": 1}], 0)
    foreign = other.write_batch([{"id": 2}], 0)
    answer = take(other.lib, other.lib.commit_files(other.pointer, json.dumps(files + foreign).encode()))
    assert files[0]["path"] in assert_loud(answer, "invalid")["message"]
    answer = take(writer.lib, writer.lib.commit_files(writer.pointer, json.dumps(files).encode()))
    assert json.loads(answer) == {"files_committed": 1, "success": True}


@pytest.mark.parametrize("entry", [{"path": "/nowhere/none.parquet"}, {"path": 1}, {}, None, "x", []])
def test_commit_files_of_nobody(tmp_path, entry):
    writer = StockWriter(config(str(tmp_path)))
    assert_loud(take(writer.lib, writer.lib.commit_files(writer.pointer, json.dumps([entry]).encode())), "invalid")
