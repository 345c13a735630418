"""--union-by-name: files with different columns as one table."""
import json
import os
import random

import duckdb
import pandas
import pyarrow.parquet as pq
import pytest

UNION = "--union-by-name"


def test_columns_types_and_nulls(table, write):
    write("a.csv", "id,name\n1,x\n")
    write("b.csv", "\ufeffname,city,id\r\ny,Rome,2\r\nz,,3\r\n")
    write("c.csv", "\n\nid,when\n4.5,2024-01-02\n")
    write("d.csv", "other\n")
    write("e.csv", "")
    rows = table(UNION, *[f"{n}.csv" for n in "abcde"])
    assert rows.to_pydict()["id"] == [1.0, 2.0, 3.0, 4.5]
    assert [(f.name, str(f.type).replace("string_view", "string")) for f in rows.schema] == [
        ("id", "double"), ("name", "string"), ("city", "string"), ("when", "date32[day]"), ("other", "string")]
    assert rows.column("city").to_pylist() == [None, "Rome", None, None] and rows.column("other").null_count == 4
    rows = table(UNION, "--file-name-column", "f", "--row-number-column", "n", "--columns", "n,city:town,f", "a.csv", "b.csv")
    assert rows.to_pydict() == {"n": [1, 2, 3], "town": [None, "Rome", None], "f": ["a.csv", "b.csv", "b.csv"]}


def test_as_duckdb_and_pandas(table, write, tool):
    """Random columns in random orders, at several sizes of blocks, some with blanks around; names of one case, for DuckDB knows no other."""
    rng = random.Random(4)
    for case in range(4):
        paths, frames = [], []
        for f in range(5):
            names = rng.sample([f"c{i}" for i in range(8)], rng.randint(1, 8))
            padded = [rng.choice(["", " ", "\t "]) + name + rng.choice(["", " "]) if case % 2 else name for name in names]
            lines = [",".join(padded)] + [",".join(str(rng.choice([i * 7, i + 0.5, ""] if n in ("c1", "c2") else [f"t{i}"])) for n in names)
                                         for i in range(rng.randint(1, 300))]
            if len(names) == 1:
                lines = [line or "9" for line in lines]
            paths.append(write(f"{case}_{f}.csv", "\n".join(lines) + "\n"))
            frames.append(pandas.read_csv(paths[-1]).rename(columns=str.strip))
        want = pandas.concat(frames, ignore_index=True)
        ours = table(UNION, *["--trim"] * (case % 2), "--reader-option", f"block_bytes={rng.choice([1, 100, 5000])}", "-t", rng.choice([1, 3]), *paths)
        assert ours.column_names == list(want.columns)
        theirs = duckdb.sql(f"from read_csv({[str(p) for p in paths]}, union_by_name=true)").to_arrow_table()
        theirs = theirs if case % 2 == 0 else None  # it keeps the blanks
        assert theirs is None or sorted(theirs.column_names) == sorted(ours.column_names)
        for name in ours.column_names:
            mine = ours.column(name).to_pylist()
            assert mine == [None if pandas.isna(v) else v for v in want[name].tolist()], name
            assert theirs is None or mine == theirs.column(name).to_pylist(), name


def test_types_come_from_all_files_and_widen(table, write):
    write("a.csv", "a,b\n1,1\n")
    write("b.csv", "b\n" + "2\n" * 100_000 + "2.5\n")  # past the samples: starts over
    write("c.csv", "b,a\nx,\n")
    assert str(table(UNION, "a.csv", "b.csv").schema.field("b").type) == "double"
    assert str(table(UNION, "a.csv", "b.csv", "c.csv").schema.field("b").type).startswith("string")
    write("few.csv", "late\n" + "\n" * 200_000 + "2024-01-01\n")
    assert str(table(UNION, "a.csv", "few.csv").schema.field("late").type) == "date32[day]"
    assert table(UNION, "--types", "b=string", "a.csv", "b.csv").column("b").to_pylist()[:2] == ["1", "2"]


