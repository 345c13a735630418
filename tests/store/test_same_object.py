"""Nobody loses a source, or a file of another kind, by naming it as the output: also if names are URLs."""

import pytest

import s3_server
from convert_runs import finish, serving, start

TEXT = b"id,name\n1,a\n2,b\n"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(300)


@pytest.fixture
def server():
    with serving() as started:
        for name in ("a.csv", "b.csv", "c.csv"):
            started.buckets["bucket"][name] = s3_server.make_object(TEXT)
        started.buckets["bucket"]["p.png"] = s3_server.make_object(PICTURE)
        started.buckets["bucket"]["empty.csv"] = s3_server.make_object(b"")
        yield started


def refused(folder, server, *args, says):
    before = {name: item.data for name, item in server.buckets["bucket"].items()}
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    code, said = finish(start(folder, server, "-q", *args), folder)
    assert code == 2 and says in said, said
    assert {name: item.data for name, item in server.buckets["bucket"].items()} == before
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == files
    assert server.uploads["bucket"] == {}


def ok(folder, server, *args):
    code, said = finish(start(folder, server, "-q", *args), folder)
    assert code == 0, said


@pytest.mark.parametrize("force", [[], ["-f"]])
@pytest.mark.parametrize("source", ["s3://bucket/a.csv", "S3://bucket/a.csv", "s3://bucket/*.csv", "s3://bucket/[a]*"])
@pytest.mark.parametrize("target", ["s3://bucket/a.csv", "S3://bucket/a.csv"])
def test_an_object_is_no_target_of_itself(tmp_path, server, force, source, target):
    refused(tmp_path, server, *force, source, target, says="source")


@pytest.mark.parametrize("source, target", [
    ("{}/a.csv", "file://{}/a.csv"), ("file://{}/a.csv", "{}/a.csv"), ("file://localhost{}/a.csv", "file://{}/a.csv"),
    ("file://{}/a.csv", "a.csv"), ("a.csv", "file://{}/./a.csv"), ("file://{}/link.csv", "file://{}/a.csv"),
    ("*.csv", "file://{}/a.csv"), ("file://{}/", "a.csv")])
def test_a_file_is_no_target_of_itself(tmp_path, server, source, target):
    home = tmp_path / "home"
    home.mkdir()
    (home / "a.csv").write_bytes(TEXT)
    (home / "link.csv").symlink_to("a.csv")
    refused(home, server, "-f", source.format(home), target.format(home), says="is also a source")


@pytest.mark.parametrize("target, says", [("x.parquet", "is not a Parquet file"), ("x.csv", "is not a text file")])
def test_what_is_of_another_kind_is_not_replaced(tmp_path, server, target, says):
    """Where the names ask for it: an object as well as a file."""
    server.buckets["bucket"][target] = server.buckets["bucket"]["p.png"]
    refused(tmp_path, server, "-f", "s3://bucket/a.csv", f"s3://bucket/{target}", says=says)
    (tmp_path / target).write_bytes(PICTURE)
    refused(tmp_path, server, "-f", "s3://bucket/a.csv", f"file://{tmp_path}/{target}", says=says)


def test_what_is_of_the_same_kind_is(tmp_path, server):
    for target in ("x.parquet", "x.csv", "d/new.parquet", "empty.csv"):
        ok(tmp_path, server, "-f", "s3://bucket/a.csv", f"s3://bucket/{target}")
        ok(tmp_path, server, "-f", "s3://bucket/b.csv", f"s3://bucket/{target}")
    assert server.buckets["bucket"]["x.csv"].data.startswith(b"id,name\n")


def test_who_may_not_read_may_replace(tmp_path, server):
    server.buckets["bucket"]["x.csv"] = server.buckets["bucket"]["p.png"]
    deny = {"head", "get"}

    def fault(request):
        if request.path.endswith("x.csv") and request.operation in deny:
            server.denied.add("x.csv")
        else:
            server.denied.clear()

    server.fault = fault
    ok(tmp_path, server, "-f", "s3://bucket/a.csv", "s3://bucket/x.csv")
    assert server.buckets["bucket"]["x.csv"].data == TEXT


def test_several_sources_replace_no_csv_object(tmp_path, server):
    """The output was forgotten, and the last source stands where it should."""
    refused(tmp_path, server, "-f", "s3://bucket/a.csv", "s3://bucket/b.csv", "s3://bucket/c.csv", says="may be one more source")
    ok(tmp_path, server, "-f", "s3://bucket/a.csv", "s3://bucket/b.csv", "s3://bucket/new.csv")
