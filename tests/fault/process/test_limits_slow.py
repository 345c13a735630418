"""Too little address space, disk, or number of descriptors: an error or the exact output, never an abort, never half a file."""

import dataclasses
import os
import resource
import subprocess

import pytest

from rig import CASES, OLD, Case, limited, memory_sweep

BY_NAME = {case.name: case for case in CASES}
CODECS = ["none", "snappy", "gzip", "zstd", "lz4_raw", "brotli"]


@pytest.mark.parametrize("codec", CODECS)
def test_address_space(rig, codec):
    case = Case(codec, ["convert", "-f", "-t", "2", "-c", codec, "large.csv", "o/out.parquet"], "o/out.parquet", old=True)
    memory_sweep(rig, case, range(16, 400, 12))


@pytest.mark.parametrize("name", ["wide", "widened", "job", "pipe", "several"])
def test_address_space_of_other_runs(rig, name):
    memory_sweep(rig, BY_NAME[name], range(10, 400, 13))


def test_address_space_of_looks(rig):
    memory_sweep(rig, BY_NAME["schema full"], range(10, 400, 13))
    memory_sweep(rig, BY_NAME["inspect"], range(2, 40))


@pytest.mark.parametrize("name", ["replaced", "job", "several", "inspect"])
def test_descriptors(rig, name):
    codes = [limited(rig, BY_NAME[name], lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (n, n))) for n in range(3, 24)]
    assert codes[0] != 0 and codes[-1] == 0, codes


@pytest.mark.parametrize("name", ["threads", "groups"])
def test_file_size(rig, name):
    whole = len(rig.want(BY_NAME[name]))
    for size in [0, 1, 4, 4096, whole // 2, whole - 1, whole]:
        code = limited(rig, BY_NAME[name], lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)))
        assert code == (0 if size == whole else 2), (size, whole)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
@pytest.mark.parametrize("name", ["job again", "groups"])
def test_full_disk(rig, name):
    """A file system of some pages: from one that cannot hold the old file and anything else to one that holds both."""
    case = BY_NAME[name]
    codes = []
    pages = len(rig.want(case)) // 4096
    for size in [pages // 8, pages // 2, pages - 1, pages, pages + 2, pages + 8]:
        folder = rig.folder(dataclasses.replace(case, old=False))
        disk = (folder / case.out).parent
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={max(size, 2) * 4096}", "tmpfs", disk], check=True)
        try:
            (folder / case.out).write_bytes(OLD)
            done = rig.run(folder, case.args)
            rig.check(case, folder, done)
            assert done.code == 0 or "No space left" in done.err
            codes.append(done.code)
        finally:
            subprocess.run(["umount", disk], check=True)
    assert codes[0] == 2 and codes[-1] == 0, codes
