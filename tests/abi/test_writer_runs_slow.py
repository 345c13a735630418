"""More interleavings of writers than an everyday run has time for, and locks that are waited for."""

import fcntl
import os
import signal

import pytest
from test_writer_runs import Here, There, hold, interleave_here, interleave_processes, refusal, rows


@pytest.mark.parametrize("seed", range(1000, 1070))
def test_interleavings_in_one_process(tmp_path, seed):
    interleave_here(tmp_path, seed)


@pytest.mark.parametrize("seed", range(1000, 1070))
def test_interleavings_of_processes(tmp_path, seed):
    interleave_processes(tmp_path, seed)


@pytest.mark.parametrize(("kind", "byte"), [(fcntl.F_RDLCK, 1), (fcntl.F_WRLCK, 1), (fcntl.F_WRLCK, 0)])
def test_a_lock_that_is_never_given_back(tmp_path, kind, byte):
    """An error that names the file comes in the end, whoever holds it."""
    path = tmp_path / ".t.run"
    path.touch()
    lock = hold(path, kind, byte)
    message = refusal(str(tmp_path))["message"]
    assert str(path) in message and "fuser" in message
    os.close(lock)
    writer = Here(str(tmp_path))
    writer.write(1, 0)
    writer.free()
    assert rows(tmp_path) == [1]


def test_beside_a_stopped_writer(tmp_path):
    """It holds nothing that others wait for."""
    stopped = There(str(tmp_path))
    stopped.write(1, 0)
    stopped.process.send_signal(signal.SIGSTOP)
    writer = Here(str(tmp_path))
    writer.write(2, 0)
    writer.free()
    stopped.process.send_signal(signal.SIGCONT)
    stopped.free()
    assert rows(tmp_path) == [1, 2]
