"""Parquet as a source: the kind of a file is seen, columns and types are kept and checked, several files are one table."""

import datetime
import decimal
import json
import shutil
import signal
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import PLUGINS, tree, wait_until_it_listens

READER = PLUGINS / "libparquet_reader_plugin.so"

TABLE = pa.table({
    "b": pa.array([True, None, False, True], pa.bool_()),
    "i": pa.array([1, -(2**31), None, 2**31 - 1], pa.int32()),
    "l": pa.array([2**63 - 1, None, -(2**63), 0], pa.int64()),
    "f": pa.array([1.5, float("inf"), None, -0.0], pa.float32()),
    "d": pa.array([0.1, None, 5e-324, 1e308], pa.float64()),
    "day": pa.array([datetime.date(2024, 2, 29), None, datetime.date(1, 1, 1), datetime.date(9999, 12, 31)], pa.date32()),
    "at": pa.array([1, None, -1, 2**60], pa.timestamp("us")),
    "utc": pa.array([1, None, -1, 2**60], pa.timestamp("us", "UTC")),
    "text": pa.array(["", None, "short", "a text of more than twelve bytes, ünïcode"], pa.string()),
})  # fmt: skip


@pytest.fixture
def put(tmp_path):
    def write(name, table=TABLE, **kwargs):
        pq.write_table(table, tmp_path / name, **kwargs)
        return tmp_path / name

    return write


def read(tool, name="out.parquet"):
    return pq.read_table(tool.cwd / name)


@pytest.mark.parametrize("codec", ["none", "snappy", "gzip", "brotli", "zstd", "lz4"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_rows_come_out_as_they_were(tool, put, codec, version):
    put("in.parquet", compression=codec, data_page_version=version, row_group_size=3)
    text = tool.ok("convert", "in.parquet", "out.parquet").stderr.decode()
    assert "4 in = 4 out" in text
    assert read(tool).equals(TABLE)
    assert "4 in = 4 out" in tool.ok("convert", "in.parquet", "null:").stderr.decode()


@pytest.mark.parametrize("encoding", ["DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT", "DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"])
def test_encodings(tool, put, encoding):
    column = "text" if "ARRAY" in encoding else "l"
    table = TABLE.select([column])
    put("in.parquet", table, use_dictionary=False, column_encoding={column: encoding})
    tool.ok("convert", "in.parquet", "out.parquet")
    assert read(tool).equals(table)


def test_what_a_file_is_its_bytes_tell(tool, put, write):
    put("really.csv")
    tool.ok("convert", "really.csv", "out.parquet")
    assert read(tool).equals(TABLE)
    shutil.copy(tool.cwd / "really.csv", tool.cwd / "no-ending")
    tool.ok("convert", "-f", "no-ending", "out.parquet")
    assert read(tool).equals(TABLE)
    write("PAR1.csv", "PAR1,b\n1,2\n")  # a column of that name makes no Parquet
    tool.ok("convert", "-f", "PAR1.csv", "out.parquet")
    assert read(tool).to_pydict() == {"PAR1": [1], "b": [2]}


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"PAR1", b"PAR1" * 4, b"PAR1\x15\x00PAR1"])
def test_a_name_that_promises_parquet(tool, write, content):
    for name in ("in.parquet", "IN.PQ"):
        write(name, content)
        tool.fails("convert", name, "out.parquet", says=[name])
        tool.fails("schema", name, says=[name])


def test_a_cut_file(tool, put):
    whole = put("in.parquet").read_bytes()
    for name in ("cut.parquet", "cut"):
        (tool.cwd / name).write_bytes(whole[:-5])
        tool.fails("convert", name, "out.parquet", says=name)


def test_standard_input(tool, put):
    """A file may stand there, a pipe not: the footer is at the end."""
    path = put("in.parquet")
    tool.fails("convert", "-", "out.parquet", stdin=path.read_bytes(), says=["standard input", "this is Parquet"])
    with path.open("rb") as file:
        started = tool.start("convert", "-", "out.parquet", stdin=file)
        assert started.wait(60) == 0, started.communicate()[1]
    assert read(tool).equals(TABLE)


