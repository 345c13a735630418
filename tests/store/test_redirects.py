"""Answers that send elsewhere: nothing secret goes to another host, https stays https, and no circle has no end."""

import http.server
import threading

import pytest

import s3_server
from convert_runs import KEY_ID, finish, serving, start

TEXT = b"id,name\n" + b"".join(b"%d,name %d\n" % (i, i) for i in range(9000))
STATUSES = [301, 302, 303, 307, 308]


class Elsewhere(http.server.ThreadingHTTPServer):
    """Another host, which notes all that it is told, and sends on what it is asked for if it is told to."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.url = f"http://localhost:{self.server_port}"
        self.seen = []
        self.answer = lambda handler: (200, {}, TEXT)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        self.server.seen.append((self.command, self.path, {name.lower(): value for name, value in self.headers.items()}))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, headers, body = self.server.answer(self)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if self.command != "HEAD" else b"")

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET


@pytest.fixture
def elsewhere():
    started = Elsewhere()
    yield started
    started.shutdown()


def run(folder, *args, url="http://127.0.0.1:1", **env):
    class At:
        pass

    at = At()
    at.url = url
    return finish(start(folder, at, "-q", *args, **env), folder)


# ---- S3 ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("args", [["s3://bucket/in.csv", "out.csv"], ["in.csv", "s3://bucket/out.csv"], ["s3://bucket/*.csv", "out.csv"]])
def test_s3_goes_to_no_other_host(tmp_path, elsewhere, status, args):
    """Whoever answers for the endpoint could name any host, and would get a signature for it."""
    (tmp_path / "in.csv").write_bytes(TEXT[:1000])
    first = Elsewhere()
    first.answer = lambda handler: (status, {"Location": elsewhere.url + handler.path}, (
        f"<Error><Code>{'TemporaryRedirect' if status == 307 else 'PermanentRedirect'}</Code><Message>Please use this endpoint.</Message>"
        f"<Endpoint>localhost:{elsewhere.server_port}</Endpoint><RequestId>R1</RequestId></Error>").encode())
    code, said = run(tmp_path, *args, url=first.url.replace("localhost", "127.0.0.1"))
    first.shutdown()
    assert code == 2 and said.count("\n") == 1 and "s3://bucket/" in said and f"status {status}" in said and "endpoint" in said, said
    assert elsewhere.seen == [] and 1 <= len(first.seen) <= 8
    assert all("authorization" in headers for _, _, headers in first.seen)


@pytest.mark.parametrize("region", ["evil.example.com/", "eu-west-1.evil.com#", "EU", "a" * 70, "x@y"])
def test_a_region_is_a_word(tmp_path, region):
    """It becomes a part of AWS's host name; here it would be signed with."""
    first = Elsewhere()
    first.answer = lambda handler: (301, {"x-amz-bucket-region": region}, b"")
    code, said = run(tmp_path, "s3://bucket/in.csv", "out.csv", url=first.url.replace("localhost", "127.0.0.1"))
    first.shutdown()
    assert code == 2 and "name the bucket's region" in said, said
    assert {headers["authorization"].split("/")[2] for _, _, headers in first.seen} == {"us-east-1"}


def test_regions_without_end(tmp_path):
    first = Elsewhere()
    first.answer = lambda handler: (301, {"x-amz-bucket-region": f"eu-west-{len(first.seen)}"}, b"")
    code, said = run(tmp_path, "s3://bucket/in.csv", "out.csv", url=first.url.replace("localhost", "127.0.0.1"))
    first.shutdown()
    assert code == 2 and "name the bucket's region" in said and said.count("\n") == 1, said
    assert len(first.seen) <= 16  # two questions, asked four times each, by who looks for the size and by who reads


@pytest.mark.parametrize("how", ["header", "body"])
@pytest.mark.parametrize("args", [["s3://bucket/in.csv", "out.csv"], ["in.csv", "s3://bucket/out.csv"],
                                  ["in.csv", "s3://bucket/out.parquet"], ["s3://bucket/*.csv", "out.csv"]])
