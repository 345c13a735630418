"""Folders and patterns in buckets: the files that the same names would stand for on a disk, and no more listed than that takes."""
import functools
import http.server
import itertools
import random
import signal
import threading
import time

import pyarrow.parquet as pq
import pytest

import s3_server
from conftest import KEY_ID, SECRET
from test_convert import Command
from stopping import within_a_second


@pytest.fixture
def server():
    started = s3_server.Server(page_size=7).start()  # so that every listing goes on
    yield started
    started.shutdown()
    assert started.problems == []


@pytest.fixture
def command(tmp_path, server):
    return Command(tmp_path, server)


@pytest.fixture
def files(command):
    """Each object holds its own name."""
    def put(*keys):
        for key in keys:
            command.put(key, f"f\n{key}\n".encode())
    return put


def rows(command, *sources):
    command.ok("convert", "-qf", *sources, "out.parquet")
    return [row["f"] for row in pq.read_table(command.home / "out.parquet").to_pylist()]


def test_a_pattern(command, files):
    files("data/b.csv", "data/a.csv", "data/c.txt", "data/sub/d.csv", "data/.hidden.csv", "a.csv", "data/x+y ü.csv")
    assert rows(command, "s3://bucket/data/*.csv") == ["data/a.csv", "data/b.csv", "data/x+y ü.csv"]
    assert rows(command, "s3://bucket/data/?.*") == ["data/a.csv", "data/b.csv", "data/c.txt"]
    assert rows(command, "s3://bucket/data/[!a]*.csv") == ["data/b.csv", "data/x+y ü.csv"]
    assert rows(command, "s3://bucket/data/**/*.csv") == ["data/a.csv", "data/b.csv", "data/sub/d.csv", "data/x+y ü.csv"]
    assert rows(command, "s3://bucket/d*/s*/*") == ["data/sub/d.csv"]
    assert rows(command, "s3://bucket/data/.*.csv") == ["data/.hidden.csv"]
    assert rows(command, "s3://bucket/*.csv", "s3://bucket/data/sub/*") == ["a.csv", "data/sub/d.csv"]


def test_a_folder(command, files):
    files("t/year=2023/b.csv", "t/year=2024/a.csv", "t/z.csv", "t/_SUCCESS", "t/.part.crc", "t/_temporary/x.csv", "t/.git/y.csv", "tt/q.csv")
    command.put("t/", b"")  # what a console makes of an empty folder
    command.put("t/year=2023/", b"")
    assert rows(command, "s3://bucket/t/") == ["t/year=2023/b.csv", "t/year=2024/a.csv", "t/z.csv"]
    assert rows(command, "s3://bucket/t/year=2024/") == ["t/year=2024/a.csv"]
    everything = ["t/year=2023/b.csv", "t/year=2024/a.csv", "t/z.csv", "tt/q.csv"]
    assert rows(command, "s3://bucket") == rows(command, "s3://bucket/") == everything


def test_an_object_of_that_very_name(command, files):
    """A key that is there stands for itself, and nothing else."""
    files("a[1].csv", "a1.csv", "b*.csv", "bc.csv", "d[1]/x.csv", "d1/y.csv", "**/z.csv", "q?/a.csv", "qq/b.csv")
    assert rows(command, "s3://bucket/a[1].csv") == ["a[1].csv"]
    assert rows(command, "s3://bucket/b*.csv") == ["b*.csv"]
    assert rows(command, "s3://bucket/a?.csv") == ["a1.csv"]
    assert rows(command, "s3://bucket/d[1]/") == ["d[1]/x.csv"]
    assert rows(command, "s3://bucket/**/z.csv") == ["**/z.csv"]
    assert rows(command, "s3://bucket/q?/") == ["q?/a.csv"]


def listings(server):
    return server.operations().count("list")


