"""Where the output goes: links, special files, modes, other writers of the same name."""

import os
import stat

import pyarrow.parquet as pq
import pytest

from conftest import tree


def rows(path):
    return pq.read_table(path).column("a").to_pylist()


def test_link_stays_and_its_target_is_written(tool, write):
    write("in.csv", "a\n1\n2\n")
    real = write("real/out.parquet", "PAR1 old")
    real.chmod(0o640)
    link = tool.cwd / "out.parquet"
    link.symlink_to("real/out.parquet")
    tool.fails("convert", "in.csv", "out.parquet", says="exists already")
    tool.ok("convert", "-f", "in.csv", "out.parquet")
    assert link.is_symlink() and os.readlink(link) == "real/out.parquet"
    assert rows(real) == [1, 2] and stat.S_IMODE(real.stat().st_mode) == 0o640
    assert tree(tool.cwd) == ["in.csv", "out.parquet", "real/out.parquet"]
    real.unlink()  # a link to nothing: what it names is made
    tool.ok("convert", "-f", "in.csv", "out.parquet")
    assert link.is_symlink() and rows(real) == [1, 2]


def test_verified_file_is_the_same_file(tool, write):
    write("in.csv", "a,b\n" + "".join(f"{i},{'x' * (i % 40)}\n" for i in range(3000)))
    tool.ok("convert", "in.csv", "plain.parquet")
    tool.ok("convert", "--verify", "in.csv", "verified.parquet")
    assert (tool.cwd / "verified.parquet").read_bytes() == (tool.cwd / "plain.parquet").read_bytes()
    assert tree(tool.cwd) == ["in.csv", "plain.parquet", "verified.parquet"]


def test_link_to_the_source_is_seen(tool, write):
    write("in.csv", "a\n1\n")
    (tool.cwd / "out.parquet").symlink_to("in.csv")
    tool.fails("convert", "-f", "in.csv", "out.parquet", says="is also a source")


@pytest.mark.parametrize("name", ["fifo", "link"])
def test_special_files_stay(tool, write, name):
    write("in.csv", "a\n1\n")
    os.mkfifo(tool.cwd / "fifo")
    (tool.cwd / "link").symlink_to("fifo")
    tool.fails("convert", "-f", "in.csv", name, says=[name, "not a regular file"])
    assert stat.S_ISFIFO((tool.cwd / name).stat().st_mode)


def test_standard_output_by_its_link_is_refused(tool, write):
    """What /dev/stdout is, without touching /dev: a link to an open file below /proc."""
    write("in.csv", "a\n1\n")
    link = tool.cwd / "stdout"
    link.symlink_to("/proc/self/fd/1")
    with open(tool.cwd / "redirected", "wb") as out:
        done = tool("convert", "-f", "in.csv", "stdout", stdout=out)
    assert done.returncode == 2 and "/proc" in done.stderr.decode(), done.stderr
    assert link.is_symlink() and (tool.cwd / "redirected").read_bytes() == b""
    assert tree(tool.cwd) == ["in.csv", "redirected", "stdout"]


def test_job_writes_through_a_link(tool, write):
    write("in.csv", "a\n1\n")
    write("asset.yaml", "name: t\nschema: [{name: a, type: integer}]\n")
    write("job.yaml", "tenant_id: x\nsource_connector: csv\ntarget_connector: local\nasset_path: asset.yaml\n"
                      "source: {files: [{path: in.csv}]}\ntarget: {connection: {path: out}}\n")
    write("elsewhere/t.parquet", "PAR1 old")
    link = tool.cwd / "out/default/default/t/t_000000.parquet"
    link.parent.mkdir(parents=True)
    link.symlink_to(tool.cwd / "elsewhere/t.parquet")
    tool.ok("run", "job.yaml")
    assert link.is_symlink() and rows(tool.cwd / "elsewhere/t.parquet") == [1]


def race(tool, write, n, at_once):
    """n processes replace one file with sources of different sizes; every one of them succeeds, and the file is whole."""
    for i in range(at_once):
        write(f"in{i}.csv", "a\n" + f"{i}\n" * (i + 1) * 50)
    running = []
    for i in range(n):
        running.append(tool.start("convert", "-f", "-q", "-t", "1", f"in{i % at_once}.csv", "out.parquet"))
        if len(running) == at_once:
            finish(running)
    finish(running)
    values = rows(tool.cwd / "out.parquet")
    assert len(values) == (values[0] + 1) * 50 and set(values) == {values[0]}
    assert tree(tool.cwd) == sorted([f"in{i}.csv" for i in range(at_once)] + ["out.parquet"])


def finish(running):
    for process in running:
        _, said = process.communicate(timeout=300)
        assert (process.returncode, said) == (0, b"")
    running.clear()


def test_racing_writers(tool, write):
    race(tool, write, 48, 8)
