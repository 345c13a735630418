"""What columns of CSV are called, which are read, and the columns that are added: --header, --names, --columns, --row-number-column."""
import csv
import io
import json
import re
import unicodedata

import duckdb
import pandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

TEXT = "id,Order ID,x:y\n1,2,a\n3,4,b\n"


# ---- --header ----

def test_given_names(table, write):
    write("in.csv", "1,a\n2,b\n")
    rows = table("--header", "n,s", "in.csv")
    assert rows.to_pydict() == {"n": [1, 2], "s": ["a", "b"]}
    theirs = pandas.read_csv(write("again.csv", "1,a\n2,b\n"), header=None, names=["n", "s"])
    assert rows.to_pandas().equals(theirs.astype({"s": rows.to_pandas()["s"].dtype}))
    assert table("--header", r"a\,b,c:d", "in.csv").column_names == ["a,b", "c:d"]
    assert table("--header", "none", "in.csv").column_names == ["column_1", "column_2"]
    write("empty.csv", "")
    rows = table("--allow-empty", "--header", "n,s", "empty.csv")
    assert (rows.num_rows, rows.column_names) == (0, ["n", "s"])
    assert table("--header", "n,s", "empty.csv", "in.csv").num_rows == 2


def test_given_names_are_as_many_as_the_fields(tool, write):
    write("in.csv", "1,a\n")
    tool.fails("convert", "--header", "n", "in.csv", "o.parquet", says=["--header names 1 column, and the first row has 2 fields"])
    tool.fails("convert", "--header", "n,,s", "in.csv", "o.parquet", says=["--header has an empty name"])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_later_row_is_the_header(table, write, end):
    """Rows are counted as the csv module finds them: of any number of fields, and not blank."""
    text = end.join(["", 'made by "us"', "", '"a', 'b",c,d,e', "n,s", "1,a", "2,b", ""])
    write("in.csv", text)
    rows = table("--header", "3", "in.csv")
    assert rows.to_pydict() == {"n": [1, 2], "s": ["a", "b"]}
    theirs = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    assert [rows.column_names, *([str(v) for v in r.values()] for r in rows.to_pylist())] == theirs[2:]
    write("more.csv", text.replace("1,a", "3,c").replace("2,b", "4,d"))
    assert table("--header", "3", "in.csv", "more.csv").column("n").to_pylist() == [1, 2, 3, 4]
    assert table("--header", "3", "--reader-option", "block_bytes=1", "in.csv", "more.csv").column("n").to_pylist() == [1, 2, 3, 4]


def test_header_rows_that_are_not_there(tool, write):
    write("in.csv", "a\n1\n")
    tool.fails("convert", "--header", "9", "in.csv", "o.parquet", says=["in.csv", "the file ends before the row that --header says is the header"])
    tool.fails("convert", "--header", "0", "in.csv", "o.parquet", says=["--header must be"])
    write("other.csv", "x\nb\n1\n")
    write("first.csv", "x\na\n1\n")
    tool.fails("convert", "--header", "2", "first.csv", "other.csv", "o.parquet", says=["other.csv", "line 2", "its header 'b' is not the first file's header 'a'"])


# ---- --names ----

@pytest.mark.parametrize("name, clean", [
    ("Order ID", "order_id"), ("orderId", "order_id"), ("HTTPServerPort", "http_server_port"), ("  a  b ", "a_b"), ("Ärger (%)", "arger"),
    ("Straße", "strasse"), ("n°", "n"), ("2024", "_2024"), ("A2B", "a2_b"), ("a.b-c/d", "a_b_c_d"), ("ŁÓDŹ", "lodz"), ("e\u0301te\u0301", "ete"),
    ("价格", "column_1"), ("_x_", "x"), ("Œuvre", "oeuvre"), ("", "column_1"), ("x价y", "x_y"), ("ID", "id"), ("ÉTÉ_Été", "ete_ete"),
    ("maßBand", "mass_band"), ("9a", "_9a"), ("ae\u0301Bc", "ae_bc"),
])
def test_snake_case(table, write, name, clean):
    write("in.csv", f'"{name}",zz\n1,2\n')
    assert table("--names", "snake_case", "in.csv").column_names == [clean, "zz"]


def test_every_latin_letter_folds_as_unicode_decomposes_it(table, write):
    letters = [chr(c) for c in range(0xC0, 0x180) if unicodedata.decomposition(chr(c)) and not unicodedata.decomposition(chr(c)).startswith("<")]
    assert len(letters) > 150
    write("in.csv", ",".join(f"x{i}_{c}" for i, c in enumerate(letters)) + "\n" + ",".join("1" for _ in letters) + "\n")
    want = [f"x{i}_{unicodedata.normalize('NFD', c)[0].lower()}" for i, c in enumerate(letters)]
    assert table("--names", "snake_case", "in.csv").column_names == want


NAMES = ["a", "A", "a", "a_1", "A_2", "a b", "a_b", "", "é", "É"]


