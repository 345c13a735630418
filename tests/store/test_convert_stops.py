"""SIGTERM while a source or a server is silent: the end comes within a second, and no upload stays open."""

import signal
import socket
import threading
import time

import pytest

import s3_server
from command import wait_until_it_listens
from convert_runs import left_files, no_secret_in, serving, start
from stopping import no_op_seconds, patient, within_a_second

TEXT = b"id,name\n" + b"".join(b"%d,name %d\n" % (i, i) for i in range(9000))


def end(process, server, folder, only_the_answer=False, may_come=False):
    """Seconds until it had ended."""
    asked = time.monotonic()
    process.send_signal(signal.SIGTERM)
    code = process.wait(60)
    seconds = time.monotonic() - asked
    said = b"".join(process.communicate())
    no_secret_in(folder, said)
    assert code in (143, -signal.SIGTERM), said  # while it lists it has nothing to undo, and ends at once
    # on a machine that is so busy the abort does not come through in its time
    assert server.uploads["bucket"] == {} or no_op_seconds() > 0.1
    assert set(server.buckets["bucket"]) <= {"in.csv"} | ({"out.csv"} if only_the_answer else set())
    assert {p.name for p in folder.iterdir()} <= {"tmp", "in.csv", ".local"} and (may_come or left_files(folder) == [])
    return seconds


@pytest.mark.parametrize("times", [0, 1, 80])
@patient
def test_an_idle_pipe(tmp_path, times):
    """Nothing, a little, or parts of it have come, and more may."""
    with serving() as server:
        process = start(tmp_path, server, "-q", "-", "s3://bucket/out.csv", DN_S3_PART_BYTES="1200000")
        process.stdin.write(TEXT * times)
        process.stdin.flush()
        if times < 80:
            wait_until_it_listens(process, signal.SIGTERM)
        while times == 80 and not server.uploads["bucket"]:
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.005)
        within_a_second(end(process, server, tmp_path))


@pytest.mark.parametrize("fault", ["stall", "held"])
@pytest.mark.parametrize("operation", ["head", "get"])
@patient
def test_a_silent_server_is_read(tmp_path, operation, fault):
    """It is silent within its answer, or before it."""
    silent(tmp_path, operation, fault, ["s3://bucket/in.csv", "out.csv"])


@pytest.mark.parametrize("fault", ["stall", "held"])
@pytest.mark.parametrize("operation", ["uploads", "head", "create", "part", "put"])
@patient
def test_a_silent_server_is_written_to(tmp_path, operation, fault):
    (tmp_path / "in.csv").write_bytes(TEXT[:1000] if operation == "put" else TEXT)
    silent(tmp_path, operation, fault, ["in.csv", "s3://bucket/out.csv"])


def silent(folder, operation, fault, args, **env):
    with serving() as server:
        reached, over = threading.Event(), threading.Event()

        def stop_at(request):
            if request.operation != operation or reached.is_set():
                return None
            reached.set()
            if fault == "held":
                over.wait(60)
                return "reset-before"
            return fault

        server.buckets["bucket"]["in.csv"] = s3_server.make_object(TEXT)
        server.fault = stop_at
        process = start(folder, server, "-q", *args, **env)
        assert reached.wait(60)
        time.sleep(0.05)
        try:
            # a silent answer to a PUT is that of a server that has done it
            within_a_second(end(process, server, folder, operation == "put" and fault == "stall", operation == "create"))
        finally:
            over.set()


@pytest.mark.parametrize("fault", ["stall", "held"])
@patient
def test_a_silent_listing(tmp_path, fault):
    silent(tmp_path, "list", fault, ["s3://bucket/*.csv", "out.csv"])


