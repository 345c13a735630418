"""Parquet files of pyarrow read several at a time, or with the columns of places: what fields say of themselves stays, types count as types."""

import datetime
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from command import BIN, environment

UUID = bytes(range(16))


def convert(folder, *args):
    return subprocess.run([str(BIN), "convert", "-qf", *map(str, args)], cwd=folder, capture_output=True, timeout=300, env=environment())


def fields(path):
    """Types as pyarrow has them, extensions too, and metadata but for what readers number themselves."""
    return [(f.name, f.type, f.nullable, {k: v for k, v in (f.metadata or {}).items() if k != b"PARQUET:field_id"}) for f in pq.read_schema(path)]


@pytest.fixture
def marked(tmp_path):
    """Extension types, metadata of fields, and nested ones, in a folder k=1."""
    schema = pa.schema([
        pa.field("u", pa.uuid(), metadata={"unit": "id"}),
        pa.field("j", pa.json_(), nullable=False),
        pa.field("plain", pa.int32(), metadata={"unit": "kg", "ä": "ö"}),
        pa.field("list", pa.list_(pa.field("element", pa.int64()))),
        pa.field("struct", pa.struct([pa.field("t", pa.timestamp("us", "Europe/Rome")), pa.field("d", pa.duration("ms"))])),
    ], metadata={"about": "the file"})
    storage = pa.array([UUID, None], pa.binary(16))
    table = pa.table([pa.ExtensionArray.from_storage(pa.uuid(), storage), pa.ExtensionArray.from_storage(pa.json_(), pa.array(["{}", "[1]"])),
                      pa.array([1, None], pa.int32()), pa.array([[1], None]),
                      pa.array([{"t": datetime.datetime(2024, 1, 1), "d": datetime.timedelta(seconds=1)}, None], schema.field("struct").type)], schema=schema)
    (tmp_path / "k=1").mkdir()
    pq.write_table(table, tmp_path / "k=1" / "in.parquet")
    return tmp_path


@pytest.mark.parametrize("flags, added", [
    (["--file-name-column", "f"], ["f"]), (["--hive-partitioning"], ["k"]), (["--row-number-column", "n"], ["n"]),
    (["--hive-partitioning", "--file-name-column", "f", "--row-number-column", "n"], ["k", "f", "n"]),
])
def test_columns_of_places_leave_the_others_as_they_are(marked, flags, added):
    done = convert(marked, "k=1/in.parquet", "alone.parquet")
    assert done.returncode == 0, done.stderr
    done = convert(marked, *flags, "k=1/in.parquet", "with.parquet")
    assert done.returncode == 0, done.stderr
    alone, beside = fields(marked / "alone.parquet"), fields(marked / "with.parquet")
    assert beside[: len(alone)] == alone and [f[0] for f in beside[len(alone):]] == added
    kept = {name: (type_, metadata) for name, type_, _, metadata in beside}
    assert kept["u"] == (pa.uuid(), {b"unit": b"id"}) and kept["plain"][1] == {b"unit": b"kg", "ä".encode(): "ö".encode()}
    assert kept["j"][0] == pa.json_() or kept["j"][0].extension_name == "arrow.json"
    assert kept["struct"][0].field("t").type == pa.timestamp("us", "Europe/Rome") and kept["struct"][0].field("d").type == pa.duration("ms")
    assert pq.read_table(marked / "with.parquet", columns=["plain", "list"]).to_pydict() == {"plain": [1, None], "list": [[1], None]}


def put(folder, name, array, field=None):
    pq.write_table(pa.table([array], schema=pa.schema([field or pa.field("x", array.type)])), folder / name)


def test_zones_make_no_other_type(tmp_path):
    """Zones say how moments are shown; the moments are the same."""
    moments = [datetime.datetime(2024, 1, 1, 12, tzinfo=datetime.timezone.utc), None]
    put(tmp_path, "a.parquet", pa.array(moments, pa.timestamp("us", "UTC")))
    put(tmp_path, "b.parquet", pa.array(moments, pa.timestamp("us", "Europe/Rome")))
    put(tmp_path, "c.parquet", pa.array([[m] for m in moments], pa.list_(pa.timestamp("us", "Asia/Tokyo"))))
    put(tmp_path, "d.parquet", pa.array([[m] for m in moments], pa.list_(pa.timestamp("us", "UTC"))))
    for files, want in [(("a", "b"), moments * 2), (("b", "a"), moments * 2), (("c", "d"), [[m] for m in moments] * 2)]:
        done = convert(tmp_path, *[f"{f}.parquet" for f in files], "out.parquet")
        assert done.returncode == 0, done.stderr
        assert pq.read_table(tmp_path / "out.parquet").column("x").to_pylist() == want


def test_what_is_another_type_is_refused(tmp_path):
    naive = [datetime.datetime(2024, 1, 1)]
    put(tmp_path, "us.parquet", pa.array(naive, pa.timestamp("us", "UTC")))
    put(tmp_path, "ms.parquet", pa.array(naive, pa.timestamp("ms", "UTC")))
    put(tmp_path, "local.parquet", pa.array(naive, pa.timestamp("us")))
    put(tmp_path, "uuid.parquet", pa.ExtensionArray.from_storage(pa.uuid(), pa.array([UUID], pa.binary(16))))
    put(tmp_path, "bytes.parquet", pa.array([UUID], pa.binary(16)))
    put(tmp_path, "json.parquet", pa.ExtensionArray.from_storage(pa.json_(), pa.array(["{}"])))
    put(tmp_path, "text.parquet", pa.array(["{}"]))
    for a, b in [("us", "ms"), ("us", "local"), ("uuid", "bytes"), ("bytes", "uuid"), ("json", "text"), ("text", "json")]:
        done = convert(tmp_path, f"{a}.parquet", f"{b}.parquet", "out.parquet")
        assert done.returncode == 2 and f"{b}.parquet".encode() in done.stderr and b'"x"' in done.stderr, (a, b, done.stderr)
    assert not (tmp_path / "out.parquet").exists()
