"""As test_convert: every codec, thousands of sources, and first rows of every length."""

import os
import resource
import signal
import time

import pyarrow.parquet as pq
import pytest

from conftest import tree


@pytest.mark.parametrize("codec, name", [("none", "UNCOMPRESSED"), ("snappy", "SNAPPY"), ("gzip", "GZIP"),
                                         ("zstd:9", "ZSTD"), ("lz4_raw", "LZ4"), ("brotli", "BROTLI")])
def test_codecs(tool, write, codec, name):
    # values that compress, or a writer may rightly store the pages as they are
    write("in.csv", "a,b\n" + "".join(f"{i % 1000},the same words again and again {i % 97}\n" for i in range(20000)))
    tool.ok("convert", "--compression", codec, "in.csv", "out.parquet")
    file = pq.ParquetFile(tool.cwd / "out.parquet")
    assert name in {file.metadata.row_group(0).column(i).compression for i in range(2)}
    assert file.read().column("a").to_pylist() == [i % 1000 for i in range(20000)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("args", [["run", "f"], ["run", "--config", "f"], ["convert", "--schema", "f", "a.csv", "o.parquet"]])
def test_signals_end_the_wait_for_a_configuration(tool, write, args, number):
    write("a.csv", "a\n1\n")
    os.mkfifo(tool.cwd / "f")
    process = tool.start(*args)
    time.sleep(0.2)
    assert process.poll() is None
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == -number
    assert tree(tool.cwd) == ["a.csv", "f"]


def test_thousands_of_sources(tool):
    """Only the system's own limit counts, and only one of them is open at a time."""
    names = [f"{i:04}.csv" for i in range(6000)]
    for name in names:
        (tool.cwd / name).write_text("a\n1\n")
    tool.ok("convert", *names, "out.parquet", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
    assert pq.ParquetFile(tool.cwd / "out.parquet").metadata.num_rows == 6000


@pytest.mark.parametrize("n", [-1, 0, 1, 1 << 21])
@pytest.mark.parametrize("end, nulls", [(b"\r\n", []), (b"\r", []), (b"\n", []), (b"\r\r", [None])])
def test_a_first_row_that_ends_with_the_first_look_or_later(tool, write, n, end, nulls):
    """The first mebibyte settles what ends rows, unless none ends in it; its last byte may be half of a row end."""
    first = '"' + "a" * ((1 << 20) - 3 + n) + '"'
    write("in.csv", b"".join(row.encode() + end for row in (first, "1", "2")))
    tool.ok("convert", "--no-header", "in.csv", "out.parquet")
    got = pq.read_table(tool.cwd / "out.parquet").column(0).to_pylist()
    assert got[0] == first[1:-1] and got[1:] == [*nulls, "1", *nulls, "2", *nulls]
