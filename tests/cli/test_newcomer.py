"""What a stranger runs into in the first hour: nothing may be lost without a word, and every message says what to do."""

import subprocess

import pyarrow.parquet as pq
import pytest

from conftest import BIN, FAKES, environment

NUMBERS = "id\n" + "".join(f"{i}\n" for i in range(200_000))
ASSET = '{"name": "numbers", "schema": [{"name": "id", "type": "integer"}]}'
JOB = """
tenant_id: acme
source_connector: csv
target_connector: local
asset_path: asset.json
source: {files: [{path: "-"}]}
target: {connection: {path: out}}
"""


@pytest.mark.parametrize("mode", ["strict", "warn"])
def test_standard_input_and_an_asset(tool, write, mode):
    write("asset.json", ASSET)
    tool.fails("convert", "--schema", "asset.json", "--mode", mode, "-", "out.parquet", stdin=NUMBERS.encode(),
               says=["standard input can be read only once", "asset"])
    write("job.yaml", JOB + f"schema_validation_mode: {mode}\n")
    done = tool("run", "job.yaml", stdin=NUMBERS.encode())
    assert done.returncode == 2 and b"standard input can be read only once" in done.stderr
    assert not list(tool.cwd.rglob("*.parquet"))


def piped(tool, text, *args):
    """/dev/stdin is a pipe by another name."""
    return subprocess.run([BIN, "convert", *args, "/dev/stdin", "out.parquet"], cwd=tool.cwd, input=text.encode(),
                          capture_output=True, timeout=600, env=environment())


def test_pipe_by_another_name(tool, write):
    write("asset.json", ASSET)
    assert b"can be read only once" in piped(tool, NUMBERS, "--schema", "asset.json").stderr
    # without a header every row looks like a file of its own, so a second look would find rows, but not all
    late = "".join(f"{i}\n" for i in range(200_000)) + "1.5\n" + "1\n" * 200_000
    done = piped(tool, late, "--no-header")
    assert done.returncode == 2 and b"cannot be read twice: use --types column_1=float64" in done.stderr
    assert not (tool.cwd / "out.parquet").exists()
    assert piped(tool, late, "--no-header", "--types", "column_1=double").returncode == 0
    assert pq.read_table(tool.cwd / "out.parquet").num_rows == 400_001


def test_wrong_delimiter_is_no_table_of_nulls(tool, write):
    write("in.csv", "id;name\n1;a\n")
    write("asset.json", '{"name": "t", "schema": [{"name": "id", "type": "integer"}, {"name": "name"}]}')
    tool.fails("convert", "--schema", "asset.json", "in.csv", "out.parquet",
               says=["none of the asset's columns", "delimiter", "its columns: id;name"])
    tool.ok("convert", "--delimiter", ";", "--schema", "asset.json", "in.csv", "out.parquet")
    assert pq.read_table(tool.cwd / "out.parquet").to_pylist() == [{"id": 1, "name": "a"}]


@pytest.mark.parametrize("separator, says", [(";", "';'"), ("\t", "tab"), ("|", "'|'")])
def test_one_column_that_looks_like_several(tool, write, separator, says):
    write("in.csv", f"id{separator}name\n1{separator}a\n")
    for command in (["schema", "in.csv"], ["convert", "in.csv", "out.parquet"]):
        text = tool.ok(*command).stderr.decode()
        assert f"set the delimiter to {says}" in text and text.count("one column") == 1
    write("honest.csv", "id\n1\n")
    assert "one column" not in tool.ok("schema", "honest.csv").stderr.decode()


@pytest.mark.parametrize("command", ["convert", "schema", "run"])
def test_memory_without_its_unit(tool, write, command):
    write("in.csv", "id\n1\n")
    operands = {"convert": ["in.csv", "out.parquet"], "schema": ["in.csv"], "run": ["job.yaml"]}[command]
    tool.fails(command, "--memory", "256", *operands, says=["256 is less than 1MiB", "256MB"])


def test_advice(tool, write):
    write("in.csv", "a,b\n1,x \"y\" z\n")
    tool.fails("convert", "in.csv", "nowhere/out.parquet", says=["make the directory 'nowhere' first", "mkdir -p"])
    assert "taken as text" in tool.ok("convert", "in.csv", "out.parquet").stderr.decode()
    write("tabs.yaml", "source:\n\tfiles: []\n")
    tool.fails("run", "tabs.yaml", says=["tabs.yaml:2:1", "spaces, not tabs"])


def test_strict_asset_and_a_reader_that_does_not_care(tool, write):
    """fake_plugin.c gives int64 columns "a" and "b" whatever it is asked for."""
    reader = ["--reader", FAKES / "libfake_plugin.so", "--reader-option", "rows=3"]
    schema = '{"name": "t", "schema": [{"name": "a", "type": "%s"}, {"name": "b", "type": "integer"}%s]}'
    write("text.json", schema % ("string", ""))
    tool.fails("convert", *reader, "--schema", "text.json", "x", "out.parquet",
               says=['column 1 is to be "a" of type string', 'gives "a" of type int64'])
    write("more.json", schema % ("integer", ', {"name": "c"}'))
    tool.fails("convert", *reader, "--schema", "more.json", "x", "out.parquet", says=["3 columns", "gives 2"])
    write("good.json", schema % ("integer", ""))
    tool.ok("convert", *reader, "--schema", "good.json", "x", "out.parquet")