def test_equal_names(table, write):
    write("a.csv", "x,x\n1,2\n")
    write("b.csv", "y,x,x,x\n3,4,5,6\n")
    rows = table(UNION, "a.csv", "b.csv")
    assert rows.to_pydict() == {"x": [1, 4], "x_1": [2, 5], "y": [None, 3], "x_2": [None, 6]}
    write("c.csv", "Order ID\n1\n")
    write("d.csv", "order_id\n2\n")
    assert table(UNION, "c.csv", "d.csv").column_names == ["Order ID", "order_id"]
    assert table(UNION, "--names", "snake_case", "c.csv", "d.csv").to_pydict() == {"order_id": [1, 2]}
    write("e.csv", "first line\nORDER_ID\n3\n")
    write("f.csv", "of each\nn\n4\n")
    assert table(UNION, "--header", "2", "--names", "unique", "e.csv", "f.csv").to_pydict() == {"ORDER_ID": [3, None], "n": [None, 4]}


def test_errors_have_the_file_and_its_own_columns(tool, write):
    write("a.csv", "a,b\n1,2\n")
    write("b.csv", "c,b,a\n1,2,3\n1,x,3\n")
    write("c.csv", "b,z\n1,2,3\n")
    write("u.csv", "z,b\n1,\xff\n".encode("latin-1"))
    write("q.csv", 'z,"b\n1,2\n')
    for files, flags, says in [(["a.csv", "b.csv"], ["--types", "b=int64"], ["b.csv: line 3, byte 14", 'column "b": \'x\'']),
                               (["a.csv", "c.csv"], [], ["c.csv: line 2, byte 4", "the row has 3 fields where the header has 2"]),
                               (["a.csv", "u.csv"], [], ["u.csv: line 2", 'column "b": invalid UTF-8']),
                               (["a.csv", "q.csv"], [], ["q.csv: line 1", "never closed"]),
                               (["a.csv", "c.csv"], ["--reader-option", 'required=["a"]'], ["c.csv"]),
                               (["a.csv", "b.csv"], ["--columns", "bb"], ["its columns: a, b, c"])]:
        tool.fails("convert", UNION, *flags, *files, "o.parquet", says=says)
    write("d.csv", "b\n1\n")
    tool.fails("convert", UNION, "--reader-option", 'required=["a"]', "a.csv", "d.csv", "o.parquet", says=["d.csv: line 2", 'column "a" is required, but the file does not have it'])
    tool.fails("convert", UNION, "--no-header", "a.csv", "o.parquet", says=["--union-by-name needs files with a header"])
    tool.fails("convert", "a.csv", "b.csv", "o.parquet", says=["is not the first file's header", "--union-by-name"])


def test_only_the_first_may_be_a_pipe(tool, write):
    write("a.csv", "b\n1\n")
    os.mkfifo(tool.cwd / "pipe")
    tool.fails("convert", UNION, "a.csv", "-", "o.parquet", stdin=b"a\n1\n", says=["--union-by-name", "can be read only once"])
    tool.ok("convert", UNION, "-", "a.csv", "o.parquet", stdin=b"a\n1\n")
    assert pq.read_table(tool.cwd / "o.parquet").to_pydict() == {"a": [1, None], "b": [None, 1]}


def test_schema_and_job(tool, write):
    write("a.csv", "id,name\n1,x\n")
    write("b.csv", "name,id,city\ny,2,Rome\n")
    assert [line.split() for line in tool.ok("schema", UNION, "a.csv", "b.csv").stdout.decode().splitlines()[1:]] == [["id", "int64"], ["name", "string"], ["city", "string"]]
    (tool.cwd / "asset.json").write_bytes(tool.ok("schema", "--json", UNION, "a.csv", "b.csv").stdout)
    write("job.yaml", json.dumps({
        "tenant_id": "x", "source_connector": "csv", "target_connector": "local", "asset_path": "asset.json",
        "source": {"files": [{"path": "a.csv"}, {"path": "b.csv"}], "engine": {"options": {"union_by_name": True}}}, "target": {"connection": {"path": "out"}}}))
    tool.ok("run", "job.yaml")
    [path] = (tool.cwd / "out").rglob("*.parquet")
    assert pq.ParquetFile(path).read().to_pydict() == {"id": [1, 2], "name": ["x", "y"], "city": [None, "Rome"]}
