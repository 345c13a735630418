"""Jobs with a bucket as their target, and what can go wrong: one message, exit 2, nothing in the bucket and no upload open."""
import signal
import subprocess
import threading
import time

import pytest

import s3_server
from job_runs import KEY, Job, expected, make_large, rows
from stopping import within_a_second


@pytest.fixture
def server():
    started = s3_server.Server(["my-data-lake", "other"]).start()
    yield started
    started.shutdown()


@pytest.fixture
def job(tmp_path, server):
    return Job(tmp_path, server)


def no_credentials(job):
    return {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}


def wrong_key(job):
    return {"AWS_ACCESS_KEY_ID": "AKIDWRONG"}


def wrong_secret(job):
    return {"AWS_SECRET_ACCESS_KEY": "other-secret"}


def fault(word, *operations):
    def prepare(job):
        job.server.fault = lambda request: word if not operations or request.operation in operations else None
        return {}
    return prepare


def no_bucket(job):
    job.change(("my-data-lake", "no-such-bucket"))
    return {}




def denied(job):
    job.server.denied.add(KEY)
    return {}


def clock(job):
    job.server.clock_offset = 3600
    job.server.fault = lambda request: "skew"
    return {}


def unreachable(job):
    return {"S3_ENDPOINT": "http://127.0.0.1:1"}


BAD = [
    (no_credentials, ["there are no credentials for S3", "AWS_ACCESS_KEY_ID"]),
    (wrong_key, ["InvalidAccessKeyId", "REQ", "check it and the endpoint"]),
    (wrong_secret, ["SignatureDoesNotMatch", "REQ", "check it for cut or added bytes"]),
    (fault("expired"), ["ExpiredToken", "REQ", "fetch new credentials"]),
    (no_bucket, ["NoSuchBucket", "REQ", "buckets are not made here"]),
    (denied, ["AccessDenied", "REQ", "needs the permission s3:PutObject"]),
    (clock, ["RequestTimeTooSkewed", "REQ", "set this machine's clock"]),
    (unreachable, ["no connection to 127.0.0.1"]),
    (fault("full", "put"), ["507", "REQ", "the server's disk is full"]),
]


@pytest.mark.parametrize("command", ["run", "check"])
@pytest.mark.parametrize("prepare, says", BAD, ids=[getattr(p, "__name__", "?") + str(i) for i, (p, _) in enumerate(BAD)])
def test_bad_places(job, prepare, says, command):
    """One message with the place in the job, the URL, the code, the request, and what to do; nothing in the bucket."""
    if prepare is unreachable and command == "check":
        return  # eight tries take their time, and once is enough
    env = prepare(job)
    if "the server's disk is full" in says and command == "check":
        fault("full", "create")(job)
    said = job.fails(command=command, says=["job.yaml:31:13", f"s3://{'no-such-bucket' if prepare is no_bucket else 'my-data-lake'}/{KEY}", *says],
                     **env)
    if command == "run":
        assert said.count("error:") == 1 and said.count("\n") == said.split("error:")[0].count("\n") + 1, said
    else:
        assert job.out.count("FAILED") == 1, job.out


def test_a_certificate_that_nobody_knows(job, tmp_path):
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(certificate), "-days", "2",
                    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    secure = s3_server.Server(["my-data-lake"], certificate=(certificate, key)).start()
    job.server = secure
    job.fails(S3_ENDPOINT=secure.url, says=["job.yaml:31:13", f"s3://my-data-lake/{KEY}", "certificate", "ca_file"])
    job.change(('bucket: "my-data-lake"', f'bucket: "my-data-lake"\n    ca_file: "{certificate}"')).ok(S3_ENDPOINT=secure.url)
    assert rows(job) == expected()
    secure.shutdown()


def test_who_may_write_need_not_see_what_others_left(job):
    job.server.denied.add("")
    job.ok()
    assert rows(job) == expected()


def test_rows_that_are_refused_leave_nothing(job):
    make_large(job, b"x,y\n")
    job.fails(says=["large.csv", "line"])
    make_large(job.change((f'"{job.home}/large.csv"', '"examples/data/orders.csv"'), ("  file_format: csv\n", "")),
               b"no-number,a,DE,2025-01-01,,1,1.0,1.0,true,\n")
    job.fails(says=["large.csv", "order_id", "no-number"])


@pytest.mark.parametrize("when", ["uploads", "create", "part", "complete", "get"])
def test_a_stalled_server_and_sigterm(job, when):
    make_large(job)
    if when == "get":
        job.server.buckets["other"]["large.csv"] = s3_server.Object((job.home / "large.csv").read_bytes(), '"e"', {})
        job.change((f'"{job.home}/large.csv"', "s3://other/large.csv"))
    reached = threading.Event()

    def stall(request):
        if request.operation == when:
            reached.set()
            return "stall"
        return None

    job.server.fault = stall
    process = job.start()
    assert reached.wait(60)
    time.sleep(0.2)
    job.server.fault = lambda request: None
    asked = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=10)
    within_a_second(time.monotonic() - asked)
    deadline = time.monotonic() + 30
    while job.server.uploads["my-data-lake"] != {} and time.monotonic() < deadline:
        time.sleep(0.05)  # the server may still be at it
    whole = job.bucket != {}  # the server had done it, and only its answer was to come
    assert process.returncode == 143 or (whole and process.returncode == 0), err
    assert not whole or when in ("part", "complete")
    assert job.server.uploads["my-data-lake"] == {}


def test_killed_while_a_part_is_on_its_way(job):
    make_large(job)
    job.key = KEY.replace(".parquet", ".csv")
    reached, over = threading.Event(), threading.Event()

    def hold(request):
        if request.operation == "part":
            reached.set()
            over.wait(30)
        return None

    job.server.fault = hold
    process = job.start()
    assert reached.wait(60)
    process.kill()
    process.communicate()
    over.set()
    assert job.server.uploads["my-data-lake"] != {} and job.bucket == {}
    job.server.fault = lambda request: None
    job.ok()
    assert list(job.bucket) == [job.key]
