"""Every operation of the S3 client against a server that verifies each signature, header and body hash."""

import signal
import time

import pytest

import s3_server
from conftest import (CANCELLED, CONFIG, DATA, EXISTS, INVALID, IO, KEY_ID, NOT_FOUND, OK, SECRET, TEMPORARY, Tool,
                      contents)
from stopping import within_a_second

HARD_KEYS = ["a", "d=2026-01-02/part+1 (2).csv", "caf\u00e9/\u65e5\u672c.parquet", "a//b/./c/../d", "x%20y%2F?q=1&r#f",
             "~-_.!*'();:@&=+$,", "tab\there", "k" * 1024]


@pytest.mark.parametrize("key", HARD_KEYS)
def test_any_key_goes_there_and_back(tool, server, key):
    tool.file("f", 5000)
    tool.ok("put", "f", f"s3://bucket/{key}")
    assert list(server.buckets["bucket"]) == [key]
    tool.ok("get", f"s3://bucket/{key}", "back", 999)
    assert (tool.home / "back").read_bytes() == contents(5000)
    size, etag, *date = tool.ok("head", f"s3://bucket/{key}").split(" ")
    assert size == "5000" and etag == server.buckets["bucket"][key].etag
    assert tool.ok("list", f"s3://bucket/{key}") == f"{key} 5000 {etag}\n"
    tool.ok("upload", "f", f"s3://bucket/{key}", 1000, 3)
    assert server.buckets["bucket"][key].data == contents(5000)
    tool.ok("delete", f"s3://bucket/{key}")
    assert server.buckets["bucket"] == {}


def test_an_upload_in_parts_keeps_their_order(tool, server):
    tool.file("f", 100_001)
    tool.ok("upload", "f", "s3://bucket/k", 1000, 8)
    assert server.buckets["bucket"]["k"].data == contents(100_001)
    assert server.uploads["bucket"] == {}
    tool.ok("get", "s3://bucket/k", "back", 7777, 8)
    assert (tool.home / "back").read_bytes() == contents(100_001)


@pytest.mark.parametrize("size", [0, 1, 131_072, 131_073, 3_000_000])
def test_an_object_is_read_in_order(tool, server, size):
    server.buckets["bucket"]["k"] = s3_server.Object(contents(size), '"e"', {})
    tool.ok("read", "s3://bucket/k", "back", 100_003, options=["--memory=1000000"])
    assert (tool.home / "back").read_bytes() == contents(size)
    server.denied.add("k")
    tool.fails("read", "s3://bucket/k", "back", 1000, code=IO, says="AccessDenied")


def test_attributes_arrive(tool, server):
    tool.file("f", 2500)
    options = ["--meta=asset-name:x  y", "--meta=Row-Count:3", "--tag=a b:c+d", "--tag=e:", "--content-type=application/x-parquet",
               "--storage-class=STANDARD_IA", "--encryption=aws:kms", "--kms-key-id=arn:aws:kms:x"]
    wanted = {"x-amz-meta-asset-name": "x  y", "x-amz-meta-row-count": "3", "x-amz-tagging": "a%20b=c%2Bd&e=",
              "content-type": "application/x-parquet", "x-amz-storage-class": "STANDARD_IA",
              "x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": "arn:aws:kms:x"}
    tool.ok("put", "f", "s3://bucket/one", options=options)
    tool.ok("upload", "f", "s3://bucket/two", 1000, 2, options=options)
    assert server.buckets["bucket"]["one"].headers == wanted
    assert server.buckets["bucket"]["two"].headers == wanted


def test_too_many_attributes_are_refused(tool):
    tool.file("f", 10)
    tool.fails("put", "f", "s3://bucket/k", code=CONFIG, says="10 tags", options=[f"--tag=t{i}:v" for i in range(11)])
    tool.fails("put", "f", "s3://bucket/k", code=INVALID, says="x-amz-meta-a", options=["--meta=a:b\nc"])


def test_empty_objects(tool, server):
    tool.file("f", 0)
    tool.ok("put", "f", "s3://bucket/empty")
    assert tool.ok("head", "s3://bucket/empty").startswith("0 ")
    tool.ok("get", "s3://bucket/empty", "back")
    assert (tool.home / "back").read_bytes() == b""


def test_nothing_is_overwritten_unasked(tool, server):
    tool.file("f", 3000)
    tool.ok("put", "f", "s3://bucket/k", options=["--overwrite=no"])
    tool.ok("upload", "f", "s3://bucket/k2", 1000, 2, options=["--overwrite=no"])
    before = server.buckets["bucket"]["k"]
    for command in (["put", "f", "s3://bucket/k"], ["upload", "f", "s3://bucket/k", 1000, 2]):
        tool.fails(*command, code=EXISTS, says=["s3://bucket/k ", "not to be overwritten"], options=["--overwrite=no"])
    assert server.buckets["bucket"]["k"] is before
    assert server.uploads["bucket"] == {}


