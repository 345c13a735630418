"""Every option of the CSV reader beside a peer's option that means the same: as a flag and by its name both give the peer's table, and without it there is another one."""

import csv
import datetime
import io
import json
import os
import pathlib
import re

import duckdb
import pandas
import pyarrow.parquet as pq
import pytest


class Refused(Exception):
    """The peer has an error as well."""


def duck(more="", what="*"):
    def read(paths):
        try:
            found = duckdb.connect().execute(f"select {what} from read_csv({[str(p) for p in paths]}, header=true{', ' if more else ''}{more})")
        except duckdb.Error as e:
            raise Refused from e
        return [c[0] for c in found.description], found.fetchall()

    return read


def panda(then=lambda frame: frame, **options):
    def read(paths):
        frame = then(pandas.concat([pandas.read_csv(p, **{"dtype_backend": "pyarrow", "keep_default_na": False, "na_values": [""], **options}) for p in paths]))
        return list(map(str, frame.columns)), [tuple(None if pandas.isna(v) else v for v in row) for row in frame.itertuples(index=False)]

    return read


def plain(text):
    """As the tool takes a text for a number."""
    return int(text) if re.fullmatch("0|-?[1-9][0-9]*", text) else text or None


def python(value=plain, **options):
    def read(paths):
        try:
            names, *rows = csv.reader(io.StringIO(paths[0].read_text(), newline=""), **options)
        except csv.Error as e:
            raise Refused from e
        return names, [tuple(map(value, row)) for row in rows]

    return read


def text_beside_numbers(rows):
    """Of columns with a text: all are texts."""
    names, rows = rows
    texts = [any(isinstance(row[i], str) for row in rows) for i in range(len(names))]
    return names, [tuple((str(int(v)) if not isinstance(v, str) else v) if text else int(v) for v, text in zip(row, texts)) for row in rows]


DAY, MOMENT = datetime.date(2024, 1, 31), datetime.datetime(2024, 1, 31, 13, 5)
WRONG = "a,b\n1,2\n4,x\n5,6\n"
TWO = ["--types", "a=int64,b=int64"]
TWO_OF_DUCKDB = "columns={'a': 'BIGINT', 'b': 'BIGINT'}, auto_detect=false"

