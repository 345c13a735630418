"""What looks like a wrong option is said with the flag that helps: once, on stderr, and nothing else changes."""

import pytest

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
    "id,v\n1,2024-01-31\n", "id,v\n1,1.2.3.4\n", "id,v\n1,13/13/2024\n2,1/31/2024\n", "year,2019,2020\n1,2,3\n", "id,v\n1,\"1,5\"\n2,\"1,234.5\"\n"])
def test_nothing_to_say(tool, write, text):
    write("in.csv", text)
    assert said(tool, "schema", "in.csv") == []


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
    ("id,name\n1,a,b\n2,c\n3,d\n4,e,f\n", ["check the delimiter and the quotes"]),
])
def test_ragged_rows_name_the_flag(tool, write, text, words):
    write("in.csv", text)
    tool.fails("convert", "in.csv", "out.parquet", says=words)
    tool.fails("convert", "--reader-option", "inference=strings", "in.csv", "out.parquet", says=words)
    tool.fails("convert", "-", "out.parquet", says=words, stdin=text.encode())
