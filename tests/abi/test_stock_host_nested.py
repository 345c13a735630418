"""Nested columns under the calls of a stock Python host: assets name them, records bring them, pyarrow reads the files, and back."""

import datetime
import decimal
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stock_host import ERROR_PREFIX, PARQUET_READER, PLUGINS, StockReader, StockWriter, load, take, writer_config

SCHEMA = [
    {"name": "id", "type": "integer"},
    {"name": "tags", "type": "array", "items": {"type": "string"}},
    {"name": "scores", "type": "array", "item_type": "double"},
    {"name": "at", "type": "object", "fields": [{"name": "x", "type": "double"}, {"name": "when", "type": "timestamp"}]},
    {"name": "p", "type": "struct", "properties": {"ok": "boolean", "days": {"type": "array", "items": "date"}}},
    {"name": "m", "type": "map", "value_type": "bigint"},
    {"name": "k", "type": "map", "keys": "integer", "values": {"type": "array", "items": {"type": "array", "items": {}}}},
    {"name": "w", "type": "list<struct<a: decimal(10,2), b: map<string, binary>>>"},
    {"name": "d", "type": "decimal", "precision": 10, "scale": 2},
    {"name": "plain", "type": "array"},
    {"name": "object", "type": "object"},
    {"name": "odd", "type": "list<whatsoever>"},
]
RECORDS = [
    {
        "id": 1, "tags": ["a", None, "\u00e9\U0001f600"], "scores": [1, 2.5, None], "at": {"when": "2024-02-29T10:11:12", "x": 0.5},
        "p": {"ok": True, "days": ["2024-02-29", None]}, "m": {"a": 1, "b": None}, "k": [[7, [["x"], None, []]]],
        "w": [{"a": "1.50", "b": {"k": "AAE="}}, {}], "d": "12.5", "plain": [1, {"a": 2}], "object": {"b": [1]}, "odd": [1],
    },
    {"id": 2, "tags": [], "scores": None, "at": None, "p": {}, "m": {}, "k": {"8": []}, "w": [], "d": None, "plain": "text"},
    {"id": 3},
]  # fmt: skip
DUE = [
    {
        "id": 1, "tags": ["a", None, "\u00e9\U0001f600"], "scores": [1.0, 2.5, None],
        "at": {"x": 0.5, "when": datetime.datetime(2024, 2, 29, 10, 11, 12)}, "p": {"ok": True, "days": [datetime.date(2024, 2, 29), None]},
        "m": [("a", 1), ("b", None)], "k": [(7, [["x"], None, []])],
        "w": [{"a": decimal.Decimal("1.50"), "b": [("k", b"\0\1")]}, {"a": None, "b": None}], "d": decimal.Decimal("12.50"),
        "plain": '[1,{"a":2}]', "object": '{"b":[1]}', "odd": "[1]",
    },
    {"id": 2, "tags": [], "scores": None, "at": None, "p": {"ok": None, "days": None}, "m": [], "k": [(8, [])], "w": [], "d": None,
     "plain": "text", "object": None, "odd": None},
    {"id": 3} | {field["name"]: None for field in SCHEMA[1:]},
]  # fmt: skip


def write(tmp_path, records, schema=SCHEMA, lib=None, **more):
    writer = StockWriter(writer_config(tmp_path, schema, **more), lib)
    return writer.write_batch(records, 0)


def test_lists_structs_and_maps_are_written(tmp_path):
    (meta,) = write(tmp_path, RECORDS)
    table = pq.ParquetFile(meta["path"], page_checksum_verification=True).read()
    assert table.to_pylist() == DUE
    types = {f.name: str(f.type) for f in table.schema}
    assert types["tags"] == "list<element: string>" and types["m"].startswith("map<string, int64") and types["plain"] == "string"
    assert table.schema.field("at").type == pa.struct([("x", pa.float64()), ("when", pa.timestamp("us"))])


def test_what_was_written_comes_back_as_records(tmp_path):
    (meta,) = write(tmp_path, RECORDS)
    config = {"type": "parquet", "files": [{"path": meta["path"]}]}
    (rows,) = list(StockReader(config, load(PARQUET_READER)).extract())
    assert rows[0]["at"] == {"x": 0.5, "when": "2024-02-29T10:11:12"} and rows[0]["k"] == [{"key": 7, "value": [["x"], None, []]}]
    assert rows[0]["w"] == [{"a": "1.50", "b": {"k": "AAE="}}, {"a": None, "b": None}] and rows[1]["p"] == {"ok": None, "days": None}
    again = tmp_path / "again"
    again.mkdir()
    (meta,) = write(again, rows)
    assert pq.read_table(meta["path"]).to_pylist() == DUE


