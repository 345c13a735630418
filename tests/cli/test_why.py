"""Inference that explains itself: which value made a column what it is, in the sample and in all rows, and what the sample is."""

import gzip
import json
import random

import pyarrow.parquet as pq
import pytest


def why(tool, *args, **kwargs):
    """{column: (type, why)}"""
    done = tool.ok("schema", "--json", "--why", *args, **kwargs)
    return {c["name"]: (c["type"], c["why"]) for c in json.loads(done.stdout)["schema"]}


def test_words(tool, write):
    write("in.csv", "id,amount,name,none,q\n1,10,a,,1\n2,11,b,,\"2\"\n3,n/a,c,,3\n")
    lines = tool.ok("schema", "--why", "in.csv").stdout.decode().splitlines()
    assert lines[0].split() == ["column", "type", "why"]
    assert lines[1].endswith("nothing in the sample says otherwise (3 values)")
    assert lines[2].split()[:2] == ["amount", "string"]
    assert lines[2].endswith("because of line 4: 'n/a'; before that it was int64")
    assert lines[3].endswith("because of line 2: 'a'")
    assert lines[4].endswith("the sample has no value of it")
    full = tool.ok("schema", "--why", "--full", "in.csv").stdout.decode().splitlines()
    assert full[0].split() == ["column", "type", "nulls", "why"]
    assert full[1].endswith("0  nothing in the file says otherwise (3 values)") and full[4].split()[2] == "3"
    found = why(tool, "--types", "amount=string", "in.csv")
    assert found["amount"] == ("string", {"text": "declared"})
    tool.fails("schema", "--sniff", "--why", "in.csv", code=2, says="--sniff")


def test_words_name_files_lines_and_quotes(tool, write):
    write("a.csv", "1\n")
    write("b.csv", "2.5\n")
    assert why(tool, "--no-header", "a.csv", "b.csv")["column_1"][1]["text"] == "because of b.csv, line 1: '2.5'; before that it was int64"
    assert why(tool, "--no-header", "b.csv")["column_1"][1]["text"] == "nothing in the sample says otherwise (1 value)"
    for flags, words in [(["a.csv", "a.csv"], "nothing in the files says otherwise (2 values)"), (["a.csv"], "nothing in the file says otherwise (1 value)")]:
        assert why(tool, "--full", "--no-header", *flags)["column_1"][1]["text"] == words
    found = why(tool, "--no-header", "--reader-option", "missing_as_null=true", "--columns", "column_1,z", "--types", "column_1=int8", "a.csv")
    assert [reason["text"] for _, reason in found.values()] == ["declared", "the files have no such column"]
    write("q.csv", 'p,q\n1,"2"\n"3",4\n')
    found = why(tool, "--quoted", "text", "q.csv")
    assert found["p"][1]["text"] == "because of line 3: '\"3\"', quoted where others are not; before that it was int64"
    assert found["q"][1]["text"] == "because of line 3: '4'; before that it was int64"
    write("first.csv", "x\ny\n")
    assert why(tool, "--no-header", "first.csv")["column_1"][1]["line"] == 1


def test_full_counts_the_nulls_that_convert_writes(tool, write):
    """Empty, in quotes and bare, texts for null, and what a file lacks: of texts, bytes and numbers."""
    write("a.csv", 'n,s,x,d\n1,a,00,2024-01-01\n"","","",""\n,,,\nNA,NA,NA,NA\n"NA","NA",ff,\n')
    write("b.csv", "s,n\nb,\n,5\n")
    flags = ["--union-by-name", "--null-values", "NA", "--types", "x=binary:hex", "--reader-option", "missing_as_null=true", "--columns", "n,s,x,d,z"]
    listed = [line.split() for line in tool.ok("schema", "--full", *flags, "a.csv", "b.csv").stdout.decode().splitlines()[1:]]
    tool.ok("convert", *flags, "a.csv", "b.csv", "out.parquet")
    table = pq.read_table(tool.cwd / "out.parquet")
    assert {line[0]: int(line[2]) for line in listed} == {name: table.column(name).null_count for name in table.column_names}
    assert table.column("z").null_count == 7 and table.column("s").null_count == 3 and table.column("n").null_count == 5


