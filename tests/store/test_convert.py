"""The command from and to S3 and the web: the same rows as from files, or exit 2 and nothing in the bucket."""
import functools
import gzip
import http.server
import io
import signal
import subprocess
import threading
import time

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

import s3_server
from command import BIN
from conftest import KEY_ID, SECRET
from stopping import within_a_second

ROWS = 60000
TEXT = ("id,name,price\n" + "".join(f"{i},name {i * 7919 % 10007},{i / 8}\n" for i in range(ROWS))).encode()


class Command:
    def __init__(self, home, server):
        self.home, self.server = home, server
        self.env = {"PATH": "/usr/bin:/bin", "HOME": str(home), "AWS_ENDPOINT_URL_S3": server.url, "AWS_ACCESS_KEY_ID": KEY_ID,
                    "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_EC2_METADATA_DISABLED": "true"}

    def start(self, *args, **env):
        return subprocess.Popen([str(BIN), *map(str, args)], cwd=self.home, env={**self.env, **env}, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def __call__(self, *args, timeout=120, **env):
        done = subprocess.run([str(BIN), *map(str, args)], cwd=self.home, env={**self.env, **env}, capture_output=True,
                              timeout=timeout)
        done.text = done.stderr.decode()
        assert SECRET not in done.text + done.stdout.decode(), done.text
        return done

    def ok(self, *args, **env):
        done = self(*args, **env)
        assert done.returncode == 0, done.text
        return done

    def fails(self, *args, says, **env):
        before = {name: item.data for name, item in self.bucket.items()}
        done = self(*args, **env)
        assert done.returncode == 2, (done.returncode, done.text)
        for word in [says] if isinstance(says, str) else says:
            assert word in done.text, done.text
        assert {name: item.data for name, item in self.bucket.items()} == before, "the bucket has changed"
        assert self.server.uploads["bucket"] == {}, "an upload is open"
        return done.text

    @property
    def bucket(self):
        return self.server.buckets["bucket"]

    def put(self, key, data):
        self.bucket[key] = s3_server.Object(data, f'"{len(data)}-{hash(data) & 0xffff}"', {})

    def table(self, key):
        return pq.read_table(io.BytesIO(self.bucket[key].data))


@pytest.fixture
def server():
    started = s3_server.Server().start()
    yield started
    started.shutdown()


@pytest.fixture
def command(tmp_path, server):
    (tmp_path / "in.csv").write_bytes(TEXT)
    return Command(tmp_path, server)


@pytest.fixture
def expected(command):
    command.ok("convert", "-q", "in.csv", "local.parquet")
    return pq.read_table(command.home / "local.parquet")


# ---- sources -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key, pack", [("a.csv", bytes), ("d/ü b+c%20.csv", bytes), ("x", gzip.compress)])
def test_objects_are_read(command, expected, key, pack):
    command.put(key, pack(TEXT))
    command.ok("convert", "-qf", f"s3://bucket/{key}", "out.parquet")
    assert pq.read_table(command.home / "out.parquet").equals(expected)
    assert command.ok("schema", f"s3://bucket/{key}").stdout == command.ok("schema", "in.csv").stdout
    assert command.server.problems == []


LATE = b"id;when;v\n" + b"".join(b"%d;2024-01-02;%d\n" % (i, i) for i in range(60_000)) + b"7;x;1.5\n8;;\n"


@pytest.mark.parametrize("pack, flags", [(bytes, ["--full"]), (bytes, ["--why"]), (bytes, ["--sniff"]), (gzip.compress, ["--sniff", "--json"]),
                                         (gzip.compress, ["--full", "--why", "--json"]), (bytes, ["--full", "--why", "--limit", "9"]),
                                         (bytes, ["--full", "--types", "id=int32"]), (bytes, ["--full", "--max-rejects", "1", "--why"])])
def test_a_look_is_that_of_a_file(command, flags, pack):
    """schema with all its ways to look says of objects what it says of files, values late in them included."""
    flags = flags if "--sniff" in flags else ["--delimiter", ";", *flags]
    command.put("t.csv", pack(LATE))
    (command.home / "t.csv").write_bytes(pack(LATE))
    theirs, ours = (command.ok("schema", *flags, name) for name in ("t.csv", "s3://bucket/t.csv"))
    assert ours.stdout.replace(b"s3://bucket/", b"") == theirs.stdout
    assert ours.text.replace("s3://bucket/", "") == theirs.text
    assert command.server.problems == []


def test_looks_at_several_objects(command):
    for i, text in enumerate([b"a,b\n1,2\n", b"a,c\n1.5,x\n"]):
        command.put(f"{i}.csv", text)
        (command.home / f"{i}.csv").write_bytes(text)
    for flags in [["--full"], ["--why"], ["--full", "--why"]]:
        ours = command.ok("schema", "--union-by-name", *flags, "s3://bucket/*.csv").stdout
        assert ours.replace(b"s3://bucket/", b"") == command.ok("schema", "--union-by-name", *flags, "0.csv", "1.csv").stdout
        command.fails("schema", *flags, "s3://bucket/*.csv", says=["s3://bucket/1.csv", "--union-by-name"])
    command.fails("schema", "--full", "--why", "s3://bucket/no.csv", says=["s3://bucket/no.csv"])


def test_several_and_mixed(command, expected):
    command.put("a.csv", TEXT)
    command.ok("convert", "-q", "s3://bucket/a.csv", "in.csv", "s3://bucket/a.csv", "out.parquet")
    assert pq.read_table(command.home / "out.parquet").equals(pa.concat_tables([expected] * 3).combine_chunks())


def test_parquet_objects(command, expected):
    command.put("p.parquet", (command.home / "local.parquet").read_bytes())
    command.ok("convert", "-q", "s3://bucket/p.parquet", "out.csv")
    assert pyarrow.csv.read_csv(command.home / "out.csv").num_rows == ROWS


def test_types_that_widen_are_read_again(command):
    command.put("a.csv", TEXT + b"x,last,1\n")
    command.ok("convert", "-q", "s3://bucket/a.csv", "out.parquet")
    assert pq.read_schema(command.home / "out.parquet").field("id").type == pa.string()


def test_errors_have_places(command):
    command.put("a.csv", TEXT + b"1,2,3,4\n")
    command.fails("convert", "s3://bucket/a.csv", "out.parquet", says=[f"s3://bucket/a.csv: line {ROWS + 2}, "])


@pytest.mark.parametrize("says, name, env", [
    (["NoSuchKey", "status 404", "REQ"], "s3://bucket/none.csv", {}),
    (["NoSuchBucket"], "s3://other/a.csv", {}),
    (["InvalidAccessKeyId"], "s3://bucket/a.csv", {"AWS_ACCESS_KEY_ID": "AKIDWRONG"}),
    (["SignatureDoesNotMatch"], "s3://bucket/a.csv", {"AWS_SECRET_ACCESS_KEY": "wrong"}),
    (["credentials"], "s3://bucket/a.csv", {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}),
    (["bucket"], "s3:///a.csv", {}),
])
def test_what_cannot_be_read(command, says, name, env):
    command.put("a.csv", TEXT)
    command.fails("convert", name, "out.parquet", says=says, **env)


def test_an_object_that_changes_while_it_is_read(command):
    big = TEXT * 6
    command.put("a.csv", big)

    def change(request):
        if request.operation == "get" and len(command.server.seen) > 6:
            command.bucket["a.csv"].etag = '"another"'
        return None

    command.server.fault = change
    command.fails("convert", "--no-header", "s3://bucket/a.csv", "out.parquet", says=["s3://bucket/a.csv"])


def web(folder, ranges):
    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_GET(self):
            given = self.headers.get("Range")
            if not ranges or given is None or "none" in self.path:
                return super().do_GET()
            data = open(self.translate_path(self.path), "rb").read()
            first, last = (int(x) if x else len(data) - 1 for x in given.removeprefix("bytes=").split("-"))
            piece = data[first:last + 1]
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{first + len(piece) - 1}/{len(data)}")
            self.send_header("Content-Length", str(len(piece)))
            self.send_header("ETag", '"one"')
            self.send_header("Content-Type", self.guess_type(self.path))
            self.end_headers()
            self.wfile.write(piece)

    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
    threading.Thread(target=made.serve_forever, daemon=True).start()
    return made


@pytest.mark.parametrize("ranges", [True, False])
def test_the_web(command, expected, ranges):
    (command.home / "in.csv.gz").write_bytes(gzip.compress(TEXT))
    started = web(command.home, ranges)
    url = f"http://127.0.0.1:{started.server_port}/"
    for name in ("in.csv?token=hidden", "in.csv.gz"):
        command.ok("convert", "-qf", url + name, "out.parquet")
        assert pq.read_table(command.home / "out.parquet").equals(expected)
    seen = command("schema", "--sniff", url + "in.csv?token=hidden")
    assert seen.returncode == 0 and b"in.csv" in seen.stdout and b"hidden" not in seen.stdout + seen.stderr
    if not ranges:
        for what in ("inspect", "verify"):
            command.fails(what, url + "local.parquet", says=["local.parquet", "a web server that gives no ranges", "save it to a file"])
    said = command.fails("convert", "-f", url + "none.csv?token=hidden", "out.parquet", says=["none.csv", "404"])
    assert "hidden" not in said
    started.shutdown()


@pytest.mark.parametrize("ranges", [True, False])
def test_a_page_instead_of_a_file(command, expected, ranges):
    """With a status of success; but what is data is data, whatever the server calls it."""
    (command.home / "page.html").write_text("<!DOCTYPE html>\n<html>\n<body>Log in</body>\n</html>\n")
    (command.home / "csv.html").write_bytes(TEXT)
    started = web(command.home, ranges)
    url = f"http://127.0.0.1:{started.server_port}/"
    command.fails("convert", "--no-header", url + "page.html", "out.csv", says=["/page.html", "is a page for people", "log in"])
    command.ok("convert", "-qf", url + "csv.html", "out.parquet")
    assert pq.read_table(command.home / "out.parquet").equals(expected)
    started.shutdown()


# ---- targets -----------------------------------------------------------------------------------------------------------


def test_objects_are_written(command, expected):
    command.ok("convert", "-q", "in.csv", "s3://bucket/d/out.parquet")
    assert command.table("d/out.parquet").equals(expected)
    assert command.bucket["d/out.parquet"].data == (command.home / "local.parquet").read_bytes()
    command.ok("convert", "-q", "in.csv", "s3://bucket/d/out.csv")
    assert command.bucket["d/out.csv"].data.startswith(b"id,name,price\n0,")
    assert command.server.problems == [] and command.server.uploads["bucket"] == {}


def test_in_parts(command):
    """More than one part of 8 MiB."""
    (command.home / "big.csv").write_bytes(TEXT + TEXT[TEXT.index(b"\n") + 1:] * 9)
    command.ok("convert", "-q", "big.csv", "s3://bucket/big.csv")
    command.ok("convert", "-q", "big.csv", "big2.csv")
    assert command.bucket["big.csv"].data == (command.home / "big2.csv").read_bytes()
    assert len(command.bucket["big.csv"].data) > 8 << 20


def test_overwriting(command):
    command.ok("convert", "-q", "in.csv", "s3://bucket/out.parquet")
    command.fails("convert", "-q", "in.csv", "s3://bucket/out.parquet", says=["s3://bucket/out.parquet", "there already"])
    command.ok("convert", "-qf", "in.csv", "s3://bucket/out.parquet")


def test_from_one_object_to_another(command, expected):
    command.put("a.csv", TEXT)
    command.ok("convert", "-q", "s3://bucket/a.csv", "s3://bucket/b.parquet")
    assert command.table("b.parquet").equals(expected)
    command.fails("convert", "-qf", "s3://bucket/a.csv", "s3://bucket/a.csv", says=["is also a source"])


@pytest.mark.parametrize("says, name", [
    (["NoSuchBucket"], "s3://other/a.parquet"),
    (["names no object"], "s3://bucket/a.parquet/"),
    (["http"], "http://127.0.0.1:9/a.parquet"),
])
def test_what_cannot_be_written(command, says, name):
    command.fails("convert", "in.csv", name, says=says)


def test_a_failing_source_leaves_nothing(command):
    (command.home / "bad.csv").write_bytes(TEXT + b"1,2,3,4\n")
    command.fails("convert", "bad.csv", "s3://bucket/out.parquet", says=["bad.csv: line"])
    (command.home / "bad.csv").write_bytes((TEXT + TEXT[TEXT.index(b"\n") + 1:] * 9) + b"1,2,3,4\n")
    command.fails("convert", "bad.csv", "s3://bucket/out.csv", says=["bad.csv: line"])


def test_reading_back_is_refused_at_once(command):
    command.fails("convert", "--verify", "in.csv", "s3://bucket/out.parquet", says=["cannot be read back", "leave --verify out"])


@pytest.mark.parametrize("when", ["put", "create", "part"])
def test_a_stalled_server_and_sigterm(command, when):
    (command.home / "big.csv").write_bytes(TEXT + TEXT[TEXT.index(b"\n") + 1:] * 9)
    reached = threading.Event()

    def stall(request):
        if request.operation == when:
            reached.set()
            return "stall"
        return None

    command.server.fault = stall
    proc = command.start("convert", "-q", "in.csv" if when == "put" else "big.csv", "s3://bucket/out.csv")
    assert reached.wait(30)
    time.sleep(0.2)
    command.server.fault = lambda request: None
    asked = time.monotonic()
    proc.send_signal(signal.SIGTERM)
    code = proc.wait(10)
    within_a_second(time.monotonic() - asked)
    assert command.server.uploads["bucket"] == {}
    whole = "out.csv" in command.bucket  # the server had done it, and only its answer was to come
    assert code in ((0, 143) if whole else (143,)) and not (whole and when == "create")


def test_killed_and_run_again(command):
    """What a killed run left open goes with the next one."""
    (command.home / "big.csv").write_bytes(TEXT + TEXT[TEXT.index(b"\n") + 1:] * 9)
    reached, over = threading.Event(), threading.Event()

    def hold(request):
        if request.operation == "part":
            reached.set()
            over.wait(30)
        return None

    command.server.fault = hold
    proc = command.start("convert", "-q", "big.csv", "s3://bucket/out.csv")
    assert reached.wait(30)
    proc.kill()
    proc.wait()
    over.set()
    assert command.server.uploads["bucket"] != {} and "out.csv" not in command.bucket
    command.server.fault = lambda request: None
    command.ok("convert", "-q", "big.csv", "s3://bucket/out.csv")
    command.ok("convert", "-q", "big.csv", "local.csv")
    assert command.bucket["out.csv"].data == (command.home / "local.csv").read_bytes()
    assert command.server.uploads["bucket"] == {}