def test_no_more_is_listed_than_the_fixed_part_takes(command, files, server):
    """Pages have 7 entries."""
    files(*(f"p/part-{i:02}.csv" for i in range(30)), *(f"p/sub/{i}.csv" for i in range(50)), *(f"other/{i}" for i in range(80)))

    def cost(*sources):
        server.seen.clear()
        rows(command, *sources)
        return listings(server)

    assert cost("s3://bucket/p/part-03.csv") == 0
    assert cost("s3://bucket/p/part-0*.csv") == 1 + 2
    assert cost("s3://bucket/p/*.csv") == 1 + 5  # the folder below is one entry
    assert cost("s3://bucket/p/part-**") == 1 + 5
    assert cost("s3://bucket/p/**/1*.csv") == 1 + 12
    assert cost("s3://bucket/p/sub/") == 8


def test_what_matched_is_said(command, files):
    files("data/a.csv", "data/b.csv", "one/x.csv")
    said = command.ok("convert", "s3://bucket/data/*.csv", "s3://bucket/one/", "s3://bucket/o*/x.csv", "out.parquet").text
    assert "note: s3://bucket/data/*.csv is 2 files, from s3://bucket/data/a.csv to s3://bucket/data/b.csv\n" in said
    assert "note: s3://bucket/one/ is s3://bucket/one/x.csv\n" in said
    assert "note: 1 name is left out: what it leads to is read already\n" in said
    assert "s3://bucket/data/a.csv and 2 more -> out.parquet" in said


def test_nothing_matches(command, files, server):
    files("data/a.txt", "e/_SUCCESS")
    for name, says in [("s3://bucket/data/*.csv", "no object matches 's3://bucket/data/*.csv'"),
                       ("s3://bucket/Data/", "the folder 's3://bucket/Data/' holds no files"),
                       ("s3://bucket/e/", "the folder 's3://bucket/e/' holds no files"),
                       ("s3://nowhere/*", ["s3://nowhere", "NoSuchBucket"]),
                       ("s3://buck*/a.csv", "cannot be the name of a bucket")]:
        command.fails("convert", name, "out.parquet", says=says)
        assert command("schema", name).returncode == 2
    command.fails("convert", "s3://bucket/data/*.csv", "out.parquet", says="InvalidAccessKeyId", AWS_ACCESS_KEY_ID="WRONG")
    assert not (command.home / "out.parquet").exists()


def test_a_listing_that_fails_for_a_while(command, files, server):
    files(*(f"p/{i}.csv" for i in range(9)))
    failed = []

    def fault(request):
        if request.operation == "list" and len(failed) < 3:
            failed.append(request)
            return ["503", "truncate", "reset-answer"][len(failed) - 1]
        return None
    server.fault = fault
    assert rows(command, "s3://bucket/p/*") == [f"p/{i}.csv" for i in range(9)]
    assert len(failed) == 3


def test_a_listing_that_stalls_can_be_stopped(command, files, server):
    files("p/a.csv")
    server.fault = lambda request: "stall" if request.operation == "list" else None
    for args in (("schema", "s3://bucket/p/*"), ("convert", "s3://bucket/p/*", "out.parquet")):
        process = command.start(*args)
        while not listings(server):
            time.sleep(0.02)
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        within_a_second(time.monotonic() - begun)
        assert process.returncode != 0
        server.seen.clear()


def test_parquet_files(command, files):
    files("in.csv")
    for key in ("p/a.parquet", "p/b.parquet"):
        command.ok("convert", "-q", "s3://bucket/in.csv", f"s3://bucket/{key}")
    assert rows(command, "s3://bucket/p/*.parquet") == ["in.csv"] * 2
    said = command.ok("verify", "s3://bucket/p/*.parquet").stdout.decode()
    assert "s3://bucket/p/a.parquet" in said and "s3://bucket/p/b.parquet" in said
    said = command.ok("inspect", "s3://bucket/p/").stdout.decode()
    assert said.index("s3://bucket/p/a.parquet\n") < said.index("s3://bucket/p/b.parquet\n")
    for name in ("verify", "inspect", "schema"):
        command.fails(name, "s3://bucket/q*", says="no object matches 's3://bucket/q*'")


