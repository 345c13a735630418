"""What a stranger runs into in the first hour: nothing may be lost without a word, and every message says what to do."""

import json
import os
import pty
import subprocess

import pyarrow as pa
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


@pytest.mark.parametrize("args", [["schema", "-"], ["convert", "/dev/stdin", "out.parquet"]])
def test_a_terminal_ends_once(tool, args):
    """Behind ^D a terminal goes on: whoever asked again would wait for a second one."""
    ours, theirs = pty.openpty()
    process = tool.start(*args, stdin=theirs)
    os.write(ours, b"id\n1\n\x04")
    _, said = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 0, said


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
        assert f"--delimiter {says}" in text and text.count("one column") == 1
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


@pytest.mark.parametrize("closed", [0, 1, 2])
def test_closed_standard_stream(tool, write, closed):
    """Nothing that is opened later may take its number: an event would be read as standard input, for ever."""
    write("in.csv", "id\n1\n")

    def run(*args):
        return subprocess.run(["sh", "-c", f'exec "$0" "$@" {closed}{"<" if closed == 0 else ">"}&-', BIN, *args],
                              cwd=tool.cwd, capture_output=True, timeout=60, env=environment())

    assert run("convert", "-f", "in.csv", "out.parquet").returncode == 0
    assert pq.read_table(tool.cwd / "out.parquet").num_rows == 1
    done = run("inspect", "out.parquet")
    assert done.returncode == (2 if closed == 1 else 0)
    assert closed != 1 or b"standard output cannot be written" in done.stderr
    if closed == 0:
        for command in (["convert", "-f", "-", "out.parquet"], ["schema", "-"]):
            done = run(*command)
            assert done.returncode == 2 and b"standard input: it is not open" in done.stderr, done.stderr


@pytest.mark.parametrize("name", ["people", "people.dat", "people.txt", "people.TXT"])
def test_forgotten_output_name_costs_no_source(tool, write, name):
    """`convert -f *.txt` takes the last source for the output."""
    write("in.csv", "id\n1\n")
    write(name, "id\n2\n")
    tool.fails("convert", "-f", "in.csv", name, says=[name, "Parquet"])
    assert (tool.cwd / name).read_text() == "id\n2\n"


@pytest.mark.parametrize("name", ["PEOPLE.CSV", "people.Tsv"])
def test_a_csv_file_is_replaced_only_if_asked(tool, write, name):
    write("in.csv", "id\n1\n")
    write(name, "id\n2\n")
    tool.fails("convert", "in.csv", name, says=[name, "--overwrite"])
    assert (tool.cwd / name).read_text() == "id\n2\n"
    tool.ok("convert", "-f", "in.csv", name)
    assert (tool.cwd / name).read_text() == "id\n1\n"


def test_several_sources_replace_no_csv_file(tool, write):
    """`convert -f *.csv` takes the last source for the output."""
    for name in ("a.csv", "b.csv", "c.csv"):
        write(name, f"id\n{name}\n")
    tool.fails("convert", "-f", "a.csv", "b.csv", "c.csv", says=["c.csv", "may be one more source", "remove it first"])
    assert (tool.cwd / "c.csv").read_text() == "id\nc.csv\n"
    write("c.csv", "")
    tool.ok("convert", "-f", "a.csv", "b.csv", "c.csv")
    assert (tool.cwd / "c.csv").read_text() == "id\na.csv\nb.csv\n"


def test_no_csv_replaces_what_is_no_text(tool, write):
    write("in.csv", "id\n1\n")
    tool.ok("convert", "in.csv", "table.parquet")
    table = (tool.cwd / "table.parquet").read_bytes()
    for data in (table, b"\x1f\x8b\x08\x00\xffxx", b"PK\x03\x04xx", b"id\n\xff\xfe\n"):
        write("out.csv", data)
        tool.fails("convert", "-f", "in.csv", "out.csv", says=["out.csv", "not a text file", "remove it first"])
        assert (tool.cwd / "out.csv").read_bytes() == data
    write("out.csv", "")
    tool.ok("convert", "-f", "in.csv", "out.csv")


def test_what_is_replaced(tool, write):
    write("in.csv", "id\n1\n")
    write("text.parquet", "PAR")  # not even as long as the first bytes of one
    tool.fails("convert", "-f", "in.csv", "text.parquet", says=["not a Parquet file", "begins with 'PAR'", "remove it"])
    write("text.parquet", "")
    for _ in range(2):
        tool.ok("convert", "-f", "in.csv", "text.parquet")
    (tool.cwd / "link").symlink_to("in.csv")
    write("other.csv", "id\n2\n")
    tool.fails("convert", "-f", "other.csv", "link", says="not a Parquet file")
    assert (tool.cwd / "in.csv").read_text() == "id\n1\n"


@pytest.mark.parametrize("first, second, good", [
    ("a.csv", "b.tsv", False), ("b.tsv", "a.csv", False), ("b.tsv", "c.TSV", True), ("a.csv", "d.tsv", True)])