def test_json_is_still_an_asset(tool, write):
    write("in.csv", "id,amount\n1,10\n3,n/a\n")
    (tool.cwd / "asset.json").write_bytes(tool.ok("schema", "--why", "--json", "in.csv").stdout)
    tool.ok("convert", "--schema", "asset.json", "in.csv", "out.parquet")
    found = why(tool, "in.csv")["amount"]
    assert found == ("string", {"values": 2, "text": "because of line 3: 'n/a'; before that it was int64", "file": "in.csv",
                                "byte": 17, "line": 3, "value": "n/a", "before": "int64"})


STEPS = [("1", "int64"), ("2.5", "double"), ("12345678901234567.89", "decimal(38, 2)"), ("x", "string")]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("threads", [1, 3])
def test_exact_in_all_rows(tool, write, seed, threads):
    """The last change of the type, by one value in the middle of nowhere, whatever the blocks and the threads."""
    r = random.Random(seed)
    n = 400
    at = sorted(r.sample(range(n), 3))
    values = [STEPS[sum(i >= a for a in at)][0] if i in at else "1" for i in range(n)]
    rows = "".join('%d,%s,"a%sb"\n' % (i, v, "\n" * (i % 3)) for i, v in enumerate(values))
    write("in.csv", "id,v,t\n" + rows)
    for source, kwargs in (("in.csv", {}), ("-", {"stdin": ("id,v,t\n" + rows).encode()})):
        found = why(tool, "--full", "--threads", threads, "--reader-option", f"block_bytes={r.choice([1, 100, 1000])}", source, **kwargs)
        kind, reason = found["v"]
        text = "id,v,t\n" + rows
        byte = text.index(f"\n{at[2]},x,") + len(f"\n{at[2]},")
        assert kind == "string" and reason["value"] == "x" and reason["byte"] == byte, reason
        assert reason["line"] == text.count("\n", 0, byte) + 1 and reason["values"] == n
        assert reason["before"] == "decimal(38, 2)", reason
        assert found["id"][0] == "integer" and found["id"][1]["values"] == n


def test_of_several_files(tool, write):
    write("a.csv", "v\n1\n")
    (tool.cwd / "b.csv.gz").write_bytes(gzip.compress(b"v\n2\n2.5\n"))
    write("c.csv", "v\nx\n")
    for more in ([], ["--full"]):
        kind, reason = why(tool, *more, "a.csv", "b.csv.gz")["v"]
        assert (kind, reason["file"], reason["line"], reason["value"], reason["before"]) == ("double", "b.csv.gz", 3, "2.5", "int64")
        assert why(tool, *more, "a.csv", "c.csv", "b.csv.gz")["v"][1]["file"] == "c.csv"


def test_full_of_a_pipe_meets_late_values(tool):
    text = "id,v\n" + "".join(f"{i},{i}\n" for i in range(200_000)) + "x,1.5\n"
    found = why(tool, "--full", "-", stdin=text.encode())
    assert [found[c][0] for c in ("id", "v")] == ["string", "double"]
    assert found["id"][1]["line"] == 200_002


def test_what_a_pipe_cannot_tell(tool):
    text = b"id,price\n1,9.5\n2,3\n3,x\n"
    done = tool.ok("schema", "--full", "--why", "--limit", "2", "-", stdin=text)
    assert b"float64      0  nothing in the file says otherwise (2 values)" in done.stdout
    for flags in [("--full", "--types", "id=int32"), ("--full", "--max-rejects", "1"), ("--row-number-column", "n"), ("--file-name-column", "f")]:
        tool.ok("schema", *flags, "-", stdin=text)
        done = tool.fails("schema", "--why", *flags, "-", stdin=text, says=["standard input can be read only once", "leave out --why"])


