"""--delimiter auto and schema --sniff: what a look at the first file settles, how it is said, and when it is refused."""

import json
import pathlib

import pyarrow.parquet as pq
import pytest

from conftest import SOURCE

SPECTRUM = pathlib.Path(SOURCE) / "tests" / "data" / "csv-spectrum"


def sniff(tool, *args):
    return json.loads(tool.ok("schema", "--sniff", "--json", *args).stdout)


@pytest.mark.parametrize("text, flags, columns", [
    ("id;name;price\n" + "".join(f"{k};n{k};{k}.5\n" for k in range(50)), "--delimiter ';'", 3),
    ("id\tname\n1\ta\n2\tb\n", "--delimiter tab", 2),
    ("id|name\n1|a\n2|b\n", "--delimiter '|'", 2),
    ("root:x:0\ndaemon:x:1\n", "--delimiter ':' --no-header", 3),
    ("a^b\n1^2\n3^4\n", "--delimiter '^'", 2),
    ("a\x01b\n1\x012\n", "--delimiter $'\\x01'", 2),
    ("x y z\n1 2 3\n4 5 6\n7 8 9\n", "--delimiter ' '", 3),
    ("Datum;Betrag\n31.01.2024;1.234,56\n01.02.2024;-0,50\n", "--delimiter ';'", 2),
    ("id,name\n1,'a, b'\n2,'c'\n", "--delimiter ',' --quote \"'\"", 2),
    ("id\ttitle\n1\t\"a\n2\tb\n3\tc\n", "--delimiter tab --quote ''", 2),
    ("1,2.5\n2,3.5\n", "--delimiter ',' --no-header", 2),
    ("country,2019,2020,2021\nA,1,2,3\nB,4,5,6\n", "--delimiter ','", 4),
    ("of today\n\nid,name,x\n1,a,2\n2,b,3\n", "--delimiter ',' --skip-rows 2", 3),
    ("# of, today\nid;name\n1;a\n2;b\n", "--delimiter ';' --comment '#'", 2),
    ("#id,name\n1,a\n2,b\n", "--delimiter ','", 2),
    ("id\n1\n2\n", "--delimiter ','", 1),
    ("when\n10:30:00\n11:30:00\n", "--delimiter ','", 1),
    ("name\nAnn Lee\nBob Ray\n", "--delimiter ','", 1),
    ("a,b,c\n1,2,3,\n4,5,6,\n", "--delimiter ','", 3),
    ('n,q\n1,"ann, \\"Jet\\" Li"\n2,"x"\n', "--delimiter ',' --escape '\\'", 2),
    ("n;q\n1;a\\;b\n2;x\\\\y\n3;z\n", "--delimiter ';' --escape '\\'", 2),
    ("n,q\n1,'it\\'s, so'\n2,'x'\n", "--delimiter ',' --quote \"'\" --escape '\\'", 2),
    ('n,q\n1,"C:\\dir\\"\n2,"D:\\"\n', "--delimiter ','", 2),
    ("n,q\n1,C:\\dir\n2,D:\\\n", "--delimiter ','", 2),
    ('n,q\n1,5\\" disc\n2,3\\" disc\n', "--delimiter ',' --escape '\\'", 2),
    ("id,t\n1,12\" tube\n2,x\n", "--delimiter ','", 2),
])
def test_what_is_seen(tool, write, text, flags, columns):
    write("in.csv", text)
    best = sniff(tool, "in.csv")["dialects"][0]
    assert (best["flags"], best["columns"]) == (flags, columns), best
    assert "rows" in best["reason"]
    shown = tool.ok("schema", "--sniff", "in.csv").stdout.decode()
    assert f"convert {flags} in.csv OUT.parquet" in shown


def test_auto(tool, write):
    write("in.csv", "id;name;price\n" + "".join(f"{k};n{k};{k}.5\n" for k in range(50)))
    text = tool.ok("convert", "--delimiter", "auto", "in.csv", "out.parquet").stderr.decode()
    assert "read with --delimiter ';': 3 fields in all 51 rows" in text
    table = pq.read_table(tool.cwd / "out.parquet")
    assert table.num_rows == 50 and [str(f.type) for f in table.schema][::2] == ["int64", "double"]
    text = tool.ok("convert", "-f", "--delimiter", "auto", "-", "out.parquet", stdin=b"1;2\n3;4\n").stderr.decode()
    assert "--no-header" in text and pq.read_table(tool.cwd / "out.parquet").to_pydict() == {"column_1": [1, 3], "column_2": [2, 4]}


def test_what_is_given_stays(tool, write):
    write("in.csv", "1;'2'\n3;'4'\n")
    tool.ok("convert", "--delimiter", "auto", "--reader-option", "header=true", "--quote", '"', "in.csv", "out.parquet")
    assert pq.read_table(tool.cwd / "out.parquet").to_pydict() == {"1": [3], "'2'": ["'4'"]}
    write("quotes.csv", "a,b\n'1, 2',3\n")
    text = tool.ok("convert", "-f", "--quote", "auto", "quotes.csv", "out.parquet").stderr.decode()
    assert "--quote \"'\"" in text and pq.read_table(tool.cwd / "out.parquet").to_pydict() == {"a": ["1, 2"], "b": [3]}
    assert b"note" not in tool.ok("convert", "-f", "--delimiter", ";", "--no-header", "in.csv", "out.parquet").stderr.split(b"--quote")[0][:1]


