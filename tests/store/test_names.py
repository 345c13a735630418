"""Names of S3 and the web wherever a path stands on the command line, and the flags that say where a service is."""
import http.server
import io
import json
import threading

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import s3_server
from conftest import KEY_ID, SECRET
from test_convert import Command

QUERY = "X-Amz-Signature=s3cret&x=1"


@pytest.fixture
def server():
    started = s3_server.Server().start()
    yield started
    started.shutdown()


@pytest.fixture
def command(tmp_path, server):
    """No endpoint in the environment: the flag has to say it."""
    made = Command(tmp_path, server)
    del made.env["AWS_ENDPOINT_URL_S3"]
    return made


def parquet(rows=3, **how):
    out = io.BytesIO()
    pq.write_table(pa.table({"id": range(rows), "name": [f"name {i}" for i in range(rows)]}), out, **how)
    return out.getvalue()


def test_flags_say_where_the_service_is(command, server):
    command.put("in.csv", b"id,name\n1,x\n2,y\n")
    command.put("in.parquet", parquet())
    flags = [f"--s3-endpoint={server.url}", "--s3-region", "us-east-1"]
    assert "int64" in command.ok("schema", *flags, "s3://bucket/in.csv").stdout.decode()
    assert "int64" in command.ok("schema", *flags, "s3://bucket/in.parquet").stdout.decode()
    assert json.loads(command.ok("inspect", "--json", *flags, "s3://bucket/in.parquet").stdout)["record_count"] == 3
    assert "s3://bucket/in.parquet: 6 values" in command.ok("verify", *flags, "s3://bucket/in.parquet").stdout.decode()
    command.ok("convert", *flags, "s3://bucket/in.csv", "s3://bucket/out.parquet", "--writer-option=storage_class=STANDARD_IA")
    assert command.table("out.parquet").to_pydict() == {"id": [1, 2], "name": ["x", "y"]}
    assert server.buckets["bucket"]["out.parquet"].headers["x-amz-storage-class"] == "STANDARD_IA"
    assert server.problems == []


def test_a_pattern_is_listed_by_them(command, server):
    command.put("in/a.csv", b"id\n1\n")
    command.put("in/b.csv", b"id\n2\n")
    command.ok("convert", "--s3-endpoint", server.url, "s3://bucket/in/*.csv", "out.parquet")
    assert pq.read_table(command.home / "out.parquet").column("id").to_pylist() == [1, 2]


