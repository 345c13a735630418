"""What is said of CSV that is read in a wrong way names the flag that helps, as it has to be typed."""

import json
import os
import pathlib
import re
import shlex

import pytest

RAGGED = "a,b\n1,2\n3\n4,5\n"


@pytest.mark.parametrize("flags, text, says", [
    (["--ragged", "reject"], RAGGED, ["--ragged needs --max-rejects, which says how many rows may be set aside at most"]),
    (["--rejects", "r.csv"], RAGGED, ["--rejects needs --max-rejects, which says how many rows may be set aside at most"]),
    (["--max-rejects", "10%"], RAGGED, ["1 of 3 rows are wrong, and --max-rejects allows 10%"]),
    (["--max-rejects", "1", "--rejects", "in.csv"], RAGGED, ["in.csv exists and is no list of rejected rows", "choose another name with --rejects"]),
    (["--no-header", "--delimiter", "tab"], "1\ta\\\nb\n2\tc\n", ["line 2", "--escape '\\'"]),
    (["--no-header", "--delimiter", "tab"], "1\ta\n2\\\n\tc\n", ["line 2", "--escape '\\'"]),
    (["--skip-footer", "9"], "a\n1\n", ["before the lines that --skip-footer leaves out"]),
    (["--types", "f=int64"], "f\n1\nNULL\n", ["line 3", "but would be null with --null-values 'NULL'"]),
    (["--types", "f=float64"], "f\n1\u202f234.5\n", ["but would be a number with --thousands $'\\u202f'"]),
    (["--types", "f=float64", "--delimiter", ";"], "f\n1'234,5\n", ["is not a value of type float64; "]),
    (["--ragged", "error"], "a,b\n1,2,3\n", ["check the delimiter and the quotes around this row\n"]),
    (["--types", "id=int8"], " id ,x\n1,2\n", ["there it has blanks around it, which --trim takes off"]),
    (["--types", "f=bool"], "f\nja\n", ["'ja' is not a value of type bool, which other words are with --true-values and --false-values"]),
    (["--types", "f=bool", "--true-values", "ja"], "f\nnein\n", ["with the words of --true-values and --false-values"]),
    (["--true-values", "Y", "--false-values", "Y"], "f\nY\n", ["--true-values and --false-values both have 'Y'"]),
    (["--decimal", ",", "--thousands", ","], "f\n1\n", ["--decimal and --thousands are both ','"]),
    (["--escape", "auto"], "f\n1\n", ["--escape needs one ASCII character, \"\" for none, not 'auto'"]),
    (["--quote", "ab"], "f\n1\n", ["--quote needs one ASCII character, \"\" for none, or auto, not 'ab'"]),
])
def test_errors(tool, write, flags, text, says):
    write("in.csv", text)
    tool.fails("convert", *flags, "in.csv", "out.parquet", says=says)


def test_a_delimiter_of_several_bytes(tool, write):
    for row, word in [("a||b||c", "--delimiter '||'"), ("a|b", "--delimiter '|'"), ("a||b|c", "--delimiter '|'"), ("a;;;b", "--delimiter ';;;'")]:
        write("in.csv", f"{row}\n")
        assert f"read it with {word} ".encode() in tool.ok("schema", "in.csv").stderr


def test_files_with_other_columns(tool, write):
    write("a.csv", "id,x\n1,2\n")
    write("b.csv", "id,y\n1,2\n")
    tool.fails("schema", "a.csv", "b.csv", says=["b.csv", "--union-by-name"])


@pytest.mark.parametrize("name", ["plain.csv", "two words.csv", "it's.csv", "-"])
@pytest.mark.parametrize("byte", [";", "\x01", "\t"])
def test_what_sniff_prints_can_be_run(tool, write, name, byte):
    text = f"a{byte}b\n" + "".join(f"{i}{byte}x\n" for i in range(20))
    write(name if name != "-" else "other.csv", text)
    stdin = text.encode() if name == "-" else None
    line = tool.ok("schema", "--sniff", name, stdin=stdin).stdout.decode().splitlines()[-1]
    words = shlex.split(line.replace("$'\\x01'", "'\x01'"))
    assert words[:2] == ["dativo-native", "convert"] and words[-1] == "OUT.parquet" and words[-2] == name
    tool.ok(*words[1:], stdin=stdin)


def test_sniff_tells_what_does_not_fit(tool, write):
    write("in.csv", "a,b\n" + "1,2\n" * 20 + "1,2,3\n")
    assert b"1 of 22 have another number of fields" in tool.ok("schema", "--sniff", "in.csv").stdout


def test_a_job_says_once_what_auto_found(tool, write):
    write("in.csv", "a;b\n1;2\n3;4\n")
    write("asset.yaml", json.dumps({"name": "t", "version": "1", "schema": [{"name": "a", "type": "integer"}, {"name": "b", "type": "integer"}]}))
    write("job.yaml", json.dumps({
        "tenant_id": "x", "source_connector": "csv", "target_connector": "local", "asset_path": "asset.yaml", "target": {"connection": {"path": "out"}},
        "source": {"files": [{"path": "in.csv"}], "engine": {"options": {"delimiter": "auto"}}}}))
    assert tool.ok("run", "job.yaml").stderr.count(b"read with --delimiter ';'") == 1


def test_every_option_is_on_both_pages():
    source = pathlib.Path(os.environ["DN_SOURCE"])
    table = (source / "plugins/csv_reader_options.c").read_text().split("csv_reader_options[] = {")[1].split("\n};")[0]
    names = set(re.findall(r'\{"(\w+)"', table)) | {"file_name", "row_number", "limit", "hive_partitioning"}
    assert len(names) > 40
    for page in ["jobs.md", "csv-reading.md"]:
        text = (source / "docs" / page).read_text()
        assert [n for n in sorted(names) if f"`{n}`" not in text] == []


def test_what_is_left_out(tool, write):
    write("in.csv", b"a,b\n1,x\n\xef\xbb\xbf2,y\n\x1a")
    said = tool.ok("convert", "-q", "in.csv", "null:").stderr.decode()
    assert "in.csv: 1 byte order mark was left out at the start of a row\n" in said
    assert "in.csv: 1 byte was left out at the end, behind the text (0x1a or NUL)\n" in said
