"""What looks like a wrong option is said with the flag that helps: once, on stderr, and nothing else changes."""

import os
import re
import subprocess

import pytest

from command import BIN, environment


def said(tool, *args):
    return [line for line in tool.ok(*args).stderr.decode().splitlines() if "note:" in line or "warning:" in line]


@pytest.mark.parametrize("text, kind, words", [
    ("id;name\n1;a\n", "warning", ["one column, 'id;name'", "--delimiter ';'"]),
    ("id\tname\n1\ta\n", "warning", ["--delimiter tab"]),
    ("id|name\n1|a\n", "warning", ["--delimiter '|'"]),
    ("1,2.5\n2,3.5\n", "note", ["look like values", "'1'", "--no-header"]),
    ("id,v\n1,'a'\n2,'b'\n", "note", ['column "v"', "single quotes", "--quote \"'\""]),
    ('id,v\n1,"1,5"\n2,"-0,25"\n', "note", ['column "v"', "'1,5'", "--decimal ',' reads"]),
    ('id,v,w\n1,"1.234,5","1,5"\n2,7,"2,5"\n', "note", ['column "v" and 1 more', "--decimal ',' --thousands '.'"]),
    ('id,v\n1,"1,234.5"\n2,"12,345,678"\n', "note", ["--thousands ',' reads"]),
    ('id,v\n1,"1,234"\n2,17\n', "note", ["--decimal ','", "--thousands ',' if it groups"]),
    ("id,d\n1,31.01.2024\n2,01.02.2024\n", "note", ['column "d"', "--date-format '%d.%m.%Y'"]),
    ("id,d\n1,1/31/2024\n2,2/1/2024\n", "note", ["--date-format '%m/%d/%Y'"]),
    ("id,d\n1,1/2/2024\n2,2/1/2024\n", "note", ["'%d/%m/%Y', or '%m/%d/%Y'"]),
    ("id,d\n1,2024/01/31\n", "note", ["--date-format '%Y/%m/%d'"]),
    ('id,v\n1,"1\u202f234,56"\n2,"7,5"\n', "note", ["--decimal ',' --thousands $'\\u202f' reads such values as numbers"]),
    ("id,v\n1,-1\u00a0234\n2,7\n", "note", ["--thousands $'\\u00a0' reads"]),
    ("id,v\n1,1'234.5\n2,7\n", "note", ["--thousands \"'\" reads"]),
    ("id,v\n1,12\u2019345\n", "note", ["--thousands $'\\u2019' reads"]),
    ("id,v\n1,1 234 567\n2,1.5\n", "note", ["--thousands ' ' reads"]),
    ("id,d\n1,31-Jan-24\n2,1-feb-24\n", "note", ["--date-format '%d-%b-%y' reads such values as dates"]),
    ("id,d\n1,31.1.24\n", "note", ["--date-format '%d.%m.%y'"]),
    ('id,d\n1,"Jan 31, 2024"\n', "note", ["--date-format '%b %d, %Y'"]),
    ("id,t\n1,9:05\n2,23:59\n", "note", ["--time-format '%H:%M' reads such values as times"]),
    ("id,t\n1,31.01.2024 13:05\n2,1.2.2024 0:00\n", "note", ["--timestamp-format '%d.%m.%Y %H:%M' reads such values as timestamps"]),
    ("id,t\n1,2024-01-31T9:05:00\n", "note", ["--timestamp-format '%Y-%m-%dT%H:%M:%S'"]),
    ('id,t\n1,"1/2/2024, 1:05:00 PM"\n', "note", ["'%d/%m/%Y, %I:%M:%S %p', or '%m/%d/%Y, %I:%M:%S %p'"]),
    ('id,t\n1,"2024-01-31 13:05:07,123"\n', "note", ["'%Y-%m-%d %H:%M:%S,%f'"]),
    ("id,v\n1,NULL\n2,5\n3,N/A\n4,NULL\n", "note", ['column "v"', "as in 'NULL'", "--null-values 'NULL,N/A' reads such texts as nulls"]),
    ("id,v\n1,\\N\n2,2024-01-31\n", "note", ["--null-values '\\N' reads"]),
    ('id,v\n1,-\n2,"1.234,5"\n', "note", ["--null-values '-' --decimal ',' --thousands '.' reads"]),
    ("id,v\n1, 2\n2, 3.5\n", "note", ["as in ' 2'", "--trim takes the blanks off"]),
    ("id,v\n1,31.01.2024 \n2,n/a\n", "note", ["--trim --null-values 'n/a' --date-format '%d.%m.%Y' reads"]),
    ("id, v\n1, 2\n", "note", ["the name of a column, ' v', has blanks around it", "--trim"]),
    ("Report\na;b\n1;2\n3;4\n", "warning", ["one column, 'Report'", "--delimiter ';' --skip-rows 1", "3 of the first 3 rows have 2 fields"]),
    ("a\x01b\n1\x012\n3\x014\n", "warning", ["one column", "--delimiter $'\\x01'"]),
    ("-----\n|a |b |\n-----\n|1 |2 |\n", "warning", ["--skip-rows 1"]),
    ("<!DOCTYPE html>\n<p>x\n", "warning", ["looks like HTML"]),
    ('[{"a":1},\n{"a":2},\n', "warning", ["looks like JSON"]),
])
def test_said_once(tool, write, text, kind, words):
    write("in.csv", text)
    for command in (["schema", "in.csv"], ["convert", "-f", "in.csv", "out.parquet"], ["schema", "--full", "in.csv"]):
        lines = said(tool, *command)
        assert len(lines) == 1 and f"{kind}: in.csv: " in lines[0], (command, lines)
        assert all(word in lines[0] for word in words), (words, lines)
        assert said(tool, *command, "--reader-option", "advice=false") == []