def test_mixed_sources(tool, put, write):
    put("a.parquet")
    write("b.csv", "a\n1\n")
    for order in (["a.parquet", "b.csv"], ["b.csv", "a.parquet"]):
        tool.fails("convert", *order, "out.parquet", says=["a.parquet is a Parquet file and b.csv is not", "--reader"])
        tool.fails("schema", *order, says="a.parquet is a Parquet file and b.csv is not")


def test_the_reader_can_be_named(tool, put, write):
    put("in.bin")
    for reader in ("parquet", READER, f"{READER}:create_reader"):
        tool.ok("convert", "-f", "--reader", reader, "in.bin", "out.parquet")
        assert read(tool).equals(TABLE)
    write("text.parquet", "a\n1\n")
    tool.ok("convert", "-f", "--reader", "csv", "text.parquet", "out.parquet")
    assert read(tool).to_pydict() == {"a": [1]}
    tool.fails("convert", "--reader", "csv", "in.bin", "other.parquet", says=["in.bin", "this is Parquet, not CSV"])
    tool.fails("convert", "--reader", "parquet", "text.parquet", "other.parquet", says="text.parquet")


@pytest.mark.parametrize("flags", [["--delimiter", ";"], ["--quote", "'"], ["--no-header"], ["--null-values", "-"]])
def test_flags_for_text(tool, put, flags):
    put("in.parquet")
    tool.fails("convert", *flags, "in.parquet", "out.parquet", says=[flags[0], "in.parquet", "CSV"])


def test_unknown_options(tool, put):
    put("in.parquet")
    tool.fails("convert", "--reader-option", "colums=[]", "in.parquet", "out.parquet", says=["colums", '"columns"', "--reader-option"])
    tool.fails("convert", "--reader-option", 'columns=["txt"]', "in.parquet", "out.parquet", says=["txt", "text", "in.parquet"])
    tool.fails("convert", "--reader-option", "columns=b,text", "in.parquet", "out.parquet", says=["in.parquet", '"b,text"', "its columns: b, i, l, f, d, day"])


def test_projection(tool, put):
    put("in.parquet", row_group_size=2)
    tool.ok("convert", "--reader-option", 'columns=["text","b"]', "in.parquet", "out.parquet")
    assert read(tool).equals(TABLE.select(["text", "b"]))


def test_projection_past_what_cannot_be_read(tool, put):
    table = pa.table({"a": [1, 2], "nested": [[1], [2, 3]], "b": ["x", "y"]})
    put("in.parquet", table)
    tool.fails("convert", "in.parquet", "out.csv", says=["in.parquet", '"nested"', "list", "--columns"])
    tool.ok("convert", "--reader-option", 'columns=["b","a"]', "in.parquet", "out.parquet")
    assert read(tool).equals(table.select(["b", "a"]))


def test_to_csv_and_back(tool, put):
    table = TABLE.slice(0, 3)
    put("in.parquet", table)
    tool.ok("convert", "in.parquet", "out.csv")
    types = "i=int64,f=double,at=timestamp,utc=timestamptz,b=bool,l=int64,d=double,day=date,text=string"
    tool.ok("convert", "--types", types, "out.csv", "out.parquet")
    assert read(tool).to_pylist() == table.to_pylist()


# ------------------------------------------------------------------------------------------------------------------ types

OTHER = {
    "int16": pa.array([1, None], pa.int16()),
    "uint64": pa.array([2**64 - 1, None], pa.uint64()),
    "decimal(10, 2)": pa.array([decimal.Decimal("1.10"), None], pa.decimal128(10, 2)),
    "time[us]": pa.array([1, None], pa.time64("us")),
    "timestamp[ns]": pa.array([1, None], pa.timestamp("ns")),
    "timestamp[ms, UTC]": pa.array([1, None], pa.timestamp("ms", "UTC")),
    "binary": pa.array([b"\xff", None], pa.binary()),
    "binary(3)": pa.array([b"abc", None], pa.binary(3)),
}  # fmt: skip