def test_files_of_others_are_records(tmp_path):
    table = pa.table({
        "l": pa.array([[1, None], None, []], pa.large_list(pa.int32())),
        "s": pa.array([{"a": {"b": [b"\0"]}}, None, {"a": None}], pa.struct([("a", pa.struct([("b", pa.list_(pa.binary()))]))])),
        "d": pa.DictionaryArray.from_arrays(pa.array([1, None, 0]), ["x", "y"]),
        "m": pa.array([[(datetime.date(2024, 1, 1), "v")], [], None], pa.map_(pa.date32(), pa.string())),
    })  # fmt: skip
    pq.write_table(table, tmp_path / "t.parquet")
    config = {"type": "parquet", "files": [{"path": str(tmp_path / "t.parquet")}], "engine": {"options": {"batch_size": 2}}}
    rows = [row for batch in StockReader(config, load(PARQUET_READER)).extract() for row in batch]
    assert rows == [
        {"l": [1, None], "s": {"a": {"b": ["AA=="]}}, "d": "y", "m": [{"key": "2024-01-01", "value": "v"}]},
        {"l": None, "s": None, "d": None, "m": []},
        {"l": [], "s": {"a": None}, "d": "x", "m": None},
    ]


WRONG = [
    ({"tags": "a,b"}, "record 1, column 'tags': the text 'a,b' is no value of type list<string>"),
    ({"scores": [1, "x"]}, "record 1, column 'scores', at scores[1]: the text 'x' is no value of type float64"),
    ({"at": {"x": 1, "y": 2}}, "the text 'y' is the name of no member of struct<x: float64, when: timestamp>"),
    ({"k": {"x": []}}, "record 1, column 'k': the text 'x' is no value of type int64"),
    ({"w": [{"b": {"k": "?"}}]}, "at w[0].b.k: the text '?' is no value of type binary"),
]


@pytest.mark.parametrize("record, message", WRONG)
def test_values_of_another_shape_are_errors(tmp_path, record, message):
    writer = StockWriter(writer_config(tmp_path, SCHEMA))
    text = take(writer.lib, writer.lib.write_batch(writer.pointer, json.dumps({"records": [record], "file_counter": 0}).encode())).decode()
    assert text.startswith(ERROR_PREFIX) and message in json.loads(text[len(ERROR_PREFIX):])["message"], text
    assert [p.name for p in tmp_path.iterdir() if not p.name.startswith(".")] == []


BAD = [
    ({"type": "array", "items": 5}, "schema[0]: what is within a type is a word"),
    ({"type": "struct", "fields": []}, "schema[0]: a struct needs fields"),
    ({"type": "struct", "fields": [{"type": "integer"}]}, 'schema[0]: a field within has no "name"'),
    ({"type": "struct", "fields": [{"name": "a"}, {"name": "a"}]}, "schema[0]: records are not read into this type"),
    ({"type": "list(999999)<list(999999)<int8>>"}, "schema[0]: records are not read into this type"),
]


@pytest.mark.parametrize("entry, message", BAD)
def test_assets_that_say_nothing_sensible(tmp_path, entry, message):
    writer = StockWriter(writer_config(tmp_path, [{"name": "c"} | entry]))
    text = take(writer.lib, writer.lib.write_batch(writer.pointer, b'{"records":[{"c":null}],"file_counter":0}')).decode()
    assert text.startswith(ERROR_PREFIX) and message in json.loads(text[len(ERROR_PREFIX):])["message"], text


@pytest.mark.parametrize("n, fits", [(30, True), (64, False), (1000, False)])
def test_depth(tmp_path, n, fits):
    items = '{"type":"array","items":' * n + '"integer"' + "}" * n
    config = json.dumps(writer_config(tmp_path, [{"name": "c", "type": "array", "items": "HERE"}])).replace('"HERE"', items)
    writer = StockWriter(config.encode())
    text = take(writer.lib, writer.lib.write_batch(writer.pointer, b'{"records":[{"c":null},{"c":[[]]}],"file_counter":0}')).decode()
    assert text.startswith("[") == fits and (fits or "nested too deep" in text), text


def test_csv_has_their_text(tmp_path):
    (meta,) = write(tmp_path, [{"tags": ["a"], "m": {"k": 1}, "w": []}], SCHEMA, load(PLUGINS / "libcsv_writer_plugin.so"), file_format="csv")
    assert '"[""a""]"' in open(meta["path"]).read()