def test_the_region_that_s3_names_is_taken_once(tmp_path, args, how):
    """Its 400 names it in the body, its 301 in a header; what follows is signed for it from the start."""
    (tmp_path / "in.csv").write_bytes(TEXT)
    with serving(region="eu-west-3") as server:
        server.buckets["bucket"]["in.csv"] = s3_server.make_object(TEXT)
        wrong = []

        def judge(request):
            if "/us-east-1/" in request.headers["authorization"]:
                wrong.append(request.operation)
                return "moved" if how == "header" else None
            return None

        server.fault = judge
        code, said = run(tmp_path, *args, url=server.url)
        assert code == 0, said
        assert server.problems == [] and server.uploads["bucket"] == {}
        if args[0] == "in.csv":
            assert wrong == ["uploads"]
        else:  # who reads opens it more than once; an answer to HEAD has no body, so that it is asked again
            assert set(wrong) <= {"head", "get", "list"} and len(wrong) <= 7, wrong
        assert len({operation for operation, _, fault in server.seen if fault is None}) >= 2
        if args[-1].endswith(".csv"):
            out = (tmp_path / "out.csv").read_bytes() if args[-1] == "out.csv" else server.buckets["bucket"]["out.csv"].data
            assert out == TEXT


# ---- the web -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", STATUSES)
def test_the_web_is_followed_without_anything_of_ours(tmp_path, elsewhere, status):
    """Keys are set, and nobody of the web gets them."""
    first = Elsewhere()
    first.answer = lambda handler: (status, {"Location": elsewhere.url + "/in.csv?token=theirs"}, b"")
    code, said = run(tmp_path, first.url + "/in.csv?token=ours", "out.csv")
    first.shutdown()
    assert code == 0, said
    assert (tmp_path / "out.csv").read_bytes() == TEXT
    for _, path, headers in first.seen + elsewhere.seen:
        assert not {"authorization", "cookie", "referer", "x-amz-security-token", "x-amz-date"} & set(headers), headers
        assert KEY_ID not in str(headers)
    assert {path for _, path, _ in first.seen} == {"/in.csv?token=ours"}
    assert {path for _, path, _ in elsewhere.seen} == {"/in.csv?token=theirs"}


@pytest.mark.parametrize("status", STATUSES)
def test_https_never_becomes_http(tmp_path, elsewhere, certificate, status):
    import ssl
    first = Elsewhere()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    first.socket = context.wrap_socket(first.socket, server_side=True, do_handshake_on_connect=False)
    first.answer = lambda handler: (status, {"Location": elsewhere.url + "/in.csv"}, b"")
    address = f"https://127.0.0.1:{first.server_port}/in.csv?token=ours"
    code, said = run(tmp_path, "--ca-file", str(certificate[0]), address, "out.csv")
    first.shutdown()
    assert code == 2 and "not followed" in said and "token" not in said and said.count("\n") == 1, said
    assert elsewhere.seen == []


@pytest.mark.parametrize("status", STATUSES)
def test_circles_of_the_web_end(tmp_path, elsewhere, status):
    first = Elsewhere()
    first.answer = lambda handler: (status, {"Location": elsewhere.url + "/back"}, b"")
    elsewhere.answer = lambda handler: (status, {"Location": first.url + "/forth"}, b"")
    code, said = run(tmp_path, first.url + "/in.csv", "out.csv")
    first.shutdown()
    assert code == 2 and "from one address to the next" in said, said
    assert len(first.seen) + len(elsewhere.seen) == 2 * 11  # it is opened for its size, and to be read


@pytest.mark.parametrize("status", STATUSES)
def test_pieces_are_not_led_away(tmp_path, elsewhere, status):
    """A redirect between the pieces of one file could mix two."""
    first = Elsewhere()

    def answer(handler):
        wanted = handler.headers["Range"]
        if wanted != "bytes=0-0":
            return status, {"Location": elsewhere.url + handler.path}, b""
        return 206, {"Content-Range": f"bytes 0-0/{len(TEXT)}", "ETag": '"one"'}, TEXT[:1]

    first.answer = answer
    code, said = run(tmp_path, first.url + "/in.csv", "out.csv")
    first.shutdown()
    assert code == 2 and f"status {status}" in said, said
    assert elsewhere.seen == []
