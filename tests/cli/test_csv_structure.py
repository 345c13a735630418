"""From bytes to rows: --escape, --comment, --delimiter, --quote, --skip-rows, --skip-after-header, --skip-footer, and what is recognised."""
import csv
import io
import random
import re

import duckdb
import pandas
import pyarrow.parquet as pq
import pytest

STRINGS = ("--reader-option", "inference=strings")


def rows_of(t):
    return [["" if v is None else v for v in row.values()] for row in t.to_pylist()]


# ---- against Python's csv ----

@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONE])
@pytest.mark.parametrize("delimiter, quote, escape", [(",", '"', "\\"), ("|", "'", "^"), ("\t", "q", "\\")])
def test_escapes_as_python_writes_and_reads_them(table, write, quoting, delimiter, quote, escape):
    rng = random.Random(f"{quoting}{delimiter}")
    texts = ["".join(rng.choice("ab ,|\t\"'q^\\\n#;") for _ in range(rng.randrange(1, 12))) for _ in range(600)]
    rows = [texts[i:i + 3] for i in range(0, 600, 3)]
    dialect = {"delimiter": delimiter, "quotechar": quote, "escapechar": escape, "doublequote": False, "quoting": quoting, "lineterminator": "\n"}
    out = io.StringIO()
    csv.writer(out, **dialect).writerows([["x", "y", "z"]] + rows)
    text = out.getvalue()
    assert list(csv.reader(io.StringIO(text, newline=""), **dialect))[1:] == rows
    write("in.csv", text)
    flags = ("--delimiter", delimiter, "--quote", "" if quoting == csv.QUOTE_NONE else quote, "--escape", escape)
    for block in (1, 7, 1000):
        assert rows_of(table(*flags, *STRINGS, "--reader-option", f"block_bytes={block}", "in.csv")) == rows


def test_null_texts_are_those_as_written(table, write):
    write("in.tsv", "a\tb\n\\N\t\\\\N\nN\t\\N\n")
    t = table("--quote", "", "--escape", "\\", "--null-values", "\\N", "in.tsv")
    assert t.to_pydict() == {"a": [None, "N"], "b": ["\\N", None]}
    write("plain.tsv", "a\tb\n\\N\t\\\\N\nN\t\\N\n")  # without the option a backslash is text
    assert table("--quote", "", "--null-values", "\\N", "plain.tsv").to_pydict() == {"a": [None, "N"], "b": ["\\\\N", None]}


def test_an_escaped_blank_is_not_trimmed(table, write):
    write("in.csv", "a, b\n1 , y\\ \n2, \\ z \n")
    assert table("--trim", "--escape", "\\", "in.csv").to_pydict() == {"a": [1, 2], "b": ["y ", " z"]}


# ---- against pandas and DuckDB ----

def test_comments_as_pandas_has_them(table, tool, write):
    text = "# one \" quote\n#\nid,t\n1,a\n#2,b\n3,\"x\n#y\"\n#end"
    write("in.csv", text)
    ours = table("--comment", "#", "in.csv")
    assert ours.to_pydict() == {"id": [1, 3], "t": ["a", "x\n#y"]}
    theirs = pandas.read_csv(io.StringIO("# one quote\n#\nid,t\n1,a\n#2,b\n3,c\n#end"), comment="#")
    write("theirs.csv", "# one quote\n#\nid,t\n1,a\n#2,b\n3,c\n#end")
    assert table("--comment", "#", "theirs.csv").to_pydict() == theirs.to_dict("list")
    tool.fails("convert", "in.csv", "no.parquet", says="--comment")


