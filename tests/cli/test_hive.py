"""Columns that come from where files lie: folders key=value (hive_partitioning), and the files' names (file_name)."""
import ctypes
import datetime
import decimal
import itertools
import json
import random
import uuid

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import PLUGINS

HIVE = "--hive-partitioning"
NULL = "__HIVE_DEFAULT_PARTITION__"


@pytest.fixture
def table(tool):
    """The rows of `convert`, of CSV and of Parquet files alike."""
    def read(*args):
        tool.ok("convert", "-qf", *args, "out.parquet")
        return pq.read_table(tool.cwd / "out.parquet")
    return read


@pytest.fixture(params=["csv", "parquet"])
def put(request, tool):
    """A file with one column x, of the kind that is under test."""
    def make(name, *values):
        path = tool.cwd / f"{name}.{request.param}"
        path.parent.mkdir(parents=True, exist_ok=True)
        if request.param == "csv":
            path.write_text("x\n" + "".join(f"{v}\n" for v in values))
        else:
            pq.write_table(pa.table({"x": pa.array(values, pa.int64())}), path)
    make.end = request.param
    return make


def test_columns_of_folders(table, put):
    put("t/year=2024/month=01/a", 1, 2)
    put("t/year=2023/month=12/b", 3)
    put("t/year=2023/month=12/empty")
    rows = table(HIVE, "t")
    assert rows.column_names == ["x", "year", "month"]
    assert [str(f.type) for f in rows.schema] == ["int64", "int64", "string"]
    assert [tuple(r.values()) for r in rows.to_pylist()] == [(3, 2023, "12"), (1, 2024, "01"), (2, 2024, "01")]
    assert table(HIVE, f"t/**/month=01/*.{put.end}").to_pylist()[0] == {"x": 1, "year": 2024, "month": "01"}
    assert table(HIVE, f"t/year=2024/month=01/a.{put.end}").num_rows == 2  # a single file, without a pattern


def test_names_of_files(table, put):
    put("t/k=1/a", 1, 2)
    put("t/k=2/b b", 3)
    rows = table("--file-name-column", "from", "t")
    assert rows.to_pydict() == {"x": [1, 2, 3], "from": [f"t/k=1/a.{put.end}"] * 2 + [f"t/k=2/b b.{put.end}"]}
    assert table(HIVE, "--file-name-column", "from", "t").column_names == ["x", "k", "from"]


def test_types(table, put, tool):
    """As the rules of CSV have them, over the values of all files; declared ones count."""
    for i, values in enumerate(["1 2024-01-01 1 01 true", "-20 2024-12-31 x 02 false", f"{NULL} {NULL} {NULL} {NULL} {NULL}"]):
        folders = "/".join(f"{k}={v}" for k, v in zip("idtzb", values.split()))
        put(f"t/{folders}/{i}", i)
    rows = table(HIVE, "t").sort_by("x")
    assert [str(f.type) for f in rows.schema] == ["int64", "int64", "date32[day]", "string", "string", "string"]
    assert rows.column("i").to_pylist() == [1, -20, None]
    assert rows.column("d").to_pylist() == [datetime.date(2024, 1, 1), datetime.date(2024, 12, 31), None]
    assert rows.column("z").to_pylist() == ["01", "02", None]
    rows = table(HIVE, "t", "--types", "i=string,z=int64,b=bool,d=timestamp").sort_by("x")
    assert [str(f.type) for f in rows.schema][1:] == ["string", "timestamp[us]", "string", "int64", "bool"]
    assert rows.column("i").to_pylist() == ["1", "-20", None]
    assert rows.column("z").to_pylist() == [1, 2, None]
    assert rows.column("b").to_pylist() == [True, False, None]
    assert rows.column("d").to_pylist()[0] == datetime.datetime(2024, 1, 1)
    tool.fails("convert", HIVE, "t", "no.parquet", "--types", "t=int64", says=['column "t"', "'x'", "not a value of type int64"])
    tool.fails("convert", HIVE, "t", "no.parquet", "--types", "nope=int64", says=["nope"])


def test_percent_codes(table, put):
    put("t/a%20key=b%2Fc%3D%41ü/x", 1)
    assert table(HIVE, "t").to_pydict() == {"x": [1], "a key": ["b/c=Aü"]}
    put("u/k=50%/k%2=%zz%00/x", 1)
    assert table(HIVE, "u").to_pydict() == {"x": [1], "k": ["50%"], "k%2": ["%zz%00"]}
    put("v/k=/=x/x=y", 1)
    assert table(HIVE, "v").to_pydict() == {"x": [1], "k": [""]}


