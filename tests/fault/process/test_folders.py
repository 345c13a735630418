"""The folder of the target changes while the file is written, or is not ours to write in."""

import os
import shutil
import signal
import subprocess

import pytest

from command import PLUGINS
from rig import BIN, CASES, OLD, environment

SMALL = next(case for case in CASES if case.name == "small")
REPLACED = next(case for case in CASES if case.name == "replaced")


def meanwhile(rig, case, change):
    """`change(folder)` happens while the finished file is made durable, before it gets its name: the command stands still there."""
    folder = rig.folder(case)
    process = rig.start(folder, case.args, f"call=fsync at=1 signal={int(signal.SIGSTOP)}")
    state = os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    assert state.si_code == os.CLD_STOPPED, state
    change(folder)
    process.send_signal(signal.SIGCONT)
    return folder, rig.wait(process, folder)


def files_below(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*")
                  if not p.is_dir() and not p.is_symlink() and p.name != "fault.log")


def test_folder_renamed(rig):
    folder, done = meanwhile(rig, SMALL, lambda f: (f / "o").rename(f / "moved"))
    if done.code == 0:
        assert files_below(folder) == ["moved/out.parquet"]
        assert (folder / "moved/out.parquet").read_bytes() == rig.want(SMALL)
    else:
        assert done.code == 2 and files_below(folder) == [], done.err


def test_folder_replaced(rig):
    def change(folder):
        (folder / "o").rename(folder / "moved")
        (folder / "o").mkdir()
        (folder / "o/out.parquet").write_bytes(OLD)

    folder, done = meanwhile(rig, SMALL, change)
    assert (folder / "o/out.parquet").read_bytes() == OLD
    if done.code == 0:
        assert files_below(folder) == ["moved/out.parquet", "o/out.parquet"]
        assert (folder / "moved/out.parquet").read_bytes() == rig.want(SMALL)
    else:
        assert done.code == 2 and files_below(folder) == ["o/out.parquet"], done.err


def test_folder_removed(rig):
    folder, done = meanwhile(rig, SMALL, lambda f: shutil.rmtree(f / "o"))
    assert done.code == 2 and "out.parquet" in done.err and "No such file" in done.err, done.err
    assert files_below(folder) == []


def test_temporary_file_removed(rig):
    def change(folder):
        for path in (folder / "o").glob(".*.tmp"):
            path.unlink()

    folder, done = meanwhile(rig, REPLACED, change)
    assert done.code == 2 and "out.parquet" in done.err, done.err
    assert files_below(folder) == ["o/out.parquet"]
    assert (folder / "o/out.parquet").read_bytes() == OLD


def test_target_appears(rig):
    folder, done = meanwhile(rig, SMALL, lambda f: (f / "o/out.parquet").write_bytes(OLD))
    assert done.code == 2 and "exists already" in done.err, done.err
    assert (folder / "o/out.parquet").read_bytes() == OLD
    assert files_below(folder) == ["o/out.parquet"]


def test_target_becomes_a_folder(rig):
    def change(folder):
        (folder / "o/out.parquet").unlink()
        (folder / "o/out.parquet").mkdir()

    folder, done = meanwhile(rig, REPLACED, change)
    assert done.code == 2 and "out.parquet" in done.err, done.err
    assert files_below(folder) == []


def test_old_file_vanishes(rig):
    folder, done = meanwhile(rig, REPLACED, lambda f: (f / "o/out.parquet").unlink())
    assert done.code == 0, done.err
    assert (folder / "o/out.parquet").read_bytes() == rig.want(REPLACED)


@pytest.fixture
def stranger(tmp_path_factory):
    """A folder everybody may look into, and what makes a process one of an ordinary user."""
    root = tmp_path_factory.mktemp("stranger")
    for part in [root, *root.parents]:
        if os.access(part, os.W_OK) and part.owner() == root.owner():
            part.chmod(part.stat().st_mode | 0o055)
    (root / "in.csv").write_text("a,b\n1,2\n")
    (root / "o").mkdir()
    # this tree may lie where others may not look
    tool = root.parent / f"{root.name}_tool"
    tool.mkdir(mode=0o755)
    shutil.copy(BIN, tool)
    shutil.copytree(PLUGINS, tool / "plugins")
    return root, tool, {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}


def convert_as(stranger, *args):
    root, tool, who = stranger
    return subprocess.run([str(tool / BIN.name), "convert", *args], cwd=root, capture_output=True, timeout=120,
                          env=environment(DATIVO_PLUGIN_PATH=str(tool / "plugins")), **who)


def test_folder_not_ours_to_write_in(stranger):
    root, *_ = stranger
    (root / "o").chmod(0o555)
    done = convert_as(stranger, "in.csv", "o/out.parquet")
    assert done.returncode == 2 and b"o/out.parquet" in done.stderr and b"Permission denied" in done.stderr, done.stderr
    assert files_below(root) == ["in.csv"]


def test_folder_not_ours_to_list(stranger):
    root, *_ = stranger
    (root / "o").chmod(0o333)
    done = convert_as(stranger, "in.csv", "o/out.parquet")
    (root / "o").chmod(0o755)
    assert done.returncode == 2 and b"o/out.parquet" in done.stderr and b"permission" in done.stderr, done.stderr
    assert files_below(root) == ["in.csv"]


def test_file_not_ours_in_a_folder_that_is(stranger):
    root, _, who = stranger
    (root / "o").chmod(0o777)
    (root / "o/out.parquet").write_bytes(OLD)
    (root / "o/out.parquet").chmod(0o444)
    done = convert_as(stranger, "in.csv", "o/out.parquet")
    assert done.returncode == 2 and b"exists already" in done.stderr, done.stderr
    assert (root / "o/out.parquet").read_bytes() == OLD
    assert files_below(root) == ["in.csv", "o/out.parquet"]


def test_source_not_ours_to_read(stranger):
    root, *_ = stranger
    (root / "o").chmod(0o777)
    (root / "in.csv").chmod(0o000)
    done = convert_as(stranger, "in.csv", "o/out.parquet")
    assert done.returncode == 2 and b"in.csv" in done.stderr and b"permission" in done.stderr, done.stderr
    assert files_below(root) == ["in.csv"]
