"""Every type that the writer has and Iceberg, too: values, bounds and evolution, as pyiceberg and DuckDB read them."""

import datetime
import decimal
import math
import random
import uuid

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dativo_native as dn
from dativo_native import DativoError, iceberg

D, T, UTC = decimal.Decimal, datetime.datetime, datetime.timezone.utc
VALUES = {
    "bool": (pa.bool_(), [True, False]),
    "int8": (pa.int8(), [-128, 127]),
    "uint16": (pa.uint16(), [0, 65535]),
    "int32": (pa.int32(), [-(2**31), 2**31 - 1]),
    "int64": (pa.int64(), [-(2**63), 2**63 - 1]),
    "float32": (pa.float32(), [-1.5, 2.0**100]),
    "float64": (pa.float64(), [-0.0, 1e300]),
    "dec9": (pa.decimal128(9, 2), [D("-1234567.89"), D("0.01")]),
    "dec18": (pa.decimal128(18, 4), [D("-99999999999999.9999"), D("0.0001")]),
    "dec38": (pa.decimal128(38, 10), [D("-1234567890123456789012345678.0123456789"), D("0.0000000001")]),
    "dec38_0": (pa.decimal128(38, 0), [D("9" * 38), D("-" + "9" * 38)]),
    "date": (pa.date32(), [datetime.date(1, 1, 1), datetime.date(9999, 12, 31)]),
    "time": (pa.time64("us"), [datetime.time(0, 0), datetime.time(23, 59, 59, 999999)]),
    "ts": (pa.timestamp("us"), [T(1969, 12, 31, 23, 59, 59, 999999), T(2262, 4, 12)]),
    "ts_ms": (pa.timestamp("ms"), [T(1969, 12, 31, 23, 59, 59, 999000), T(2024, 2, 29)]),
    "tz": (pa.timestamp("us", "UTC"), [T(1, 1, 1, tzinfo=UTC), T(2024, 1, 31, 1, 2, 3, 4, tzinfo=UTC)]),
    "text": (pa.string(), ["", "\U0010ffff" * 20]),
    "text_long": (pa.string(), ["a" * 100, "a" * 100 + "b"]),
    "view": (pa.string_view(), ["a", "much longer than twelve bytes"]),
    "binary": (pa.binary(), [b"", b"\xff" * 30]),
    "fixed": (pa.binary(20), [b"\x00" * 20, b"\xff" * 20]),
    "uuid": (pa.uuid(), [uuid.UUID(int=1).bytes, uuid.UUID(int=2**128 - 1).bytes]),
    "dotted.name": (pa.int64(), [1, 2]),
    "with space ü": (pa.int64(), [1, 2]),
    "list": (pa.list_(pa.int32()), [[1, None, 3], []]),
    "struct": (pa.struct([("x", pa.float64()), ("y", pa.struct([("z", pa.string())]))]), [{"x": 1.0, "y": {"z": "q"}}, {"x": None, "y": None}]),
    "map": (pa.map_(pa.string(), pa.decimal128(5, 1)), [[("k", D("1.5"))], []]),
    "lists": (pa.list_(pa.struct([("a", pa.list_(pa.date32()))])), [[{"a": [datetime.date(2024, 1, 1)]}], [None, {"a": None}]]),
}


def table():
    """Every value, and a null: but of lists of structs, whose nulls pyiceberg 0.12 shows as empty lists."""
    return pa.table({name: pa.array([*values, [] if name == "lists" else None], t) for name, (t, values) in VALUES.items()})


def plain(rows):
    return sorted(str({k: v.bytes if isinstance(v, uuid.UUID) else v for k, v in row.items()}) for row in rows)


@pytest.mark.parametrize("way", ["append", "commit"])
def test_all_types(lake, tmp_path, way):
    data = table()
    if way == "append":
        iceberg.append(data, "db.t", catalog=lake.properties)
        iceberg.append(data, "db.t", catalog=lake.properties, row_group_size=1)
    else:
        for name, options in (("a", {}), ("b", {"row_group_size": 1})):
            dn.write_parquet(data, tmp_path / f"{name}.parquet", **options)
            iceberg.commit(tmp_path / f"{name}.parquet", "db.t", catalog=lake.properties)
    assert plain(lake.arrow().to_pylist()) == plain(2 * data.to_pylist())
    for name in VALUES:
        if name in ("list", "struct", "map", "lists", "uuid", "binary", "fixed", "tz", "date"):
            continue
        got = lake.duck(f'select "{name}" from t where "{name}" is not null')
        assert sorted(map(str, (row[0] for row in got))) == sorted(map(str, 2 * VALUES[name][1])), name
    assert lake.duck("select count(*), count(list), sum(len(list)), count(struct.y.z), count(uuid), sum(octet_length(\"binary\")) from t") == [
        (6, 4, 6, 2, 4, 60)]  # fmt: skip