def test_projection(table, put):
    put("t/k=1/j=a/f", 1, 2)
    choose = lambda *names: ("--reader-option", "columns=" + json.dumps(names))  # noqa: E731
    assert table(HIVE, "t", *choose("j", "x", "k")).column_names == ["j", "x", "k"]
    assert table(HIVE, "t", *choose("x")).column_names == ["x"]
    assert table(HIVE, "t", *choose("k")).to_pydict() == {"k": [1, 1]}
    assert table(HIVE, "--file-name-column", "f", "t", *choose("f", "k")).to_pydict() == {"f": [f"t/k=1/j=a/f.{put.end}"] * 2, "k": [1, 1]}


def test_other_names(tool, write, table):
    """Of CSV, as its own columns: --columns renames and leaves out, and all other options have the names that come of it."""
    write("t/k=1/j=a/f.csv", "x,y\n1,2\n")
    write("t/k=2/j=b/f.csv", "x,y\n3,4\n")
    assert table(HIVE, "t", "--columns", "k:year,y,j").to_pydict() == {"year": [1, 2], "y": [2, 4], "j": ["a", "b"]}
    assert table(HIVE, "t", "--columns", "x:k1,k:x").to_pydict() == {"k1": [1, 3], "x": [1, 2]}
    assert table(HIVE, "t", "--columns", "k:j,j:k").to_pydict() == {"j": [1, 2], "k": ["a", "b"]}
    assert table(HIVE, "t", "--reader-option", 'rename={"k": "year", "y": "z"}').column_names == ["x", "z", "year", "j"]
    assert str(table(HIVE, "t", "--columns", "k:year", "--types", "year=string").schema.field("year").type) == "string"
    assert not table(HIVE, "t", "--columns", "k:year", "--reader-option", 'required=["year"]').schema.field("year").nullable
    assert table(HIVE, "--file-name-column", "f", "t", "--columns", "f:from,x").column_names == ["from", "x"]
    assert table(HIVE, "t", "--columns", "-k").to_pydict() == {"x": [1, 3], "y": [2, 4], "j": ["a", "b"]}
    assert table(HIVE, "t", "--columns", "-j,-x").column_names == ["y", "k"]
    write("c/x=1/a.csv", "x,y\n5,6\n")
    assert table(HIVE, "c", "--columns", "#1:own,x").to_pydict() == {"own": [5], "x": [1]}
    for args, says in [
            (("t", "--columns", "k:x"), ['the file has a column "x"', '--columns gives that name to "k" as well']),
            (("t", "--columns", "x:k"), ['column "k" is in the file and in its path (k=...)']),
            (("t", "--columns", "k:year", "--types", "k=string"), ['"k"']),
            (("t", "--reader-option", 'rename={"k": "j"}'), ['two columns would be named "j"', "--columns"]),
            (("t", "--reader-option", 'rename={"k": ""}'), ["must give every column in it a name"]),
            (("t", "--reader-option", 'columns=["k"]', "--reader-option", 'exclude=["k"]'), ['both name the column "k"']),
            (("c", "--columns", "x:z"), ['column "x" is in the file and in its path (x=...)']),
            (("c", "--columns", "-x"), ['column "x" is in the file and in its path (x=...)']),
    ]:
        tool.fails("convert", HIVE, *args, "no.parquet", says=says)


def test_what_is_refused(tool, put):
    put("t/k=1/a", 1)
    put("t/k=%s/b" % NULL, 1)
    put("u/k=1/a", 1)
    put("u/j=1/a", 1)
    put("w/k=1/a", 1)
    put("w/b", 1)
    put("c/x=1/a", 1)
    put("d/k=1/k=2/a", 1)
    put("e/k=%ff/a", 1)
    for args, says in [
            ((HIVE, "t", "--reader-option", 'required=["k"]'), ['column "k" is required', NULL]),
            ((HIVE, "u"), [f"u/k=1/a.{put.end} lies in a folder k=..., and u/j=1/a.{put.end} does not"]),
            ((HIVE, "w"), [f"w/b.{put.end}", "lies in no folder key=value, which --hive-partitioning"]),
            ((HIVE, f"w/k=1/a.{put.end}", f"w/b.{put.end}"), [f"w/b.{put.end} lies in no folder k=..."]),
            ((HIVE, "c"), ['column "x" is in the file and in its path (x=...)', "leave --hive-partitioning out"]),
            ((HIVE, "c", "--reader-option", 'columns=["x"]'), ['column "x" is in the file and in its path (x=...)']),
            ((HIVE, "d"), ['two columns would be named "k"']),
            ((HIVE, "e"), [f"e/k=%ff/a.{put.end}", "not valid UTF-8"]),
            (("--file-name-column", "x", "w/b." + put.end), ['has a column "x"', "--file-name-column", "choose another name"]),
            (("--file-name-column", "k", HIVE, "t"), ['two columns would be named "k"']),
            (("--file-name-column", "", "t"), ["--file-name-column must name a column"]),
    ]:
        text = tool.fails("convert", *args, "no.parquet", says=says)
        assert len(text) < 700, text


