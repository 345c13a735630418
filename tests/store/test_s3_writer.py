"""Objects that are written in order, as sinks are."""

import signal
import threading
import time

import pytest

import s3_server
from conftest import CANCELLED, EXISTS, IO, MEMORY, OK, TEMPORARY, contents
from stopping import within_a_second

PARTS = ["--part=1000", "--memory=4000"]


@pytest.mark.parametrize("at_once", [1, 4])
@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 2000, 2001, 25_500])
def test_any_size(tool, server, size, at_once):
    tool.file("f", size)
    for chunk in (77, 1000, 100_000):
        server.seen.clear()
        tool.ok("write", "f", "s3://bucket/k", chunk, options=[*PARTS, f"--at-once={at_once}", "--meta=a:b"])
        made = server.buckets["bucket"].pop("k")
        assert made.data == contents(size) and made.headers["x-amz-meta-a"] == "b"
        wanted = ["put"] if size <= 1000 else ["create"] + ["part"] * -(-size // 1000) + ["complete"]
        assert server.operations() == wanted
        assert server.uploads["bucket"] == {}


def test_parts_go_out_at_the_same_time(tool, server, monkeypatch):
    together = threading.Barrier(3)
    check = s3_server.Handler.check_signature

    def wait(handler, request, body):
        if request.operation == "part":
            together.wait(60)  # three at once, or it breaks
        return check(handler, request, body)
    monkeypatch.setattr(s3_server.Handler, "check_signature", wait)
    tool.file("f", 3000)
    tool.ok("write", "f", "s3://bucket/k", 500, options=PARTS)
    assert server.buckets["bucket"]["k"].data == contents(3000)


def test_nothing_is_overwritten_unasked(tool, server):
    server.buckets["bucket"]["k"] = s3_server.Object(b"old", '"e"', {})
    tool.file("f", 2500)
    tool.fails("write", "f", "s3://bucket/k", 500, code=EXISTS, says=["s3://bucket/k ", "overwritten"], options=[*PARTS, "--overwrite=no"])
    assert server.operations() == ["head"]  # before anything is sent

    def somebody(request):
        if request.operation in ("complete", "put"):
            server.buckets["bucket"]["k2"] = s3_server.Object(b"theirs", '"e"', {})
    server.fault = somebody
    for size in (500, 2500):
        tool.file("f", size)
        server.buckets["bucket"].pop("k2", None)
        tool.fails("write", "f", "s3://bucket/k2", 500, code=EXISTS, options=[*PARTS, "--overwrite=no"])
        assert server.buckets["bucket"]["k2"].data == b"theirs"
    assert server.uploads["bucket"] == {}


def test_who_may_only_write_can(tool, server):
    server.fault = lambda request: "moved" if request.operation in ("head", "get") else None  # refused, whatever the reason
    tool.file("f", 2500)
    tool.ok("write", "f", "s3://bucket/k", 500, options=[*PARTS, "--overwrite=no"])


@pytest.mark.parametrize("operation", ["create", "part", "complete"])
def test_what_fails_leaves_nothing(tool, server, operation):
    tool.file("f", 9500)
    server.fault = lambda request: "503" if request.operation == operation else None
    tool.fails("write", "f", "s3://bucket/k", 500, code=TEMPORARY, says=["SlowDown", "s3://bucket/k"], options=PARTS)
    assert server.buckets["bucket"] == {} and server.uploads["bucket"] == {}
    server.fault = lambda request: "full" if request.operation == operation else None
    tool.fails("write", "f", "s3://bucket/k", 500, code=IO, says=["disk is full"], options=PARTS)
    assert server.buckets["bucket"] == {} and server.uploads["bucket"] == {}


def wait_for(server, operation, process):
    while operation not in server.operations():
        assert process.poll() is None
        time.sleep(0.01)


@pytest.mark.parametrize("operation", ["create", "part", "complete"])
def test_who_is_asked_to_stop_stops(tool, server, operation):
    tool.file("f", 9500)
    server.fault = lambda request: "503" if request.operation == operation else None
    process = tool.start("write", "f", "s3://bucket/k", 500, options=[*PARTS, "--backoff-ms=20000", "--retry-seconds=1000"])
    wait_for(server, operation, process)
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == CANCELLED, err
    within_a_second(time.monotonic() - begun)
    assert server.buckets["bucket"] == {} and server.uploads["bucket"] == {}


def test_a_server_that_does_not_even_take_the_abort(tool, server):
    tool.file("f", 9500)
    server.fault = lambda request: "503" if request.operation in ("part", "abort") else None
    process = tool.start("write", "f", "s3://bucket/k", 500, options=[*PARTS, "--backoff-ms=20000", "--retry-seconds=1000"])
    wait_for(server, "part", process)
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == CANCELLED, err
    within_a_second(time.monotonic() - begun)


def test_what_a_killed_run_left_is_aborted_by_the_next_one(tool, server):
    tool.file("f", 9500)
    server.uploads["bucket"]["other"] = s3_server.Upload("k2", {})
    server.fault = lambda request: "503" if request.operation == "part" and request.query["partNumber"] == "7" else None
    process = tool.start("write", "f", "s3://bucket/k", 500, options=[*PARTS, "--backoff-ms=20000", "--retry-seconds=1000"])
    while not any("partNumber=7" in path for _, path, _ in server.seen):
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert len(server.uploads["bucket"]) == 2 and server.buckets["bucket"] == {}
    server.fault = lambda request: None
    tool.ok("write", "f", "s3://bucket/k", 500, options=[*PARTS, "--alone=yes"])
    assert server.buckets["bucket"]["k"].data == contents(9500)
    assert list(server.uploads["bucket"]) == ["other"]


def test_memory_may_run_out_anywhere(tool, server):
    tool.file("f", 2500)
    n = 1
    while True:
        server.buckets["bucket"].clear()
        done = tool("write", "f", "s3://bucket/k", 500, options=[*PARTS, f"--fail-at={n}", "--at-once=1"])
        assert done.code in (OK, MEMORY), (n, done.code, done.err)
        assert (done.code == OK) == ("k" in server.buckets["bucket"])
        server.uploads["bucket"].clear()
        if int(done.out.rsplit(" ", 1)[1]) < n:
            break
        n += 1 if n < 12 else 7
    assert done.code == OK and n > 20
