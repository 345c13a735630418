"""The Parquet reader under the calls of a stock Python host, and its stream as pyarrow imports it."""

import ctypes
import datetime
import decimal
import json
import math

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stock_host import PARQUET_READER as READER
from stock_host import StockReader, assert_loud, assert_one_log_line, load, log_lines, reader_config, take

TABLE = pa.table({
    "b": pa.array([True, None, False], pa.bool_()),
    "i": pa.array([1, -(2**31), None], pa.int32()),
    "l": pa.array([2**63 - 1, None, -(2**63)], pa.int64()),
    "f": pa.array([1.5, float("inf"), None], pa.float32()),
    "d": pa.array([0.1, None, float("nan")], pa.float64()),
    "day": pa.array([datetime.date(2024, 2, 29), None, datetime.date(1, 1, 1)], pa.date32()),
    "at": pa.array([1, None, 1709168523500000], pa.timestamp("us")),
    "utc": pa.array([0, None, -1000000], pa.timestamp("us", "UTC")),
    "text": pa.array(["", None, 'a text of more than twelve bytes, ünï "c"\n\0'], pa.string()),
})  # fmt: skip


def config_of(*paths, **more):
    return reader_config(*paths, **{"type": "parquet", **more})


def open_reader(*paths, **more):
    return StockReader(config_of(*paths, **more), load(READER))


@pytest.fixture
def put(tmp_path):
    def write(table=TABLE, name="a.parquet", **kwargs):
        pq.write_table(table, tmp_path / name, **kwargs)
        return tmp_path / name

    return write


def check_failure(reader, capfd, code, before=()):
    rows = []
    while (value := reader.raw()) is not None and not value.startswith(b"DATIVO"):
        rows += json.loads(value)
    assert rows == list(before)
    error = assert_loud(value, code)
    assert reader.raw() == value, "once broken, always broken"
    assert reader.last_error()["message"] == error["message"]
    assert_one_log_line(capfd.readouterr())
    return error


# ---------------------------------------------------------------------------------------------------------------- level 0


def test_values(put, capfd):
    rows = open_reader(put()).rows()
    assert rows[0] == {"b": True, "i": 1, "l": 2**63 - 1, "f": 1.5, "d": 0.1, "day": "2024-02-29", "at": "1970-01-01T00:00:00.000001",
                       "utc": "1970-01-01T00:00:00Z", "text": ""}
    assert rows[1] == {**dict.fromkeys(TABLE.column_names), "i": -(2**31), "f": math.inf}
    assert math.isnan(rows[2].pop("d"))
    assert rows[2] == {"b": False, "i": None, "l": -(2**63), "f": None, "day": "0001-01-01", "at": "2024-02-29T01:02:03.500000",
                       "utc": "1969-12-31T23:59:59Z", "text": 'a text of more than twelve bytes, ünï "c"\n\0'}
    assert len(rows) == 3 and log_lines(capfd.readouterr()) == []


@pytest.mark.parametrize("chunk", [1, 7, 99, 100, 101, 10**6])
def test_chunks(put, chunk):
    table = pa.table({"id": range(1000), "text": [f"number {i}" for i in range(1000)]})
    paths = [put(table.slice(0, 1), "a.parquet"), put(table.slice(1, 700), "b.parquet", row_group_size=100), put(table.slice(701), "c.parquet")]
    batches = list(open_reader(*paths, options={"chunk_size": chunk}).extract())
    assert [row for batch in batches for row in batch] == table.to_pylist()
    assert {len(batch) for batch in batches[:-1]} <= {chunk}


def test_options(put, capfd):
    path = put()
    rows = open_reader(path, options={"native": {"library": "x", "chunk_size": "1"}, "columns": ["text", "b"]}).rows()
    assert rows == TABLE.select(["text", "b"]).to_pylist()
    rows = open_reader(path, options={"columns": ["gone", "b"], "missing_as_null": True}).rows()
    assert rows == [{"gone": None, "b": value} for value in TABLE["b"].to_pylist()]
    assert open_reader(path, options={"types": {"l": "bigint", "text": "string"}, "widened": {"l": "float64"}}).rows()
    assert log_lines(capfd.readouterr()) == []


