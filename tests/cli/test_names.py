"""Many files, and files whose names are not UTF-8: names go to the plugins as JSON."""

import json
import os

import pyarrow.parquet as pq
import pytest

ODD = b"caf\xe9"


def test_five_thousand_sources(tool):
    names = [f"f{i}.csv" for i in range(5000)]
    for i, name in enumerate(names):
        (tool.cwd / name).write_text(f"a\n{i}\n")
    text = tool.ok("convert", *names, "out.parquet", preexec_fn=lambda: limit_files(64)).stderr.decode()
    assert "5,000 in = 5,000 out" in text and "files   5,000 in, 1 out" in text
    assert pq.read_table(tool.cwd / "out.parquet").column("a").to_pylist() == list(range(5000))


def limit_files(n):
    import resource

    resource.setrlimit(resource.RLIMIT_NOFILE, (n, n))


@pytest.fixture
def odd(tool):
    (tool.cwd / "in.csv").write_text("a\n1\n")
    with open(os.fsencode(tool.cwd) + b"/" + ODD + b".csv", "wb") as out:
        out.write(b"a\n1\n")
    return tool


def run(tool, *args, **kwargs):
    """As tool(), with arguments that are bytes."""
    import subprocess

    from conftest import BIN, environment

    return subprocess.run([os.fsencode(BIN), *[a if isinstance(a, bytes) else a.encode() for a in args]], cwd=tool.cwd,
                          capture_output=True, timeout=300, env=environment(), **kwargs)


@pytest.mark.parametrize("args", [
    ("convert", ODD + b".csv", "out.parquet"),
    ("convert", "in.csv", ODD + b".parquet"),
    ("schema", ODD + b".csv"),
    ("schema", "in.csv", ODD + b".csv"),
])
@pytest.mark.parametrize("flags", [(), ("--log-format", "json")])
def test_names_that_are_not_utf8_are_refused(odd, args, flags):
    if flags and args[0] == "schema":
        flags = ("--json",)
    done = run(odd, args[0], *flags, *args[1:])
    said = done.stderr.decode()  # UTF-8 all of it
    assert done.returncode == 2 and "not valid UTF-8" in said and "caf\\xe9" in said.replace("\\\\", "\\"), said
    assert len(os.listdir(odd.cwd)) == 2


def test_ways_around(odd):
    os.symlink(ODD + b".csv", os.fsencode(odd.cwd) + b"/link.csv")
    assert run(odd, "convert", "link.csv", "a.parquet").returncode == 0
    with open(os.fsencode(odd.cwd) + b"/" + ODD + b".csv", "rb") as source:
        assert run(odd, "convert", "-", "b.parquet", stdin=source).returncode == 0
    os.symlink(ODD + b".parquet", os.fsencode(odd.cwd) + b"/link.parquet")
    assert run(odd, "convert", "-f", "in.csv", "link.parquet").returncode == 0
    assert ODD + b".parquet" in os.listdir(os.fsencode(odd.cwd))
    assert b"1 row in" in run(odd, "inspect", ODD + b".parquet").stdout  # names nothing to a plugin in JSON
    assert json.loads(run(odd, "inspect", "--json", ODD + b".parquet").stdout)["record_count"] == 1


@pytest.mark.parametrize("args, says", [
    (("inspect", ODD), "caf?"),
    (("run", ODD), "caf?: cannot be opened"),
    (("convert", "--schema", ODD, "in.csv", "o.parquet"), "caf?: cannot be opened"),
    (("convert", "--types", ODD + b"=int64", "in.csv", "o.parquet"), "--types: the column name 'caf\\xe9' is not valid UTF-8"),
    (("convert", "--reader", ODD, "in.csv", "o.parquet"), "library not found: caf?"),
])
def test_messages_stay_utf8(odd, args, says):
    done = run(odd, *args)
    said = done.stderr.decode()
    assert done.returncode == 2 and says in said and said.count("caf") <= 3, said


def test_json_lines_keep_their_fields(odd):
    with open(os.fsencode(odd.cwd) + b"/" + ODD + b".yaml", "wb") as out:
        out.write(b"a: [\n")
    last = json.loads(run(odd, "run", "--log-format", "json", ODD + b".yaml").stderr.decode().splitlines()[-1])
    assert (last["code"], last["path"], last["exit_code"]) == ("config", "caf?.yaml", 2)