# option, its value, flags, text or texts, the peer, and what is asked for with the option and without
CASES = [
    ("delimiter", "||", ["--delimiter", "||"], "a||b\n1||x|y\n", duck("delim='||'"), []),
    ("delimiter", "auto", ["-d", "auto"], "a;b\n" + "1;x\n" * 9, duck(), []),
    ("quote", "'", ["--quote", "'"], "a,b\n1,'x,y'\n", python(quotechar="'"), []),
    ("quote", "", ["--quote", ""], 'a,b\n1,"x\n', python(quoting=csv.QUOTE_NONE), []),
    ("quote", "auto", ["--quote", "auto"], "a,b\n" + "1,'x,y'\n2,'z'\n" * 9, panda(quotechar="'"), []),
    ("escape", "\\", ["--escape", "\\"], 'a,b\n1,"x\\",y"\n2,p\\,q\n', python(escapechar="\\", doublequote=False), []),
    ("comment", "#", ["--comment", "#"], 'a,b\n#x,"\n1,2\n', duck("comment='#', delim=',', quote='\"'"), []),
    ("skip_rows", 1, ["--skip-rows", "1"], "t,u\na,b\n1,2\n", panda(skiprows=1), []),
    ("skip_after_header", 1, ["--skip-after-header", "1"], "a,b\nint,text\n1,x\n", panda(skiprows=[1]), []),
    ("skip_footer", 2, ["--skip-footer", "2"], "a,b\n1,2\nsum,3\nend,\n", panda(skipfooter=2, engine="python"), []),
    ("header", 2, ["--header", "2"], "x,y\na,b\n1,2\n", panda(header=1), []),
    ("header", ["n", "s"], ["--header", "n,s"], "1,2\n3,4\n", panda(header=None, names=["n", "s"]), []),
    ("header", False, ["--no-header"], "1,2\n3,4\n", panda(header=None, names=["column_1", "column_2"]), []),
    ("names", "snake_case", ["--names", "snake_case"], "Order ID,x\n1,2\n", duck("normalize_names=true"), []),
    ("names", "unique", ["--names", "unique"], "a,A\n1,2\n", duck(), []),
    ("rename", {"a": "z"}, ["--columns", "a:z"], "a\n1\n", panda(lambda frame: frame.rename(columns={"a": "z"})), []),
    ("null_values", ["-", "NA"], ["--null-values", "-,NA"], "a,b\n1,NA\n-,2\n", panda(na_values=["-", "NA"]), []),
    ("null_values", {"b": ["9"]}, ["--null-values", "b=9"], "a,b\n9,9\n1,2\n", panda(na_values={"b": ["9"]}), []),
    ("quoted_nulls", True, ["--quoted-nulls"], 'a,b\nx,"NA"\ny,z\n', duck("nullstr='NA', allow_quoted_nulls=true"), ["--null-values", "NA"]),
    ("decimal", ",", ["--decimal", ","], "a;b\n1,5;x\n", panda(sep=";", decimal=","), ["-d", ";"]),
    ("thousands", "'", ["--thousands", "'"], "a,b\n1'234'567,x\n", panda(thousands="'"), []),
    ("thousands", " ", ["--thousands", " "], "a,b\n1 234,x\n12,y\n", panda(thousands=" "), []),
    ("date_format", ["%d.%m.%Y"], ["--date-format", "%d.%m.%Y"], "a,b\n31.01.2024,x\n", duck("dateformat='%d.%m.%Y'"), []),
    ("date_format", {"b": ["%d/%m/%Y"]}, ["--date-format", "b=%d/%m/%Y"], "a,b\n31/01/2024,31/01/2024\n",
     duck("types={'a': 'VARCHAR', 'b': 'DATE'}, dateformat='%d/%m/%Y'"), []),
    ("time_format", ["%I:%M %p"], ["--time-format", "%I:%M %p"], "a,b\n01:05 PM,x\n",
     duck(what="strptime('2024-01-31 ' || a, '%Y-%m-%d %I:%M %p')::time as a, b"), []),
    ("timestamp_format", ["%d.%m.%Y %H:%M"], ["--timestamp-format", "%d.%m.%Y %H:%M"], "a,b\n31.01.2024 13:05,x\n", duck("timestampformat='%d.%m.%Y %H:%M'"), []),
    ("true_values", ["ja"], ["--true-values", "ja"], "a,b\nja,x\nnein,y\n", panda(true_values=["ja"], false_values=["nein"]), ["--false-values", "nein"]),
    ("false_values", ["nein"], ["--false-values", "nein"], "a,b\nja,x\nnein,y\n", panda(true_values=["ja"], false_values=["nein"]), ["--true-values", "ja"]),
    ("trim", True, ["--trim"], "a, b\n1, x\n2,  y\n", python(skipinitialspace=True), []),
    ("quoted", "text", ["--quoted", "text"], 'a,b\n1,"2"\n3,4\n',
     lambda paths: text_beside_numbers((["a", "b"], python(lambda v: v, quoting=csv.QUOTE_NONNUMERIC)([as_texts(paths[0])])[1])), []),
    ("types", {"a": "string"}, ["--types", "a=string"], "a,b\n1,2\n", panda(dtype={"a": "str"}), []),
    ("types", {"a": "decimal(9,2)"}, ["--types", "a=decimal(9,2)"], "a,b\n1.5,2\n", duck("types={'a': 'DECIMAL(9,2)'}"), []),
    ("columns", ["b"], ["--columns", "b"], "a,b,c\n1,2,3\n", panda(usecols=["b"]), []),
    ("columns", ["c", "a"], ["--columns", "c,a"], "a,b,c\n1,2,3\n", panda(lambda frame: frame[["c", "a"]]), []),
    ("exclude", ["b"], ["--columns", "-b"], "a,b,c\n1,2,3\n", duck(what="* exclude b"), []),
    ("union_by_name", True, ["--union-by-name"], ["a,b\n1,2\n", "b,c\n3,4\n"], duck("union_by_name=true"), []),
    ("max_row_size", 60, ["--max-row-size", "60"], "a,b\n1," + "x" * 99 + "\n", duck("max_line_size=60"), []),
    ("missing_as_null", True, None, "a\n1\n", panda(lambda frame: frame.reindex(columns=["a", "z"])), ["--columns", "a,z"]),
    ("required", ["b"], None, "a,b\n1,\n2,3\n", duck(f"{TWO_OF_DUCKDB}, force_not_null=['b']"), TWO),
    ("strict", True, None, 'a,b\n1,"x"y\n', python(strict=True), []),
    ("encoding", "latin1", ["--encoding", "latin1"], "a,b\né,1\n".encode("latin-1"), panda(encoding="latin-1"), []),
    ("on_invalid", "replace", ["--on-invalid", "replace"], b"a,b\nx\xff,1\n", panda(encoding_errors="replace"), []),
    ("max_rejects", "1", ["--max-rejects", "1"], WRONG, duck(f"{TWO_OF_DUCKDB}, ignore_errors=true"), TWO),
    ("max_rejects", "50%", ["--max-rejects", "50%"], WRONG, duck(f"{TWO_OF_DUCKDB}, ignore_errors=true"), TWO),
    ("ragged", "null", ["--ragged", "null"], "a,b,c\n1,2,3\n4,5\n", duck("null_padding=true"), []),
    ("ragged", "skip", ["--ragged", "skip"], "a,b\n1,2\n3,4,5\n6,7\n", panda(on_bad_lines="skip"), []),
    ("ragged", "reject", ["--ragged", "reject"], "a,b\n1,x\n3,4,5\n6,7\n", lambda paths: refused(), ["--max-rejects", "9", *TWO]),
    ("inference", "strings", None, "a,b\n1,2\n", panda(dtype="str"), []),
    ("decimals", "float", None, "a,b\n1234567890.123456789,x\n", panda(dtype={"a": "float64"}), []),
    ("limit", 1, ["--limit", "1"], "a,b\n1,2\n3,4\n", panda(nrows=1), []),
    ("row_number", "n", ["--row-number-column", "n"], "a\n7\n9\n", duck(what="*, row_number() over () as n"), []),
    ("file_name", "f", ["--file-name-column", "f"], "a\n7\n", duck(what="a, parse_path(filename)[-1] as f", more="filename=true"), []),
    ("hive_partitioning", True, ["--hive-partitioning"], {"k=5/in.csv": "a\n7\n"}, duck("hive_partitioning=true"), []),
]  # fmt: skip
NO_TABLE = {"rejects": "test_the_list_as_duckdb_has_it", "advice": "what is said, test_advice.py", "widened": "of hosts, test_convert.py",
            "restartable": "of hosts, test_first_values.py", "chunk_size": "no effect on the rows", "block_bytes": "no effect on the rows",
            "n_threads": "no effect on the rows"}  # fmt: skip