def test_listings_have_pages(tool, server):
    server.page_size = 3
    for i in range(10):
        server.buckets["bucket"][f"p/{i}/x"] = s3_server.Object(b"1", '"e"', {})
    server.buckets["bucket"]["q"] = s3_server.Object(b"", '"e"', {})
    assert tool.ok("list", "s3://bucket/p/").splitlines() == [f'p/{i}/x 1 "e"' for i in range(10)]
    assert tool.ok("list", "s3://bucket/p/", "/").splitlines() == [f"p/{i}/ -1 " for i in range(10)]
    assert tool.ok("list", "s3://bucket").splitlines()[-1] == 'q 0 "e"'
    for i in range(7):
        server.uploads["bucket"][f"u{i}"] = s3_server.Upload("k", {})
    assert tool.ok("uploads", "s3://bucket/").splitlines() == [f"k u{i}" for i in range(7)]
    tool.ok("abort", "s3://bucket/")
    assert server.uploads["bucket"] == {}


def test_without_checksums(tool, server):
    tool.file("f", 2500)
    tool.ok("upload", "f", "s3://bucket/k", 1000, 2, options=["--checksums=no"])
    assert server.buckets["bucket"]["k"].data == contents(2500)
    tool.ok("put", "f", "s3://bucket/k", options=["--checksums=no"])


