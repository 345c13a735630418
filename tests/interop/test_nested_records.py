"""Nested columns as JSON records, against what pyarrow and Python's json make of them."""

import base64
import datetime
import decimal
import json
import math
import random
import uuid

import pyarrow as pa
import pytest

import records
from stream import Refused

UTC = datetime.timezone.utc


# ---- what docs/types.md and docs/json-records.md say of values ----------------------------------------------------


def is_text(t):
    t = values_of(t)
    return pa.types.is_string(t) or pa.types.is_large_string(t) or t == pa.string_view()


def values_of(t):
    while pa.types.is_dictionary(t) or pa.types.is_run_end_encoded(t):
        t = t.value_type
    return t


def is_list(t):
    return any(f(t) for f in (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list,
                              pa.types.is_list_view, pa.types.is_large_list_view))  # fmt: skip


def moment(value):
    text = value.replace(tzinfo=None).isoformat()
    return text + ("Z" if value.tzinfo is not None else "")


def form(t, value):
    """The value that json.loads() is to give."""
    t = values_of(t)
    if value is None:
        return None
    if is_list(t):
        return [form(t.value_type, item) for item in value]
    if pa.types.is_map(t):
        if is_text(t.key_type):
            return {k: form(t.item_type, v) for k, v in value}
        return [{"key": form(t.key_type, k), "value": form(t.item_type, v)} for k, v in value]
    if pa.types.is_struct(t):
        return {f.name: form(f.type, value[f.name]) for f in t.fields}
    if isinstance(value, decimal.Decimal):
        text = f"{value:f}"
        return float(text) if "." in text and repr(float(text)) == text else text
    if isinstance(value, datetime.datetime):
        return moment(value)
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def same(a, b):
    if isinstance(a, float) and isinstance(b, float) and math.isnan(a):
        return math.isnan(b)
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(v, b[k]) for k, v in a.items())
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


# ---- columns of any type -------------------------------------------------------------------------------------------

FLAT = [
    (pa.bool_(), [True, False]),
    (pa.int8(), [-128, 0, 127]),
    (pa.uint64(), [0, 2**64 - 1]),
    (pa.int64(), [-(2**63), 0, 2**63 - 1]),
    (pa.float32(), [0.5, -0.0, math.inf]),
    (pa.float64(), [0.1, 1e300, -0.0, 5e-324, math.nan, -math.inf]),
    (pa.float16(), [0.5, 65504.0]),
    (pa.string(), ["", "a", 'q"\\\n\0', "\u00e9\U0001f600", "longer than twelve bytes"]),
    (pa.large_string(), ["", "x" * 70]),
    (pa.string_view(), ["", "short", "longer than twelve bytes"]),
    (pa.binary(), [b"", b"\x00\xff", b"abcd"]),
    (pa.binary_view(), [b"", b"0123456789abcdef"]),
    (pa.binary(3), [b"abc", b"\x00\x00\x00"]),
    (pa.decimal128(12, 2), [decimal.Decimal("-0.50"), decimal.Decimal("12.25"), decimal.Decimal("9999999999.99")]),
    (pa.decimal256(60, 1), [decimal.Decimal("-" + "9" * 59 + ".9"), decimal.Decimal("1.0")]),
    (pa.date32(), [datetime.date(1, 1, 1), datetime.date(9999, 12, 31)]),
    (pa.time64("us"), [datetime.time(0), datetime.time(23, 59, 59, 999999)]),
    (pa.timestamp("us"), [datetime.datetime(1970, 1, 1), datetime.datetime(2024, 2, 29, 10, 11, 12, 500000)]),
    (pa.timestamp("us", "UTC"), [datetime.datetime(1970, 1, 1, tzinfo=UTC)]),
    (pa.uuid(), [uuid.UUID(int=0), uuid.UUID(int=2**127 + 1)]),
    (pa.null(), [None]),
]
KEYS = [case for case in FLAT if case[0] in (pa.string(), pa.string_view(), pa.large_string(), pa.int64(), pa.date32())]