@pytest.mark.parametrize("text", [
    "id,name\n1,a\n", "id\n1\n", '"a;b"\n1\n', "id,v\n1,it's\n2,'b\n", "id,v\n1,\"1,5 kg\"\n", "id,v\n1,\"1,23,4\"\n", "id,v\n1,31.01.2024\n2,soon\n",
    "id,v\n1,2024-01-31\n", "id,v\n1,1.2.3.4\n", "id,v\n1,13/13/2024\n2,1/31/2024\n", "year,2019,2020\n1,2,3\n", "id,v\n1,\"1,5\"\n2,\"1,234.5\"\n",
    "id,v\n1,\"1,5\"\n2,1.5\n", "id,v\n1,NULL\n2,x\n", "id,v\n1,-\n2,?\n", "id,t\n1,31.01.2024 13:05\n2,01.02.2024 00:00:10\n", "id,t\n1,25:00\n",
    "id,t\n1,9:05\n2,31.01.2024\n", '" id",v\n1,2\n', "id,v\n1,2024-01-31\n2,true\n", "id,v\n1,1 23\n", "id,v\n1,0 123\n", "id,v\n1,1\u00a0234\n2,1 234\n",
    "id,v\n1,NULL\n2,true\n3,5\n", "note\nof two; words\nand more\n", "id,v\n1,x \n2,y\n"])
def test_nothing_to_say(tool, write, text):
    write("in.csv", text)
    assert said(tool, "schema", "in.csv") == []


@pytest.mark.parametrize("text", [
    'id,v\n1,"1\u202f234,56"\n2,"7,5"\n', "id,v\n1,-1\u00a0234\n2,7\n", "id,v\n1,1'234.5\n2,7\n", "id,v\n1,12\u2019345\n", "id,v\n1,1 234 567\n2,1.5\n",
    "id,v\n1,31-Jan-24\n2,1-feb-24\n", "id,v\n1,9:05\n", "id,v\n1,1.2.2024 0:00\n", 'id,v\n1,"1/31/2024, 1:05:00 PM"\n', "id,v\n1,NULL\n2,5\n3,N/A\n",
    'id,v\n1,-\n2,"1.234,5"\n', "id,v\n1, 2\n2, 3.5\n", "id,v\n1,31.01.2024 \n2,n/a\n"])
def test_what_is_said_helps(tool, write, text):
    """Typed into a shell as it stands, it leaves nothing to say, and no string."""
    write("in.csv", text)
    (line,) = said(tool, "schema", "in.csv")
    flags = re.search(r"are strings; (.*) (reads such|takes the)", line).group(1)
    done = subprocess.run(["bash", "-c", f"exec '{os.path.abspath(BIN)}' schema {flags} in.csv"], cwd=tool.cwd, env=environment(LC_ALL="C.UTF-8"), capture_output=True)
    assert done.returncode == 0 and done.stderr == b"" and b"string" not in done.stdout, (flags, done)


def test_escaped_nulls(tool, write):
    """Where backslashes escape, \\N is an N, unless it is named."""
    write("in.csv", "id,s,t\n1,x,\\N\n2,\\N,\\N\n3,y,N\n4,\\\\N,a\n")
    flags = ["schema", "--escape", "\\", "in.csv"]
    (line,) = said(tool, *flags)
    assert 'column "s" and 1 more, as in \'\\N\'' in line and "--null-values '\\N' reads such texts as nulls" in line
    assert said(tool, *flags, "--null-values", "\\N") == [] and said(tool, "schema", "in.csv") == []