@pytest.mark.parametrize("name", [n for n in VALUES if n not in ("list", "struct", "map", "lists")])
def test_rows_are_found_by_their_values(lake, name):
    """The bounds of no file may hide a row: each value is looked for in a table of many files."""
    random.seed(name)
    values = [*VALUES[name][1], None]
    for _ in range(3):
        picked = [random.choice(values) for _ in range(4)]
        iceberg.append(pa.table({"c": pa.array(picked + values[:1], VALUES[name][0])}), "db.t", catalog=lake.properties, row_group_size=2)
    from pyiceberg.expressions import EqualTo, GreaterThanOrEqual, IsNull, LessThanOrEqual, NotEqualTo

    everything = lake.arrow()["c"].to_pylist()
    for value in VALUES[name][1]:
        literal = uuid.UUID(bytes=value) if name == "uuid" else value
        if isinstance(literal, datetime.time):
            literal = literal.isoformat()
        for test in (EqualTo, LessThanOrEqual, GreaterThanOrEqual, NotEqualTo):
            if name == "uuid" and test is not EqualTo or name == "bool" and test not in (EqualTo, NotEqualTo):
                continue
            scan = lake.table().scan(row_filter=test("c", literal))
            files = {task.file.file_path for task in scan.plan_files()}
            compare = {EqualTo: "__eq__", LessThanOrEqual: "__le__", GreaterThanOrEqual: "__ge__", NotEqualTo: "__ne__"}[test]
            for path in (task.file.file_path for task in lake.table().scan().plan_files()):
                there = pq.read_table(path.removeprefix("file://"))["c"].to_pylist()
                there = [one.bytes if isinstance(one, uuid.UUID) else one for one in there]
                if any(one is not None and getattr(one, compare)(value) for one in there):
                    assert path in files, (name, test, value)
    assert lake.arrow(row_filter=IsNull("c")).num_rows == sum(1 for one in everything if one is None)


def test_nan_is_not_hidden(lake, tmp_path):
    """A file with a NaN has no bounds, nor has one of another writer, who may have left it out of his."""
    iceberg.append(pa.table({"x": [1.0, math.nan]}), "db.t", catalog=lake.properties)
    iceberg.append(pa.table({"x": [1.0, 2.0]}), "db.t", catalog=lake.properties)
    pq.write_table(pa.table({"x": [1.0, math.nan, 3.0]}), tmp_path / "foreign.parquet")
    iceberg.commit(tmp_path / "foreign.parquet", "db.t", catalog=lake.properties)
    bounds = {f["record_count"]: f["readable_metrics"]["x"] for f in lake.table().inspect.files().to_pylist() if "foreign" in f["file_path"]}
    assert bounds[3]["lower_bound"] is None
    lake.table().delete("x >= 1")  # whole files, if their bounds say so
    assert len(lake.arrow()) == 2


@pytest.mark.parametrize("type, says", [
    (pa.uint32(), "int64"), (pa.uint64(), "decimal"), (pa.float16(), "another type"), (pa.time32("ms"), "microseconds"),
    (pa.time64("ns"), "microseconds"), (pa.timestamp("ns"), "microseconds"), (pa.decimal256(60, 2), "38 digits"),
    (pa.duration("us"), "another type"), (pa.null(), "no value at all")])  # fmt: skip
def test_what_iceberg_does_not_have(lake, tmp_path, type, says):
    for data in (pa.table({"ok": [1], "c": pa.array([None], type)}), pa.table({"s": pa.array([{"c": None}], pa.struct([("c", type)]))})):
        with pytest.raises(DativoError, match=says) as caught:
            iceberg.append(data, "db.t", catalog=lake.properties)
        assert caught.value.column in ("c", "s.c")
        try:
            dn.write_parquet(data, tmp_path / "x.parquet", overwrite=True)
        except DativoError:
            continue
        if type != pa.duration("us"):  # is text in the file
            with pytest.raises(DativoError):
                iceberg.commit(tmp_path / "x.parquet", "db.t", catalog=lake.properties)
    assert not lake.catalog.table_exists("db.t") or type == pa.duration("us")


