"""As test_packed: files that are cut or damaged anywhere, and long ones."""

import codecs
import gzip
import os
import random
import subprocess
import time

import pyarrow.parquet as pq
import pytest

from test_packed import NAMES, PACKINGS, PLAIN, packed, read, zstd


@packed
def test_cut_files(tool, write, packing):
    """At every place: an error that says so, whatever is in hand by then."""
    small = b"a,b\n" + b"".join(b"%d,x%d\n" % (i, i * 7919 % 1000) for i in range(20))
    stored = PACKINGS[packing](small)
    start = {"gzip": 2, "bgzf": 2, "xz": 6}.get(packing, 4)
    for n in sorted({*range(start, 10), *range(start, len(stored), 7), *range(len(stored) - 30, len(stored))}):
        write("in.csv", stored[:n])
        tool.fails("convert", "-q", "--no-header", "--allow-empty", "in.csv", "out.parquet", says=[f"{NAMES.get(packing, packing)}: ", "cut", "byte "])


@packed
def test_damaged_files(tool, write, packing):
    """A flipped bit anywhere in the data: an error, or the very rows (bits that mean nothing, such as a time in a header)."""
    small = b"a,b\n" + b"".join(b"%d,x%d\n" % (i, i * 7919 % 1000) for i in range(300))
    stored = PACKINGS[packing](small)
    write("good.csv", small)
    expected = read(tool, "good.csv")
    rng = random.Random(11)
    failed = 0
    for _ in range(40):
        at = rng.randrange(10, len(stored))
        write("in.csv", stored[:at] + bytes([stored[at] ^ 1 << rng.randrange(8)]) + stored[at + 1:])
        done = tool("convert", "-qf", "in.csv", "out.parquet")
        if done.returncode == 0:
            assert packing in ("gzip", "bgzf", "zstd") and pq.read_table(tool.cwd / "out.parquet").equals(expected)
        else:
            assert done.returncode == 2 and f"{NAMES.get(packing, packing)}: ".encode() in done.stderr, done.stderr
            assert packing == "bgzf" or b"damaged near" not in done.stderr or b"get the file again" in done.stderr
            failed += 1
    assert failed > 25


@packed
def test_the_first_error_is_told(tool, write, packing):
    """A row that is wrong, in front of where the file was cut, whatever is read at once (but for the head, which is looked at first)."""
    text = PLAIN + PLAIN[PLAIN.index(b"\n") + 1:] * 15
    assert len(text) > 1 << 20
    stored = PACKINGS[packing](text.replace(b'\n3,"', b'\n3,4,"', 1))
    write("in.csv", stored[:-9] if packing != "bzip2" else stored + b"more")
    for flags in [(), ("--reader-option", "block_bytes=500"), ("-t", "1"), ("-t", "5")]:
        tool.fails("convert", *flags, "in.csv", "out.parquet", says="in.csv: line 5, ")


@pytest.mark.parametrize("what", ["zeros", "skipped", "lines"])
def test_a_wish_to_stop_while_nothing_comes_out(tool, what):
    """Gigabytes that hold no text, and text without end whose wrong row has its line counted."""
    path = tool.cwd / "in.csv"
    text = b"a,b\n1,2\n"
    if what == "zeros":
        path.write_bytes(gzip.compress(text))
        os.truncate(path, 200 << 30)
    elif what == "skipped":
        with open(path, "wb") as out:
            out.write(zstd(text))
            for i in range(50):
                out.write(b"\x50\x2a\x4d\x18" + (0xfffffff0).to_bytes(4, "little"))
                out.seek(0xfffffff0, os.SEEK_CUR)
            out.truncate()
    else:
        path.write_bytes(zstd(text) + zstd(b"1,2\n" * (1 << 20)) * 1000 + zstd(b"1,2,3\n"))
    proc = tool.start("convert", "-q", "in.csv", "null:")
    with pytest.raises(subprocess.TimeoutExpired):
        proc.wait(0.3)
    proc.terminate()
    start = time.monotonic()
    assert proc.wait(20) == 143
    assert time.monotonic() - start < 1
    path.unlink()


def test_every_cut_of_a_long_text(tool, write):
    """Characters lie across the ends of all buffers."""
    text = "s\n" + "".join(f"{'é€😀'[i % 3] * (i % 50)}{i}\n" for i in range(30000))
    write("utf8.csv", text)
    write("in.csv", codecs.BOM_UTF16_LE + text.encode("utf-16-le"))
    for flags in [(), ("--reader-option", "block_bytes=999"), ("--reader-option", "block_bytes=3", "-t", "1")]:
        assert read(tool, *flags, "in.csv").equals(read(tool, "utf8.csv"))
