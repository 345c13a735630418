"""SIGTERM while a source or a server is silent: the end comes within a second, and no upload stays open."""

import os
import signal
import threading
import time

import pytest

import s3_server
from command import wait_until_it_listens
from convert_runs import no_secret_in, serving, start

LONGEST = 60 if os.environ.get("DN_SANITIZED") else 1  # seconds; sanitizers look around at the end of a process, for one
TRIES = 5  # the machine may be busy: one of them shows that nothing is waited for
TEXT = b"id,name\n" + b"".join(b"%d,name %d\n" % (i, i) for i in range(9000))


def end(process, server, folder, only_the_answer=False):
    """Seconds until it had ended."""
    asked = time.monotonic()
    process.send_signal(signal.SIGTERM)
    code = process.wait(60)
    seconds = time.monotonic() - asked
    said = b"".join(process.communicate())
    no_secret_in(folder, said)
    assert code == 143, said
    assert server.uploads["bucket"] == {}
    assert set(server.buckets["bucket"]) <= {"in.csv"} | ({"out.csv"} if only_the_answer else set())
    assert {p.name for p in folder.iterdir()} <= {"tmp", "in.csv"} and not any((folder / "tmp").iterdir())
    return seconds


def within_a_second(run):
    seconds = []
    while not seconds or seconds[-1] >= LONGEST:
        assert len(seconds) < TRIES, seconds
        seconds.append(run())


@pytest.mark.parametrize("times", [0, 1, 80])
def test_an_idle_pipe(tmp_path, times):
    """Nothing, a little, or parts of it have come, and more may."""
    with serving() as server:
        def run():
            process = start(tmp_path, server, "-q", "-", "s3://bucket/out.csv", DN_S3_PART_BYTES="1200000")
            process.stdin.write(TEXT * times)
            process.stdin.flush()
            if times < 80:
                wait_until_it_listens(process, signal.SIGTERM)
            while times == 80 and not server.uploads["bucket"]:
                assert process.poll() is None, process.stderr.read()
                time.sleep(0.005)
            return end(process, server, tmp_path)

        within_a_second(run)


@pytest.mark.parametrize("fault", ["stall", "held"])
@pytest.mark.parametrize("operation", ["head", "get"])
def test_a_silent_server_is_read(tmp_path, operation, fault):
    """It is silent within its answer, or before it."""
    silent(tmp_path, operation, fault, ["s3://bucket/in.csv", "out.csv"])


@pytest.mark.parametrize("fault", ["stall", "held"])
@pytest.mark.parametrize("operation", ["uploads", "head", "create", "part", "put"])
def test_a_silent_server_is_written_to(tmp_path, operation, fault):
    (tmp_path / "in.csv").write_bytes(TEXT[:1000] if operation == "put" else TEXT)
    silent(tmp_path, operation, fault, ["in.csv", "s3://bucket/out.csv"])


def silent(folder, operation, fault, args):
    with serving() as server:
        def run():
            reached, over = threading.Event(), threading.Event()

            def stop_at(request):
                if request.operation != operation or reached.is_set():
                    return None
                reached.set()
                if fault == "held":
                    over.wait(60)
                    return "reset-before"
                return fault

            server.buckets["bucket"].pop("out.csv", None)  # of a request whose answer alone was silent
            server.buckets["bucket"]["in.csv"] = s3_server.make_object(TEXT)
            server.fault = stop_at
            process = start(folder, server, "-q", *args)
            assert reached.wait(60)
            time.sleep(0.05)
            try:
                # a silent answer to a PUT is that of a server that has done it
                return end(process, server, folder, operation == "put" and fault == "stall")
            finally:
                over.set()

        within_a_second(run)