def test_declared_columns_are_left_alone(tool, write):
    write("in.csv", "id,d\n1,31.01.2024\n")
    assert said(tool, "schema", "--types", "d=string", "in.csv") == []
    write("asset.json", '{"name": "t", "schema": [{"name": "id", "type": "integer"}, {"name": "d", "type": "string"}]}')
    assert said(tool, "convert", "--schema", "asset.json", "in.csv", "out.parquet") == []


def test_said_once_of_several_files_and_passes(tool, write):
    write("a.csv", "id,d\n1,31.01.2024\n")
    write("b.csv", "id,d\n1.5,31.01.2024\n" + "2,31.01.2024\n" * 40000 + "x,31.01.2024\n")
    assert len(said(tool, "schema", "a.csv", "b.csv")) == 1
    lines = said(tool, "convert", "a.csv", "b.csv", "out.parquet")
    assert len([line for line in lines if "--date-format" in line]) == 1, lines
    assert len([line for line in lines if "reading starts again" in line]) == 1, lines


JOB = """
tenant_id: acme
source_connector: csv
target_connector: local
asset_path: asset.yaml
source: {files: [{path: in.csv}]}
target: {connection: {path: out}}
schema_validation_mode: %s
"""


@pytest.mark.parametrize("mode", ["strict", "warn"])
def test_of_a_job(tool, write, mode):
    write("in.csv", "id;name\n1;a\n")
    write("asset.yaml", "name: t\nversion: 1.0.0\nsource_type: csv\nschema: [{name: 'id;name', type: string}]\n")
    write("job.yaml", JOB % mode)
    text = tool.ok("run", "job.yaml").stderr.decode()
    assert text.count("--delimiter ';'") == 1, text
    if mode == "strict":
        write("asset.yaml", "name: t\nversion: 1.0.0\nsource_type: csv\nschema: [{name: id, type: integer, required: true}]\n")
        tool.fails("run", "job.yaml", says="--delimiter ';'")


@pytest.mark.parametrize("text, words", [
    ('Report "Q1" 2024\nmade by: me\n\nid,name,x\n1,a,2.5\n2,b,3.5\n', ["first 3 lines", "--skip-rows 3"]),
    ("id of today\nid,name,x\n1,a,2.5\n2,b,3.5\n", ["first 1 line", "--skip-rows 1"]),
    ("# of today\nid,name\n1,a\n", ["begin with #", "--comment '#'"]),
    ("id,name\n1,a\n# half, of, it\n2,b\n", ["begin with #", "--comment '#'"]),
    ("% of, today, x\nid,name\n1,a\n2,b\n", ["begin with %", "--comment '%'"]),
    ("// of today\nid,name\n1,a\n2,b\n", ["begin with //", "--comment '/'"]),
    ("id,name\n1,'a, b'\n2,'c'\n", ["--quote \"'\""]),
    ("a;b;c\n1;2;3\n1,5;2\n3;4;5\n3;4;6\n", ["4 of the first 5 rows", "--delimiter ';'"]),
    ("id;name\n1;2,5\n", ["both have 2", "--delimiter ';'"]),
    ("id,name\n1,a,b\n2,c\n3,d\n4,e,f\n", ["check the delimiter and the quotes", "--max-rejects"]),
    ("a,b,c\n1,2,3\n4,5\n6,7,8\n", ["--ragged null reads what is missing as nulls", "--max-rejects"]),
    ("a,b\n1,2\nTotal\n", ["--skip-footer leaves lines at the end of the file out", "--max-rejects"]),
    ("a,b\n1,2\n5,6\r7,8\n", ["a carriage return stands alone in it"]),
    ("a;b;c\n1;2;3;\n4;5,5;6;\n", ["--delimiter ';'"]),
    ("Report\na;b\n1;2,5\n3;4,5\n", ["first 1 line", "--skip-rows 1, and set --delimiter ';'"]),
    ('Report "Q1\nid,v\n1,2\n3,4\n', ["first 1 line", "--skip-rows 1"]),
    ("a,b\n1,2,3\n4,5,6\n7,8,9\n", ["3 of the first 3 rows have one field more", "--header", "--skip-rows 1"]),
    ("a,b\n1,2,\n3,4,\n5,6,\nTotal 2\n", ["it ends with a delimiter", "--skip-footer"]),
    ("a,b\n----\n1,2\n", ["begin with -", "--comment '-'"]),
])
def test_ragged_rows_name_the_flag(tool, write, text, words):
    write("in.csv", text)
    tool.fails("convert", "in.csv", "out.parquet", says=words)
    tool.fails("convert", "--reader-option", "inference=strings", "in.csv", "out.parquet", says=words)
    tool.fails("convert", "-", "out.parquet", says=words, stdin=text.encode())