def refused():
    raise Refused


def as_texts(path):
    """Names in quotes, for QUOTE_NONNUMERIC takes what has none for a number."""
    path.write_text('"a","b"' + path.read_text().partition("\n")[2].join(["\n", ""]))
    return path


def files(write, text):
    texts = text if isinstance(text, dict) else {f"{i}.csv": t for i, t in enumerate(text if isinstance(text, list) else [text])}
    return [write(name, t) for name, t in texts.items()], list(texts)


def ours(tool, *arguments):
    done = tool("convert", "-qf", *arguments, "out.parquet")
    if done.returncode != 0:
        assert done.returncode == 2, done.stderr
        return Refused
    table = pq.ParquetFile(tool.cwd / "out.parquet").read()
    return table.column_names, [tuple(row.values()) for row in table.to_pylist()]


@pytest.mark.parametrize("option, value, flags, text, peer, both", CASES, ids=[f"{i}_{case[0]}" for i, case in enumerate(CASES)])
def test_as_a_peer_has_it(tool, write, option, value, flags, text, peer, both):
    paths, names = files(write, text)
    without = ours(tool, *both, *names)
    named = ours(tool, *both, "--reader-option", f"{option}={json.dumps(value)}", *names)
    flagged = named if flags is None else ours(tool, *both, *flags, *names)
    try:
        want = peer(paths)
    except Refused:
        want = Refused
    assert named == want
    assert flagged == want
    assert repr(without) != repr(want)


