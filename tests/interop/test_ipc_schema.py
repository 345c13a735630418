"""Messages of schemas: ours as pyarrow and Polars read them, pyarrow's as we do."""

import os
import pathlib
import subprocess

import polars
import pyarrow as pa

TOOL = pathlib.Path(os.environ.get("DN_TESTS", "build/release/tests")) / "ipc_schema"

FLAT = [
    pa.null(), pa.bool_(), pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(),
    pa.float16(), pa.float32(), pa.float64(), pa.decimal32(9, 2), pa.decimal64(18, -3), pa.decimal128(38, 10), pa.decimal128(5, -2),
    pa.decimal256(76, 38), pa.decimal256(1, 0), pa.date32(), pa.date64(), pa.time32("s"), pa.time32("ms"), pa.time64("us"),
    pa.time64("ns"), pa.duration("s"), pa.duration("ms"), pa.duration("us"), pa.duration("ns"), pa.month_day_nano_interval(),
    pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(7), pa.binary(0),
    pa.uuid(), pa.json_(), pa.json_(pa.large_string()), pa.bool8(), pa.opaque(pa.int32(), "a type", "a vendor"),
    pa.fixed_shape_tensor(pa.float32(), [2, 3]),
] + [pa.timestamp(unit, zone) for unit in ("s", "ms", "us", "ns") for zone in (None, "UTC", "Europe/Berlin", "+05:30", "")]

STRUCT = pa.struct([pa.field("a", pa.int32(), nullable=False), pa.field("ä", pa.string())])
NESTED = [
    pa.list_(pa.int32()), pa.list_(pa.field("element", pa.timestamp("us", "UTC"), nullable=False)), pa.large_list(pa.string()),
    pa.list_view(pa.int64()), pa.large_list_view(pa.date32()), pa.list_(pa.int8(), 3), pa.list_(pa.int8(), 0), STRUCT, pa.struct([]),
    pa.map_(pa.string(), pa.duration("ms")), pa.map_(pa.string(), STRUCT, keys_sorted=True), pa.run_end_encoded(pa.int16(), pa.string()),
    pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.uint64(), pa.decimal128(12, 2), ordered=True),
    pa.dictionary(pa.int32(), pa.list_(pa.int8())), pa.dictionary(pa.int32(), STRUCT),
    pa.list_(pa.dictionary(pa.int16(), pa.large_string())), pa.run_end_encoded(pa.int64(), pa.list_(STRUCT)),
    pa.struct([pa.field("m", pa.map_(pa.int32(), pa.list_view(pa.list_(pa.uuid(), 2)))), pa.field("d", pa.dictionary(pa.int8(), pa.binary()))]),
]


def reencode(message):
    return subprocess.run([TOOL], input=message, capture_output=True, timeout=60)


def check(schema):
    done = reencode(schema.serialize().to_pybytes())
    assert done.returncode == 0, (schema, done.stderr)
    assert len(done.stdout) % 8 == 0
    read = pa.ipc.read_schema(pa.py_buffer(done.stdout))
    assert read.equals(schema, check_metadata=True), (schema, read)
    # and what we write we read as what it was
    again = reencode(done.stdout)
    assert again.stdout == done.stdout
    return done.stdout


def test_every_type_alone():
    for kind in FLAT + NESTED:
        for nullable in (True, False):
            if nullable or kind != pa.null():
                check(pa.schema([pa.field("column", kind, nullable=nullable)]))


def test_all_at_once():
    fields = [pa.field(f"c{i}", kind, nullable=i % 2 == 0) for i, kind in enumerate(FLAT + NESTED)]
    ours = check(pa.schema(fields))
    assert len(ours) <= len(pa.schema(fields).serialize())


def test_metadata_and_names():
    table = {b"pandas": b'{"index_columns": []}', b"": b"", b"any \xff bytes": b"\x00\xff\x00"}
    fields = [
        pa.field("", pa.int32(), metadata={"PARQUET:field_id": "7", "": "empty"}),
        pa.field("twice", pa.list_(pa.field("item", pa.string(), metadata={"deep": "down"})), metadata={"top": "up"}),
        pa.field("twice", pa.dictionary(pa.int8(), pa.string()), metadata={"of a": "dictionary"}),
        pa.field("x" * 70000, pa.uuid(), nullable=False, metadata={"more": "beside the extension"}),
        pa.field("naïve 😀 \n\t\"", pa.int8()),
    ]
    check(pa.schema(fields, metadata=table))
    check(pa.schema([], metadata=table))
    check(pa.schema([]))


def test_many_columns():
    check(pa.schema([pa.field(f"column {i}", FLAT[i % len(FLAT)]) for i in range(5000)]))


def test_deep():
    def nested(depth):
        kind = pa.int8()
        for _ in range(depth):
            kind = pa.list_(kind)
        return pa.schema([pa.field("c", kind)])

    check(nested(62))
    done = reencode(nested(64).serialize().to_pybytes())
    assert done.returncode == 1 and b"nested more than 64 levels" in done.stderr


def test_unions_are_refused():
    for mode in ("sparse", "dense"):
        schema = pa.schema([pa.field("u", pa.union([pa.field("a", pa.int8())], mode=mode))])
        done = reencode(schema.serialize().to_pybytes())
        assert done.returncode == 1 and b"a union" in done.stderr


def test_other_messages_and_damage():
    batch = pa.record_batch({"a": [1]}).serialize().to_pybytes()
    message = pa.schema([pa.field("column", pa.timestamp("us", "UTC"))]).serialize().to_pybytes()
    for damaged in (batch, message[:-9], message[:8], message[:7], b"", b"\xff" * 64, bytes(64)):
        done = reencode(damaged)
        assert done.returncode == 1 and b"damaged" in done.stderr, damaged
    # the form before version 0.15 of Arrow has no continuation in front
    old = message[4:]
    assert pa.ipc.read_schema(pa.py_buffer(reencode(old).stdout)).equals(pa.ipc.read_schema(pa.py_buffer(message)))


def test_polars_reads_it():
    schema = pa.schema([("a", pa.int32()), ("t", pa.timestamp("us", "Europe/Berlin")), ("l", pa.large_list(pa.string_view())),
                        ("s", pa.struct([("x", pa.duration("ms"))]))])
    ours = check(schema)
    end = b"\xff\xff\xff\xff\0\0\0\0"
    assert polars.read_ipc_stream(ours + end).schema == polars.read_ipc_stream(schema.serialize().to_pybytes() + end).schema