@pytest.mark.parametrize("words", OTHER)
def test_other_types(tool, put, words):
    table = pa.table({"id": [1, 2], "col": OTHER[words]})
    put("in.parquet", table, store_schema=False)
    lines = [line.split(None, 1) for line in tool.ok("schema", "in.parquet").stdout.decode().splitlines()]
    assert lines == [["column", "type"], ["id", "int64"], ["col", words]]
    tool.ok("convert", "in.parquet", "null:")
    tool.ok("convert", "in.parquet", "out.parquet")
    assert read(tool).equals(table)
    tool.ok("convert", "in.parquet", "out.csv")
    (tool.cwd / "asset.yaml").write_bytes(tool.ok("schema", "--json", "in.parquet").stdout)
    tool.ok("convert", "-f", "--schema", "asset.yaml", "in.parquet", "out.parquet")
    assert read(tool).equals(table)


@pytest.mark.parametrize("type", [pa.uuid(), pa.json_()])
def test_a_type_that_assets_have_as_text_only(tool, put, type):
    put("in.parquet", pa.table({"col": pa.ExtensionArray.from_storage(type, pa.array([], type.storage_type))}))
    tool.fails("schema", "--json", "in.parquet", says=['"col"', "assets have no name"])


def test_types_are_checked_and_not_converted(tool, put):
    put("in.parquet")
    tool.ok("convert", "--types", "l=integer,text=string,at=timestamp", "in.parquet", "out.parquet")
    text = tool.fails("convert", "--types", "l=float64", "in.parquet", "other.parquet", says=['"l"', "int64", "float64", "in.parquet"])
    assert "restart" not in text and "again" not in text
    tool.fails("convert", "--types", "i=int64", "in.parquet", "other.parquet", says=['"i"', "int32", "int64"])
    tool.fails("convert", "--types", "nothing=int64", "in.parquet", "other.parquet", says="nothing")


def test_schema(tool, put):
    put("in.parquet")
    lines = tool.ok("schema", "in.parquet").stdout.decode().splitlines()
    assert [line.split() for line in lines[1:]] == [["b", "bool"], ["i", "int32"], ["l", "int64"], ["f", "float32"], ["d", "float64"],
                                                    ["day", "date"], ["at", "timestamp"], ["utc", "timestamptz"], ["text", "string"]]
    lines = tool.ok("schema", "--full", "in.parquet").stdout.decode().splitlines()
    assert [line.split()[2] for line in lines[1:]] == ["1"] * 9
    put("plain.parquet", TABLE.select(["l", "day", "text"]))
    asset = tool.ok("schema", "--json", "plain.parquet").stdout
    assert json.loads(asset)["source_type"] == "parquet"
    (tool.cwd / "asset.json").write_bytes(asset)
    tool.ok("convert", "--schema", "asset.json", "plain.parquet", "out.parquet")
    assert read(tool).equals(TABLE.select(["l", "day", "text"]))
    table = pa.table({"a": [1]}, schema=pa.schema([pa.field("a", pa.int64(), nullable=False)]))
    put("required.parquet", table)
    assert json.loads(tool.ok("schema", "--json", "required.parquet").stdout)["schema"][0]["required"] is True


# --------------------------------------------------------------------------------------------------------- several files


def test_merging(tool, put):
    put("a.parquet", TABLE.slice(0, 1))
    put("b.parquet", TABLE.slice(1, 2), row_group_size=1, compression="zstd")
    put("c.parquet", TABLE.slice(3))
    put("none.parquet", TABLE.slice(0, 0))
    text = tool.ok("convert", "a.parquet", "none.parquet", "b.parquet", "c.parquet", "out.parquet").stderr.decode()
    assert read(tool).equals(TABLE) and "4 in, 1 out" in text
    tool.ok("convert", "-f", "--reader-option", 'columns=["d","b"]', "a.parquet", "b.parquet", "c.parquet", "out.parquet")
    assert read(tool).equals(TABLE.select(["d", "b"]))


def test_merging_widens_nullability(tool, put):
    required = pa.schema([pa.field("a", pa.int64(), nullable=False)])
    put("a.parquet", pa.table({"a": [1]}, schema=required))
    put("b.parquet", pa.table({"a": [None, 2]}, schema=pa.schema([("a", pa.int64())])))
    for order in (["a.parquet", "b.parquet"], ["b.parquet", "a.parquet"]):
        tool.ok("convert", "-f", *order, "out.parquet")
        assert read(tool).schema.field("a").nullable
        assert sorted(read(tool)["a"].to_pylist(), key=str) == [1, 2, None]
    tool.ok("convert", "-f", "a.parquet", "a.parquet", "out.parquet")
    assert not read(tool).schema.field("a").nullable