class Maker:
    """Types and their values at random."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def type(self, depth):
        r = self.random
        if depth == 0 or r.random() < 0.15:
            return r.choice(FLAT)[0]
        kind = r.randrange(9)
        if kind == 0:
            return pa.struct([(n, self.type(depth - 1)) for n in r.sample(["a", "b c", 'q"', "", "\u00e9", "key"], r.randrange(4))])
        if kind == 1:
            return pa.map_(r.choice(KEYS)[0], self.type(depth - 1))
        if kind == 2:
            return pa.list_(self.type(depth - 1), r.randrange(4))
        item = self.type(depth - 1)
        makers = [pa.list_, pa.large_list, pa.list_view, pa.large_list_view]
        return r.choice(makers)(item)

    def value(self, t, nulls=0.2):
        r = self.random
        if pa.types.is_null(t) or r.random() < nulls:
            return None
        if pa.types.is_struct(t):
            return {f.name: self.value(f.type) for f in t.fields}
        if pa.types.is_map(t):
            keys = self.values(t.key_type)
            return [(k, self.value(t.item_type)) for k in r.sample(keys, r.randrange(len(keys) + 1))]
        if is_list(t):
            n = t.list_size if pa.types.is_fixed_size_list(t) else r.randrange(4)
            return [self.value(t.value_type) for _ in range(n)]
        return r.choice(self.values(t))

    @staticmethod
    def values(t):
        return next(values for flat, values in FLAT if flat == t)


def array(values, t):
    """pa.array() cannot make list views within everything: by the C++ kernels they come of lists."""
    if pa.types.is_struct(t):
        if t.num_fields == 0:
            return pa.array(values, t)
        fields = [array([None if v is None else v[f.name] for v in values], f.type) for f in t.fields]
        return pa.StructArray.from_arrays(fields, fields=list(t.fields), mask=pa.array([v is None for v in values], pa.bool_()))
    if pa.types.is_fixed_size_list(t):
        n = t.list_size
        items = array([item for v in values for item in (v if v is not None else [None] * n)], t.value_type)
        if n == 0:
            return pa.array(values, t)
        return pa.FixedSizeListArray.from_arrays(items, type=t, mask=pa.array([v is None for v in values], pa.bool_()))
    if is_list(t):
        items = array([item for v in values if v is not None for item in v], t.value_type)
        sizes = [0 if v is None else len(v) for v in values]
        offsets = [sum(sizes[:i]) for i in range(len(sizes) + 1)]
        mask = pa.array([v is None for v in values], pa.bool_())
        if pa.types.is_list(t):
            return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), items, type=t, mask=mask)
        if pa.types.is_large_list(t):
            return pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), items, type=t, mask=mask)
        large = pa.types.is_large_list_view(t)
        kind, int_ = (pa.LargeListViewArray, pa.int64()) if large else (pa.ListViewArray, pa.int32())
        return kind.from_arrays(pa.array(offsets[:-1], int_), pa.array(sizes, int_), items, type=t, mask=mask)
    if pa.types.is_map(t):
        entries = [entry for v in values if v is not None for entry in v]
        keys, items = array([k for k, _ in entries], t.key_type), array([v for _, v in entries], t.item_type)
        sizes = [0 if v is None else len(v) for v in values]
        offsets = pa.array([sum(sizes[:i]) for i in range(len(sizes) + 1)], pa.int32())
        return pa.MapArray.from_arrays(offsets, keys, items, type=t, mask=pa.array([v is None for v in values], pa.bool_()))
    return pa.array(values, t)


def batch_of(columns):
    return pa.RecordBatch.from_arrays([c for _, c in columns], names=[n for n, _ in columns])


def due(batch):
    columns = [[form(c.type, v) for v in c.to_pylist()] for c in batch.columns]
    return [dict(zip(batch.schema.names, row)) for row in zip(*columns)]


def check(batch, row=0, n_rows=None):
    text = records.write(batch, row, n_rows)
    end = batch.num_rows if n_rows is None else row + n_rows
    got, expected = json.loads(text), due(batch)[row:end]
    assert same(got, expected), f"{batch.schema}\n{got}\n{expected}"
    return text


# ---- tests ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", range(8))
def test_random_tables_are_what_pyarrow_has(block):
    for seed in range(block * 50, block * 50 + 50):
        maker = Maker(seed)
        n = maker.random.randrange(1, 12)
        columns = []
        for i in range(maker.random.randrange(1, 4)):
            t = maker.type(maker.random.randrange(1, 5))
            columns.append((f"c{i}", array([maker.value(t) for _ in range(n)], t)))
        batch = batch_of(columns)
        check(batch)
        at = maker.random.randrange(n)
        check(batch, at, maker.random.randrange(n - at + 1))
        check(batch.slice(at))


@pytest.mark.parametrize("t, values", FLAT, ids=[str(t) for t, _ in FLAT])
def test_every_flat_type_within_every_nested_one(t, values):
    values = [*values, None]
    columns = [
        ("list", array([values, [], None], pa.list_(t))),
        ("large", array([[], values, None], pa.large_list(t))),
        ("view", array([None, values, []], pa.list_view(t))),
        ("fixed", array([values, None, values[::-1]], pa.list_(t, len(values)))),
        ("struct", array([{"v": v} for v in values[:1]] + [None, {"v": None}], pa.struct([("v", t)]))),
        ("map", array([[("k", v) for v in values[:1]], None, []], pa.map_(pa.string(), t))),
    ]
    if not pa.types.is_null(t):
        columns.append(("entries", array([[(k, k) for k in values[:-1]], [], None], pa.map_(t, t))))
    check(batch_of(columns))


def test_dictionaries_and_runs_are_their_values():
    words = pa.DictionaryArray.from_arrays(pa.array([1, None, 0, 2], pa.int8()), ["a", "b", None])
    lists = pa.DictionaryArray.from_arrays(pa.array([0, 1, 1, 0], pa.uint32()), pa.array([[1, None], []]))
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([1, 3, 4], pa.int32()), pa.array(["x", None, "z"]))
    structs = pa.RunEndEncodedArray.from_arrays(pa.array([2, 4], pa.int16()), pa.array([{"a": 1}, {"a": None}]))
    within = pa.ListArray.from_arrays([0, 1, 1, 3, 4], words)
    keyed = pa.MapArray.from_arrays([0, 1, 1, 2, 2], words.take(pa.array([0, 2])), pa.array([1, 2]))
    nested = pa.StructArray.from_arrays([words, runs], names=["w", "r"])
    batch = batch_of([("w", words), ("l", lists), ("r", runs), ("s", structs), ("n", within), ("k", keyed), ("t", nested)])
    got = check(batch)
    assert json.loads(got)[0] == {"w": "b", "l": [1, None], "r": "x", "s": {"a": 1}, "n": ["b"], "k": {"b": 1}, "t": {"w": "b", "r": "x"}}
    for at in range(4):
        check(batch, at, 4 - at)
        check(batch.slice(at))


def test_views_in_any_order_share_items():
    views = pa.ListViewArray.from_arrays([3, 0, 2, 0], [2, 0, 3, 5], pa.array([0, 1, 2, 3, 4]))
    assert json.loads(records.write(batch_of([("v", views)]))) == [{"v": [3, 4]}, {"v": []}, {"v": [2, 3, 4]}, {"v": [0, 1, 2, 3, 4]}]


def test_members_of_one_name():
    structs = pa.StructArray.from_arrays([pa.array([n]) for n in range(4)], names=["a", "a", "a_1", "b"])
    assert records.write(batch_of([("s", structs)])) == '[{"s":{"a":0,"a_2":1,"a_1":2,"b":3}}]'


def test_json_within_is_itself():
    texts = pa.ExtensionArray.from_storage(pa.json_(), pa.array(['{"a": [1, 2]}', None, ' "x" ', "1.10"]))
    assert records.write(batch_of([("j", pa.ListArray.from_arrays([0, 4], texts))])) == '[{"j":[{"a":[1,2]},null,"x",1.10]}]'


@pytest.mark.parametrize("depth", [1, 20, 64])
@pytest.mark.parametrize("kind", ["list", "struct", "map", "entries"])
def test_depth(depth, kind):
    wrap = {
        "list": (pa.list_, lambda v: [v], 1),
        "struct": (lambda t: pa.struct([("a", t)]), lambda v: {"a": v}, 1),
        "map": (lambda t: pa.map_(pa.string(), t), lambda v: [("k", v)], 2),
        "entries": (lambda t: pa.map_(pa.int32(), t), lambda v: [(1, v)], 2),
    }
    type_of, value_of, levels = wrap[kind]
    t, value = pa.int64(), 7
    for _ in range((depth - 1) // levels):
        t, value = type_of(t), value_of(value)
    check(batch_of([("c", array([value, None], t))]))
    deeper = batch_of([("c", array([value_of(value)], type_of(t)))])
    if depth == 64:
        with pytest.raises(Refused, match='column "c" is of type .*, which is nested too deep'):
            records.write(deeper)
    else:
        check(deeper)


def bad_utf8(n_before):
    data = b"a" * n_before + b"\xff"
    return pa.StringArray.from_buffers(1, pa.py_buffer(bytes([0] * 4) + len(data).to_bytes(4, "little")), pa.py_buffer(data))


def structs(*fields):
    return pa.StructArray.from_arrays([f for _, f in fields], names=[n for n, _ in fields])


REFUSED = [
    (pa.ListArray.from_arrays([0, 0, 1], pa.ExtensionArray.from_storage(pa.json_(), pa.array(["{"]))),
     "row 2 of the batch, column 'c', at c[0]: '{' is not JSON, which the column's type says it is"),
    (pa.ListArray.from_arrays([0, 1], structs(("a b", bad_utf8(0)))),
     "row 1 of the batch, column 'c', at c[0][\"a b\"]: '\\xff' is not valid UTF-8; set the source's encoding"),
    (structs(("x", pa.MapArray.from_arrays([0, 1], ["k"], bad_utf8(3)))),
     "row 1 of the batch, column 'c', at c.x.k: 'aaa\\xff' is not valid UTF-8; set the source's encoding"),
    (pa.MapArray.from_arrays([0, 0, 1], [1], bad_utf8(3)),
     "row 2 of the batch, column 'c', at c[0].value: 'aaa\\xff' is not valid UTF-8; set the source's encoding"),
    (pa.array([[("a", 1)], [("x", 1), ("y", 1), ("x", 2)]], pa.map_(pa.string(), pa.int64())),
     "row 2 of the batch, column 'c': 'x' is a key that the map has twice, and an object of JSON only once"),
    (pa.array([[(str(i % 50), i) for i in range(51)]], pa.map_(pa.string_view(), pa.int64())),
     "row 1 of the batch, column 'c': '0' is a key that the map has twice, and an object of JSON only once"),
]  # fmt: skip


@pytest.mark.parametrize("column, message", REFUSED, ids=range(len(REFUSED)))
def test_what_is_no_record(column, message):
    with pytest.raises(Refused) as refused:
        records.write(batch_of([("c", column)]))
    assert str(refused.value) == message
