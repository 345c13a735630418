"""One CSV through every SIMD tier, thread count and block size gives byte-identical Parquet."""
import hashlib
import os
import subprocess
import sys

import pytest

BIN = os.environ["DN_BIN"]
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "bench"))

import compare  # noqa: E402
import pyarrow.parquet  # noqa: E402

TIERS = ["scalar", "avx2", "avx512"]  # a tier the CPU lacks falls back to the best it has
BLOCKS = [1, 2, 63, 64, 65, 4096, 0]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    def make(shape, rows):
        path = tmp_path_factory.mktemp("csv") / f"{shape}.csv"
        with open(path, "wb") as out:
            subprocess.run([f"{BIN}/gen_csv", shape, str(rows)], stdout=out, check=True)
        return path

    return make


def convert(src, dst, tier="avx512", threads=2, block=0, extra=()):
    # small groups and pages, so that their ends fall into the middle of blocks
    options = ["--writer-option", "page_rows=700", "--row-group-size", "5000"]
    if block:
        options += ["--reader-option", f"block_bytes={block}"]
    subprocess.run(
        [f"{BIN}/dativo-native", "convert", src, dst, "--overwrite", "--quiet", "--threads", str(threads), *options, *extra],
        check=True, env={**os.environ, "DN_CPU": tier})
    return hashlib.sha256(dst.read_bytes()).hexdigest()


@pytest.mark.parametrize("shape,rows", [("lineitem", 12_000), ("text", 1500), ("quoted", 6000), ("wide", 150),
                                        ("narrow", 20_000), ("orders", 3000), ("rowlike", 20)])
def test_bytes_do_not_depend_on_how_they_were_made(shape, rows, source, tmp_path):
    src, dst = source(shape, rows), tmp_path / "out.parquet"
    first = convert(src, dst, "scalar", 1)
    found = compare.difference(pyarrow.parquet.read_table(dst, page_checksum_verification=True), compare.read_csv(src))
    assert found is None, found
    for tier in TIERS:
        for threads in (1, 2, 8):
            assert convert(src, dst, tier, threads) == first, (tier, threads)
    small = src.stat().st_size < 2_000_000
    for block in BLOCKS if small else BLOCKS[2:]:
        assert convert(src, dst, "avx512", 2, block) == first, block


def test_compression_changes_bytes_only(source, tmp_path):
    src, dst = source("lineitem", 5000), tmp_path / "out.parquet"
    for codec in ("none", "snappy", "gzip", "zstd", "zstd:9", "lz4_raw", "brotli"):
        first = convert(src, dst, "avx512", 2, 0, ["--compression", codec])
        assert convert(src, dst, "scalar", 1, 0, ["--compression", codec]) == first
        found = compare.difference(pyarrow.parquet.read_table(dst, page_checksum_verification=True), compare.read_csv(src))
        assert found is None, (codec, found)