def test_repeated_names(tmp_path):
    schema = pa.schema([("a", pa.int64()), ("a", pa.int64()), ("a_1", pa.int64())])
    pq.write_table(pa.Table.from_arrays([pa.array([i]) for i in range(3)], schema=schema), tmp_path / "a.parquet")
    rows = open_reader(tmp_path / "a.parquet").rows()
    assert rows[0]["a"] == 0 and rows[0]["a_1"] == 2 and sorted(rows[0].values()) == [0, 1, 2]


@pytest.mark.parametrize("column, value", [
    (pa.array([decimal.Decimal("1.10")], pa.decimal128(5, 2)), "1.10"), (pa.array([decimal.Decimal("1.1")], pa.decimal128(5, 1)), 1.1),
    (pa.array([1], pa.int8()), 1), (pa.array([2**64 - 1], pa.uint64()), 2**64 - 1), (pa.array([b"x"], pa.binary()), "eA=="),
    (pa.array([1], pa.timestamp("ns")), "1970-01-01T00:00:00.000000001"), (pa.array([1], pa.time32("ms")), "00:00:00.001")])  # fmt: skip
def test_other_types_in_json(put, column, value):
    path = put(pa.table({"id": [1], "odd": column}), store_schema=False)
    assert open_reader(path).rows() == [{"id": 1, "odd": value}]


@pytest.mark.parametrize("options, code, says", [
    ({"colums": []}, "config", '"columns"'), ({"columns": ["c"]}, "invalid", '"c"'), ({"columns": ["txt"]}, "invalid", '"text"'),
    ({"columns": [1]}, "config", "columns"), ({"types": {"l": "string"}}, "type", "int64"), ({"types": {"l": 1}}, "config", "types"),
    ({"types": {"gone": "date"}}, "invalid", '"gone"'), ({"types": {"l": "int64"}, "columns": ["b"]}, "invalid", '"l"'), ({"required": ["l"]}, "data", '"l"'), ({"required": ["gone"]}, "invalid", '"gone"'),
    ({"chunk_size": 0}, "config", "chunk_size"), ({"n_threads": -1}, "config", "n_threads"), ({"missing_as_null": "x"}, "config", "missing_as_null"),
    ({"widened": []}, "config", "widened"), ({"delimiter": ";"}, "config", "delimiter")])  # fmt: skip
def test_bad_options(put, capfd, options, code, says):
    error = check_failure(open_reader(put(), options=options), capfd, code)
    assert says in error["message"]
    if code == "data":
        assert error["row"] == 2 and error["column"] == "l"


@pytest.mark.parametrize("config", [b"", b"{", b"[]", b"null", b"{}", b'{"type":"parquet","files":[]}', b'{"type":"parquet","files":[{}]}',
                                    b'{"type":"parquet","files":["a\\u0000b"]}', b"[" * 100000])  # fmt: skip
def test_bad_configuration(config, capfd):
    check_failure(StockReader(config, load(READER)), capfd, "config")


def test_other_files(put, tmp_path, capfd):
    check_failure(StockReader(config_of(put(), type="csv"), load(READER)), capfd, "unsupported")
    check_failure(open_reader(tmp_path / "none.parquet"), capfd, "not_found")
    (tmp_path / "text.parquet").write_text("a,b\n1,2\n")
    error = check_failure(open_reader(tmp_path / "text.parquet"), capfd, "data")
    assert error["path"].endswith("text.parquet")
    other = put(TABLE.select(["b", "l"]), "other.parquet")
    error = check_failure(open_reader(put(), other), capfd, "data")
    assert "a.parquet" in error["message"] and error["path"].endswith("other.parquet") and error["column"] == "l"


