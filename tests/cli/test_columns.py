"""Names and numbers of columns: repeated ones, spellings, and tens of thousands of them."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import SANITIZED, cpu_seconds

# Quadratic loops take minutes here; sanitizers make everything ten times slower.
SECONDS = 200 if SANITIZED else 40


def timed(call):
    done, seconds = cpu_seconds(call)
    assert seconds < SECONDS
    return done


def test_thousands_of_equal_names(tool, write):
    n = 4000
    write("in.csv", ",".join(["a"] * n) + "\n" + ",".join(map(str, range(n))) + "\n")
    text = timed(lambda: tool.ok("convert", "in.csv", "out.parquet")).stderr.decode()
    assert 'column 2 is written as "a_1"' in text and "3991 more columns that repeat a name" in text
    assert len(text.splitlines()) < 30
    names = pq.read_schema(tool.cwd / "out.parquet").names
    assert names == ["a"] + [f"a_{i}" for i in range(1, n)]


def test_a_hundred_thousand_equal_names(tool, write):
    n = 100_000
    write("in.csv", ",".join(["a"] * n) + "\n" + ",".join(map(str, range(n))) + "\n")
    done = timed(lambda: tool.ok("schema", "in.csv"))
    assert b"99991 more columns that repeat a name" in done.stderr
    assert len(done.stdout.splitlines()) > n


def test_ten_thousand_declared_columns(tool, write):
    n = 10_000  # about as many as an asset may have
    names = [f"column number {i}" for i in range(n)]
    types = "".join(f"  - {{name: {name}, type: integer}}\n" for name in names)
    write("in.csv", ",".join(names) + "\n" + ",".join(map(str, range(n))) + "\n")
    write("asset.yaml", f"name: t\nversion: 1.0.0\nsource_type: csv\nschema:\n{types}")
    for mode in "strict", "warn":
        timed(lambda: tool.ok("convert", "--schema", "asset.yaml", "--mode", mode, "in.csv", "null:"))


def test_names_that_differ_in_case_only(tool, write):
    write("in.csv", "id,Name,ID,NAME,other\n1,2,3,4,5\n")
    text = tool.ok("convert", "in.csv", "out.parquet").stderr.decode()
    assert 'columns 1 "id" and 3 "ID" differ in upper and lower case only' in text
    assert 'columns 2 "Name" and 4 "NAME" differ' in text and "Spark" in text
    assert pq.read_schema(tool.cwd / "out.parquet").names == ["id", "Name", "ID", "NAME", "other"]
    write("many.csv", ",".join(f"c{i},C{i}" for i in range(50)) + "\n" + ",".join(["1"] * 100) + "\n")
    text = tool.ok("convert", "--quiet", "many.csv", "many.parquet").stderr.decode()
    assert "42 more columns differ" in text and len(text.splitlines()) == 9


def test_types_that_are_not_there(tool, write):
    write("in.csv", "zip,b\n1.50,2\n")
    for name in "object", "array":
        tool.fails("convert", "--types", f"zip={name}", "in.csv", "out.parquet", says=[name, '"zip"', "float64", "string"])
    tool.ok("convert", "--types", "zip=varchar", "in.csv", "out.parquet")
    assert pq.read_table(tool.cwd / "out.parquet").column("zip").to_pylist() == ["1.50"]
    write("asset.yaml", "name: t\nversion: 1.0.0\nsource_type: csv\nschema:\n  - {name: zip, type: decimal}\n  - {name: b, type: array}\n")
    for mode in "strict", "warn":
        text = tool.ok("convert", "-f", "--schema", "asset.yaml", "--mode", mode, "in.csv", "null:").stderr.decode()
        assert text.count("keeps as strings: zip (decimal), b (array)") == 1


ASSET = "name: t\nversion: 1.0.0\nsource_type: csv\nschema:\n  - {name: id, type: uint16}\n  - {name: price, type: decimal, precision: 12, scale: 2}\n  - {name: at, type: time}\n"


def test_assets_have_decimals_and_times(tool, write):
    write("in.csv", "id,price,at\n1,2.5,10:11:12\n2,-0.125e1,23:59:59.5\n")
    write("asset.yaml", ASSET)
    tool.ok("convert", "--schema", "asset.yaml", "in.csv", "out.parquet")
    table = pq.read_table(tool.cwd / "out.parquet")
    assert table.schema.types == [pa.uint16(), pa.decimal128(12, 2), pa.time64("us")]
    assert list(map(str, table["price"].to_pylist())) == ["2.50", "-1.25"]
    write("in.csv", "id,price,at\n1,2.505,10:11:12\n")
    tool.fails("convert", "--schema", "asset.yaml", "in.csv", "no.parquet", says=["line 2", "'2.505'", "decimal(12, 2)"])
    done = tool("convert", "-f", "--schema", "asset.yaml", "--mode", "warn", "in.csv", "out.parquet")
    text = done.stderr.decode()
    assert done.returncode == 1
    assert "the asset says decimal(12, 2), but text is read so in mode strict only; written as string" in text
    assert pq.read_table(tool.cwd / "out.parquet")["price"].to_pylist() == ["2.505"]


@pytest.mark.parametrize("entry", [
    "{name: p, type: decimal, precision: 0}", "{name: p, type: decimal, precision: 77}", "{name: p, type: decimal, scale: 2}",
    "{name: p, type: decimal, precision: 2, scale: 3}", "{name: p, type: decimal, precision: 2, scale: -1}", "{name: p, type: integer, precision: 2}"])
def test_digits_that_no_decimal_has(tool, write, entry):
    write("in.csv", "p\n1\n")
    write("asset.yaml", f"name: t\nversion: 1.0.0\nsource_type: csv\nschema:\n  - {entry}\n")
    tool.fails("convert", "--schema", "asset.yaml", "in.csv", "out.parquet", says=["asset.yaml:5", "precision and scale", '"p"'])


def test_long_rows_name_the_memory_that_helps(tool, write):
    row = 'some "" text in quotes\n' * 450_000  # 10 MB
    write("in.csv", f'a,b\n1,"{row}"\n2,x\n')
    text = tool.fails("convert", "--memory", "32MB", "in.csv", "out.parquet", says=["line 2", "more than 8388608 bytes", "--memory of"])
    needed = text.split("--memory of ")[1].split(" ")[0]
    tool.ok("convert", "--memory", needed, "in.csv", "out.parquet")
    assert pq.read_table(tool.cwd / "out.parquet").column("b").to_pylist() == [row.replace('""', '"'), "x"]
    write("in.csv", f'a,b\n1,"{row}')
    tool.fails("convert", "--memory", "32MB", "in.csv", "open.parquet", says=["probably not closed", "does not end in this file"])


def test_time_is_linear_in_a_rows_length(tool, write):
    seconds = []
    for mb in 4, 32:
        write("in.csv", 'a,b\n1,"' + "some text in a quoted field\n" * (mb * 1_000_000 // 28) + '"\n')
        done = tool.ok("convert", "-f", "--memory", "1GB", "in.csv", "null:").stderr.decode()
        seconds.append(float(done.split(" s of CPU")[0].rsplit(" ", 1)[1]))
    assert seconds[1] < 25 * seconds[0] + 0.2, seconds  # eight times the text; it were sixty times the time and more