@pytest.mark.parametrize("style", ["unique", "snake_case"])
def test_names_are_told_apart(table, write, style):
    write("in.csv", ",".join(NAMES) + "\n" + ",".join("1" for _ in NAMES) + "\n")
    names = table("--names", style, "in.csv").column_names
    assert len({n.lower() for n in names}) == len(NAMES)
    assert style == "unique" or all(re.fullmatch("[a-z_][a-z0-9_]*", n) for n in names)
    if style == "unique":
        assert names == ["a", "A_3", "a_4", "a_1", "A_2", "a b", "a_b", "column_8", "é", "É_1"]


def test_names_that_differ_in_case_are_warned_of(tool, write):
    write("in.csv", "id,column,COLUMN\n0,1,4\n")
    said = tool.ok("convert", "in.csv", "a.parquet").stderr.decode()
    assert 'columns 2 "column" and 3 "COLUMN" differ in upper and lower case only' in said and "Spark" in said and "--names unique" in said
    assert pq.read_table(tool.cwd / "a.parquet").column_names == ["id", "column", "COLUMN"]
    assert duckdb.sql(f"from '{tool.cwd}/a.parquet'").columns == ["id", "column", "COLUMN_1"]  # as the warning says
    said = tool.ok("convert", "--names", "unique", "in.csv", "b.parquet").stderr.decode()
    assert "case" not in said and pq.read_table(tool.cwd / "b.parquet").column_names == ["id", "column", "COLUMN_1"]


def test_other_options_have_the_clean_names(table, write, tool):
    write("in.csv", TEXT)
    rows = table("--names", "snake_case", "--types", "order_id=string", "--columns", "order_id,x_y:z", "in.csv")
    assert rows.to_pydict() == {"order_id": ["2", "4"], "z": ["a", "b"]}
    tool.fails("convert", "--names", "snake_case", "--types", "Order ID=string", "in.csv", "o.parquet", says=['did you mean "order_id"?'])
    tool.fails("convert", "--names", "snake", "in.csv", "o.parquet", says=["--names must be one of keep, unique, snake_case"])


# ---- --columns ----

@pytest.mark.parametrize("columns, names", [
    ("Order ID,id", ["Order ID", "id"]), ("-id", ["Order ID", "x:y"]), ("-id,-Order ID", ["x:y"]), ("#3,#1", ["x:y", "id"]), ("-#2", ["id", "x:y"]),
    (r"x\:y", ["x:y"]), (r"x\:y:z,id", ["z", "id"]), ("id:Order ID,Order ID:id", ["Order ID", "id"]), ("#2:b", ["b"]), ("id:x\\,y", ["x,y"]), ("id:id", ["id"]),
    (r"id:a\\b", ["a\\b"]), (r"id:#1", ["#1"]), ("id,id", ["id", "id_1"]),
])
def test_columns(table, write, columns, names):
    write("in.csv", TEXT)
    rows = table("--columns", columns, "in.csv")
    assert rows.column_names == names
    values = {"id": [1, 3], "Order ID": [2, 4], "x:y": ["a", "b"]}
    if columns == "id:Order ID,Order ID:id":
        assert rows.to_pydict() == {"Order ID": [1, 3], "id": [2, 4]}
    for name in set(names) & set(values) - ({"id", "Order ID"} if ":" in columns else set()):
        assert rows.column(name).to_pylist() == values[name]


def test_columns_as_pandas_and_duckdb_choose_them(table, write):
    path = write("in.csv", TEXT)
    assert table("--columns", "x\\:y,id", "in.csv").to_pydict() == pandas.read_csv(path, usecols=["x:y", "id"])[["x:y", "id"]].to_dict("list")
    ours = table("--columns", "-x\\:y", "in.csv")
    assert ours.to_pydict() == duckdb.sql(f'select * exclude ("x:y") from \'{path}\'').to_arrow_table().to_pydict()
    ours = table("--columns", "Order ID:o,id", "in.csv")
    assert ours.to_pydict() == duckdb.sql(f'select "Order ID" as o, id from \'{path}\'').to_arrow_table().to_pydict()


@pytest.mark.parametrize("columns, says", [
    ("Order Id", ['did you mean "Order ID"?']), ("-idd", ['did you mean "id"?']), ("#4", ['"#4", which the file does not have']), ("#18446744073709551617", ["which the file does not have"]), ("#0", ['"#0", which']), ("-id,Order ID", ["one of both"]),
    ("id:", ["empty name"]), ("id,,x", ["empty name"]), ("", ["empty name"]), ("id:b,Order ID:b", ['two columns would be named "b"']), ("id:b,id:c", ["two names"]),
    ("id:b,#1:c", ["twice, by its name and by its place"]), ("-id:b", ["left out and given another name"]), (r"-id,-Order ID,-x\:y", ["leaves no column"]),
    ("id:b,id", ['"id", which the file does not have']), ("id:Order ID,#2", ['two columns would be named "Order ID"']),
])
def test_columns_that_are_refused(tool, write, columns, says):
    write("in.csv", TEXT)
    tool.fails("convert", "--columns", columns, "in.csv", "o.parquet", says=says)
    assert tool("schema", "--columns", columns, "in.csv").returncode == 2