def test_schema_and_convert_agree_on_delimiters(tool, write, first, second, good):
    for name, text in {"a.csv": "a,b\n1,2\n", "b.tsv": "a\tb\n1\t2\n", "c.TSV": "a\tb\n3\t4\n", "d.tsv": "a,b\n5,6\n"}.items():
        write(name, text)
    for command in (["schema"], ["schema", "--full"], ["convert"]):
        done = tool(*command, first, second, *(["out.parquet"] if command == ["convert"] else []))
        assert done.returncode == (0 if good else 2), (command, done.stderr)


def test_inspect_tells_texts_apart(tool, write):
    write("in.csv", b'a,b\n"null",n\x00l\n"",x\n"""""",x\n" y",x\n,x\n')
    tool.ok("convert", "in.csv", "out.parquet")
    lines = tool.ok("inspect", "--rows", "5", "out.parquet").stdout.decode().splitlines()
    shown = [line.rsplit(None, 1) for line in lines[-5:]]
    assert [a.rstrip() for a, _ in shown] == ['"null"', '""', '"\\"\\""', '" y"', "null"]
    assert shown[0][1] == "n\\u0000l"
    assert any(line.split()[-2:] == ['""', '"null"'] for line in lines)  # minimum and maximum


@pytest.mark.parametrize("args", [["--delimiter", ";", "in.csv"], ["in.tsv"]])
def test_one_column_with_commas(tool, write, args):
    write("in.csv", "id,name\n1,a\n")
    write("in.tsv", "id,name\n1,a\n")
    assert "--delimiter ','" in tool.ok("schema", *args).stderr.decode()
    write("quoted.csv", '"id, or so"\n1\n')  # read with commas already
    assert tool.ok("schema", "quoted.csv").stderr == b""


def test_contract_errors_name_the_file(tool, write):
    write("in.csv", "id\n1\n")
    schema = '{"name": "t", "schema": [{"name": "id", "type": "integer"}, {"name": "b", "type": "string", "required": %s}]}'
    write("must.json", schema % "true")
    write("may.json", schema % "false")
    tool.fails("convert", "--schema", "must.json", "in.csv", "out.parquet", says='in.csv: the file has no column "b"')
    assert 'in.csv: the file has no column "b"' in tool.ok("convert", "--schema", "may.json", "in.csv", "null:").stderr.decode()


def test_late_value_of_a_pipe_has_its_place(tool):
    rows = NUMBERS + "1.5\n" + "1\n" * 200_000
    done = tool("convert", "--log-format", "json", "-", "out.parquet", stdin=rows.encode())
    error = json.loads(done.stderr.decode().splitlines()[-1])
    assert (error["path"], error["line"], error["row"], error["column"]) == ("standard input", 200_002, 200_001, "id")
    assert error["message"].count("types") == 1 and "use --types id=float64" in error["message"]


@pytest.mark.parametrize("value, declared, fits", [
    ("2024-01-01", "int64", "date"), ("2024-01-01T00:00:00", "timestamptz", "timestamp"), (".5", "int64", "float64"),
    ("2024-01-01T00:00:00Z", "timestamp", "timestamptz"), ("1", "date", "int64"), ("x", "int64", "string")])
def test_type_that_would_fit(tool, write, value, declared, fits):
    write("in.csv", f"d\n{value}\n")
    tool.fails("convert", "--types", f"d={declared}", "in.csv", "out.parquet", says=f"(it would fit {fits})")


@pytest.mark.parametrize("types", ["price=decimal(10,2)", "id=int64,price=decimal(10,2)", "price=DECIMAL(10, 2),id=int64"])
def test_types_with_commas(tool, write, types):
    write("in.csv", "id,price\n1,2.50\n")
    tool.ok("convert", "--types", types, "in.csv", "out.parquet")
    assert pq.read_schema(tool.cwd / "out.parquet").types == [pa.int64(), pa.decimal128(10, 2)]


@pytest.mark.parametrize("word, says", [
    ("decimal", ["needs its digits", "decimal(12,2)"]), ("decimal(2,3)", ["needs its digits"]), ("decimal(77,1)", ["decimal(77,1)", "from 1 to 76"]), ("array", ["unknown type"]),
    ("null", ["text is not read as null"]), ("timestamp[m]", ["unknown type"]), ("string:hex", ["unknown type"])])
def test_type_that_is_none_of_this_version(tool, write, word, says):
    write("in.csv", "id,price\n1,2.50\n")
    tool.fails("convert", "--types", f"price={word}", "in.csv", "out.parquet", says=['"price"', *says])


def test_small_words(tool, write):
    write("blank.csv", "\n\n")
    tool.fails("schema", "blank.csv", says="only blank lines")
    write("comment.csv", "# of today\nid,name\n1,a\n")
    tool.fails("schema", "comment.csv", says="--comment '#'")
    write("in.csv", "id,name\n1,a\n")
    tool.fails("schema", "--types", "zzzz=string", "in.csv", says="its columns: id, name")
    tool.fails("plugin", "chek", "x.so", says='did you mean "check"?')