@pytest.mark.parametrize("delimiter", ["||", "-=-", "§", "ab", "12345678"])
def test_delimiters_as_pandas_has_them(table, write, delimiter):
    rng = random.Random(delimiter)
    rows = [["".join(rng.choice("xyz.") for _ in range(rng.randrange(1, 6))) for _ in range(3)] for _ in range(300)]
    text = "\n".join(delimiter.join(r) for r in [["c", "d", "e"]] + rows) + "\n"
    path = write("in.txt", text)
    theirs = pandas.read_csv(io.StringIO(text), sep=re.escape(delimiter), engine="python", dtype=str, keep_default_na=False)
    for block in (1, 5, 1000):
        ours = table("--delimiter", delimiter, *STRINGS, "--reader-option", f"block_bytes={block}", "in.txt")
        assert rows_of(ours) == theirs.values.tolist() == rows
    if len(delimiter.encode()) <= 4:
        theirs = duckdb.sql(f"from read_csv('{path}', sep='{delimiter}', all_varchar=true, header=true)").fetchall()
        assert [list(r) for r in theirs] == rows


def test_a_quoted_delimiter_is_text(table, write):
    write("in.txt", 'a||b\n"x||y"||2\nx|y||3\n')
    assert table("--delimiter", "||", "in.txt").to_pydict() == {"a": ["x||y", "x|y"], "b": [2, 3]}


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_skipped_lines_as_pandas_has_them(table, write, newline):
    body = newline.join(["id,t"] + [f"{i},v{i}" for i in range(50)]) + newline
    junk = newline.join(["Report \"of", "", "units,m,,s"]) + newline
    text = junk + body + newline.join(["Total,50", "", "\"end", ""])
    write("in.csv", text.encode())
    ours = table("--skip-rows", 3, "--skip-footer", 2, "in.csv")
    theirs = pandas.read_csv(io.StringIO(body))
    assert ours.to_pydict() == theirs.to_dict("list")
    if newline != "\r":
        assert pandas.read_csv(io.StringIO(junk.replace('"', "") + body), skiprows=3, skip_blank_lines=False).to_dict("list") == ours.to_pydict()
        assert duckdb.sql(f"from read_csv('{write('d.csv', (junk + body).encode())}', skip=3, header=true, delim=',', quote='', escape='')").fetchall() \
            == list(zip(*theirs.to_dict("list").values()))


def test_lines_behind_the_header(table, tool, write):
    write("in.csv", "id,t\n\"m\ns,\n1,x\n")
    assert table("--skip-after-header", 2, "in.csv").to_pydict() == {"id": [1], "t": ["x"]}
    write("two.csv", "id,t\nm\ns\n2,y\n")
    assert table("--skip-after-header", 2, "in.csv", "two.csv").to_pydict() == {"id": [1, 2], "t": ["x", "y"]}
    tool.fails("convert", "--no-header", "--skip-after-header", "2", "in.csv", "no.parquet", says="--skip-after-header needs a header")
    for header in ("2", "p,q"):
        tool.fails("convert", "--no-header", "--header", header, "in.csv", "no.parquet", says="are two answers")


def test_every_file_and_standard_input(table, tool, write):
    for name in ("a.csv", "b.csv"):
        write(name, f"made today\nid;t\nint;text\n#no\n1;{name}\\;\nTotal\n\n")
    flags = ("--delimiter", ";", "--escape", "\\", "--comment", "#", "--skip-rows", "1", "--skip-after-header", "1", "--skip-footer", "1")
    assert table(*flags, "a.csv", "b.csv").to_pydict() == {"id": [1, 1], "t": ["a.csv;", "b.csv;"]}
    tool.ok("convert", "-qf", *flags, "-", "pipe.parquet", stdin=(tool.cwd / "a.csv").read_bytes())
    assert pq.read_table(tool.cwd / "pipe.parquet").to_pydict() == {"id": [1], "t": ["a.csv;"]}


# ---- never swallowed, never glued ----

def test_irregular_quotes_name_the_flags(tool, write):
    write("in.tsv", 'a\tb\n1\t"Half open\n2\tx\n3\t"Closing" part\n')
    tool.fails("convert", "in.tsv", "no.parquet", says=["in.tsv: line 2, byte 6", "--quote ''", "--escape"])
    tool.ok("convert", "-qf", "--quote", "", "in.tsv", "out.parquet")
    assert pq.read_table(tool.cwd / "out.parquet").num_rows == 3
    write("back.csv", 'a,b\n1,"ann,\\"Jet"\n')
    tool.fails("convert", "back.csv", "no.parquet", says=["back.csv: line 2, byte 6", "--escape '\\'"])