@pytest.mark.parametrize("operation", ["head", "get", "create", "part", "put", "complete"])
@patient
def test_a_wait_between_two_tries(tmp_path, operation):
    """The service is busy for long: what is waited for is the next try."""
    reads = operation in ("head", "get")
    (tmp_path / "in.csv").write_bytes(TEXT[:1000] if operation == "put" else TEXT)
    with serving() as server:
        busy = []

        def slow_down(request):
            if request.operation == operation:
                busy.append(request)
                return "503"
            return None

        server.buckets["bucket"]["in.csv"] = s3_server.make_object(TEXT)
        server.fault = slow_down
        process = start(tmp_path, server, "-q", *(["s3://bucket/in.csv", "out.csv"] if reads else ["in.csv", "s3://bucket/out.csv"]))
        while len(busy) < 5:  # the next one comes up to three seconds later
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.005)
        within_a_second(end(process, server, tmp_path, may_come=operation == "create"))


@pytest.mark.parametrize("silence", ["connect", "TLS", "answer"])
@pytest.mark.parametrize("args", [["s3://bucket/in.csv", "out.csv"], ["in.csv", "s3://bucket/out.csv"], ["{}/in.csv", "out.csv"]])
@patient
def test_a_host_that_says_nothing(tmp_path, silence, args):
    """It takes no connection, or one and no byte of TLS or of an answer."""
    (tmp_path / "in.csv").write_bytes(TEXT)
    with socket.socket() as listener, serving() as server:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0 if silence == "connect" else 16)
        full = [socket.socket() for _ in range(3 if silence == "connect" else 0)]
        for other in full:  # of a queue that nobody takes anything from
            other.setblocking(False)
            other.connect_ex(listener.getsockname())
        url = f"http{'s' if silence == 'TLS' else ''}://127.0.0.1:{listener.getsockname()[1]}"
        process = start(tmp_path, server, "-q", *(word.format(url) for word in args), AWS_ENDPOINT_URL_S3=url)
        if silence == "connect":
            wait_until_it_listens(process, signal.SIGTERM)
            time.sleep(0.3)
        else:
            listener.settimeout(60)
            taken, _ = listener.accept()
            time.sleep(0.1)
        within_a_second(end(process, server, tmp_path))
        for other in full:
            other.close()


@pytest.mark.parametrize("who", ["credential_process", "container"])
@patient
def test_credentials_that_do_not_come(tmp_path, tmp_path_factory, who):
    config = tmp_path_factory.mktemp("aws") / "config"
    asked = config.with_name("asked")
    config.write_text(f"[default]\ncredential_process = touch {asked}; sleep 60\n")
    with socket.socket() as listener, serving() as server:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        none = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": ""}
        env = {"AWS_CONFIG_FILE": str(config)} if who == "credential_process" else {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{listener.getsockname()[1]}/"}
        process = start(tmp_path, server, "-q", "s3://bucket/in.csv", "out.csv", **none, **env)
        if who == "container":
            listener.settimeout(60)
            taken, _ = listener.accept()
        while who == "credential_process" and not asked.exists():
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.005)
        within_a_second(end(process, server, tmp_path))
        assert server.seen == []


@pytest.mark.parametrize("fault", ["held", "503"])
@patient
def test_an_abort_that_does_not_come_through(tmp_path, fault):
    """It is tried for 0.7 seconds: the upload stays open, and the next run finds it."""
    (tmp_path / "in.csv").write_bytes(TEXT)
    over = threading.Event()
    with serving() as server:
        def refuse(request):
            if request.operation not in ("part", "abort"):
                return None
            if fault == "held":
                over.wait(60)
                return "reset-before"
            return fault

        server.fault = refuse
        process = start(tmp_path, server, "-q", "in.csv", "s3://bucket/out.csv")
        while "part" not in server.operations() and server.n_active < 2:
            assert process.poll() is None
            time.sleep(0.005)
        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=60)[1]
        within_a_second(time.monotonic() - asked)
        assert process.returncode == 143, said
        over.set()
        assert len(server.uploads["bucket"]) == 1 and server.buckets["bucket"] == {}
        server.fault = lambda request: None
        again = start(tmp_path, server, "-q", "in.csv", "s3://bucket/out.csv")
        assert again.wait(60) == 0
        assert server.uploads["bucket"] == {} and server.buckets["bucket"]["out.csv"].data == TEXT