def test_columns_of_equal_names(table, write):
    write("in.csv", "a,a,b,a\n1,2,3,4\n")
    assert table("--columns", "#2:second,#4,b", "in.csv").to_pydict() == {"second": [2], "a": [4], "b": [3]}
    assert table("--columns", "-a", "in.csv").to_pydict() == {"b": [3]}
    assert table("--columns", "a", "in.csv").to_pydict() == {"a": [1]}  # the first of the name,
    assert table("--columns", "b:a", "in.csv").to_pydict() == {"a": [3]}  # but for one that was given it
    assert table("--columns", "-#2", "in.csv").to_pydict() == {"a": [1], "b": [3], "a_1": [4]}
    write("odd.csv", "x,#1\n1,2\n")
    assert table("--columns", "#1", "odd.csv").to_pydict() == {"#1": [2]}  # a name goes before a place


def test_columns_of_parquet(tool, table, write):
    pq.write_table(pa.table({"a": [1], "b": [2], "c": [3]}), tool.cwd / "in.parquet")
    assert table("--columns", "c,a", "in.parquet").to_pydict() == {"c": [3], "a": [1]}
    for columns in ["-a", "a:x", "#1", "a,-b"]:
        tool.fails("convert", "--columns", columns, "in.parquet", "o.parquet", says=["only of CSV files"])
    for flag in ["--names=unique", "--header=none"]:
        tool.fails("convert", flag, "in.parquet", "o.parquet", says=[flag.split("=")[0], "is for CSV"])


# ---- --row-number-column ----

def test_row_numbers(table, write):
    write("a.csv", "\nx\n1\n\n\n2\n")
    write("b.csv", "x,y\n" + "".join(f"{i},\"a\n{i}\"\n\n" for i in range(5000)))
    write("c.csv", "x,y\n")
    for block in ["1000", "17", "100000"]:
        for threads in ["1", "4"]:
            rows = table("-t", threads, "--reader-option", f"block_bytes={block}", "--row-number-column", "n", "--file-name-column", "f", "b.csv", "c.csv")
            assert rows.column_names == ["x", "y", "f", "n"] and rows.schema.field("n").type == pa.int64()
            assert rows.column("n").to_pylist() == list(range(1, 5001))
            assert not rows.schema.field("n").nullable
    assert table("--row-number-column", "n", "a.csv").to_pydict() == {"x": [1, None, None, 2], "n": [1, 2, 3, 4]}
    write("d.csv", "x,y\n7,8\n9,10\n")
    rows = table("--row-number-column", "n", "--columns", "n,x,n", "--reader-option", "chunk_size=1", "b.csv", "d.csv")
    assert rows.column_names == ["n", "x", "n_1"] and rows.column("n_1").to_pylist() == list(range(1, 5003))
    assert rows.slice(5000).to_pydict() == {"n": [5001, 5002], "x": [7, 9], "n_1": [5001, 5002]}


def test_row_numbers_of_parquet(tool, table):
    pq.write_table(pa.table({"a": list(range(1000))}), tool.cwd / "in.parquet", row_group_size=77)
    assert table("--row-number-column", "n", "in.parquet", "in.parquet").column("n").to_pylist() == list(range(1, 2001))


def test_row_numbers_that_collide(tool, write):
    write("in.csv", TEXT)
    for args, says in [(("--row-number-column", "id"), ['has a column "id", which --row-number-column asks for as well']),
                       (("--row-number-column", "n", "--file-name-column", "n"), ['two columns would be named "n"']),
                       (("--row-number-column", "n", "--columns", "id:n"), ['has a column "n"']),
                       (("--row-number-column", ""), ["--row-number-column must name a column"]),
                       (("--row-number-column", "n", "--types", "n=string"), ['column "n": numbers of rows are int64'])]:
        tool.fails("convert", *args, "in.csv", "o.parquet", says=says)


def test_in_a_job(tool, write):
    """The same options in a job, beside an asset that has the new names."""
    write("in.csv", "no header of ours\n" + TEXT)
    columns = [("order", "string"), ("id", "integer"), ("row", "integer"), ("file", "string")]
    write("asset.yaml", json.dumps({"name": "t", "version": "1", "source_type": "csv",
                                    "schema": [{"name": n, "type": t, "required": n != "order"} for n, t in columns]}))
    options = {"header": 2, "names": "snake_case", "rename": {"order_id": "order"}, "row_number": "row", "file_name": "file"}
    write("job.yaml", json.dumps({
        "tenant_id": "x", "source_connector": "csv", "target_connector": "local", "asset_path": "asset.yaml",
        "source": {"files": [{"path": "in.csv"}], "engine": {"options": options}}, "target": {"connection": {"path": "out"}}}))
    tool.ok("run", "job.yaml")
    [path] = (tool.cwd / "out").rglob("*.parquet")
    rows = pq.ParquetFile(path).read()
    assert rows.to_pydict() == {"order": ["2", "4"], "id": [1, 3], "row": [1, 2], "file": ["in.csv"] * 2}
