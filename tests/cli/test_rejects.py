"""Rows that are wrong set aside: the file that lists them, mended and read again, gives the rows that were missing."""

import csv
import io
import json
from decimal import Decimal

import pyarrow.parquet as pq
import pytest


HEAD = ["file", "line", "row", "byte", "column", "code", "expected", "raw"]
MESSAGES = {"x1": "type", "short": "fields"}


def listed(path):
    rows = list(csv.reader(io.StringIO(path.read_text())))
    assert rows[0] == HEAD
    return [dict(zip(HEAD, row)) for row in rows[1:]]


def test_a_number_of_another_kind_is_no_wrong_row(tool):
    """Fractions behind the sample of a column of integers: read again with another type, as without rejects."""
    (tool.cwd / "in.csv").write_text("id,v\n" + "".join(f"{i},{i}\n" for i in range(60_000)) + "1,1.5\n2,x\n3,2.5\n")
    tool.ok("convert", "--max-rejects", 5, "--rejects", "rejects.csv", "in.csv", "out.parquet")
    assert [r["raw"] for r in listed(tool.cwd / "rejects.csv")] == ["2,x"]
    table = pq.read_table(tool.cwd / "out.parquet")
    assert str(table.schema.field("v").type) == "double" and table.num_rows == 60_002


@pytest.mark.parametrize("block", [1000, 100_000])
@pytest.mark.parametrize("wrong", ["x", '"x"'])
def test_a_wrong_value_hides_no_number_of_another_kind_behind_it(tool, block, wrong):
    """Blocks later, whatever column makes reading start again."""
    rows = [[str(i), str(2 * i)] for i in range(60_000)]
    rows[50_000][1], rows[50_500][0], rows[59_000][0], rows[59_500][1] = "0.5", wrong, "59000.5", wrong
    (tool.cwd / "in.csv").write_text("a,b\n" + "".join(f"{a},{b}\n" for a, b in rows))
    tool.ok("convert", "--max-rejects", 5, "--rejects", "r.csv", "--reader-option", f"block_bytes={block}", "in.csv", "out.parquet")
    assert [r["row"] for r in listed(tool.cwd / "r.csv")] == ["50501", "59501"]
    table = pq.read_table(tool.cwd / "out.parquet")
    assert [str(t) for t in table.schema.types] == ["double", "double"] and table["a"][-1000 + 1].as_py() == 59000.5


def test_several_files(tool):
    for name in "ab":
        (tool.cwd / f"{name}.csv").write_text("a,b\n1,2\n3\n4,5\n")
    tool.ok("convert", "--max-rejects", "40%", "--rejects", "r.csv", "a.csv", "b.csv", "out.parquet")
    assert [(r["file"], r["line"], r["row"], r["byte"]) for r in listed(tool.cwd / "r.csv")] == [
        ("a.csv", "3", "2", "8"), ("b.csv", "3", "5", "8")]
    tool.fails("convert", "-q", "--max-rejects", "33%", "a.csv", "b.csv", "no.parquet",
               says="2 of 6 rows are wrong, and --max-rejects allows 33%")


def test_no_wrong_row_gives_an_empty_list(tool):
    (tool.cwd / "in.csv").write_text("a,b\n1,2\n")
    done = tool.ok("convert", "--max-rejects", 1, "--rejects", "r.csv", "in.csv", "out.parquet")
    assert listed(tool.cwd / "r.csv") == [] and b"rejected row" not in done.stderr


def test_only_a_list_is_replaced(tool):
    (tool.cwd / "in.csv").write_text("a,b\n1,2\n3\n")
    options = ("convert", "-f", "--max-rejects", 1)
    for name in "in.csv", "other.txt":
        (tool.cwd / "other.txt").write_text("mine\n")
        tool.fails(*options, "--rejects", name, "in.csv", "out.parquet", says=[name, "exists and is no list of rejected rows"])
    for _ in range(2):
        tool.ok(*options, "--rejects", "r.csv", "in.csv", "out.parquet")
        assert len(listed(tool.cwd / "r.csv")) == 1


@pytest.mark.parametrize("name", ["out.csv", "./out.csv", "here/../out.csv"])
def test_the_list_is_not_the_output(tool, name):
    (tool.cwd / "in.csv").write_text("a,b\n1,2\n3\n")
    (tool.cwd / "here").mkdir()
    for flags in [], ["-f"]:
        tool.fails("convert", *flags, "--max-rejects", 1, "--rejects", name, "in.csv", "out.csv", says=["out.csv", "--rejects"])