DIFFERENT = {
    "more": (pa.table({"a": [1], "b": [2], "c": [3]}), ["b.parquet has 3 columns and a.parquet has 2", '"c"']),
    "fewer": (pa.table({"a": [1]}), ["b.parquet has 1 columns and a.parquet has 2", '"b"']),
    "name": (pa.table({"a": [1], "x": [2]}), ["column 2", "b.parquet", "a.parquet", '"x"', '"b"']),
    "order": (pa.table({"b": [1], "a": [2]}), ["column 1", "b.parquet", "a.parquet"]),
    "type": (pa.table({"a": [1], "b": pa.array([2], pa.int32())}), ["b.parquet", "a.parquet", '"b"', "int32", "int64"]),
}  # fmt: skip


@pytest.mark.parametrize("name", DIFFERENT)
def test_other_columns_in_the_second_file(tool, put, name):
    table, says = DIFFERENT[name]
    put("a.parquet", pa.table({"a": [1], "b": [2]}))
    put("b.parquet", table)
    tool.fails("convert", "a.parquet", "b.parquet", "out.parquet", says=says)
    tool.fails("convert", "a.parquet", "b.parquet", "null:", says=says)
    tool.fails("schema", "a.parquet", "b.parquet", says=says)


PARTS = pa.struct([("x", pa.int64()), ("y", pa.list_(pa.string()))])
OTHER_PARTS = {
    "an item's type": (pa.struct([("x", pa.int64()), ("y", pa.list_(pa.int64()))]), ["struct<x: int64, y: list<string>>", "y: list<int64>"]),
    "a field's name": (pa.struct([("z", pa.int64()), ("y", pa.list_(pa.string()))]), ["struct<z: int64"]),
    "fewer fields": (pa.struct([("x", pa.int64())]), ["struct<x: int64> in"]),
}


@pytest.mark.parametrize("kind, says", OTHER_PARTS.values(), ids=list(OTHER_PARTS))
def test_nested_columns_of_several_files_are_the_same_all_through(tool, put, kind, says):
    put("a.parquet", pa.table({"s": pa.array([{"x": 1, "y": ["p"]}], PARTS)}))
    put("b.parquet", pa.table({"s": pa.array([None], kind)}))
    tool.fails("convert", "a.parquet", "b.parquet", "out.parquet", says=["b.parquet", 'column "s"', *says])


def test_nested_columns_of_several_files(tool, put):
    required = pa.struct([pa.field("x", pa.int64(), False), ("y", pa.list_(pa.string()))])
    tables = [pa.table({"s": pa.array([{"x": 1, "y": ["p", None]}], required), "m": pa.array([[("k", [1])]], pa.map_(pa.string(), pa.list_(pa.int32())))}),
              pa.table({"s": pa.array([{"x": None, "y": []}, None], PARTS), "m": pa.array([[], None], pa.map_(pa.string(), pa.list_(pa.int32())))})]
    put("a.parquet", tables[0])
    put("b.parquet", tables[1])
    tool.ok("convert", "a.parquet", "b.parquet", "out.parquet")
    assert read(tool).to_pylist() == tables[0].to_pylist() + tables[1].to_pylist()


def test_a_file_that_is_not_there(tool, put):
    put("a.parquet")
    tool.fails("convert", "a.parquet", "none.parquet", "out.parquet", says=["none.parquet", "No such file"])
    tool.fails("convert", "none.parquet", "out.parquet", says=["none.parquet", "No such file"])


def test_no_rows(tool, put):
    put("a.parquet", TABLE.slice(0, 0))
    tool.fails("convert", "a.parquet", "out.parquet", says=["a.parquet", "columns but no rows", "--allow-empty"])
    tool.ok("convert", "--allow-empty", "a.parquet", "out.parquet")
    assert read(tool).schema.equals(TABLE.schema)