def test_what_is_refused_says_what_to_do(tool, server):
    tool.file("f", 10)
    server.denied.add("locked")
    tool.fails("get", "s3://bucket/none", "x", code=NOT_FOUND, says=["s3://bucket/none ", "NoSuchKey", "404", "request REQ", "key"])
    tool.fails("get", "s3://nobucket/k", "x", code=NOT_FOUND, says=["NoSuchBucket", "bucket's name"])
    tool.fails("get", "s3://bucket/locked", "x", code=IO,
               says=["AccessDenied", "s3:GetObject", "the environment (AWS_ACCESS_KEY_ID)"])
    tool.fails("put", "f", "s3://bucket/locked", code=IO, says=["AccessDenied", "s3:PutObject"])
    tool.fails("head", "s3://bucket/k", code=IO, says=["InvalidAccessKeyId", "endpoint"],
               env={"AWS_ACCESS_KEY_ID": "AKIDWRONG", "AWS_SECRET_ACCESS_KEY": SECRET})
    tool.fails("head", "s3://bucket/k", code=IO, says=["SignatureDoesNotMatch", "secret key"],
               env={"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": "another-secret"})
    server.problems.clear()  # that one was meant
    server.keys["AKIDTOKEN"] = (SECRET, "the-token")
    tool.fails("head", "s3://bucket/k", code=IO, says=["InvalidToken", "all three"],
               env={"AWS_ACCESS_KEY_ID": "AKIDTOKEN", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": "old-token"})
    tool.fails("head", "s3://bucket/k", code=NOT_FOUND,
               env={"AWS_ACCESS_KEY_ID": "AKIDTOKEN", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": "the-token"})
    server.fault = lambda request: "full"
    tool.fails("put", "f", "s3://bucket/k", code=IO, says=["507", "disk is full"])


def test_anonymous_requests_are_not_signed(tool, server):
    tool.fails("head", "s3://bucket/k", code=IO, says=["AccessDenied", "anonymous"], env={}, options=["--anonymous=yes"])
    server.anonymous = True
    server.buckets["bucket"]["k"] = s3_server.Object(b"abc", '"e"', {})
    tool.ok("get", "s3://bucket/k", "back", env={}, options=["--anonymous=yes"])
    assert (tool.home / "back").read_bytes() == b"abc"


def test_the_region_is_learnt_from_the_refusal(tool, server):
    server.region = "eu-west-3"
    server.buckets["bucket"]["k"] = s3_server.Object(b"abc", '"e"', {})
    tool.ok("get", "s3://bucket/k", "back")
    assert server.operations() == ["head", "get", "get", "get"]  # the second one learnt it, the third one is head's, the last one reads
    server.seen.clear()
    tool.ok("head", "s3://bucket/k", env={"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "eu-west-3"})
    assert server.operations() == ["head"]


def test_a_redirect_to_a_region_is_followed_and_not_for_ever(tool, server):
    server.region = "eu-west-3"
    server.fault = lambda request: "moved" if "/eu-west-3/" not in request.headers["authorization"] else None
    tool.file("f", 3000)
    tool.ok("upload", "f", "s3://bucket/k", 1000, 1)
    assert server.operations() == ["create", "create", "part", "part", "part", "complete"]
    server.seen.clear()
    server.fault = lambda request: "moved"
    tool.fails("put", "f", "s3://bucket/k", code=IO, says=["PermanentRedirect", "AWS_REGION"])
    assert len(server.seen) == 2


@pytest.mark.parametrize("hours", [-1, 1, 24 * 400])
def test_a_wrong_clock_is_set_right_for_us(tool, server, hours):
    server.clock_offset = hours * 3600
    tool.file("f", 3000)
    tool.ok("upload", "f", "s3://bucket/k", 1000, 1)
    assert server.operations() == ["create", "create", "part", "part", "part", "complete"]


def test_a_clock_that_cannot_be_learnt(tool, server):
    server.fault = lambda request: "skew"
    tool.fails("list", "s3://bucket/", code=IO, says=["RequestTimeTooSkewed", "clock"])
    assert len(server.seen) == 2


def test_an_object_that_changes_while_it_is_read(tool, server):
    server.buckets["bucket"]["k"] = s3_server.Object(contents(9000), '"one"', {})

    def change(request):
        if request.operation == "get" and request.headers["range"] == "bytes=3000-3999":
            server.buckets["bucket"]["k"] = s3_server.Object(contents(9000, 2), '"two"', {})
    server.fault = change
    tool.fails("get", "s3://bucket/k", "back", 1000, 1, code=IO, says=["s3://bucket/k", "replaced while it was read"])
    assert not (tool.home / "back").exists()


@pytest.mark.parametrize("length", ["8000", "9999999", "8999"])
def test_a_size_that_is_not_the_object_s(tool, server, length):
    """Never fewer bytes than there are, whatever the answer to HEAD says."""
    server.buckets["bucket"]["k"] = s3_server.Object(contents(9000), '"one"', {"Content-Length": length})
    tool.fails("get", "s3://bucket/k", "back", 1000, 1, code=IO, says=["s3://bucket/k", "replaced while it was read"])


@pytest.mark.parametrize("later, code", [("Fri, 02 Jan 2026 03:04:05 GMT", OK), ("Fri, 02 Jan 2026 03:04:06 GMT", IO)])
def test_an_object_without_an_etag(tool, server, later, code):
    """Is told by its time."""
    class Timed(s3_server.Handler):
        def act_get(self, request, key, body):
            status, headers, piece = super().act_get(request, key, body)
            return status, {**headers, "Last-Modified": later}, piece

    server.RequestHandlerClass = Timed
    server.buckets["bucket"]["k"] = s3_server.Object(contents(9000), "", {"Last-Modified": "Fri, 02 Jan 2026 03:04:05 GMT"})
    done = tool("get", "s3://bucket/k", "back", 1000, 1)
    assert done.code == code, done.err
    assert code == OK or "replaced while it was read" in done.err


@pytest.mark.parametrize("operation", ["list", "uploads"])
def test_a_list_that_goes_on_where_it_began(tool, server, operation):
    class Loop(s3_server.Handler):
        def act_list(self, request, key, body):
            return self.xml("<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken></ListBucketResult>")

        def act_uploads(self, request, key, body):
            return self.xml("<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker>"
                            "<NextUploadIdMarker>u</NextUploadIdMarker></ListMultipartUploadsResult>")

    server.RequestHandlerClass = Loop
    tool.fails(operation, "s3://bucket/k", code=DATA, says=["s3://bucket/k", "asked for as the next one"], timeout=20)
    assert len(server.seen) == 2


@pytest.mark.parametrize("region", ["us east", "host.example/", "a@b", "é", "x" * 64])
def test_regions_that_cannot_be(tool, server, region):
    tool.fails("list", "s3://bucket/", options=[f"--region={region}"], code=CONFIG, says="no region of S3")
    assert server.seen == []


def test_parts_that_are_too_small_for_the_service(tool, server):
    tool.file("f", 3000)
    tool.fails("upload", "f", "s3://bucket/k", 500, 2, code=IO, says=["EntityTooSmall", "larger parts"])
    assert server.uploads["bucket"] == {} and server.buckets["bucket"] == {}


def test_hosts_with_the_bucket_in_their_name(tmp_path, server):
    server.virtual_host = f"localhost:{server.port}"
    tool = Tool(tmp_path, f"http://localhost:{server.port}", ["--path-style=no"])
    tool.file("f", 3000)
    tool.ok("put", "f", "s3://bucket/a/b")
    assert server.seen[0][1] == "/a/b"
    tool.ok("list", "s3://bucket/a")
    assert server.seen[1][1].startswith("/?")


def test_an_endpoint_may_leave_its_scheme_out(tmp_path, server):
    server.buckets["bucket"]["k"] = s3_server.Object(b"abc", '"e"', {})
    plain = Tool(tmp_path, f"127.0.0.1:{server.port}")
    plain.ok("head", "s3://bucket/k", options=["--secure=no"])
    plain.fails("head", "s3://bucket/k", code=IO, says=["no TLS", "write http://"])
    Tool(tmp_path, server.url).fails("head", "s3://bucket/k", code=CONFIG, says=["http://", "secure"], options=["--secure=yes"])
    for bad in ("http://", "http://user:pw@h", "ftp://h", "http://h?x=y"):
        err = Tool(tmp_path, bad).fails("head", "s3://bucket/k", code=CONFIG, says="endpoint")
        assert "pw" not in err


def test_places_of_the_environment_and_the_profile(tmp_path, server):
    server.buckets["bucket"]["k"] = s3_server.Object(b"abc", '"e"', {})
    server.region = "xx-far-1"
    tool = Tool(tmp_path)
    keys = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET}
    tool.ok("head", "s3://bucket/k", env={**keys, "AWS_ENDPOINT_URL_S3": server.url, "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
                                          "AWS_REGION": "xx-far-1", "AWS_DEFAULT_REGION": "wrong"})
    assert server.operations() == ["head"]
    tool.ok("head", "s3://bucket/k", env={**keys, "AWS_ENDPOINT_URL": server.url, "AWS_DEFAULT_REGION": "xx-far-1"})
    (tmp_path / "config").write_text(f"[profile p]\nregion = xx-far-1\nendpoint_url = {server.url}\n")
    tool.ok("head", "s3://bucket/k", env={**keys, "AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_PROFILE": "p"})
    assert server.operations() == ["head", "head", "head"]


def test_tls_is_always_verified(tmp_path, certificate):
    server = s3_server.Server(min_part=1000, certificate=certificate).start()
    tool = Tool(tmp_path, server.url)
    tool.file("f", 5000)
    tool.fails("put", "f", "s3://bucket/k", code=IO, says=["certificate", "ca_file"])
    assert server.seen == []
    tool.ok("upload", "f", "s3://bucket/k", 1000, 3, options=[f"--ca-file={certificate[0]}"])
    assert server.buckets["bucket"]["k"].data == contents(5000)
    tool.ok("get", "s3://bucket/k", "back", 1000, 3,
            env={"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_CA_BUNDLE": str(certificate[0])})
    other = Tool(tmp_path, server.url.replace("127.0.0.1", "localhost"), [f"--ca-file={certificate[0]}"])
    other.fails("head", "s3://bucket/k", code=IO, says="certificate")  # it is for another name
    tool.fails("head", "s3://bucket/k", code=IO, says="ca_file", options=["--ca-file=/no/such/file"])
    assert server.problems == []
    server.shutdown()


@pytest.mark.parametrize("operation", ["get", "part", "complete"])
def test_a_server_that_stalls_does_not_hold_up_who_is_asked_to_stop(tool, server, operation):
    tool.file("f", 5000)
    server.buckets["bucket"]["k"] = s3_server.Object(contents(5000), '"e"', {})
    server.fault = lambda request: "stall" if request.operation == operation else None
    command = ["get", "s3://bucket/k", "back", 5000, 1] if operation == "get" else ["upload", "f", "s3://bucket/n", 5000, 1]
    if operation == "part":  # an answer without a body cannot stall: the next try waits instead
        server.fault = lambda request: "503" if request.operation == "part" else None
    process = tool.start(*command, options=["--backoff-ms=20000", "--retry-seconds=1000"])
    while operation not in server.operations():
        assert process.poll() is None
        time.sleep(0.01)
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == CANCELLED, err
    within_a_second(time.monotonic() - begun)
    assert server.uploads["bucket"] == {}
    there = server.buckets["bucket"].get("n")  # a completion had been done when its answer stalled
    assert there.data == contents(5000) if operation == "complete" else there is None


def test_a_server_that_is_none_of_s3(tmp_path):
    import http.server
    import threading

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "13")
            self.end_headers()
            self.wfile.write(b"<html></html>")

        do_POST = do_GET

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    tool = Tool(tmp_path, f"http://127.0.0.1:{server.server_address[1]}")
    tool.file("f", 3000)
    tool.fails("upload", "f", "s3://bucket/k", 1000, 1, code=DATA, says=["endpoint"])
    server.shutdown()