def test_every_command_lists_by_its_flags(command, certificate):
    """Another region than the usual one, certificates that nobody knows, and nothing in the environment but, at times, keys."""
    command.server = server = s3_server.Server(region="eu-west-3", certificate=certificate).start()
    server.says_region = False
    flags = ["--s3-endpoint", server.url, "--s3-region", "eu-west-3", "--ca-file", str(certificate[0])]
    (command.home / "credentials").write_text(f"[mine]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n")
    command.env |= {"AWS_SHARED_CREDENTIALS_FILE": str(command.home / "credentials"), "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    command.put("in/a.csv", b"id\n1\n")
    command.put("in/b.csv", b"id\n2\n")
    command.put("in/c.parquet", parquet())
    for who in (["--s3-profile", "mine"], ["--s3-anonymous"]):
        server.anonymous = who == ["--s3-anonymous"]
        for names in (["s3://bucket/in/*.csv"], ["s3://bucket/in/a*", "s3://bucket/**/b*"]):
            assert "int64" in command.ok("schema", *flags, *who, *names).stdout.decode()
            command.ok("convert", "-qf", *flags, *who, *names, "s3://bucket/out/x.parquet")
            assert command.table("out/x.parquet").column("id").to_pylist() == [1, 2]
        assert json.loads(command.ok("inspect", "--json", *flags, *who, "s3://bucket/in/*.parquet").stdout)["record_count"] == 3
        assert "c.parquet: 6 values" in command.ok("verify", *flags, *who, "s3://bucket/in/*.parquet").stdout.decode()
    assert server.problems == [] and server.operations().count("list") >= 12
    mine = ["--s3-profile", "mine"]
    command.fails("schema", *flags[:2], *flags[4:], *mine, "s3://bucket/in/*.csv", says=["s3://bucket/in/", "region"])
    command.fails("schema", *flags[:4], *mine, "s3://bucket/in/*.csv", says=["s3://bucket/in/", "--ca-file"])
    command.fails("schema", *flags, "s3://bucket/in/*.csv", says=["credentials"])
    server.shutdown()


def test_a_profile_or_nobody(command, server):
    command.put("in.csv", b"id\n1\n")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del command.env[name]
    (command.home / ".aws").mkdir()
    (command.home / ".aws/credentials").write_text(f"[mine]\naws_access_key_id={KEY_ID}\naws_secret_access_key={SECRET}\n")
    command.ok("schema", "--s3-endpoint", server.url, "--s3-profile", "mine", "s3://bucket/in.csv")
    command.fails("schema", "--s3-endpoint", server.url, "--s3-profile", "other", "s3://bucket/in.csv", says=["other"])
    command.fails("schema", "--s3-endpoint", server.url, "--s3-anonymous", "s3://bucket/in.csv", says=["s3://bucket/in.csv"])
    server.anonymous = True
    command.ok("schema", "--s3-endpoint", server.url, "--s3-anonymous", "s3://bucket/in.csv")


def test_advice_names_flags(command, server):
    """What a library calls an option or a key of the connection is a flag here."""
    command.put("in.csv", b"id\n1\n")
    command.put("in.parquet", parquet())
    flags = ["--s3-endpoint", server.url]
    command.fails("convert", *flags, "s3://bucket/in.csv", "s3://bucket/in.parquet", says=["s3://bucket/in.parquet is there already", "use --overwrite"])
    command.fails("convert", "--verify", *flags, "s3://bucket/in.csv", "s3://bucket/out.parquet", says=["leave --verify out"])
    command.fails("convert", *flags, "--writer-option=encryption=x", "s3://bucket/in.csv", "s3://bucket/out.parquet",
                  says=["--writer-option encryption must be AES256"])
    anonymous = ["status 403", "REQ0", "needs keys with the permission s3:GetObject"]
    for what, name in (("schema", "in.csv"), ("inspect", "in.parquet"), ("verify", "in.parquet")):
        command.fails(what, *flags, "--s3-anonymous", f"s3://bucket/{name}", says=anonymous)
        no_keys = command.fails(what, *flags, f"s3://bucket/{name}", says=["--s3-profile", "read with --s3-anonymous"],
                                AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
        assert "connection" not in no_keys


def test_a_service_without_tls(command, server):
    """An endpoint without a scheme is https; that there is none is known at once."""
    command.put("in.csv", b"id\n1\n")
    command.fails("schema", "--s3-endpoint", server.url.removeprefix("http://"), "s3://bucket/in.csv", says=["no TLS at 127.0.0.1", "write http://"])
    assert server.seen == []


@pytest.mark.parametrize("what", ["inspect", "verify"])
def test_a_certificate_is_named_by_a_flag(command, certificate, what):
    secure = s3_server.Server(certificate=certificate).start()
    secure.buckets["bucket"]["in.parquet"] = s3_server.make_object(parquet())
    args = [what, "--s3-endpoint", secure.url, "s3://bucket/in.parquet"]
    command.fails(*args, says=["(--ca-file, or AWS_CA_BUNDLE)"])
    command.fails(*args, "--ca-file=none.pem", says=["(--ca-file, AWS_CA_BUNDLE", "none.pem", "PEM"])
    command.ok(*args, f"--ca-file={certificate[0]}")
    secure.shutdown()


def test_secrets_are_no_flags(command):
    for flag in ("--s3-secret-access-key", "--s3-access-key-id"):
        assert "unknown" in command.fails("schema", flag, "x", "s3://bucket/in.csv", says=[])


@pytest.mark.parametrize("what", ["inspect", "verify"])
def test_failures_name_the_object(command, server, what):
    command.put("in.parquet", b"PAR1 but no more of it")
    flags = ["--s3-endpoint", server.url]
    command.fails(what, *flags, "s3://bucket/none.parquet", says=["s3://bucket/none.parquet", "NoSuchKey"])
    command.fails(what, *flags, "s3://elsewhere/none.parquet", says=["s3://elsewhere/none.parquet", "NoSuchBucket"])
    if what == "inspect":
        command.fails(what, *flags, "s3://bucket/in.parquet", says=["s3://bucket/in.parquet: "])


def test_of_a_large_object_the_footer_is_read(command, server):
    data = parquet(400000, compression="none", use_dictionary=False, row_group_size=100000)
    command.put("large.parquet", data)
    ranges = []
    server.fault = lambda request: ranges.append(request.headers.get("range")) if request.operation == "get" else None
    command.ok("inspect", "--s3-endpoint", server.url, "s3://bucket/large.parquet")
    read = sum(int(last) - int(first) + 1 for first, last in (r.removeprefix("bytes=").split("-") for r in ranges))
    assert len(data) > 8 << 20 and read < 64 << 10 and len(ranges) <= 4, (len(data), ranges)


class Site(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    files = {}

    def do_GET(self):
        path, _, query = self.path.partition("?")
        data = self.files.get(path)
        if data is None or query != QUERY:
            return self.answer(403, b"")
        wanted = self.headers.get("Range")
        if wanted is None or not data:
            return self.answer(200, data)
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        first, last = int(first), min(int(last or len(data)), len(data) - 1)
        self.answer(206, data[first:last + 1], ("Content-Range", f"bytes {first}-{last}/{len(data)}"))

    def answer(self, status, body, *headers):
        self.send_response(status)
        for name, value in (("Content-Length", str(len(body))), ("ETag", '"e"'), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def site():
    started = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    started.daemon_threads = True
    threading.Thread(target=started.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    Site.files = {"/a.csv": b"id,name\n1,x\n2,y\n", "/bad.csv": b"id,name\n1,x\n2\n", "/late.csv": b"id\n" + b"1\n" * 200000 + b"x\n",
                  "/a.parquet": parquet(), "/b.parquet": parquet().replace(b"name", b"nAme"), "/bad.parquet": b"PAR1"}
    yield f"http://127.0.0.1:{started.server_port}"
    started.shutdown()


@pytest.mark.parametrize("code, arguments", [
    (0, ["schema", "/a.csv"]), (0, ["schema", "/a.parquet"]), (0, ["schema", "--json", "/a.csv"]),
    (0, ["inspect", "/a.parquet"]), (0, ["inspect", "--json", "--rows=2", "/a.parquet"]),
    (0, ["verify", "/a.parquet"]), (0, ["verify", "--json", "/a.parquet"]), (1, ["verify", "/bad.parquet"]),
    (0, ["convert", "/a.csv", "out.parquet"]), (0, ["convert", "--log-format=json", "/a.csv", "/a.csv", "out.parquet"]),
    (0, ["convert", "/a.parquet", "out.csv"]), (0, ["convert", "/late.csv", "out.parquet"]),
    (2, ["convert", "/bad.csv", "out.parquet"]), (2, ["convert", "--log-format=json", "/bad.csv", "out.parquet"]),
    (2, ["convert", "--types=id=int64", "/late.csv", "out.parquet"]),
    (2, ["convert", "/a.parquet", "/b.parquet", "out.csv"]), (2, ["convert", "/a.csv", "/a.parquet", "out.csv"]),
    (2, ["convert", "/none.csv", "out.parquet"]), (2, ["inspect", "/bad.parquet"]), (2, ["inspect", "/none.parquet"]),
    (2, ["verify", "/none.parquet"]), (2, ["schema", "/none.csv"]), (2, ["convert", "a.csv", "/out.parquet"]),
    (2, ["schema", "--types=zip=string", "/a.csv"]), (2, ["convert", "--reader-option=columns=[\"zip\"]", "/a.parquet", "out.csv"]),
    (2, ["convert", "--encoding=latin1", "/a.parquet", "out.csv"]), (2, ["convert", "/a.csv", "out.txt"]),
])
def test_a_query_is_shown_nowhere(command, site, code, arguments):
    (command.home / "a.csv").write_bytes(b"id\n1\n")
    done = command(*[f"{site}{a}?{QUERY}" if a.startswith("/") else a for a in arguments])
    assert done.returncode == code, done.text
    seen = done.text + done.stdout.decode()
    assert "s3cret" not in seen, seen
    assert code == 0 or "127.0.0.1" in seen or "out.txt" in seen, seen