def test_its_own_output(tool, put):
    put("a.parquet")
    tool.fails("convert", "--overwrite", "a.parquet", "a.parquet", says="also a source")


# ------------------------------------------------------------------------------------------------------------------- jobs

ASSET = """
name: rows
schema:
  - {name: l, type: integer}
  - {name: text, type: string}
"""
JOB = """
tenant_id: acme
source_connector: parquet
target_connector: local
asset_path: asset.yaml
schema_validation_mode: %s
source:
  files: [{path: in.parquet}]
target:
  connection: {path: out}
"""
OUT = "out/default/default/rows/rows_000000.parquet"


@pytest.fixture
def job(tool, write):
    def make(asset=ASSET, mode="strict", text=JOB):
        write("asset.yaml", asset)
        write("job.yaml", text % mode)
        return tool

    return make


def test_a_job(job, put):
    put("in.parquet")
    text = job().ok("run", "job.yaml").stderr.decode()
    assert "left out" in text
    assert read(job(), OUT).equals(TABLE.select(["l", "text"]))
    custom = JOB.replace("source:\n", f'source:\n  custom_reader: "{READER}:create_reader"\n')
    job(text=custom).ok("run", "job.yaml")
    assert read(job(), OUT).equals(TABLE.select(["l", "text"]))


CHOICE = JOB.replace("target:\n", "  engine: {options: {columns: [l, text]}}\ntarget:\n")
NESTED = TABLE.select(["l", "text"]).append_column("tags", pa.array([["x"], [], None, ["y"]]))


@pytest.mark.parametrize("mode, text", [("strict", JOB), ("strict", CHOICE), ("warn", CHOICE)])
def test_a_job_past_nested_columns(job, put, mode, text):
    put("in.parquet", NESTED)
    job(mode=mode, text=text).ok("run", "job.yaml")
    assert read(job(), OUT).equals(TABLE.select(["l", "text"]))


def test_a_nested_column_is_none_that_is_missing(job, put):
    put("in.parquet", NESTED)
    asset = ASSET + "  - {name: tags, type: array}\n"
    text = CHOICE.replace("[l, text]", "[l, text, tags]")
    job(asset=asset, text=text).fails("run", "job.yaml", says=["in.parquet", '"tags"', "list<string>"])


def test_a_job_without_columns_of_its_asset(job, put):
    put("in.parquet")
    text = CHOICE.replace("[l, text]", "[l]")
    job(text=text).fails("run", "job.yaml", says=["job.yaml:", "the option columns leaves out", '"text"', "asset"])
    said = job(text=text, mode="warn").ok("run", "job.yaml").stderr.decode()
    assert 'in.parquet: the option columns leaves out the column "text"' in said and "has no column" not in said
    assert read(job(), OUT).equals(TABLE.select(["l"]))


def test_a_csv_job_without_columns_of_its_asset(job, write):
    write("in.csv", "l,text\n1,x\n")
    text = CHOICE.replace("parquet", "csv").replace("[l, text]", "l")
    job(text=text).fails("run", "job.yaml", says=["job.yaml:", "the option columns leaves out", '"text"'])
    said = job(text=text, mode="warn").ok("run", "job.yaml").stderr.decode()
    assert 'in.csv: the option columns leaves out the column "text"' in said and "has no column" not in said


def test_the_wrong_file_has_no_delimiter(job, put):
    put("in.parquet", TABLE.select(["b", "i"]))
    said = job().fails("run", "job.yaml", says=["in.parquet", "none of the asset's columns", "b, i"])
    assert "delimiter" not in said


@pytest.mark.parametrize("type_, is_, expected", [("double", "int64", "float64"), ("string", "int64", "string"), ("date", "int64", "date")])
def test_a_job_with_another_type(job, put, type_, is_, expected):
    put("in.parquet")
    job(asset=ASSET.replace("integer", type_)).fails("run", "job.yaml", says=["in.parquet", '"l"', is_, expected])


def test_a_job_with_a_narrower_type(job, put):
    put("in.parquet")
    asset = "name: rows\nschema:\n  - {name: i, type: integer}\n"
    job(asset=asset).fails("run", "job.yaml", says=['"i"', "int32", "int64"])


