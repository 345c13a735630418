"""Waiting for bytes that do not come: every request to stop ends the command within a second, with nothing left behind."""

import os
import shutil
import subprocess
import time

import pytest

from rig import CASES, STOPS, Case, check_stopped, seconds_of, signalled, wait_until_it_listens

# name: (arguments, what the writer of the pipe has written; None: nobody has opened it)
WAITS = {
    "no writer": (["convert", "fifo", "o/out.parquet"], None),
    "nothing yet": (["convert", "fifo", "o/out.parquet"], b""),
    "half a row": (["convert", "-f", "-t", "2", "fifo", "o/out.parquet"], b"a,b\n1,2\n3"),
    "standard input": (["convert", "-", "o/out.parquet"], b"a,b\n"),
    "second file": (["convert", "first.csv", "fifo", "o/out.parquet"], b""),
    "many rows": (["convert", "-c", "none", "fifo", "o/out.parquet"], b"a,b\n" + b"1,2\n" * 200_000),
    "schema": (["schema", "--full", "fifo"], b"a,b\n1,2\n"),
}


@pytest.mark.parametrize("name", WAITS)
@pytest.mark.parametrize("number", STOPS)
def test_stop_while_waiting(rig, name, number):
    """A machine that has other work to do may take longer, but not every time."""
    assert any(seconds_to_stop(rig, name, number) < 1 for _ in range(10))


def seconds_to_stop(rig, name, number):
    args, written = WAITS[name]
    case = Case(name, args, "o/out.parquet" if args[0] == "convert" else None)
    folder = rig.folder(case)
    (folder / "first.csv").write_text("a,b\n1,2\n")
    os.mkfifo(folder / "fifo")
    stdin, write_end = os.pipe()
    process = rig.start(folder, args, stdin=stdin if "-" in args else subprocess.DEVNULL)
    try:
        if "-" not in args and written is not None:
            os.close(write_end)
            write_end = os.open(folder / "fifo", os.O_WRONLY)
        for at in range(0, len(written or b""), 1 << 14):
            os.write(write_end, written[at:at + (1 << 14)])
        wait_until_it_listens(process, number)
        time.sleep(0.15)
        assert process.poll() is None
        process.send_signal(number)
        started = time.monotonic()
        done = rig.wait(process, folder)
        seconds = time.monotonic() - started
    finally:
        os.close(stdin)
        os.close(write_end)
    assert done.code == STOPS[number] and "stopped on request" in done.err, done
    (folder / "first.csv").unlink()
    (folder / "fifo").unlink()
    assert rig.leftovers(folder, case) == []
    shutil.rmtree(folder)
    return seconds


@pytest.mark.parametrize("number", STOPS)
def test_stop_at_work(rig, number):
    """The same while it is busy, at moments from its start to its end."""
    case = next(case for case in CASES if case.name == "groups")
    whole = seconds_of(rig, case)
    for i in range(8):
        folder, done = signalled(rig, case, number, whole * i / 10)
        check_stopped(rig, case, folder, done, number)
