"""Many files, and files whose names are not UTF-8: names go to the plugins as JSON."""

import json
import os

import pyarrow.parquet as pq
import pytest

ODD = b"caf\xe9"


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


def names(folder):
    return sorted(os.listdir(os.fsencode(folder)))


def test_sources_and_targets_of_any_bytes(odd):
    """They are read and written, and what is said of them is UTF-8, with the bytes escaped."""
    done = run(odd, "convert", "--file-name-column", "f", ODD + b".csv", "out.parquet")
    assert done.returncode == 0 and "'caf\\xe9.csv' -> out.parquet" in done.stderr.decode(), done.stderr
    rows = pq.read_table(odd.cwd / "out.parquet").to_pydict()
    assert rows == {"a": [1], "f": [f"file://{odd.cwd}/caf%E9.csv"]}
    for flags in [(), ("--log-format", "json")]:
        done = run(odd, "convert", "-f", *flags, "in.csv", ODD + b".parquet")
        said = done.stderr.decode()
        assert done.returncode == 0 and "caf\\xe9.parquet" in said.replace("\\\\", "\\"), said
    os.mkdir(os.fsencode(odd.cwd) + b"/" + ODD)
    for target in [ODD + b"/" + ODD + b".csv", os.fsencode(odd.cwd) + b"/" + ODD + b"/100%.parquet", b"./" + ODD + b"/x.parquet"]:
        done = run(odd, "convert", "in.csv", ODD + b".csv", target)
        assert done.returncode == 0 and b"2 in = 2 out" in done.stderr, done.stderr
    assert names(odd.cwd) == [b"caf\xe9", b"caf\xe9.csv", b"caf\xe9.parquet", b"in.csv", b"out.parquet"]
    assert names(os.fsencode(odd.cwd) + b"/" + ODD) == [b"100%.parquet", b"caf\xe9.csv", b"x.parquet"]
    with open(os.fsencode(odd.cwd) + b"/" + ODD + b"/100%.parquet", "rb") as written:
        assert pq.read_table(written).to_pydict() == {"a": [1, 1]}
    done = run(odd, "convert", "-f", "*.csv", "all.parquet")  # a pattern, that finds it
    assert done.returncode == 0 and b"2 in = 2 out" in done.stderr, done.stderr


def test_schema_of_any_bytes(odd):
    assert b"int64" in run(odd, "schema", ODD + b".csv").stdout
    assert b"int64" in run(odd, "schema", "--full", "in.csv", ODD + b".csv").stdout
    assert json.loads(run(odd, "schema", "--json", ODD + b".csv").stdout)["name"] == "caf%E9"


def test_errors_of_any_bytes(odd):
    with open(os.fsencode(odd.cwd) + b"/bad" + ODD + b".csv", "wb") as out:
        out.write(b"a,b\n1,2\n3\n")
    done = run(odd, "convert", "--log-format", "json", b"bad" + ODD + b".csv", "o.parquet")
    last = json.loads(done.stderr.decode().splitlines()[-1])
    assert done.returncode == 2 and last["line"] == 3 and last["path"].endswith("/badcaf%E9.csv"), last
    before = names(odd.cwd)
    for args, says in [(("convert", b"none" + ODD + b".csv", "o.parquet"), "none"), (("convert", "in.csv", ODD + b"/x.parquet"), "caf"),
                       (("convert", "-f", ODD + b".csv", ODD + b".csv"), "is also a source"), (("convert", "in.csv", b"s3://bucket/" + ODD), "not valid UTF-8")]:
        done = run(odd, *args)
        assert done.returncode == 2 and says in done.stderr.decode(), done.stderr
    assert names(odd.cwd) == before
    os.link(os.fsencode(odd.cwd) + b"/" + ODD + b".csv", os.fsencode(odd.cwd) + b"/link.csv")
    assert "is also a source" in run(odd, "convert", "-f", ODD + b".csv", "link.csv").stderr.decode()


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
