"""CSV as a target: what comes back from it, to us and to others."""

import csv
import datetime
import json
import math
import random

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from conftest import PLUGINS, SOURCE, WRITER

SPECTRUM = sorted((SOURCE / "tests/data/csv-spectrum/csvs").glob("*.csv"))
# of other writers, with types that this one has
PARQUET = ["pyarrow_dictionary", "pyarrow_plain", "pyarrow_v2", "pyarrow_delta", "polars", "duckdb_bloom"]

TEXTS = ["", " ", "a", "a ", "\ta", '"', '""', 'a"b', ",", ";", "\n", "\r", "\r\n", "a\nb", "é", "日本", "😀", "\ufeff", "NA", "NULL",
         "null", "None", "nan", "NaN", "inf", "-Infinity", "true", "FALSE", "0", "-0", "007", "1.5", "1e5", "-", "2024-01-31",
         "2024-01-31 01:02:03", "2024-01-31T01:02:03Z", "12:30", "x" * 200, "9223372036854775808", "#a", "=1+1", "'", "\\", "\\N"]


def same(a, b):
    """Equal column by column, NaN as itself."""
    assert a.column_names == b.column_names
    assert a.num_rows == b.num_rows
    for name, x, y in zip(a.column_names, a.columns, b.columns):
        assert x.type == y.type, name
        for row, (p, q) in enumerate(zip(x.to_pylist(), y.to_pylist())):
            is_nan = isinstance(p, float) and isinstance(q, float) and math.isnan(p) and math.isnan(q)
            assert is_nan or (p == q and str(p) == str(q)), (name, row, p, q)


def as_pyarrow_reads(path, schema):
    """A CSV file by another reader, in the types of ours; nothing between delimiters is null, in quotes only where there is no text."""
    types = {field.name: field.type for field in schema}
    return pyarrow.csv.read_csv(
        path, parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(column_types=types, null_values=[""], strings_can_be_null=True,
                                                   quoted_strings_can_be_null=pa.string() not in schema.types))


def there_and_back(tool, source):
    """CSV -> Parquet -> CSV -> Parquet: all four hold the same values."""
    tool.ok("convert", source, "a.parquet")
    tool.ok("convert", "a.parquet", "b.csv")
    tool.ok("convert", "b.csv", "b.parquet")
    table = pq.read_table(tool.cwd / "a.parquet")
    same(as_pyarrow_reads(tool.cwd / source, table.schema), table)
    same(table, as_pyarrow_reads(tool.cwd / "b.csv", table.schema))
    same(table, pq.read_table(tool.cwd / "b.parquet"))
    # as text nothing may change: not a digit, a sign or a blank
    tool.ok("convert", "--reader-option", "inference=strings", source, "c.parquet")
    tool.ok("convert", "c.parquet", "c.csv")
    assert cells(tool.cwd / source) == cells(tool.cwd / "c.csv")


def cells(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("path", SPECTRUM, ids=lambda path: path.stem)
def test_spectrum(tool, path):
    there_and_back(tool, path)


@pytest.mark.parametrize("name", PARQUET)
def test_files_of_others(tool, name):
    source = SOURCE / "tests/data/parquet" / f"{name}.parquet"
    names = {pa.int32(): "int64", pa.int64(): "int64", pa.float32(): "float64", pa.float64(): "float64", pa.bool_(): "bool",
             pa.date32(): "date", pa.timestamp("us"): "timestamp", pa.timestamp("us", "UTC"): "timestamptz"}
    table = pq.read_table(source)
    tool.ok("convert", source, "a.csv")
    types = [f"{field.name}={names.get(field.type, 'string')}" for field in table.schema]
    tool.ok("convert", *[word for type_ in types for word in ("--types", type_)], "a.csv", "b.parquet")
    back = pq.read_table(tool.cwd / "b.parquet")
    same(table.cast(back.schema), back)


def random_table(seed, rows=300):
    """Hard values of every type that a CSV file has."""
    r = random.Random(seed)
    day = datetime.date(1, 1, 1)
    zero = datetime.datetime(1970, 1, 1)

    def column(make, type_):
        nulls = r.choice([0, 0.2, 0.9])
        return pa.array([None if r.random() < nulls else make() for _ in range(rows)], type_)

    def number():
        return r.choice([0.0, -0.0, 1.0, 0.1, 1e16, 5e-324, 1.7976931348623157e308, math.nan, math.inf, -math.inf,
                         r.random(), r.randrange(10**6) / 100, r.uniform(-1e300, 1e300)])

    few = r.sample(TEXTS, 3)
    return pa.table({
        "any text": column(lambda: r.choice(TEXTS), pa.string()),
        "few, texts": column(lambda: r.choice(few), pa.string()),
        'zip "code"': column(lambda: f"{r.randrange(10**5):05}", pa.string()),
        "int": column(lambda: r.choice([0, 1, -1, 2**63 - 1, -2**63, r.randrange(10**9)]), pa.int64()),
        "float": column(number, pa.float64()),
        "bool": column(lambda: r.random() < 0.5, pa.bool_()),
        "date": column(lambda: day + datetime.timedelta(r.randrange(3652058)), pa.date32()),
        "time": column(lambda: zero + datetime.timedelta(microseconds=r.randrange(2**52)), pa.timestamp("us")),
        "zoned": column(lambda: zero + datetime.timedelta(seconds=r.randrange(2**32)), pa.timestamp("us", "UTC")),
    })


@pytest.mark.parametrize("seed", range(6))
def test_random_tables(tool, seed):
    table = random_table(seed)
    pq.write_table(table, tool.cwd / "a.parquet")
    tool.ok("convert", "a.parquet", "a.csv")
    tool.ok("convert", "a.csv", "b.parquet")
    back = pq.read_table(tool.cwd / "b.parquet")
    same(table.cast(back.schema), back)  # every type is the one it was, but for names of ours of the same
    assert back.schema.types == [pa.timestamp("us", "UTC") if f.name == "zoned" else f.type for f in table.schema]


@pytest.mark.parametrize("seed", range(3))
def test_pyarrow_reads_it_equal(tool, seed):
    table = random_table(seed)
    pq.write_table(table, tool.cwd / "a.parquet")
    tool.ok("convert", "a.parquet", "a.csv")
    options = pyarrow.csv.ConvertOptions(column_types=table.schema, null_values=[""], strings_can_be_null=True,
                                         quoted_strings_can_be_null=False)
    back = pyarrow.csv.read_csv(tool.cwd / "a.csv", convert_options=options,
                                parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True))
    same(table, back)