@pytest.mark.parametrize("flags, says", [
    (["--max-rejects", "many"], ["--max-rejects", "a number of rows, or of percent"]),
    (["--max-rejects", "101%"], "--max-rejects"), (["--max-rejects", "-1"], "--max-rejects"), (["--max-rejects", "1.5"], "--max-rejects"),
    (["--rejects", "r.csv"], ["--rejects", "--max-rejects"]), (["--max-rejects", "1", "--rejects", "-"], "--rejects must name a file"),
    (["--max-rejects", "1", "--rejects", ""], "--rejects must name a file"), (["--ragged", "reject"], ["--ragged", "--max-rejects"]),
    (["--ragged", "pad"], ["--ragged", "error, null, skip, reject"])])
def test_flags_that_say_nothing(tool, flags, says):
    (tool.cwd / "in.csv").write_text("a\n1\n")
    tool.fails("convert", *flags, "in.csv", "out.parquet", says=says)


def test_bytes_that_are_no_text(tool):
    (tool.cwd / "in.csv").write_bytes(b"a,b\n1,caf\xe9\n2,x\n")
    tool.ok("convert", "--max-rejects", 1, "--rejects", "r.csv", "in.csv", "out.parquet")
    (row,) = listed(tool.cwd / "r.csv")
    assert (row["code"], row["column"], row["byte"], row["raw"]) == ("encoding", "b", "9", "1,caf\N{REPLACEMENT CHARACTER}")


def test_the_invalid_bytes_of_a_comment_are_no_rows_fault(tool):
    (tool.cwd / "in.csv").write_bytes(b"#caf\xe9\na,b\n#\xff\n1,x\n2\n#,\xe9,,,\n3,z\n#\xff")
    tool.ok("convert", "--comment", "#", "--ragged", "null", "in.csv", "out.parquet")
    tool.ok("convert", "-f", "--comment", "#", "--ragged", "null", "--max-rejects", 9, "--rejects", "r.csv", "in.csv", "out.parquet")
    assert pq.read_table(tool.cwd / "out.parquet").to_pydict() == {"a": [1, 2, 3], "b": ["x", None, "z"]} and listed(tool.cwd / "r.csv") == []


def test_ragged(tool):
    (tool.cwd / "in.csv").write_text("a,b,c\n1,2,3\n4\n5,6,7,8\n9,10\n")
    done = tool.ok("convert", "--log-format", "json", "--ragged", "skip", "in.csv", "out.parquet")
    assert pq.read_table(tool.cwd / "out.parquet").to_pylist() == [{"a": 1, "b": 2, "c": 3}]
    assert json.loads(done.stderr.splitlines()[-1])["counters"]["skipped"] == 3
    tool.fails("convert", "--ragged", "null", "in.csv", "no.parquet", says="has 4 fields where the header has 3")
    tool.ok("convert", "-f", "--ragged", "null", "--max-rejects", 1, "in.csv", "out.parquet")
    assert pq.read_table(tool.cwd / "out.parquet").to_pylist() == [{"a": 1, "b": 2, "c": 3}, {"a": 4, "b": None, "c": None}, {"a": 9, "b": 10, "c": None}]


def test_a_job(tool):
    (tool.cwd / "in.csv").write_text("a,b\n1,2\n3\n5,6\n")
    (tool.cwd / "asset.yaml").write_text("name: t\nschema: [{name: a, type: integer}, {name: b, type: integer}]\n")
    job = {"tenant_id": "t", "source_connector": "csv", "target_connector": "local", "asset_path": "asset.yaml",
           "source": {"files": [{"path": "in.csv", "object": "a"}], "engine": {"options": {"max_rejects": 3, "rejects": "r.csv"}}},
           "target": {"connection": {"path": "out"}}}
    (tool.cwd / "job.yaml").write_text(json.dumps(job))
    done = tool("run", "job.yaml")
    assert b"3 in = 2 out + 1 rejected" in done.stderr and len(listed(tool.cwd / "r.csv")) == 1
    job["source"]["engine"]["options"]["max_rejects"] = 0
    (tool.cwd / "job.yaml").write_text(json.dumps(job))
    tool.fails("run", "job.yaml", says=["engine.options.rejects", "max_rejects"])