def test_damage_in_the_middle(put, tmp_path, capfd):
    path = put(pa.table({"a": range(20000)}), row_group_size=10000, compression="none", use_dictionary=False, write_page_checksum=True)
    data = bytearray(path.read_bytes())
    data[len(data) * 3 // 4] ^= 1
    path.write_bytes(data)
    error = check_failure(open_reader(path), capfd, "data", [{"a": i} for i in range(10000)])
    assert error["path"].endswith("a.parquet") and error["column"] == "a"


def test_null_handle(capfd):
    lib = load(READER)
    assert_loud(take(lib, lib.extract_batch(None)), "invalid")
    assert_one_log_line(capfd.readouterr())
    lib.free_reader(None)
    assert lib.last_error(None) is None


# -------------------------------------------------------------------------------------------------------------- level 0.5


def test_plugin_info():
    lib = load(READER)
    info = json.loads(take(lib, lib.plugin_info()))
    assert info["name"] == "parquet_reader" and info["roles"] == ["reader"] and info["levels"] == [0, 0.5, 1]
    assert {"columns", "types", "widened", "required", "missing_as_null", "chunk_size"} <= {option["name"] for option in info["options"]}


def test_check_connection(put, tmp_path):
    lib = load(READER)
    good = json.loads(take(lib, lib.check_connection(json.dumps(config_of(put())).encode())))
    assert good["success"] is True and good["details"]["columns"] == 9 and good["message"] == "1 Parquet file with 9 columns"
    for config in (config_of(tmp_path / "no.parquet"), config_of(put(), tmp_path / "no.parquet"), {"type": "x"}):
        bad = json.loads(take(lib, lib.check_connection(json.dumps(config).encode())))
        assert bad["success"] is False and bad["message"] and bad["details"]["error"]["code"]


def test_discover(put, tmp_path):
    lib = load(READER)
    required = pa.schema([pa.field("d", pa.date32(), nullable=False)])
    files = [{"path": str(put(pa.table({"id": [1], "odd": pa.array([1], pa.decimal128(9, 3))}), "people.parquet"))},
             {"path": str(put(pa.table({"d": [datetime.date(2024, 1, 1)]}, schema=required), "1.parquet")), "object": "Days"},
             {"path": str(put(pa.table({"d": [datetime.date(2024, 1, 2)]}), "2.parquet")), "object": "Days"},
             {"path": str(tmp_path / "1.parquet"), "object": "Required"}]  # fmt: skip
    found = json.loads(take(lib, lib.discover(json.dumps(config_of(files=files)).encode())))
    assert [o["name"] for o in found["objects"]] == ["people", "Days", "Required"] and found["objects"][0]["type"] == "parquet"
    assert found["objects"][0]["columns"] == [{"name": "id", "type": "int64", "nullable": True}, {"name": "odd", "type": "decimal(9, 3)", "nullable": True}]
    assert found["objects"][1]["columns"] == [{"name": "d", "type": "date", "nullable": True}]
    assert found["objects"][2]["columns"] == [{"name": "d", "type": "date", "nullable": False}]
    assert_loud(take(lib, lib.discover(json.dumps(config_of(tmp_path / "no.parquet")).encode())), "not_found")


# ---------------------------------------------------------------------------------------------------------------- level 1


class Error(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("code", ctypes.c_int32), ("rest", ctypes.c_uint8 * 4096)]


class Plugin(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("abi_version", ctypes.c_uint32), ("name", ctypes.c_char_p), ("version", ctypes.c_char_p),
                ("description", ctypes.c_char_p), ("get_extension", ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_char_p)),
                ("free_text", ctypes.CFUNCTYPE(None, ctypes.c_void_p))]  # fmt: skip


CALL = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(Error))


class Table(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("reserved", ctypes.c_uint32),
                ("open", ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_char_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(Error))),
                ("schema", CALL), ("stream", CALL), ("last_error", ctypes.c_void_p), ("progress", ctypes.c_void_p), ("cancel", ctypes.c_void_p),
                ("close", ctypes.CFUNCTYPE(None, ctypes.c_void_p)), ("splits", ctypes.c_void_p), ("open_split", ctypes.c_void_p), ("report", CALL)]  # fmt: skip