def test_columns_of_places(command, files, server, tmp_path):
    """Of objects, and of the web, where the query of an address stays secret."""
    for day in (1, 2):
        command.put(f"t/year=2024/day=a%20{day}/f.csv", f"x\n{day}\n".encode())
    table = command.ok("convert", "-qf", "--hive-partitioning", "--file-name-column", "from", "s3://bucket/t/", "out.parquet") and \
        pq.read_table(command.home / "out.parquet")
    assert table.to_pylist() == [{"x": d, "year": 2024, "day": f"a {d}", "from": f"s3://bucket/t/year=2024/day=a%20{d}/f.csv"} for d in (1, 2)]
    (tmp_path / "k=a%20b").mkdir()  # the folder's name, which is the value "a b"
    (tmp_path / "k=a%20b" / "f.csv").write_text("x\n1\n")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{web.server_address[1]}/k=a%2520b/f.csv"
    command.ok("convert", "-qf", "--hive-partitioning", "--file-name-column", "from", address + "?sig=hidden&j=/y=1/", "out.parquet")
    web.shutdown()
    assert pq.read_table(command.home / "out.parquet").to_pylist() == [{"x": 1, "k": "a b", "from": address}]


JOB = """\
tenant_id: acme
source_connector: csv
asset: t
asset_path: asset.yaml
target_connector: local
source: {files: [{path: 's3://bucket/in/**/*.csv'}, {path: 's3://bucket/more/'}, {path: 's3://bucket/in/b.csv'}]}
target: {connection: {path: out}}
"""


def test_jobs(command, files):
    files("in/b.csv", "in/x/a.csv", "more/c.csv")
    (command.home / "asset.yaml").write_text("name: t\nsource_type: csv\nobject: t\nversion: 1.0.0\nteam: {owner: a@b.c}\n"
                                             "schema: [{name: f, type: string}]\n")
    (command.home / "job.yaml").write_text(JOB)
    said = command.ok("run", "job.yaml").text
    assert "s3://bucket/in/**/*.csv is 2 files, from s3://bucket/in/b.csv to s3://bucket/in/x/a.csv" in said
    assert "1 name is left out" in said
    [out] = (command.home / "out").rglob("*.parquet")
    assert [row["f"] for row in pq.read_table(out).to_pylist()] == ["in/x/a.csv", "more/c.csv", "in/b.csv"]
    lost = {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1", "AWS_ACCESS_KEY_ID": ""}
    (command.home / "job.yaml").write_text(JOB.replace("source: {", "source: {connection: {endpoint: '%s'}, credentials: "
                                                       "{access_key_id: %s, secret_access_key: '${KEPT}'}, "
                                                       % (command.server.url, KEY_ID)))
    # the connection counts for the listing; whether the reader asks by it is a test of its own
    assert "is 2 files" in command("run", "job.yaml", KEPT=SECRET, **lost).text
    (command.home / "job.yaml").write_text(JOB.replace("more/", "mroe/"))
    command.fails("run", "job.yaml", says=["job.yaml:6:", "the folder 's3://bucket/mroe/' holds no files"])


def test_as_local_files_are_found(command, files):
    """Random trees and patterns, in a bucket and on the disk."""
    rng = random.Random(11)
    names = ["a.csv", "b.csv", ".h.csv", "_u.csv", "c.csv", "ab"]
    keys = {"/".join([*folder, name]) for folder in itertools.product(["a", "b", ".h", "_u"], repeat=2)
            for name in rng.sample(names, 2)} | {"a.csv", "b.csv", "a/x.csv"}
    files(*keys)
    for key in keys:
        path = command.home / "tree" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"f\n{key}\n")
    parts = ["*", "**", "a", "?", "[ab]", "*.csv", ".*", "a*", "_u", "[!a]*"]
    found = 0
    for _ in range(30):
        pattern = "/".join(rng.choice(parts) for _ in range(rng.randrange(1, 5)))
        local = command("convert", "-qf", f"tree/{pattern}", "local.parquet")
        remote = command("convert", "-qf", f"s3://bucket/{pattern}", "remote.parquet")
        if (command.home / "tree" / pattern).is_dir():
            continue  # a folder; in a bucket it needs its '/'
        assert local.returncode == remote.returncode, (pattern, local.text, remote.text)
        if local.returncode == 0:
            assert pq.read_table(command.home / "local.parquet").equals(pq.read_table(command.home / "remote.parquet")), pattern
            found += 1
    assert found > 8
