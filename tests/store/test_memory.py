"""--memory is for what is on its way to and from a bucket, too."""

import re
import time

import pytest

import s3_server
from convert_runs import finish, serving, start

LINES = b"".join(b"%d,name %d,%.3f\n" % (i, i * 7919 % 1000003, i / 8) for i in range(40_000))
TEXT = b"id,name,price\n" + LINES * 24
PARTS = {"DN_S3_PART_BYTES": "0"}  # of the size that they have
MIB = 1 << 20


def convert(folder, server, *args):
    code, said = finish(start(folder, server, "--no-progress", *args, **PARTS), folder)
    assert code == 0, said
    number, unit = re.search(r"memory +([\d.]+) ([KMG]?B) at the peak", said).groups()
    return float(number) * {"KB": 1e3, "MB": 1e6, "GB": 1e9}[unit]


@pytest.fixture
def server():
    with serving() as started:
        started.lengths = {}

        def note(request):
            """The server takes its time, so that whatever may wait does."""
            if request.operation == "part":
                started.lengths.setdefault("part", set()).add(int(request.headers["content-length"]))
                time.sleep(0.1)
            if request.operation == "get":
                first, last = map(int, request.headers["range"][6:].split("-"))
                started.lengths.setdefault("get", set()).add(last - first + 1)
            return None

        started.fault = note
        yield started


@pytest.mark.parametrize("memory, part", [("16MB", 5 * MIB), ("128MB", 8 * MIB)])
def test_parts_are_a_share_of_it(tmp_path, server, memory, part):
    (tmp_path / "in.csv").write_bytes(TEXT)
    local = convert(tmp_path, server, "in.csv", "out.csv", "--memory", memory)
    remote = convert(tmp_path, server, "in.csv", "s3://bucket/out.csv", "--memory", memory)
    assert server.buckets["bucket"]["out.csv"].data == (tmp_path / "out.csv").read_bytes()
    assert max(server.lengths["part"]) == part
    # beside the libraries of the network, and what one request needs
    assert remote < local + 20e6 + int(memory[:-2]) * 1e6 * 3 / 4 * 7 / 32, (local, remote)


@pytest.mark.parametrize("memory, most", [("8MB", 512 * 1024 / 5), ("64MB", 4e6 / 5), (None, 32 * MIB / 5)])
def test_pieces_are_a_share_of_it(tmp_path, server, memory, most):
    server.buckets["bucket"]["in.csv"] = s3_server.make_object(TEXT)
    convert(tmp_path, server, "s3://bucket/in.csv", "null:", *(["--memory", memory] if memory else []))
    assert most / 2 < max(server.lengths["get"]) <= most


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_the_least_that_works_is_named(tmp_path, server, ending):
    (tmp_path / "in.csv").write_bytes(TEXT)
    code, said = finish(start(tmp_path, server, "in.csv", f"s3://bucket/out.{ending}", "--memory", "2MB", **PARTS), tmp_path)
    assert code == 2 and "bytes on their way over the network" in said and "give --memory that much" in said, said
    assert server.seen == []
    least = int(re.search(r"at least (\d+)MB", said).group(1))
    assert least < 9
    code, said = finish(start(tmp_path, server, "in.csv", f"s3://bucket/out.{ending}", "--memory", f"{least - 1}MB", **PARTS), tmp_path)
    assert code == 2, said
    convert(tmp_path, server, "in.csv", f"s3://bucket/out.{ending}", "--memory", f"{least}MB")
    convert(tmp_path, server, "in.csv", f"out.{ending}", "--memory", f"{least}MB")
    assert server.buckets["bucket"][f"out.{ending}"].data == (tmp_path / f"out.{ending}").read_bytes()