def test_schema(tool, put):
    put("t/year=2024/a", 1)
    said = tool.ok("schema", HIVE, "--file-name-column", "f", "t").stdout.decode().split()
    assert said == ["column", "type", "x", "int64", "year", "int64", "f", "string"]
    asset = json.loads(tool.ok("schema", "--json", HIVE, "t").stdout)
    assert [c["name"] for c in asset["schema"]] == ["x", "year"]


JOB = """\
tenant_id: acme
source_connector: %s
asset: t
asset_path: asset.yaml
target_connector: local
schema_validation_mode: %s
source: {files: [{path: 't/'}], engine: {options: {hive_partitioning: true, file_name: origin}}}
target: {connection: {path: out}}
"""


@pytest.mark.parametrize("mode", ["strict", "warn"])
def test_assets(tool, put, write, mode):
    put("t/day=2024-01-02/month=01/a", 7)
    columns = "{name: month, type: integer}, {name: x, type: integer, required: true}, {name: day, type: date}, {name: origin, type: string, required: true}"
    write("asset.yaml", "name: t\nsource_type: csv\nobject: t\nversion: 1.0.0\nteam: {owner: a@b.c}\nschema: [%s]\n" % columns)
    write("job.yaml", JOB % (put.end, mode))
    done = tool("run", "job.yaml")
    if mode == "warn":  # by the rules of inference 01 is a text, which warn keeps and tells of
        assert done.returncode == 1, done.stderr
        return
    assert done.returncode == 0, done.stderr
    [out] = (tool.cwd / "out").rglob("*.parquet")
    assert pq.read_table(out).to_pylist() == [{"month": 1, "x": 7, "day": datetime.date(2024, 1, 2),
                                               "origin": f"t/day=2024-01-02/month=01/a.{put.end}"}]
    write("asset.yaml", (tool.cwd / "asset.yaml").read_text().replace("month, type: integer", "month, type: date"))
    tool.fails("run", "job.yaml", says=['column "month"', "'01'"])


TYPED = [
    ("bool", "yes", pa.bool_(), True), ("uint8", "007", pa.uint8(), 7), ("int16", "-12", pa.int16(), -12), ("float64", "1.5", pa.float64(), 1.5),
    ("float32", "0.1", pa.float32(), 0.10000000149011612), ("float16", "0.5", pa.float16(), 0.5), ("uint64", "18446744073709551615", pa.uint64(), 2**64 - 1),
    ("decimal(5,2)", "1.5", pa.decimal128(5, 2), decimal.Decimal("1.50")), ("decimal(40,2)", "-1", pa.decimal256(40, 2), decimal.Decimal("-1.00")),
    ("time", "10:11", pa.time64("us"), datetime.time(10, 11)), ("timestamp[ms]", "2024-01-02T03", None, None),
    ("timestamp[ms]", "2024-01-02 03:04", pa.timestamp("ms"), datetime.datetime(2024, 1, 2, 3, 4)), ("date", "2024-01-02", pa.date32(), datetime.date(2024, 1, 2)),
    ("uuid", "00010203-0405-0607-0809-0a0b0c0d0e0f", pa.uuid(), uuid.UUID(bytes=bytes(range(16)))), ("string", "007", pa.string(), "007"),
    ("uint8", "256", None, None), ("json", "1", None, None), ("binary", "aGk=", None, None), ("datee", "1", None, None)]


@pytest.mark.parametrize("words, text, type, value", TYPED)
def test_folders_are_of_every_type(tool, put, table, words, text, type, value):
    put(f"t/k={text}/a", *range(100))
    put(f"t/k={NULL}/b", 100)
    args = (HIVE, "--types", f"k={words}", "t")
    if type is None:
        tool.fails("convert", *args, "no.parquet", says=['"k"'])
        return
    rows = table(*args)
    assert rows.schema.field("k").type == type
    assert {r["x"]: r["k"] for r in rows.to_pylist()} == {x: value if x < 100 else None for x in range(101)}


@pytest.mark.parametrize("words, text, found", [("time", "10:11:12", "time64[us]"), ("time", "10:11", "string"), ("uint64", "7", "uint64"), ("uint64", "07", "string"),
                                                ("boolean", "true", "bool"), ("boolean", "yes", "string"), ("double", "1.5", "double"), ("double", "01", "string"),
                                                ("timestamp", "2024-01-02 03:04", "timestamp[us]"), ("timestamptz", "2024-01-02 03:04", "string")])