def test_a_job_with_required_and_missing_columns(job, put):
    put("in.parquet", row_group_size=2)
    asset = ASSET + "  - {name: gone, type: date}\n  - {name: b, type: boolean}\n"
    text = job(asset=asset).ok("run", "job.yaml").stderr.decode()
    assert 'no column "gone"' in text
    got = read(job(), OUT)
    assert got.column_names == ["l", "text", "gone", "b"]
    assert got.schema.field("gone").type == pa.date32() and got["gone"].null_count == 4
    assert got.select(["l", "text", "b"]).equals(TABLE.select(["l", "text", "b"]))
    required = ASSET.replace("text, type: string", "text, type: string, required: true")
    shutil.rmtree(job().cwd / "out")
    job(asset=required).fails("run", "job.yaml", says=["in.parquet", "row 2", '"text"'])
    job(asset=asset.replace("date}", "date, required: true}")).fails("run", "job.yaml", says=["gone"])


def test_a_job_that_warns(job, put):
    put("in.parquet")
    asset = ASSET.replace("integer", "double")
    done = job(asset=asset, mode="warn")("run", "job.yaml")
    assert done.returncode == 1, done.stderr
    assert 'column "l": the asset says double, but the source has another type; written as int64' in done.stderr.decode()
    assert read(job(), OUT).equals(TABLE)


def test_the_wrong_connector(job, put, write):
    put("in.parquet")
    job(text=JOB.replace("connector: parquet", "connector: csv")).fails("run", "job.yaml", says=["in.parquet", "this is Parquet, not CSV", "source_connector: parquet"])
    write("in.parquet", "l,text\n1,x\n")
    job().fails("run", "job.yaml", says="in.parquet")


# ------------------------------------------------------------------------------------------------------------ large files


def big(rows=2_000_000):
    return pa.table({"id": pa.array(range(rows), pa.int64()), "text": pa.array([f"a text that is number {i}" for i in range(1000)] * (rows // 1000))})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals(tool, put, number):
    path = put("in.parquet", big(), row_group_size=100_000)
    started = tool.start("convert", *[str(path)] * 20, "out.parquet")
    wait_until_it_listens(started, number)
    time.sleep(0.05)
    started.send_signal(number)
    text = started.communicate(timeout=60)[1].decode()
    assert started.returncode == 128 + number, text
    assert tree(tool.cwd) == ["in.parquet"]


def test_the_check_of_plugins(tool):
    text = tool.ok("plugin", "check", READER).stdout.decode()
    assert " 0 failed" in text


def test_a_name_with_a_zero_byte(tool, put):
    put("in.parquet", pa.table([pa.array([1]), pa.array([2])], names=["n\0a", "n\0b"]))
    tool.fails("convert", "in.parquet", "out.parquet", says=["in.parquet", '"n"', "zero byte"])
    tool.fails("inspect", "--rows", "1", "in.parquet", says=["in.parquet", '"n"', "zero byte"])
    assert b"n\\u0000b" in tool.ok("inspect", "in.parquet").stdout


def test_another_type_than_expected(tool, put):
    put("in.parquet")
    tool.fails("convert", "--types", "i=int64", "in.parquet", "x.parquet", says=["in.parquet", '"i"', "expect int32, or"])
    tool.ok("convert", "--types", "i=int32", "in.parquet", "null:")
    put("uuid.parquet", TABLE.select(["l"]).append_column("u", pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"x" * 16] * 4, pa.binary(16)))))
    tool.fails("schema", "--json", "uuid.parquet", says=["uuid.parquet: ", '"u"', "uuid", "--columns"])
    tool.ok("schema", "--json", "--reader-option", "columns=l", "uuid.parquet")


def test_no_columns(tool, put, write):
    put("in.parquet")
    put("bare.parquet", pa.table({}))
    write("in.csv", "a,b\n1,2\n")
    for name in ("in.parquet", "in.csv"):
        tool.fails("convert", "--reader-option", "columns=[]", name, "out.parquet", says="--columns is an empty list")
    tool.fails("convert", "bare.parquet", "out.parquet", says="no columns")