def test_rows_set_aside(tool, write):
    """With --max-rejects the schema is that of convert, and the list is written where all rows are read."""
    write("in.csv", "id,p\n" + "".join(f"{i},{'x1' if i == 300 else i / 4}\n" for i in range(500)))
    for flags in [(), ("--full",), ("--why",), ("--full", "--why")]:
        done = tool.ok("schema", "--max-rejects", "5", *flags, "in.csv")
        assert b"float64" in done.stdout and b"p       string" not in done.stdout
        assert (b"set aside, else it would be string because of line 302: 'x1'" in done.stdout) == ("--why" in flags)
    tool.fails("schema", "--max-rejects", "5", "--rejects", "r.csv", "in.csv", says=["--rejects", "--full"])
    done = tool.ok("schema", "--full", "--max-rejects", "5", "--rejects", "r.csv", "in.csv")
    assert b"declare the column's type with --types" in done.stderr and b"the option" not in done.stderr
    assert b'300,x1' in (tool.cwd / "r.csv").read_bytes()


def test_full_tells_broken_rows(tool, write):
    write("in.csv", "id,v\n" + "1,2\n" * 300_000 + "1,2,3\n")
    tool.fails("schema", "--full", "in.csv", says="line 300002")
    tool.fails("schema", "--full", "--types", "v=bool", "--null-values", "2", "in.csv", says="line 300002")


# ---- what the sample is ----

HEAD, JUMP, JUMPS = 256 << 10, 32 << 10, 16


@pytest.mark.parametrize("piece", range(1, JUMPS + 1))
def test_every_piece_counts(tool, write, piece):
    row = b"1,%s\n" % (b"y" * 96)
    rows = [row] * 30_000
    size = len(b"id,t\n") + len(row) * len(rows)
    at = (size - JUMP) // JUMPS * piece + 1000  # a byte in the piece
    rows[(at - 5) // len(row)] = b"x,%s\n" % (b"y" * 96)
    write("in.csv", b"id,t\n" + b"".join(rows))
    kind, reason = why(tool, "in.csv")["id"]
    assert kind == "string" and reason["value"] == "x" and reason["line"] == (at - 5) // len(row) + 2


@pytest.mark.parametrize("file", [1, 7, 15])
def test_every_head_counts(tool, write, file):
    for i in range(16):
        write(f"{i:02}.csv", "id\n" + "1\n" * 3 + ("x\n" if i == file else ""))
    kind, reason = why(tool, *(f"{i:02}.csv" for i in range(16)))["id"]
    assert kind == "string" and reason["file"] == f"{file:02}.csv" and reason["line"] == 5


def test_long_first_row(tool, write):
    write("in.csv", 'id,geom,area\n1,"' + "x" * 300_000 + '",2.5\n' + "".join(f'{i},"p",{i}.5\n' for i in range(2, 8000)))
    assert [kind for kind, _ in why(tool, "in.csv").values()] == ["integer", "string", "double"]


def test_full_allows_the_same_share_of_wrong_rows_as_convert(tool, write):
    """The share is one of all rows, and errors name the row of the file, whatever the block it stands in."""
    write("in.csv", "a,b\n" + "1,x\n" * 20 + "q\n2,y\n")
    for share in ["5%", "4%"]:
        done = tool("convert", "-f", "--max-rejects", share, "in.csv", "out.parquet")
        for block in ["1", "30", "5000"]:
            found = tool("schema", "--full", "--why", "--max-rejects", share, "--reader-option", f"block_bytes={block}", "in.csv")
            assert found.returncode == done.returncode == (0 if share == "5%" else 2), found.stderr
            assert share == "5%" or b"1 of 22 rows are wrong" in found.stderr