# ---- what becomes of columns -----------------------------------------------------------------------------------------


def rows(lake):
    return sorted(map(str, lake.arrow().to_pylist()))


@pytest.mark.parametrize("way", ["append", "commit"])
def test_columns_are_added_and_widened(lake, tmp_path, way):
    def put(data, i):
        if way == "append":
            return iceberg.append(data, "db.t", catalog=lake.properties)
        dn.write_parquet(data, tmp_path / f"{i}.parquet")
        return iceberg.commit(tmp_path / f"{i}.parquet", "db.t", catalog=lake.properties)

    s1, s2 = pa.struct([("x", pa.int32())]), pa.struct([("x", pa.int64()), ("y", pa.list_(pa.string()))])
    one = pa.table({"i": pa.array([1], pa.int32()), "f": pa.array([0.5], pa.float32()), "d": pa.array([D("1.50")], pa.decimal128(9, 2)),
                    "s": pa.array([{"x": 1}], s1), "l": pa.array([[{"x": 1}]], pa.list_(s1)), "m": pa.array([[("k", {"x": 1})]], pa.map_(pa.string(), s1))})  # fmt: skip
    two = pa.table({"new.one": ["n"], "l": pa.array([[{"x": 2**40, "y": ["a"]}]], pa.list_(s2)), "i": [2**40], "f": [1e300],
                    "d": pa.array([D("123456789012.50")], pa.decimal128(20, 2)), "s": pa.array([{"x": 2**40, "y": None}], s2),
                    "m": pa.array([[("k", {"x": 2**40, "y": []})]], pa.map_(pa.string(), s2))})  # fmt: skip
    put(one, 1)
    done = put(two, 2)
    assert sorted(done.columns_added) == ["l.element.y", "m.value.y", "new.one", "s.y"]
    assert sorted(done.columns_widened) == ["d", "f", "i", "l.element.x", "m.value.x", "s.x"]
    third = put(one, 3)  # narrower again
    assert third.columns_added == third.columns_widened == ()
    expected = [
        {"i": 1, "f": 0.5, "d": D("1.50"), "s": {"x": 1, "y": None}, "l": [{"x": 1, "y": None}], "m": [("k", {"x": 1, "y": None})], "new.one": None},
        {"i": 2**40, "f": 1e300, "d": D("123456789012.50"), "s": {"x": 2**40, "y": None}, "l": [{"x": 2**40, "y": ["a"]}],
         "m": [("k", {"x": 2**40, "y": []})], "new.one": "n"}]  # fmt: skip
    assert rows(lake) == sorted(map(str, [expected[0], expected[0], expected[1]]))
    assert sorted(lake.duck('select i, d, "new.one", s.x, l[1].x from t')) == sorted(
        2 * [(1, D("1.50"), None, 1, 1)] + [(2**40, D("123456789012.50"), "n", 2**40, 2**40)], key=lambda r: r[0])
    assert lake.arrow(row_filter="i > 5").num_rows == 1 and lake.arrow(row_filter="i = 1").num_rows == 2
    assert len(list(lake.table().scan(row_filter="i < 5").plan_files())) == 2


REFUSED = [
    (pa.table({"a": ["x"]}), "is long in the table and string in the files"),
    (pa.table({"a": [1.5]}), "is long in the table and double"),
    (pa.table({"a": pa.array([D("1")], pa.decimal128(20, 0))}), "is long in the table and decimal"),
    (pa.table({"A": [1]}), 'is "a" in the table'),
    (pa.table({"d": pa.array([D("1.000")], pa.decimal128(9, 3))}), "decimal"),
    (pa.table({"a": [[1]]}), "a list"),
    (pa.table({"s": [1]}), "a struct"),
    (pa.table({"s": pa.array([{"x": "q"}], pa.struct([("x", pa.string())]))}), '"s.x"'),
    (pa.table({"at": pa.array([0], pa.timestamp("us", "UTC"))}), "timestamptz"),
    (pa.table({"b": [1], "B": [2]}), "upper and lower case"),
]


