"""Uploads that are open: those of killed runs are aborted by the next one, those of runs that live are left alone."""

import re
import signal
import threading
import time

import pytest

import s3_server
from convert_runs import finish, left_files, serving, start

TEXT = b"id,name\n" + b"".join(b"%d,name %d\n" % (i, i) for i in range(9000))


@pytest.fixture
def server():
    with serving() as started:
        yield started
        assert started.problems == []


@pytest.fixture(autouse=True)
def source(tmp_path):
    (tmp_path / "in.csv").write_bytes(TEXT)


class Held:
    """The first request of an operation waits, and then gets a fault, or none."""

    def __init__(self, server, operation, fault=None, nth=1):
        self.reached, self.over = threading.Event(), threading.Event()
        lock, count = threading.Lock(), [0]

        def rule(request):
            with lock:
                count[0] += request.operation == operation
                mine = request.operation == operation and count[0] == nth
            if not mine:
                return None
            request.wait_for_body()
            self.reached.set()
            assert self.over.wait(60)
            return fault

        server.fault = rule


def write(folder, server, key="out.csv", **env):
    return start(folder, server, "-q", "-f", "in.csv", f"s3://bucket/{key}", **env)


def ok(folder, server, key="out.csv", **env):
    code, said = finish(write(folder, server, key, **env), folder)
    assert code == 0, said
    assert server.buckets["bucket"][key].data == TEXT


def killed(folder, server, held, key="out.csv"):
    process = write(folder, server, key)
    assert held.reached.wait(60)
    process.kill()
    process.communicate()
    held.over.set()
    server.wait_until_idle()
    server.fault = lambda request: None


@pytest.mark.parametrize("operation, fault, nth, key", [
    ("create", None, 1, "out.csv"), ("create", "lost", 1, "ingest_date=2026-01-02/out.csv"), ("part", None, 1, "out_20260101T000000000.csv"),
    ("part", "reset-before", 4, "out.csv"), ("complete", "reset-before", 1, "ingest_date=2026-01-02/out.csv")])
def test_what_a_killed_run_left_goes_with_the_next_one(tmp_path, server, operation, fault, nth, key):
    """Of the same name, and of another one: names of jobs have days and times in them."""
    killed(tmp_path, server, Held(server, operation, fault, nth))
    assert len(server.uploads["bucket"]) == 1 and server.buckets["bucket"] == {}
    ok(tmp_path, server, key)
    assert server.uploads["bucket"] == {} and left_files(tmp_path) == []


def test_killed_between_completion_and_its_answer(tmp_path, server):
    killed(tmp_path, server, Held(server, "complete"))
    assert server.buckets["bucket"]["out.csv"].data == TEXT and server.uploads["bucket"] == {}
    code, said = finish(start(tmp_path, server, "-q", "in.csv", "s3://bucket/out.csv"), tmp_path)
    assert code == 2 and "is there already" in said
    ok(tmp_path, server)
    assert server.uploads["bucket"] == {} and left_files(tmp_path) == []


def test_nothing_to_abort_yet(tmp_path, server):
    """Killed before the service had the request: it may still come, so it is asked again by a later run."""
    killed(tmp_path, server, Held(server, "create", "reset-before"))
    ok(tmp_path, server)
    assert len(left_files(tmp_path)) == 1
    server.uploads["bucket"]["late"] = s3_server.Upload("out.csv", {})
    ok(tmp_path, server)
    assert server.uploads["bucket"] == {} and left_files(tmp_path) == []


@pytest.mark.parametrize("operation, fault", [("create", None), ("create", "lost"), ("part", None), ("complete", None), ("uploads", None)])
def test_two_runs_at_a_time(tmp_path, server, operation, fault):
    """Neither aborts what the other one is at."""
    held = Held(server, operation, fault)
    first = write(tmp_path, server)
    assert held.reached.wait(60)
    begun = set(server.uploads["bucket"])
    ok(tmp_path, server)
    assert set(server.uploads["bucket"]) >= begun
    held.over.set()
    code, said = finish(first, tmp_path)
    assert code == 0, said
    assert server.uploads["bucket"] == {} and left_files(tmp_path) == []


def test_a_lost_answer_aborts_nothing_of_others(tmp_path, server):
    """Who does not know the number of its upload looks for it; that of another process is not it."""
    held = Held(server, "part")
    first = write(tmp_path, server)
    assert held.reached.wait(60)
    rule, lost = server.fault, iter(["lost"])
    server.fault = lambda request: next(lost, None) if request.operation == "create" else rule(request)
    ok(tmp_path, server)
    assert len(server.uploads["bucket"]) == 1
    held.over.set()
    assert finish(first, tmp_path)[0] == 0
    assert server.uploads["bucket"] == {}


def test_of_other_machines(tmp_path, server):
    """Those may be alive, unless they are over a day old; other keys are other people's."""
    for number, (key, hours) in enumerate([("out.csv", 0), ("out.csv", 23), ("out.csv", 25), ("out.csv2", 25), ("out", 25)]):
        server.uploads["bucket"][str(number)] = s3_server.Upload(key, {})
        server.uploads["bucket"][str(number)].time -= hours * 3600
    ok(tmp_path, server)
    assert sorted(server.uploads["bucket"]) == ["0", "1", "3", "4"]


@pytest.mark.parametrize("operation", ["part", "complete"])
def test_an_abort_that_fails(tmp_path, server, operation):
    """It is said, with the number of the upload, and the next run aborts it."""
    server.fault = lambda request: "full" if request.operation in (operation, "abort") else None
    code, said = finish(write(tmp_path, server), tmp_path)
    (number,) = server.uploads["bucket"]
    assert code == 2 and said.count("error:") == 1, said
    assert re.search(f"its upload {re.escape(number)} could not be aborted", said), said
    server.fault = lambda request: None
    ok(tmp_path, server, "another.csv")
    assert server.uploads["bucket"] == {} and left_files(tmp_path) == []


def test_sigterm_and_an_abort_without_an_answer(tmp_path, server):
    server.fault = lambda request: "stall" if request.operation in ("part", "abort") else None
    process = write(tmp_path, server)
    while "part" not in server.operations():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    assert finish(process, tmp_path)[0] == 143
    server.wait_until_idle()
    server.fault = lambda request: None
    ok(tmp_path, server)
    assert server.uploads["bucket"] == {} and left_files(tmp_path) == []


@pytest.mark.parametrize("where", ["/proc/nothing", "/dev/null", "relative"])
def test_no_place_for_notes(tmp_path, server, where):
    ok(tmp_path, server, XDG_STATE_HOME=where)
    assert server.uploads["bucket"] == {}


def test_notes_that_are_none(tmp_path, server):
    folder = tmp_path / ".local/state/dativo-native/uploads"
    folder.mkdir(parents=True)
    contents = [b"", b"x", b"\0" * 5, b"a\0" * 9, b"\xff" * 9000, b"127.0.0.1\0bucket\0k\0not a number\0id\0"]
    for number, content in enumerate(contents):
        (folder / str(number)).write_bytes(content)
    (folder / "folder").mkdir()
    (folder / "link").symlink_to("/dev/zero")
    ok(tmp_path, server)
    assert server.uploads["bucket"] == {}
