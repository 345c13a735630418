"""help, version, schema, inspect, plugin check."""

import json
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import BIN, FAKES, READER, WRITER, environment

COMMANDS = ["run", "convert", "schema", "inspect", "verify", "plugin"]


def test_help_and_version(tool):
    text = tool.ok("--help").stdout.decode()
    assert "Exit codes" in text and "Examples" in text
    for command in COMMANDS:
        assert f"  {command} " in text
        said = tool.ok("help", command).stdout.decode()
        assert said.startswith(f"Usage: dativo-native {command}") and "Example" in said
        assert tool.ok(command, "--help").stdout.decode() == said
    assert tool.ok("--version").stdout.decode().startswith("dativo-native 0.")


def test_unknown_words(tool):
    tool.fails("convrt", says=["unknown command 'convrt'", 'did you mean "convert"?'])
    tool.fails("help", "inspekt", says='did you mean "inspect"?')
    tool.fails("xyzzy", says="unknown command 'xyzzy'")
    tool.fails("--versoin", says=["unknown flag '--versoin'", 'did you mean "--version"?'])
    tool.fails("--hlep", says='did you mean "--help"?')
    tool.fails("--quiet", says=["unknown flag '--quiet'", "--help and --version"])
    tool.fails("--version", "foo", says="--version takes no argument, not 'foo'")
    for command in ("run", "convert", "schema", "inspect", "verify"):
        tool.fails(command, "--jsn", "--quite", "--thread", "x", says=["unknown flag", "help " + command])
    done = tool()
    assert done.returncode == 2 and b"Usage" in done.stderr and done.stdout == b""


def test_schema_of_a_file(tool, write):
    write("in.csv", "id,name,at,ok,price\n1,a,2024-01-01,true,1.5\n2,,2024-01-02,false,2\n")
    lines = tool.ok("schema", "in.csv").stdout.decode().split("\n")
    assert [line.split() for line in lines[1:6]] == [["id", "int64"], ["name", "string"], ["at", "date"],
                                                     ["ok", "bool"], ["price", "float64"]]
    asset = json.loads(tool.ok("schema", "--json", "in.csv").stdout)
    assert asset["name"] == "in"
    assert [(c["name"], c["type"], c["required"]) for c in asset["schema"]] == [
        ("id", "integer", False), ("name", "string", False), ("at", "date", False), ("ok", "boolean", False),
        ("price", "double", False)]
    asset = json.loads(tool.ok("schema", "--json", "--full", "in.csv").stdout)
    assert [c["required"] for c in asset["schema"]] == [True, False, True, True, True]
    # what schema prints is what convert and jobs take
    write("in.json", json.dumps(asset))
    tool.ok("convert", "--schema", "in.json", "in.csv", "out.parquet")
    schema = pq.read_schema(tool.cwd / "out.parquet")
    assert not schema.field("id").nullable and schema.field("name").nullable
    tool.fails("schema", "none.csv", says="none.csv")
    tool.fails("schema", says="needs a CSV or Parquet file")


def test_schema_of_several_files(tool, write):
    write("a.csv", "a,b\n1,2\n")
    write("b.csv", "a,b\n1.5,x\n")
    write("c.csv", "a,c\n1,2\n")
    write("d.csv", "a,b\n1\n")
    for flags in ([], ["--full"]):
        lines = tool.ok("schema", *flags, "a.csv", "b.csv").stdout.decode().split("\n")
        assert [line.split()[:2] for line in lines[1:3]] == [["a", "float64"], ["b", "string"]]
        tool.fails("schema", *flags, "a.csv", "b.csv", "c.csv", says=["c.csv", "a.csv" if not flags else "header"])
        tool.fails("schema", *flags, "a.csv", "none.csv", says="none.csv")
        tool.fails("schema", *flags, "a.csv", "d.csv", says=["d.csv: line 2"])
    lines = tool.ok("schema", "a.csv", "-", stdin=b"a,b\n1,2\n").stdout.decode().split("\n")
    assert lines[1].split() == ["a", "int64"]
    tool.fails("schema", "a.csv", "-", stdin=b"x,b\n1,2\n", says="standard input: its columns are not those of a.csv")


def test_full_schema_sees_late_values(tool, write):
    write("in.csv", "a\n" + "".join(f"{i}\n" for i in range(300_000)) + "x\n" + "7\n" * 300_000)
    text = tool.ok("schema", "--full", "in.csv").stdout.decode()
    assert text.split("\n")[1].split() == ["a", "string", "0"]