@pytest.mark.parametrize("seed", range(3))
def test_duckdb_reads_it_equal(tool, seed):
    table = random_table(seed).drop_columns(["zoned"])  # it shows instants in a zone of its own
    pq.write_table(table, tool.cwd / "a.parquet")
    tool.ok("convert", "a.parquet", "a.csv")
    words = {pa.string(): "VARCHAR", pa.int64(): "BIGINT", pa.float64(): "DOUBLE", pa.bool_(): "BOOLEAN", pa.date32(): "DATE",
             pa.timestamp("us"): "TIMESTAMP"}
    columns = {field.name: words[field.type] for field in table.schema}
    back = duckdb.read_csv(str(tool.cwd / "a.csv"), header=True, sep=",", quotechar='"', escapechar='"', dtype=columns,
                           na_values="", auto_detect=False, columns=columns, allow_quoted_nulls=False).to_arrow_table()
    same(table, back.cast(table.schema))


def test_python_reads_the_same_cells(tool):
    table = random_table(9).select(["any text", "few, texts", 'zip "code"'])
    pq.write_table(table, tool.cwd / "a.parquet")
    for name, delimiter in (("a.csv", ","), ("a.tsv", "\t")):
        tool.ok("convert", "a.parquet", name)
        with open(tool.cwd / name, newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file, delimiter=delimiter, strict=True))
        assert rows[0] == table.column_names
        assert rows[1:] == [[cell or "" for cell in row.values()] for row in table.to_pylist()]


def test_options(tool, write):
    write("in.csv", 'a,b\n1,"x;y"\n,NA\n2,\n')
    tool.ok("convert", *[word for option in ("delimiter=;", "quote='", "line_end=crlf", "null_text=NA")
                         for word in ("--writer-option", option)], "in.csv", "out.csv")
    assert (tool.cwd / "out.csv").read_bytes() == b"a;b\r\n1;'x;y'\r\nNA;'NA'\r\n2;NA\r\n"
    tool.fails("convert", "--writer-option", "line_end=cr", "in.csv", "x.csv", says="must be lf or crlf")
    tool.fails("convert", "--writer-option", "null_text=0", "in.csv", "x.csv", says="must be a text (in quotes")
    tool.fails("convert", "--writer-option", 'null_text="0"', "in.csv", "x.csv", says="is a value of another type")
    tool.fails("convert", "--writer-option", "seperator=;", "in.csv", "x.csv", says="unknown option 'seperator' in --writer-option")


def test_names_are_kept(tool, write):
    write("in.csv", "a,a,,A\n1,2,3,4\n")
    done = tool.ok("convert", "in.csv", "out.csv")
    assert (tool.cwd / "out.csv").read_text() == "a,a,column_3,A\n1,2,3,4\n"
    assert b"warning" not in done.stderr.lower()


def test_memory_is_bounded(tool, write):
    write("in.csv", "a,b\n" + "".join(f"{i},text number {i} of many\n" for i in range(300_000)))
    tool.ok("convert", "--memory", "16MB", "in.csv", "out.csv")
    assert (tool.cwd / "out.csv").read_bytes() == (tool.cwd / "in.csv").read_bytes()


def test_a_job(tool, write):
    write("in.csv", 'id,name\n1,a\n2,""\n')
    write("asset.yaml", "name: People\nschema:\n  - {name: id, type: integer}\n  - {name: name, type: string}\n")
    job = {"tenant_id": "t", "source_connector": "csv", "target_connector": "local", "asset_path": "asset.yaml",
           "source": {"files": [{"path": "in.csv"}]},
           "target": {"connection": {"path": "out"}, "file_format": "csv", "engine": {"options": {"delimiter": "|"}}}}
    write("job.yaml", json.dumps(job))
    for _ in range(2):  # a job that runs again replaces its file
        tool.ok("run", "job.yaml")
        assert (tool.cwd / "out/default/default/people/people_000000.csv").read_text() == 'id|name\n1|a\n2|""\n'
    job["target"]["file_format"] = "orc"
    write("job.yaml", json.dumps(job))
    tool.fails("run", "job.yaml", says="the file format is parquet or csv")


def test_conformance(tool):
    done = tool.ok("plugin", "check", PLUGINS / "libcsv_writer_plugin.so")
    assert b"0 failed" in done.stdout


def test_writer_of_another_format_may_be_named(tool, write):
    write("in.csv", "a\n1\n")
    tool.fails("convert", "--writer", WRITER, "in.csv", "out.csv", says='writes file_format "parquet"')