def test_types_of_an_asset_in_mode_warn(tool, put, write, words, text, found):
    put(f"t/k={text}/a", 7)
    write("asset.yaml", "name: t\nsource_type: csv\nobject: t\nversion: 1.0.0\nteam: {owner: a@b.c}\nschema: [{name: k, type: %s}, {name: x, type: integer}]\n" % words)
    write("job.yaml", (JOB % (put.end, "warn")).replace(", file_name: origin", ""))
    done = tool("run", "job.yaml")
    assert done.returncode == (found == "string"), done.stderr
    [out] = (tool.cwd / "out").rglob("*.parquet")
    assert str(pq.read_schema(out).field("k").type) == found


def test_a_type_that_widens_starts_over(tool, write, table):
    """find_types() has the columns of the rows."""
    write("t/k=1/a.csv", "n,s\n" + "1,x\n" * 200000 + "y,z\n")
    write("t/k=2/b.csv", "n,s\n5,x\n")
    rows = table(HIVE, "t")
    assert [str(f.type) for f in rows.schema] == ["string", "string", "int64"]
    assert rows.num_rows == 200002 and set(rows.column("k").to_pylist()) == {1, 2}
    rows = table(HIVE, "t", "--reader-option", 'columns=["k","n"]')
    assert [str(f.type) for f in rows.schema] == ["int64", "string"]


def test_other_headers(tool, write):
    write("t/k=1/a.csv", "a,b\n1,2\n")
    write("t/k=2/b.csv", "a,c\n1,2\n")
    tool.fails("convert", HIVE, "t", "no.parquet", says=["t/k=2/b.csv", "header"])


def records(kind, files, **options):
    """Level 0 of the plugin."""
    lib = ctypes.CDLL(str(PLUGINS / f"lib{kind}_reader_plugin.so"))
    lib.create_reader.restype = lib.extract_batch.restype = ctypes.c_void_p
    lib.create_reader.argtypes = [ctypes.c_char_p]
    lib.extract_batch.argtypes = lib.free_string.argtypes = lib.free_reader.argtypes = [ctypes.c_void_p]
    config = {"type": kind, "files": [{"path": str(f)} for f in files], "engine": {"options": options}}
    reader = lib.create_reader(json.dumps(config).encode())
    rows = []
    while text := lib.extract_batch(reader):
        found = json.loads(ctypes.string_at(text))
        lib.free_string(text)
        assert found
        rows += found
    lib.free_reader(reader)
    return rows


def test_records(tool, put):
    for k, values in (("1", range(5)), ("02", range(5, 9)), (NULL, [9])):
        put(f"t/k={k}/f", *values)
    files = sorted((tool.cwd / "t").rglob(f"*.{put.end}"))
    for chunk in (1, 3, 100):
        rows = records(put.end, files, hive_partitioning=True, file_name="f", chunk_size=chunk)
        assert sorted(r["x"] for r in rows) == list(range(10))
        for row in rows:
            k = row["f"].split("k=")[1].split("/")[0]
            assert list(row) == ["x", "k", "f"] and str(row["k"]) == ("None" if k == NULL else k)


def test_as_duckdb_has_it(tool, put, table):
    """Random trees: the same columns, types and rows."""
    rng = random.Random(8)
    pools = [["1", "2", "30"], ["2024-01-01", "2023-12-31"], ["a b", "c%20d", "é"], ["007", "7", "01"], ["x", NULL, "1"], ["3", NULL, "-4"],
             ["9223372036854775807", "5"], ["9223372036854775808", "5"], ["1.5", "2"]]
    for n in range(6):
        keys = rng.sample(["alpha", "beta", "gamma"], rng.randrange(1, 4))
        pool = {key: rng.choice(pools) for key in keys}
        for i, values in enumerate(itertools.islice(itertools.product(*pool.values()), 9)):
            put(f"tree{n}/" + "/".join(f"{k}={v}" for k, v in zip(keys, values)) + f"/{i}", *range(i, i + rng.randrange(1, 4)))
        ours = table(HIVE, "--file-name-column", "filename", f"tree{n}")
        read = "read_csv" if put.end == "csv" else "read_parquet"
        theirs = duckdb.sql(f"select * from {read}('{tool.cwd}/tree{n}/**/*.{put.end}', hive_partitioning=true, filename=true)").to_arrow_table()
        assert sorted(ours.column_names) == sorted(theirs.column_names)
        rows = lambda t: sorted(tuple(str(r[c]).replace(f"{tool.cwd}/", "") for c in sorted(t.column_names)) for r in t.to_pylist())  # noqa: E731
        assert rows(ours) == rows(theirs), pool
        for name in keys:
            assert str(ours.schema.field(name).type) == str(theirs.schema.field(name).type), (name, pool)