def test_escapes(tool, write):
    """They are found where every backslash is one; where one is text, nothing is guessed, and the error names the flag."""
    rows = [(k, f'say "{k}", \\ or\n "x"') for k in range(40)]
    lines = ["id;name"] + ['%d;"%s"' % (k, text.replace("\\", "\\\\").replace('"', '\\"')) for k, text in rows]
    write("in.csv", "\n".join(lines) + "\n")
    text = tool.ok("convert", "--delimiter", "auto", "in.csv", "out.parquet").stderr.decode()
    assert "read with --delimiter ';' --escape '\\': 2 fields in all 41 rows" in text
    assert list(pq.read_table(tool.cwd / "out.parquet").to_pydict().values()) == [list(column) for column in zip(*rows)]
    assert [d["escape"] for d in sniff(tool, "in.csv")["dialects"]][0] == "\\"
    write("mixed.csv", "id,name\n" + "".join(f'{k},"ann \\"Jet"\n{k},"C:\\dir"\n' for k in range(20)))
    tool.fails("convert", "--delimiter", "auto", "--quote", '"', "mixed.csv", "no.parquet", says=["--escape"])
    write("given.csv", 'id;name\n1;"a^";b"\n2;"c"\n')
    tool.ok("convert", "-f", "--delimiter", "auto", "--escape", "^", "given.csv", "out.parquet")
    assert pq.read_table(tool.cwd / "out.parquet").to_pydict() == {"id": [1, 2], "name": ['a";b', "c"]}
    assert {d["escape"] for d in sniff(tool, "--delimiter", "auto", "--escape", "", "in.csv")["dialects"]} == {""}
    write("ragged.csv", "id,name\n" + "".join(f"{k},a\\,b\n" for k in range(20)))
    tool.fails("convert", "ragged.csv", "no.parquet", says=["with backslashes as escapes 21 of the first 21 rows have 2", "--escape '\\'"])


def test_unsure(tool, write):
    write("in.csv", "a;b,c\nx;y,z\nu;v,w\n")
    tool.fails("convert", "--delimiter", "auto", "in.csv", "out.parquet",
               says=["more than one way", "--delimiter ','", "--delimiter ';'", "2 fields in all 3 rows"])
    assert sniff(tool, "in.csv")["sure"] is False
    assert "choose one" in tool.ok("schema", "--sniff", "in.csv").stdout.decode()
    tool.ok("convert", "--delimiter", ";", "in.csv", "out.parquet")


def test_all_files_are_read_as_the_first(tool, write):
    write("a.csv", "id;name\n1;x\n2;y\n")
    write("b.csv", "id;name\n")
    write("c.csv", "id,name\n1,x\n")
    text = tool.ok("schema", "--delimiter", "auto", "a.csv", "b.csv").stderr.decode()
    assert text.count("read with") == 1
    tool.fails("schema", "--delimiter", "auto", "a.csv", "c.csv", says="c.csv: its columns are not those of a.csv")
    tool.fails("convert", "--delimiter", "auto", "a.csv", "c.csv", "out.parquet", says="its header 'id,name' is not")


def test_off_by_default(tool, write):
    write("in.csv", "id;name\n1;a\n")
    tool.ok("convert", "in.csv", "out.parquet")
    assert pq.read_table(tool.cwd / "out.parquet").column_names == ["id;name"]


def test_said_once_where_reading_starts_again(tool, write):
    write("in.csv", "id;v\n" + "".join(f"{k};{k}\n" for k in range(200_000)) + "x;1\n")
    text = tool.ok("convert", "--delimiter", "auto", "in.csv", "out.parquet").stderr.decode()
    assert text.count("read with") == 1 and "reading starts again" in text


def test_others_files(tool):
    """csv-spectrum: all of it is written with commas and double quotes, and has a header."""
    for path in sorted(SPECTRUM.rglob("*.csv")):
        if path.name != "empty.csv" and b"\x00" not in path.read_bytes():
            got = tool("schema", "--sniff", "--json", "--reader-option", "on_invalid=replace", path)
            assert json.loads(got.stdout)["dialects"][0]["flags"] == "--delimiter ','", path


def test_not_csv(tool, write):
    write("in.csv", "a,b\n1,2\n")
    tool.ok("convert", "in.csv", "in.parquet")
    tool.fails("schema", "--sniff", "in.parquet", says="does not tell")
    tool.fails("schema", "--why", "in.parquet", says="does not tell")
    write("empty.csv", "")
    assert "empty" in tool.ok("schema", "--sniff", "empty.csv").stdout.decode()
    tool.fails("convert", "--delimiter", "auto", "empty.csv", "out.parquet", says="the file is empty")
