"""What is wrong about a place: exit 2, one message with the name, the service's word, the request's number and what to do, and nothing left."""

import gzip
import lzma
import zlib

import pytest

import s3_server
from convert_runs import KEY_ID, SECRET, TOKEN, finish, left_files, serving, start

TEXT = b"id,name\n" + b"".join(b"%d,name %d\n" % (i, i) for i in range(9000))
NO_KEYS = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": ""}


@pytest.fixture
def server():
    with serving(buckets=("bucket", "other")) as started:
        for bucket in started.buckets.values():
            bucket["in.csv"] = s3_server.make_object(TEXT)
        yield started


def always(word, *operations):
    return lambda request: word if not operations or request.operation in operations else None


def expire(server):
    server.fault = always("expired")


def skew(server):
    server.fault = always("skew")


def fill(server):
    server.fault = always("full", "put", "create", "part", "get", "head")


def fill_later(server):
    server.fault = always("full", "part")


def deny(server):
    server.denied.update(["in.csv", "out.csv"])


def move(server):
    server.region = "eu-west-3"
    server.says_region = False


def nothing(server):
    pass


# what is done to the server; the environment; the bucket; the words of the message
PLACES = {
    "no credentials": (nothing, NO_KEYS, "bucket", ["no credentials", "AWS_ACCESS_KEY_ID", "anonymous"]),
    "half of the credentials": (nothing, {"AWS_SECRET_ACCESS_KEY": ""}, "bucket", ["AWS_SECRET_ACCESS_KEY"]),
    "unknown key": (nothing, {"AWS_ACCESS_KEY_ID": "AKIDWRONG"}, "bucket", ["InvalidAccessKeyId", "REQ0", "does not know the access key"]),
    "wrong secret": (nothing, {"AWS_SECRET_ACCESS_KEY": "wrong"}, "bucket",
                     ["SignatureDoesNotMatch", "REQ0", "the secret key does not belong to the access key"]),
    "wrong token": (nothing, {"AWS_SESSION_TOKEN": "wrong"}, "bucket", ["InvalidToken", "REQ0", "fetch all three again"]),
    "expired token": (expire, {}, "bucket", ["ExpiredToken", "REQ0", "fetch new credentials"]),
    "no such bucket": (nothing, {}, "nobucket", ["s3://nobucket/", "NoSuchBucket", "REQ0", "check the bucket's name"]),
    "wrong region": (move, {}, "bucket", ["AuthorizationHeaderMalformed", "REQ0", "AWS_REGION"]),
    "denied": (deny, {}, "bucket", ["AccessDenied", "status 403", "REQ0", "needs the permission s3:"]),
    "clock": (skew, {}, "bucket", ["RequestTimeTooSkewed", "REQ0", "set this machine's clock"]),
    "full disk": (fill, {}, "bucket", ["InsufficientStorage", "status 507", "REQ0", "the server's disk is full"]),
}


def check(server, folder, args, says, **env):
    before = {name: {key: zlib.crc32(item.data) for key, item in bucket.items()} for name, bucket in server.buckets.items()}
    process = start(folder, server, *args, **env)
    code, said = finish(process, folder)
    assert code == 2, (code, said)
    assert said.count("\n") == 1 and said.startswith("dativo-native: error: "), said
    for word in says:
        assert word in said, said
    assert {name: {key: zlib.crc32(item.data) for key, item in bucket.items()} for name, bucket in server.buckets.items()} == before
    assert all(uploads == {} for uploads in server.uploads.values())
    assert {path.name for path in folder.iterdir()} <= {"tmp", "in.csv", ".local"} and left_files(folder) == []
    return said


@pytest.mark.parametrize("case", PLACES)
def test_reading(tmp_path, server, case):
    change, env, bucket, says = PLACES[case]
    change(server)
    check(server, tmp_path, [f"s3://{bucket}/in.csv", "out.csv"], [f"s3://{bucket}/in.csv", *says], **env)
    assert len(server.seen) <= 6  # what cannot pass is not tried again


@pytest.mark.parametrize("case", PLACES)
@pytest.mark.parametrize("size", ["small", "parts"])
def test_writing(tmp_path, server, case, size):
    change, env, bucket, says = PLACES[case]
    change(server)
    (tmp_path / "in.csv").write_bytes(TEXT if size == "parts" else b"id\n1\n")
    check(server, tmp_path, ["in.csv", f"s3://{bucket}/out.csv"], [f"s3://{bucket}/out.csv", *says], **env)
    assert len(server.seen) <= 8