def test_the_list_as_duckdb_has_it(tool, write):
    path = write("in.csv", WRONG + "7,8,9\n")
    con = duckdb.connect()
    con.execute(f"from read_csv('{path}', header=true, delim=',', {TWO_OF_DUCKDB}, store_rejects=true)").fetchall()
    theirs = con.execute("select line, byte_position - 1, csv_line from reject_errors order by line").fetchall()
    tool.ok("convert", "-q", *TWO, "--max-rejects", "9", "--rejects", "r.csv", "in.csv", "out.parquet")
    with open(tool.cwd / "r.csv", newline="", encoding="utf-8") as listed:
        rows = list(csv.DictReader(listed))
    assert [(int(r["line"]), r["raw"]) for r in rows] == [(line, raw) for line, _, raw in theirs] == [(3, "4,x"), (5, "7,8,9")]


# ---- the table of the documentation ----

def options_of_the_plugin():
    source = pathlib.Path(os.environ["DN_SOURCE"])
    table = (source / "plugins/csv_reader_options.c").read_text().split("csv_reader_options[] = {")[1].split("\n};")[0]
    places = (source / "plugins/reader.h").read_text().split("#define DN_READER_PLACE_OPTIONS")[1].split("#define")[0]
    return set(re.findall(r'\{\s*\\?\s*"(\w+)"', table + places))


def flags_of_the_command(tool, command):
    """Those in the help's sections about CSV."""
    text = tool.ok("help", command).stdout.decode()
    sections = re.split(r"\n\n(?=\S.*:\n)", text)
    words = "\n".join(s for s in sections if s.startswith(("Of CSV", "Columns of files")))
    return set(re.findall(r"^(?:  -., |      )(--[a-z-]+)|, (--[a-z-]+) ", words, re.M))


def test_every_option_has_a_peer():
    assert {case[0] for case in CASES} | set(NO_TABLE) == options_of_the_plugin()


def test_the_table_has_every_option_and_its_flag(tool):
    """And no other one; what a flag of the table does is what its option does: CASES."""
    page = (pathlib.Path(os.environ["DN_SOURCE"]) / "docs/csv-reading.md").read_text().split("\n## Options\n")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.split(" | ")] for line in page.splitlines() if line.startswith("| ")][1:]
    options = {}
    for row in rows:
        for option in re.findall(r"`(\w+)`", re.split("[:(]", row[1])[0]):
            options.setdefault(option, set()).update(re.findall("`(--[a-z-]+)", row[2]))
    assert set(options) == options_of_the_plugin()
    others = {"--types", "--file-name-column", "--hive-partitioning", "--threads"}  # of other sources, too
    for command in ["convert", "schema"]:
        listed = {flag for pair in flags_of_the_command(tool, command) for flag in pair if flag} | others
        assert set.union(*options.values()) == listed, command
    for option, _, flags, *_ in CASES:
        assert {flag for flag in flags or [] if flag.startswith("--")} <= options[option], option
