"""Faults at every step of uploads and downloads: the object is exact, or there is an error and nothing is left."""

import pytest

import s3_server
from conftest import DATA, EXISTS, IO, MEMORY, OK, TEMPORARY, contents
from fault_runs import run_with_faults

PASSING = ["500", "503", "503-html", "reset-before", "reset-body", "reset-answer", "lost", "truncate", "slow", "500-done"]


def once(operation, fault, at=0):
    """That fault for the `at`-th request of that operation, counted from 0."""
    count = {"n": 0}

    def rule(request):
        if request.operation != operation:
            return None
        count["n"] += 1
        return fault if count["n"] == at + 1 else None
    return rule


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("operation", ["create", "part", "complete"])
def test_an_upload_survives(tool, server, operation, fault):
    tool.file("f", 4500)
    server.fault = once(operation, fault)
    tool.ok("upload", "f", "s3://bucket/k", 1000, 2, options=["--overwrite=no"])
    assert server.buckets["bucket"]["k"].data == contents(4500)
    assert server.uploads["bucket"] == {}  # also the one whose number nobody was told


@pytest.mark.parametrize("fault", PASSING)
def test_a_put_survives(tool, server, fault):
    tool.file("f", 4500)
    server.fault = once("put", fault)
    tool.ok("put", "f", "s3://bucket/k", options=["--overwrite=no"])
    assert server.buckets["bucket"]["k"].data == contents(4500)


@pytest.mark.parametrize("fault", PASSING + ["short"])
@pytest.mark.parametrize("operation", ["head", "get"])
def test_a_download_survives(tool, server, operation, fault):
    server.buckets["bucket"]["k"] = s3_server.Object(contents(4500), '"e"', {})
    server.fault = once(operation, fault)
    tool.ok("get", "s3://bucket/k", "back", 1000, 2)
    assert (tool.home / "back").read_bytes() == contents(4500)


@pytest.mark.parametrize("fault", ["error-in-200", "done-error-in-200"])
def test_a_completion_that_answers_200_and_an_error_is_tried_again(tool, server, fault):
    tool.file("f", 4500)
    server.fault = once("complete", fault)
    tool.ok("upload", "f", "s3://bucket/k", 1000, 2, options=["--overwrite=no"])
    assert server.buckets["bucket"]["k"].data == contents(4500)
    assert server.operations().count("complete") == 2
    assert server.uploads["bucket"] == {}


def test_a_completion_that_never_works(tool, server):
    tool.file("f", 4500)
    server.fault = lambda request: "error-in-200" if request.operation == "complete" else None
    tool.fails("upload", "f", "s3://bucket/k", 1000, 2, code=IO, says=["InternalError", "tried 8 times", "status 200"])
    assert server.buckets["bucket"] == {} and server.uploads["bucket"] == {}


def test_somebody_elses_object_is_not_taken_for_ours(tool, server):
    tool.file("f", 4500)

    def replace(request):
        if request.operation == "complete":
            server.buckets["bucket"]["k"] = s3_server.Object(b"x" * 4500, '"other-5"', {})
            return "500"
        return None
    server.fault = replace
    tool.fails("upload", "f", "s3://bucket/k", 1000, 2, code=TEMPORARY, options=["--overwrite=no"])
    server.fault = once("complete", "500")
    tool.fails("upload", "f", "s3://bucket/k", 1000, 2, code=EXISTS, options=["--overwrite=no"])
    server.fault = once("put", "lost")
    server.buckets["bucket"]["k"] = s3_server.Object(b"x" * 4500, '"other"', {})
    tool.fails("put", "f", "s3://bucket/k", code=EXISTS, options=["--overwrite=no"])
    assert server.buckets["bucket"]["k"].data == b"x" * 4500
    assert server.uploads["bucket"] == {}