def test_inspect(tool, write):
    write("in.csv", "a,b\n" + "".join(f"{i},{'x' if i % 2 else ''}\n" for i in range(1000)))
    tool.ok("convert", "--row-group-size", "600", "in.csv", "out.parquet")
    text = tool.ok("inspect", "--rows", "2", "out.parquet").stdout.decode()
    assert "1,000 rows in 2 row groups" in text
    assert "row group 0: 600 rows" in text and "row group 1: 400 rows" in text
    assert "first 2 rows" in text
    file = json.loads(tool.ok("inspect", "--json", "--rows", "3", "out.parquet").stdout)
    assert file["record_count"] == 1000
    assert file["rows"] == [{"a": 0, "b": None}, {"a": 1, "b": "x"}, {"a": 2, "b": None}]
    assert [c["name"] for c in file["schema"]] == ["a", "b"]


def test_inspect_what_others_wrote(tool):
    pq.write_table(pa.table({"n": [1, 2, None], "t": ["a\x1b[31m", "日本", ""]}), tool.cwd / "other.parquet")
    text = tool.ok("inspect", "--rows", "3", "other.parquet").stdout.decode()
    assert "日本" in text and "\x1b" not in text and "\\u001b" in text


def test_inspect_shows_every_column_its_own_values(tool):
    columns = [pa.array(v) for v in ([1, None], [3, 4], ["x", "y"], [7, 8])]
    pq.write_table(pa.table(columns, names=["a", "a", "a_1", "a"]), tool.cwd / "twins.parquet")
    lines = tool.ok("inspect", "--rows", "2", "twins.parquet").stdout.decode().splitlines()
    assert [line.split() for line in lines[-3:]] == [["a", "a_2", "a_1", "a_3"], ["1", "3", "x", "7"], ["null", "4", "y", "8"]]


@pytest.mark.parametrize("data", [b"", b"PAR1", b"hello, world, this is no Parquet file", b"PAR1" + b"\0" * 50 + b"PAR1"])
def test_inspect_broken_files(tool, write, data):
    write("bad.parquet", data)
    tool.fails("inspect", "bad.parquet", says="bad.parquet")


def test_inspect_usage(tool):
    tool.fails("inspect", "none.parquet", says="none.parquet")
    tool.fails("inspect", says="needs at least one file")
    tool.fails("inspect", "a", "b", says=["'a'", "'b'"])
    tool.fails("inspect", ".", says=".")


def test_output_that_cannot_be_written(tool):
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([str(BIN), "--help"], stdout=full, stderr=subprocess.PIPE, env=environment(), check=False)
    assert done.returncode == 2 and b"standard output cannot be written" in done.stderr


@pytest.mark.parametrize("library", [READER, WRITER])
def test_our_plugins_keep_the_contract(tool, library):
    text = tool.ok("plugin", "check", library).stdout.decode()
    assert "FAIL" not in text and "SKIP" not in text
    assert text.count("PASS") >= 19
    assert "0 failed" in text


def test_careless_plugin_is_found_out(tool):
    done = tool("plugin", "check", FAKES / "libfake_careless.so")
    text = done.stdout.decode()
    assert done.returncode == 2
    assert "FAIL  level 0 reader: a configuration that is not JSON" in text and "returned NULL" in text
    assert "crashed: " in text or "ended with code" in text  # a NULL handle
    assert "through its adapter" in text


def test_plugin_with_gaps(tool):
    done = tool("plugin", "check", FAKES / "libfake_plugin.so")
    text = done.stdout.decode()
    assert done.returncode == 2
    assert "FAIL  level 1 writer: an unknown option is an error" in text
    assert "PASS  level 1 writer: abort() leaves nothing behind" in text
    assert "SKIP  level 1 reader: a small file comes out exactly" in text


def test_plugin_check_usage(tool, write):
    write("text.so", "this is not a library at all")
    tool.fails("plugin", "check", "text.so", says="not a shared library")
    tool.fails("plugin", "check", "none.so", says="library not found: none.so; tried ./none.so")
    tool.fails("plugin", "chek", "x.so", says="check LIBRARY")
    tool.fails("plugin", says="check LIBRARY")


def test_schema_of_a_file_with_repeated_names(tool, write):
    write("in.csv", "a,a,b\n1,3,2\n")
    for flags in ([], ["--full"]):
        done = tool.ok("schema", *flags, "in.csv")
        assert 'warning: column 2 is shown as "a_1"' in done.stderr.decode()
        assert "a_1" in done.stdout.decode()
    done = tool.ok("schema", "--json", "in.csv")
    assert "an asset can take only the first of them" in done.stderr.decode()
    assert [c["name"] for c in json.loads(done.stdout)["schema"]] == ["a", "a_1", "b"]
    (tool.cwd / "in.json").write_bytes(done.stdout)
    tool.fails("convert", "--schema", "in.json", "in.csv", "out.parquet", says=['"a_1" is column 2', "header"])
    text = tool.ok("convert", "--schema", "in.json", "--mode", "warn", "in.csv", "out.parquet").stderr.decode()
    assert 'column "a_1" is not checked' in text
    assert pq.read_table(tool.cwd / "out.parquet").to_pylist() == [{"a": 1, "a_1": 3, "b": 2}]