def test_what_is_left_out_is_said(tool, write):
    for text, words in [("sep=;\na;b\n1;2\n", "sep="), ("a\n1\n\x1a", "0x1a"), ("a\n\ufeff1\n\ufeff2\n", "byte order mark"),
                        ("a\r\r\n1\r\r\n", "\\r\\r\\n"), ("a,b\n1,2,\n", "ends with a delimiter")]:
        write("in.csv", text.encode())
        done = tool.ok("convert", "-f", "in.csv", "out.parquet")
        assert words in done.stderr.decode(), words
        assert pq.read_table(tool.cwd / "out.parquet").schema.field(0).type == "int64", words


def test_what_is_no_padding_and_which_lines_are_last(tool, write, table):
    write("in.csv", b"\0" * 50)
    tool.fails("convert", "in.csv", "no.parquet", says="the file is empty")
    many = b"\0" * ((1 << 20) + 70_000)  # too many to stand behind a text
    write("in.csv", b"a\n1\n" + many)
    assert [v.encode() for v in table("in.csv")["a"].to_pylist()] == [b"1", many]
    # carriage returns alone, until far down a line feed says that they end no lines
    write("in.csv", b"h" + b"\rxx" * 30_000 + b"\nk\nv1\rv2\nlast\n")
    assert [v[-2:] for v in table("--header", "n", "--skip-footer", "2", "in.csv")["n"].to_pylist()] == ["xx", "k"]
    # what quotes mean, and so whether a line feed ends lines, the line sep= says
    write("in.csv", b'sep=;\ra;b\r1;"x\ny"\r2;z\rlast\r')
    assert table("--skip-footer", "1", "in.csv").to_pydict() == {"a": [1, 2], "b": ["x\ny", "z"]}


def test_rows_of_other_lengths_behind_those_that_end_with_a_delimiter(tool, write):
    good = "1,2,\n" * 60_000  # more than is looked at
    write("in.csv", "a,b\n" + good + "3\n4,5,6\n7\n8,9,\n")
    tool.ok("convert", "-qf", "--max-rejects", "9", "--rejects", "r.csv", "in.csv", "out.parquet")
    with open(tool.cwd / "r.csv", newline="", encoding="utf-8") as listed:
        rows = [(row["line"], row["row"], row["raw"]) for row in csv.DictReader(listed)]
    assert rows == [("60002", "60001", "3"), ("60003", "60002", "4,5,6"), ("60004", "60003", "7")]
    assert pq.read_table(tool.cwd / "out.parquet").slice(59_999).to_pylist() == [{"a": 1, "b": 2}, {"a": 8, "b": 9}]
    for odd in ["3\n", "4,5,6\n"]:
        write("in.csv", "a,b\n" + good + odd + "8,9,\n")
        tool.fails("convert", "in.csv", "no.parquet", says=["in.csv: line 60002, byte 300004:"])
    write("in.csv", 'a,b"x\n1,2\n')
    tool.fails("convert", "--reader-option", "strict=true", "in.csv", "no.parquet", says=["line 1, byte 3", "inside an unquoted name"])


def test_misspelt_and_wrong_options(tool, write):
    write("in.csv", "a\n1\n")
    tool.fails("convert", "--reader-option", "escap=x", "in.csv", "no.parquet", says='did you mean "escape"')
    tool.fails("convert", "--skip-rows", "-1", "in.csv", "no.parquet", says="--skip-rows needs a number")
    tool.fails("convert", "--skip-rows", "9", "in.csv", "no.parquet", says="behind the lines that --skip-rows leaves out")
    tool.fails("convert", "--comment", ",", "in.csv", "no.parquet", says="delimiter and comment are both ','")
    tool.fails("convert", "--delimiter", "a\"b", "in.csv", "no.parquet", says="the delimiter holds the quote")
