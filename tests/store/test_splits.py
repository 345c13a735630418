"""Pieces of a CSV object are fetched by ranges, without what stands in front of them, and only of the object that was cut."""

import threading

import pytest

import s3_server
from conftest import KEY_ID, SECRET
from csv_splits import Failure, cut, read

ROWS = 120000


@pytest.fixture
def server():
    started = s3_server.Server().start()
    yield started
    started.shutdown()


def config(server, **options):
    connection = {"s3": {"endpoint": server.url, "access_key_id": KEY_ID, "secret_access_key": SECRET, "region": "us-east-1",
                         "path_style_access": True}}
    return {"type": "csv", "files": [{"path": "s3://bucket/a.csv"}], "connection": connection, "engine": {"options": options}}


def put(server, text):
    server.buckets["bucket"]["a.csv"] = s3_server.make_object(text.encode())


class Ranges:
    """The bytes that are asked for."""

    def __init__(self, server):
        self.asked, self.lock = [], threading.Lock()
        server.fault = self

    def __call__(self, request):
        if request.operation == "get":
            first, last = request.headers["range"].removeprefix("bytes=").split("-")
            with self.lock:
                self.asked.append((int(first), int(last) + 1))


def test_ranges(server):
    text = "id,text\n" + "".join(f'{i},"line\n{i}"\n' for i in range(ROWS))
    put(server, text)
    conf = config(server, row_number="n")
    pieces = cut(conf, len(text) // 4)
    assert len(pieces) == 4
    assert SECRET not in str(pieces) and KEY_ID not in str(pieces)
    whole = read(conf)
    at = len("id,text\n")
    rows = 0
    for piece in pieces:
        ranges = Ranges(server)
        got = read(conf, piece["token"])
        server.fault = lambda request: None
        assert got.combine_chunks().equals(whole.slice(rows, piece["rows"]).combine_chunks())
        head = [r for r in ranges.asked if r[0] == 0 and r[1] <= 64]
        body = sorted(r for r in ranges.asked if r not in head)
        assert len(head) <= 2  # is it packed, and in which encoding
        assert body[0][0] == at and body[-1][1] == at + piece["bytes"]
        assert sum(last - first for first, last in body) == piece["bytes"]
        at, rows = at + piece["bytes"], rows + piece["rows"]
    assert rows == ROWS and at == len(text)
    assert server.problems == []


def test_another_object_of_the_name(server):
    put(server, "id\n" + "1\n" * 1000)
    token = cut(config(server), 500)[1]["token"]
    assert read(config(server), token).num_rows > 0
    put(server, "id\n" + "2\n" * 1000)
    with pytest.raises(Failure, match="changed since it was cut"):
        read(config(server), token)