@pytest.mark.parametrize("block, chunk", [(7, 0), (60, 1), (524288, 0), (524288, 3)])
def test_one_number_for_a_row(tool, write, block, chunk):
    """Row numbers, --limit and the list of rejects count the same rows, those that are wrong among them, in all files."""
    wrong = {2: "x,2", 3: "3", 8: "8,8,8", 9: "9,\"a\nb\",1", 20: "x,y", 21: "21"}
    lines = [wrong.get(i, f"{i},v") for i in range(1, 31)]
    write("a.csv", "\n".join(["id,t", *lines[:13]]) + "\n")
    write("b.csv", "\n".join(["id,t", *lines[13:]]) + "\n")
    options = ["--reader-option", f"block_bytes={block}"] + (["--reader-option", f"chunk_size={chunk}"] if chunk else [])
    for limit in [1, 2, 3, 8, 9, 20, 31]:
        for ragged in [[], ["--ragged", "skip"], ["--ragged", "null"]]:
            tool.ok("convert", "-qf", "--allow-empty", "--types", "id=int64", *options, *ragged, "--row-number-column", "n", "--limit", limit, "--max-rejects", 10,
                    "--rejects", "rejects.csv", "a.csv", "b.csv", "out.parquet")
            kept = {2, 8, 9, 20} if ragged[-1:] == ["null"] else {2, 20} if ragged else set(wrong)
            table = pq.read_table(tool.cwd / "out.parquet").to_pydict()
            gone = set(wrong) - {3, 21} if ragged[-1:] == ["null"] else set(wrong)
            assert table["n"] == table["id"] == [i for i in range(1, min(limit, 30) + 1) if i not in gone]
            rejects = listed(tool.cwd / "rejects.csv") if kept & set(range(1, limit + 1)) else []
            assert [int(r["row"]) for r in rejects] == sorted(k for k in kept if k <= limit)


@pytest.mark.parametrize("lines, made, rejected", [
    (["true", "1.5", "2.5"], "double", ["true"]),
    (["1.5", "true"], "double", ["true"]),
    (["2024-01-01", "12:30:00", "1e3"], "double", ["2024-01-01", "12:30:00"]),
    (["true", "18446744073709551615"], "uint64", ["true"]),
    (["true", "x"], "int64", ["true", "x"]),
])
def test_values_of_another_kind_do_not_hide_wider_ones(tool, lines, made, rejected):
    """Behind the sample: among integers a fraction makes floats of them, whatever else is among them and set aside."""
    blocks = ["".join(f"{n}\n" for n in range(300_000)), "".join(f"{n}\n" for n in range(7_000))]
    for at in range(60_000, 240_000, 9_001):
        place = len("".join(f"{n}\n" for n in range(at)))
        text = "v\n" + blocks[0][:place] + blocks[1].join(f"{line}\n" for line in lines) + blocks[0][place:]
        (tool.cwd / "in.csv").write_text(text)
        if b"int64" in tool.ok("schema", "in.csv").stdout:
            break  # none of them is in the sample
    tool.ok("convert", "-f", "--max-rejects", "3", "--rejects", "r.csv", "in.csv", "out.parquet")
    table = pq.read_table(tool.cwd / "out.parquet")
    assert str(table.schema.field("v").type) == made
    assert [r["raw"].strip('"') for r in listed(tool.cwd / "r.csv")] == rejected
    assert table.num_rows == 300_000 + 7_000 * (len(lines) - 1) + len(lines) - len(rejected)


FAR = "".join("|" + 10_000 * "p" + "\n" for _ in range(40))  # behind it no sample looks


@pytest.mark.parametrize("early, late, kind, n_rejected", [
    (["1"], ["2", '"3"', '"4"', "5"], "int64", 0),  # what quotes say is known at the end
    (["1.5"], ['"2.5"', "3.5"], "double", 0),
    (["2024-01-31"], ['"2024-02-01"', "2024-02-02"], "date32[day]", 0),
    (["1"], ["2", '"x"', '"4"'], "int64", 1),
    (["1"], ["12345678901234567.89"], "decimal128(38, 2)", 0),
    (["1.5"], ["12345678901234567.89", "x"], "decimal128(38, 2)", 1),
    (["12345678901234567.89"], ["1.123456"], "decimal128(38, 6)", 0),
    (["18446744073709551615"], ["12345678901234567.5"], "decimal128(38, 1)", 0),
    (["2024-01-31"], ["7"], "date32[day]", 1),
])  # fmt: skip
def test_what_a_wider_type_holds_is_not_wrong(tool, early, late, kind, n_rejected):
    """Nor are values in quotes, whatever the only one of the sample has."""
    lines = [f"{value}|\n" for value in early] + [FAR] + [f"{value}|\n" for value in late]
    (tool.cwd / "in.csv").write_text("v|pad\n" + "".join(lines))
    tool.ok("convert", "--max-rejects", 5, "--rejects", "r.csv", "-d", "|", "in.csv", "out.parquet")
    table = pq.read_table(tool.cwd / "out.parquet")
    assert str(table.schema.field("v").type) == kind
    assert len(listed(tool.cwd / "r.csv")) == n_rejected and table.num_rows == len(early) + 40 + len(late) - n_rejected
    values = [Decimal(str(v)) for v in table["v"].to_pylist() if v is not None and "date" not in kind]
    assert values == [Decimal(v.strip('"')) for v in early + late if "x" not in v and "date" not in kind]
