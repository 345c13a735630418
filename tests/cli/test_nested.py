"""Nested types in assets and --types, against what sources have."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

TABLE = pa.table({
    "id": pa.array([1, 2], pa.int64()),
    "tags": pa.array([["a", None], None], pa.list_(pa.string())),
    "s": pa.array([{"a": 1, "b c": "x"}, None], pa.struct([("a", pa.int64()), ("b c", pa.string())])),
    "m": pa.array([[("k", 1.5)], []], pa.map_(pa.string(), pa.float64())),
    "n": pa.array([[1, 2], [3]], pa.list_(pa.int32())),
})  # fmt: skip
ENTRIES = [
    "{name: id, type: integer}",
    "{name: tags, type: array, items: {type: string}}",
    "{name: s, type: object, fields: [{name: a, type: bigint}, {name: b c}]}",
    "{name: m, type: map, value_type: double}",
    "{name: n, type: 'list<int32>'}",
]


def asset(*entries):
    return "name: t\nschema:\n" + "".join(f"  - {entry}\n" for entry in entries)


@pytest.fixture
def source(tool):
    pq.write_table(TABLE, tool.cwd / "in.parquet")
    return "in.parquet"


def test_assets_name_nested_types(tool, write, source):
    write("asset.yaml", asset(*ENTRIES))
    for mode in "strict", "warn":
        tool.ok("convert", "-f", "--schema", "asset.yaml", "--mode", mode, source, "out.parquet")
        assert pq.read_table(tool.cwd / "out.parquet").to_pylist() == TABLE.to_pylist()
    write("asset.yaml", asset(*ENTRIES[::-1][:2]))
    tool.ok("convert", "-f", "--schema", "asset.yaml", source, "out.parquet")
    assert pq.read_table(tool.cwd / "out.parquet").column_names == ["n", "m"]


def test_the_asset_that_schema_writes_is_taken(tool, write, source):
    write("asset.yaml", tool.ok("schema", "--json", source).stdout.decode())
    assert json.loads((tool.cwd / "asset.yaml").read_text())["schema"][2]["type"] == 'struct<a: int64, "b c": string>'
    tool.ok("convert", "--schema", "asset.yaml", source, "out.parquet")
    assert pq.read_table(tool.cwd / "out.parquet").to_pylist() == TABLE.to_pylist()


def test_schema_cuts_no_type(tool):
    fields = [pa.field(f"field_{i}", pa.list_(pa.string())) for i in range(20)]
    pq.write_table(pa.table({"id": [1], "s": pa.array([None], pa.struct(fields))}), tool.cwd / "long.parquet")
    line = tool.ok("schema", "long.parquet").stdout.decode().splitlines()[2]
    assert line == "s       struct<" + ", ".join(f"field_{i}: list<string>" for i in range(20)) + ">"


OTHER = [
    ("{name: n, type: array, items: {type: integer}}", "n", "list<int32>", "list<int64>"),
    ("{name: n, type: integer}", "n", "list<int32>", "int64"),
    ("{name: id, type: array, item_type: integer}", "id", "int64", "list<int64>"),
    ("{name: s, type: 'struct<a: int64>'}", "s", 'struct<a: int64, "b c": string>', "struct<a: int64>"),
]


@pytest.mark.parametrize("entry, column, has, wanted", OTHER)
def test_a_source_with_another_type(tool, write, source, entry, column, has, wanted):
    write("asset.yaml", asset(entry))
    tool.fails("convert", "--schema", "asset.yaml", source, "out.parquet",
               says=[f'column "{column}" is of type {has}, and {wanted} is expected', "checked, not converted"])
    done = tool("convert", "--schema", "asset.yaml", "--mode", "warn", source, "out.parquet")
    assert done.returncode == 1
    assert f"but the source has another type; written as {has}" in done.stderr.decode()
    assert pq.read_table(tool.cwd / "out.parquet").to_pylist() == TABLE.to_pylist()


def test_types_on_the_command_line(tool, source):
    types = 'tags=array<text>,s=STRUCT<a: bigint, "b c": varchar>,m=map<string, double>,id=int64,n=list<int32>'
    tool.ok("convert", "--types", types, source, "out.parquet")
    tool.fails("convert", "--types", "n=list<int64>", source, "no.parquet", says=["list<int32>, and list<int64> is expected"])
    for word, says in (("list", "list"), ("list<strin>", "list<strin>"), ("list<int64", "list<int64"), ("map<string>", "map<string>")):
        tool.fails("convert", "--types", f"n={word}", source, "no.parquet", says=["--types: unknown type", says, '"n"'])


def test_text_has_no_lists(tool, write):
    write("in.csv", 'id,tags\n1,"[1, 2]"\n')
    write("asset.yaml", asset("{name: id, type: integer}", "{name: tags, type: array, items: {type: integer}}"))
    says = ['column "tags": text is not read as list<int64>; read it as a string']
    tool.fails("convert", "--types", "tags=list<int64>", "in.csv", "out.parquet", says=says)
    tool.fails("convert", "--schema", "asset.yaml", "in.csv", "out.parquet", says=says)
    done = tool("convert", "--schema", "asset.yaml", "--mode", "warn", "in.csv", "out.parquet")
    assert done.returncode == 1
    assert 'column "tags": the asset says list<int64>, but text is read so in mode strict only; written as string' in done.stderr.decode()
    assert pq.read_table(tool.cwd / "out.parquet")["tags"].to_pylist() == ["[1, 2]"]
    # without items an array is the text that it is
    write("asset.yaml", asset("{name: id, type: integer}", "{name: tags, type: array}"))
    tool.ok("convert", "-f", "--schema", "asset.yaml", "in.csv", "out.parquet")
    assert pq.read_table(tool.cwd / "out.parquet")["tags"].to_pylist() == ["[1, 2]"]


def test_a_nested_column_that_the_file_lacks(tool, write, source):
    entries = [ENTRIES[0], "{name: x, type: array, items: {type: struct, fields: [{name: y, type: date}]}}", "{name: z, type: 'list(3)<struct<q: decimal(60,2), r: uuid>>'}"]
    write("asset.yaml", asset(*entries))
    tool.ok("convert", "--schema", "asset.yaml", source, "out.parquet")
    table = pq.read_table(tool.cwd / "out.parquet")
    assert table.to_pylist() == [{"id": 1, "x": None, "z": None}, {"id": 2, "x": None, "z": None}]
    assert table.schema.field("x").type == pa.list_(pa.field("element", pa.struct([("y", pa.date32())])))
