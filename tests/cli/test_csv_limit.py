"""--limit: the first rows of all files, and nothing of what stands behind them."""
import json

import duckdb
import pandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

GOOD = "a,b\n" + "".join(f'{i},"x\n{i}"\n' for i in range(3000))
BROKEN = ["1,2,3\n", "x,y\n", '7,"never closed', "1,\xff\n".encode("latin-1"), '1,"' + "long" * 5_000_000]


@pytest.fixture
def table(tool):
    def read(*args):
        tool.ok("convert", "-qf", "--allow-empty", *args, "out.parquet")
        return pq.read_table(tool.cwd / "out.parquet")
    return read


@pytest.mark.parametrize("behind", BROKEN)
def test_errors_behind_the_limit_do_not_matter(table, tool, write, behind):
    write("in.csv", GOOD.encode() + (behind if isinstance(behind, bytes) else behind.encode()))
    for n in [1, 2999, 3000]:
        rows = table("--limit", n, "--reader-option", "block_bytes=3000", "--types", "a=int64", "--row-number-column", "n", "in.csv")
        assert rows.column("a").to_pylist() == list(range(n)) and rows.column("n").to_pylist() == list(range(1, n + 1))
    assert table("--limit", 2, "in.csv").to_pydict() == {"a": [0, 1], "b": ["x\n0", "x\n1"]}
    tool.fails("convert", "--limit", "3001", "--types", "a=int64", "in.csv", "no.parquet", says=["in.csv"])


@pytest.mark.parametrize("block", [1, 7, 64, 4096])
@pytest.mark.parametrize("threads", [1, 4])
def test_every_limit(table, write, block, threads):
    """At every size of blocks the same rows as pandas and DuckDB give, over two files, with blank lines between."""
    one = write("one.csv", "a,b\n\n1,x\n\n2,y\n")
    two = write("two.csv", 'a,b\n3,"z\nz"\n4,w\n')
    flags = ("-t", threads, "--reader-option", f"block_bytes={block}")
    for n in range(6) if block in (1, 4096) else (1, 3):
        ours = table("--limit", n, *flags, "--row-number-column", "k", "one.csv", "two.csv")
        assert ours.column("k").to_pylist() == list(range(1, min(n, 4) + 1))
        assert ours.column("b").to_pylist() == ["x", "y", "z\nz", "w"][:n]
        if n in (1, 2):
            assert ours.column("a").to_pylist() == pandas.read_csv(one, nrows=n)["a"].tolist()
            assert ours.column("a").to_pylist() == [r[0] for r in duckdb.sql(f"select a from read_csv(['{one}', '{two}']) limit {n}").fetchall()]


def test_types_are_those_of_the_rows_wanted(table, write):
    path = write("in.csv", "a\n1\n2\nx\n")
    assert str(table("--limit", 2, "in.csv").schema.field("a").type) == "int64" == str(pandas.read_csv(path, nrows=2)["a"].dtype)
    assert str(table("--limit", 3, "in.csv").schema.field("a").type).startswith("string")
    write("late.csv", "a\n" + "1\n" * 200_000 + "x\n" * 10 + "1,2\n")  # past the sample: found out and started over
    assert table("--limit", 200_000, "late.csv").schema.field("a").type == pa.int64()
    assert table("--limit", 200_001, "late.csv").column("a").to_pylist()[-2:] == ["1", "x"]


def test_of_a_pipe_and_of_parquet(table, tool):
    tool.ok("convert", "-q", "--limit", "2", "-", "p.parquet", stdin=b"a\n1\n2\n3,4\n")
    assert pq.read_table(tool.cwd / "p.parquet").to_pydict() == {"a": [1, 2]}
    pq.write_table(pa.table({"a": [1, None, 3] * 100, "l": [[1], None, []] * 100}), tool.cwd / "in.parquet", row_group_size=7)
    for n in [0, 1, 7, 8, 299, 300, 301]:
        assert table("--limit", n, "in.parquet").to_pydict() == pq.read_table(tool.cwd / "in.parquet").slice(0, n).to_pydict()


def test_what_is_refused(tool, write):
    write("in.csv", "a\n1\n")
    for value in ["-1", "x", "1.5", ""]:
        tool.fails("convert", f"--limit={value}", "in.csv", "o.parquet", says=["--limit must be a whole number"])
    tool.fails("convert", "--limit", "0", "in.csv", "o.parquet", says=["--allow-empty"])


def test_strays_are_counted_up_to_the_limit(tool, write):
    write("in.csv", 'a,b\n1,x"\n2,y"\n3,"z"z\n')
    write("asset.yaml", json.dumps({"name": "t", "version": "1", "schema": [{"name": "a", "type": "integer"}, {"name": "b", "type": "string"}]}))
    write("job.yaml", json.dumps({
        "tenant_id": "x", "source_connector": "csv", "target_connector": "local", "asset_path": "asset.yaml",
        "source": {"files": [{"path": "in.csv"}], "engine": {"options": {"limit": 2}}}, "target": {"connection": {"path": "out"}}}))
    tool.ok("run", "job.yaml")
    [path] = (tool.cwd / "out").rglob("*.parquet")
    assert pq.ParquetFile(path).read().to_pydict() == {"a": [1, 2], "b": ['x"', 'y"']}


def test_a_limit_of_zero_is_named(tool, write):
    """It is not the file that has no rows."""
    write("in.csv", "a,b\n1,2\n")
    for name in ("out.parquet", "null:"):
        said = tool.fails("convert", "--limit", "0", "in.csv", name, says=["--limit leaves no rows", "--allow-empty"])
        assert "but no rows" not in said