def test_a_wrong_etag_is_noticed(tool, server):
    tool.file("f", 4500)
    server.fault = once("part", "wrong-etag", at=2)
    tool.fails("upload", "f", "s3://bucket/k", 1000, 2, code=IO, says="InvalidPart")
    assert server.buckets["bucket"] == {} and server.uploads["bucket"] == {}
    server.buckets["bucket"]["k"] = s3_server.Object(contents(4500), '"e"', {})
    server.fault = once("get", "wrong-etag", at=1)
    tool.fails("get", "s3://bucket/k", "back", 1000, 1, code=IO, says="replaced while it was read")


@pytest.mark.parametrize("operation", ["part", "complete"])
def test_a_wrong_checksum_is_noticed(tool, server, operation):
    tool.file("f", 4500)
    server.fault = once(operation, "wrong-crc")
    tool.fails("upload", "f", "s3://bucket/k", 1000, 2, code=DATA, says=["s3://bucket/k", "another checksum"])
    assert server.uploads["bucket"] == {}


def test_tries_are_bounded(tool, server):
    tool.file("f", 10)
    server.fault = lambda request: "503"
    tool.fails("put", "f", "s3://bucket/k", code=TEMPORARY, says=["SlowDown", "tried 5 times"], options=["--tries=5"])
    assert server.operations() == ["put"] * 5 + ["head"] * 5  # whether it is there after all
    server.seen.clear()
    server.fault = lambda request: "retry-after"
    tool.fails("put", "f", "s3://bucket/k", code=TEMPORARY, options=["--retry-seconds=2"])
    assert 1 <= server.operations().count("put") <= 3  # a second each


def test_what_cannot_pass_is_not_tried_again(tool, server):
    server.denied.add("k")
    tool.file("f", 10)
    tool.fails("put", "f", "s3://bucket/k", code=IO)
    assert len(server.seen) == 1


def test_expired_credentials_are_fetched_again_once(tool, server, tmp_path):
    count = tmp_path / "count"
    server.keys["AKIDNEW"] = ("new-secret", "new-token")
    server.fault = lambda request: "expired" if "AKIDOLD" in request.headers["authorization"] else None
    (tmp_path / "config").write_text(f"""[default]
credential_process = echo x >> {count}; if [ $(wc -l < {count}) = 1 ]; then echo '{{"AccessKeyId": "AKIDOLD", "SecretAccessKey": "old-secret"}}'; else echo '{{"Version": 1, "AccessKeyId": "AKIDNEW", "SecretAccessKey": "new-secret", "SessionToken": "new-token"}}'; fi
""")
    env = {"AWS_CONFIG_FILE": str(tmp_path / "config")}
    tool.secrets += ["new-secret", "old-secret"]
    tool.file("f", 3000)
    tool.ok("upload", "f", "s3://bucket/k", 1000, 2, env=env)
    assert count.read_text() == "x\nx\n"
    server.fault = lambda request: "expired"
    tool.fails("list", "s3://bucket/", code=IO, says=["ExpiredToken", "fetch new credentials"], env=env)
    assert count.read_text() == "x\n" * 4


@pytest.mark.parametrize("command", [["upload", "f", "s3://bucket/k", 1000, 1], ["get", "s3://bucket/there", "back", 1000, 1],
                                     ["list", "s3://bucket/"]])
def test_memory_may_run_out_anywhere(tool, server, command):
    tool.file("f", 2500)
    server.buckets["bucket"]["there"] = s3_server.Object(contents(2500), '"e"', {})
    n = 1
    while True:
        server.buckets["bucket"].pop("k", None)
        done = tool(*command, options=[f"--fail-at={n}"])
        assert done.code in (OK, MEMORY), (n, done.code, done.err)
        assert server.uploads["bucket"] == {} or done.code == MEMORY
        assert done.code == OK or "k" not in server.buckets["bucket"]
        server.uploads["bucket"].clear()
        if int(done.out.rsplit(" ", 1)[1]) < n:  # so many were not made
            break
        n += 1 if n < 12 else 7  # what a request allocates comes again with the next one
    assert done.code == OK and n > 20


def test_faults_at_random(tool, server):
    run_with_faults(tool, server, range(25))