def test_a_disk_that_fills_up(tmp_path, server):
    fill_later(server)
    (tmp_path / "in.csv").write_bytes(TEXT)
    check(server, tmp_path, ["in.csv", "s3://bucket/out.csv"],
          ["s3://bucket/out.csv", "InsufficientStorage", "status 507", "REQ0", "the server's disk is full"])


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_an_hour_wrong(tmp_path, server, hours):
    """The answer tells the time, and that is taken."""
    server.clock_offset = hours * 3600
    (tmp_path / "in.csv").write_bytes(TEXT)
    for args in (["in.csv", "s3://bucket/out.csv"], ["s3://bucket/out.csv", "back.csv"]):
        code, said = finish(start(tmp_path, server, "-q", *args), tmp_path)
        assert code == 0, said
    assert (tmp_path / "back.csv").read_bytes() == TEXT


def test_another_region_is_found(tmp_path, server):
    server.region = "eu-west-3"
    (tmp_path / "in.csv").write_bytes(TEXT)
    for args in (["in.csv", "s3://bucket/out.csv"], ["s3://bucket/out.csv", "back.csv"]):
        code, said = finish(start(tmp_path, server, "-q", *args), tmp_path)
        assert code == 0, said


def test_one_prefix_is_denied(tmp_path, server):
    """The others are not."""
    server.denied.add("out.csv")
    (tmp_path / "in.csv").write_bytes(TEXT)
    check(server, tmp_path, ["in.csv", "s3://bucket/out.csv"], ["s3://bucket/out.csv", "AccessDenied", "s3:PutObject"])
    code, said = finish(start(tmp_path, server, "-q", "in.csv", "s3://bucket/else/out.csv"), tmp_path)
    assert code == 0, said



@pytest.mark.parametrize("args", [["s3://bucket/in.csv", "out.csv"], ["in.csv", "s3://bucket/out.csv"]])
def test_an_unknown_certificate(tmp_path, certificate, args):
    (tmp_path / "in.csv").write_bytes(TEXT)
    with serving(certificate=certificate) as server:
        server.buckets["bucket"]["in.csv"] = s3_server.make_object(TEXT)
        check(server, tmp_path, args, ["s3://bucket/", "certificate", "AWS_CA_BUNDLE"])
        assert server.seen == []
        code, said = finish(start(tmp_path, server, "-q", *args, AWS_CA_BUNDLE=str(certificate[0])), tmp_path)
        assert code == 0, said


def test_an_object_that_changes_while_it_is_read(tmp_path, server):
    text = TEXT * 8
    server.buckets["bucket"]["in.csv"] = s3_server.make_object(text)

    def change(request):
        if request.operation == "get" and not request.headers["range"].startswith("bytes=0-"):
            server.buckets["bucket"]["in.csv"].etag = '"another"'
        return None

    server.fault = change
    check(server, tmp_path, ["--no-header", "s3://bucket/in.csv", "out.csv"],
          ["s3://bucket/in.csv", "PreconditionFailed", "REQ0", "replaced while it was read"])


PACKED = gzip.compress(TEXT)
CONTENTS = {
    "cut gzip": ("in.csv.gz", PACKED[:-5000], ["ends in the middle", "byte"]),
    "gzip without its end": ("in.csv.gz", PACKED[:-4], ["byte"]),
    "damaged gzip": ("in.csv.gz", PACKED[:5000] + bytes([PACKED[5000] ^ 8]) + PACKED[5001:], ["byte"]),
    "cut xz": ("in.csv.xz", lzma.compress(TEXT)[:-2000], ["byte"]),
    "no Parquet": ("in.parquet", TEXT, ["Parquet"]),
    "cut Parquet": ("in.parquet", b"PAR1" + bytes(1000), ["Parquet"]),
    "no text": ("in.csv", b"abcd" + bytes(1000), ["NUL byte"]),
    "undecodable byte": ("in.csv", TEXT + b"1,\xff\n", ["line 9002", "UTF-8"]),
    "undecodable byte, packed": ("in.csv.gz", gzip.compress(TEXT + b"1,\xff\n"), ["line 9002", "UTF-8"]),
    "zlib": ("in.csv.gz", zlib.compress(TEXT), []),
    "empty": ("in.csv", b"", ["empty"]),
}


@pytest.mark.parametrize("case", CONTENTS)
@pytest.mark.parametrize("target", ["out.csv", "s3://bucket/out.csv"])
def test_contents(tmp_path, server, case, target):
    key, data, says = CONTENTS[case]
    server.buckets["bucket"][key] = s3_server.make_object(data)
    check(server, tmp_path, [f"s3://bucket/{key}", target], [f"s3://bucket/{key}", *says])


def test_a_name_that_disagrees_is_no_error(tmp_path, server):
    """What is in it counts."""
    server.buckets["bucket"]["in.csv.gz"] = s3_server.make_object(TEXT)
    code, said = finish(start(tmp_path, server, "-q", "s3://bucket/in.csv.gz", "out.csv"), tmp_path)
    assert code == 0, said
    assert (tmp_path / "out.csv").read_bytes() == TEXT