class Level1:
    """A reader whose stream pyarrow reads."""

    def __init__(self, config):
        self.lib = load(READER)
        self.lib.dativo_plugin_get.restype = ctypes.POINTER(Plugin)
        self.plugin = self.lib.dativo_plugin_get(ctypes.c_uint32(0x10001), None).contents
        self.table = Table.from_address(self.plugin.get_extension(b"dativo.reader/1"))
        self.reader = ctypes.c_void_p()
        self.error = Error(struct_size=ctypes.sizeof(Error))
        assert self.table.open(json.dumps(config).encode(), None, ctypes.byref(self.reader), self.error) == 0, bytes(self.error.rest)

    def read_all(self):
        stream = ctypes.create_string_buffer(64)
        assert self.table.stream(self.reader, ctypes.addressof(stream), self.error) == 0
        with pa.RecordBatchReader._import_from_c(ctypes.addressof(stream)) as batches:
            return batches.read_all()

    def report(self):
        text = ctypes.c_void_p()
        assert self.table.report(self.reader, ctypes.addressof(text), self.error) == 0
        value = ctypes.string_at(text.value)
        self.plugin.free_text(text)
        return json.loads(value)

    def close(self):
        self.table.close(self.reader)


ALL = pa.table({**{str(t): pa.array([1, None, 3], t) for t in (pa.int8(), pa.uint8(), pa.int16(), pa.uint16(), pa.int32(), pa.uint32(), pa.int64(),
                                                              pa.uint64(), pa.float32(), pa.float64(), pa.timestamp("ms"), pa.timestamp("us", "UTC"),
                                                              pa.timestamp("ns"), pa.time32("ms"), pa.time64("us"), pa.time64("ns"), pa.date32())},
                "float16": pa.array([1.5, None, -2], pa.float16()),
                "decimal": pa.array([decimal.Decimal("-1.05"), None, decimal.Decimal("99999999999999999999.99")], pa.decimal128(22, 2)),
                "decimal256": pa.array([decimal.Decimal(10**60), None, decimal.Decimal(-1)], pa.decimal256(70, 0)),
                "bytes": pa.array([b"\xff\0", None, b""], pa.binary()), "fixed": pa.array([b"abc", None, b"xyz"], pa.binary(3)),
                "text": pa.array(["", None, "a text of more than twelve bytes"]), "null": pa.nulls(3)})  # fmt: skip


def test_arrow_values_of_every_type(put):
    reader = Level1(config_of(put(ALL, store_schema=False), options={"chunk_size": 2}))
    got = reader.read_all()
    expected = pq.read_table(put(ALL, store_schema=False))
    assert got.column_names == expected.column_names
    for name in got.column_names:
        assert got[name].to_pylist() == expected[name].to_pylist(), name
    report = reader.report()
    assert report["rows"] == 3 and report["files"] == 1 and report["bytes"] > 0
    assert [c["type"] for c in report["columns"]][:4] == ["int8", "uint8", "int16", "uint16"]
    reader.close()


def test_arrow_values_of_several_files(put):
    paths = [put(TABLE.slice(i, 1), f"{i}.parquet") for i in range(3)]
    options = {"columns": ["text", "gone", "void", "b", "off"], "missing_as_null": True, "types": {"gone": "string", "off": "date"}}
    reader = Level1(config_of(*paths, options=options))
    got = reader.read_all()  # the batches live on when the reader is gone
    assert reader.report()["rows"] == 3 and reader.report()["files"] == 3
    reader.close()
    assert got.to_pylist() == [{"text": row["text"], "gone": None, "void": None, "b": row["b"], "off": None} for row in TABLE.to_pylist()]
    assert [got.schema.field(n).type for n in ("gone", "void", "off")] == [pa.string_view(), pa.null(), pa.date32()]
    got.validate(full=True)