@pytest.mark.parametrize("way", ["append", "commit"])
@pytest.mark.parametrize("data, says", REFUSED)
def test_what_does_not_fit_is_refused(lake, tmp_path, data, says, way):
    s = pa.array([{"x": 1}], pa.struct([("x", pa.int64())]))
    first = pa.table({"a": [1], "d": pa.array([D("1.50")], pa.decimal128(9, 2)), "s": s, "at": pa.array([0], pa.timestamp("us"))})
    iceberg.append(first, "db.t", catalog=lake.properties)
    before = lake.state()
    with pytest.raises(DativoError, match=says) as caught:
        if way == "append":
            iceberg.append(data, "db.t", catalog=lake.properties)
        else:
            dn.write_parquet(data, tmp_path / "x.parquet")
            iceberg.commit(tmp_path / "x.parquet", "db.t", catalog=lake.properties)
    assert caught.value.column and lake.state() == before
    assert len(list((lake.folder / "warehouse").rglob("*.parquet"))) == 1


def test_required_columns(lake, tmp_path):
    required = pa.schema([pa.field("a", pa.int64(), nullable=False), pa.field("b", pa.string())])
    iceberg.append(pa.table({"a": [1], "b": ["x"]}, required), "db.t", catalog=lake.properties)
    iceberg.append(pa.table({"a": [2]}), "db.t", catalog=lake.properties)  # optional, but every value is there
    before = lake.state()
    for data, says in ((pa.table({"a": [3, None, None]}), "has 2 nulls"), (pa.table({"b": ["x"]}), "the files do not have it")):
        with pytest.raises(DativoError, match=says):
            iceberg.append(data, "db.t", catalog=lake.properties)
    assert lake.state() == before and sorted(lake.arrow()["a"].to_pylist()) == [1, 2]


def test_names_that_were_columns_before(lake, tmp_path):
    """Of files that know their columns by name: what they have under an old name must not show up under a new column of it."""
    def put(data, i):
        dn.write_parquet(data, tmp_path / f"{i}.parquet")
        return iceberg.commit(tmp_path / f"{i}.parquet", "db.t", catalog=lake.properties)

    put(pa.table({"a": [1], "b": [10]}), 1)
    with lake.table().update_schema() as update:
        update.rename_column("a", "c")
    with lake.table().update_schema() as update:
        update.delete_column("b")
    assert lake.arrow().to_pylist() == [{"c": 1}]
    before = lake.state()
    for name in ("a", "b"):
        with pytest.raises(DativoError, match="was once"):
            put(pa.table({name: [2]}), name)
    assert lake.state() == before
    put(pa.table({"c": [3]}), 3)
    assert rows(lake) == ["{'c': 1}", "{'c': 3}"]


def test_numbers_of_other_tables(lake, tmp_path):
    iceberg.append(pa.table({"a": [1], "b": [2]}), "db.t", catalog=lake.properties)
    before = lake.state()
    for ids in ([2, 1], [1, -1], [7, 8]):
        dn.write_parquet(pa.table({"a": [1], "b": [2]}), tmp_path / "x.parquet", field_ids=ids, overwrite=True)
        with pytest.raises(DativoError, match="field_ids"):
            iceberg.commit(tmp_path / "x.parquet", "db.t", catalog=lake.properties)
    assert lake.state() == before
    dn.write_parquet(pa.table({"a": [1], "b": [2]}), tmp_path / "y.parquet", field_ids="auto")
    assert iceberg.commit(tmp_path / "y.parquet", "db.t", catalog=lake.properties).rows == 1
    assert "schema.name-mapping.default" not in lake.table().properties


def test_several_files_of_different_columns(lake, tmp_path):
    for i, data in enumerate(({"a": pa.array([1], pa.int32())}, {"a": [2**40], "b": ["x"]}, {"b": ["y"]})):
        dn.write_parquet(pa.table(data), tmp_path / f"{i}.parquet")
    done = iceberg.commit(sorted(tmp_path.glob("*.parquet")), "db.t", catalog=lake.properties)
    assert done.rows == 3 and done.columns_added == ("b",) and len(lake.table().snapshots()) == 1
    assert rows(lake) == sorted(map(str, [{"a": 1, "b": None}, {"a": 2**40, "b": "x"}, {"a": None, "b": "y"}]))


def test_evolve_off(lake):
    iceberg.append(pa.table({"a": pa.array([1], pa.int32())}), "db.t", catalog=lake.properties)
    before = lake.state()
    for data in (pa.table({"a": [1]}), pa.table({"b": [1]})):
        with pytest.raises(DativoError, match="evolve=True"):
            iceberg.append(data, "db.t", catalog=lake.properties, evolve=False)
    assert lake.state() == before
