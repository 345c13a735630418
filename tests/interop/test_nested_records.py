"""Nested columns as JSON records and back, against what pyarrow and Python's json make of them."""

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


def seconds(value, digits):
    whole, fraction = divmod(abs(value), 10**digits)
    return f"{'-' * (value < 0)}{whole}{('.' + f'{fraction:0{digits}}'.rstrip('0')) * (fraction != 0)}S"


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
    if isinstance(value, datetime.timedelta):
        return "PT" + seconds(value // datetime.timedelta(microseconds=1), 6)
    if isinstance(value, pa.MonthDayNano):
        parts = f"{value.months}M" * (value.months != 0) + f"{value.days}D" * (value.days != 0)
        return "P" + parts + ("T" + seconds(value.nanoseconds, 9)) * (value.nanoseconds != 0 or not parts)
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
    if isinstance(a, tuple) and isinstance(b, tuple):
        return same(list(a), list(b))
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
    (pa.duration("us"), [datetime.timedelta(0), datetime.timedelta(days=-3, microseconds=1), datetime.timedelta(days=99999)]),
    (pa.month_day_nano_interval(), [pa.MonthDayNano([0, 0, 0]), pa.MonthDayNano([-(2**31), 2**31 - 1, -(2**63)]), pa.MonthDayNano([1, -2, 1])]),
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
            valid = pa.array([v is not None for v in values], pa.bool_()).buffers()[1]
            return pa.Array.from_buffers(t, len(values), [valid], children=[items])
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


def words(t):
    """A type as docs/types.md has it; how it is stored is not in it."""
    t = values_of(t)
    if is_list(t):
        width = f"({t.list_size})" if pa.types.is_fixed_size_list(t) else ""
        return f"list{width}<{words(t.value_type)}>"
    if pa.types.is_map(t):
        return f"map<{words(t.key_type)}, {words(t.item_type)}>"
    if pa.types.is_struct(t):
        return f"struct<{', '.join(f'{json.dumps(f.name, ensure_ascii=False)}: {words(f.type)}' for f in t.fields)}>"
    if is_text(t):
        return "string"
    if t == pa.uuid():
        return "uuid"
    if pa.types.is_fixed_size_binary(t):
        return f"binary({t.byte_width})"
    if pa.types.is_binary(t) or t == pa.binary_view():
        return "binary"
    if pa.types.is_decimal(t):
        return f"decimal({t.precision},{t.scale})"
    return {"halffloat": "float16", "float": "float32", "double": "float64", "date32[day]": "date", "timestamp[us, tz=UTC]": "timestamptz",
            "time64[us]": "time", "month_day_nano_interval": "interval"}.get(str(t), str(t))  # fmt: skip


def check_read(batch, text):
    """The text is read back as the values that were written."""
    back, _ = records.read(text, {f.name: words(f.type) for f in batch.schema})
    for name, got in zip(batch.schema.names, back.columns):
        assert same(got.to_pylist(), batch.column(name).to_pylist()), f"{batch.schema.field(name)}\n{text}\n{got}"
        assert words(got.type) == words(batch.schema.field(name).type)
    return back


def has_empty_struct(t):
    return pa.types.is_struct(t) and t.num_fields == 0 or any(has_empty_struct(t.field(i).type) for i in range(t.num_fields))


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
        text = check(batch)
        if not any(has_empty_struct(f.type) for f in batch.schema):  # which no words name
            assert records.write(check_read(batch, text)) == text
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
    batch = batch_of(columns)
    check_read(batch, check(batch))


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
    check_read(batch, got)
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
     "row 1 of the batch, column 'c', at c[0]['a b']: '\\xff' is not valid UTF-8; set the source's encoding"),
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


# ---- reading what others write -------------------------------------------------------------------------------------


def plain(t, value):
    """What a host has that calls json.dumps(): maps are lists of pairs, and numbers are numbers."""
    if value is None:
        return None
    if is_list(t):
        return [plain(t.value_type, v) for v in value]
    if pa.types.is_map(t):
        return [[plain(t.key_type, k), plain(t.item_type, v)] for k, v in value]
    if pa.types.is_struct(t):
        return {f.name: plain(f.type, value[f.name]) for f in t.fields}
    return str(value) if isinstance(value, decimal.Decimal) else form(t, value)


@pytest.mark.parametrize("block", range(4))
def test_what_json_dumps_writes_is_what_from_pylist_makes(block):
    for seed in range(1000 + block * 50, 1050 + block * 50):
        maker = Maker(seed)
        t = maker.type(3)
        if has_empty_struct(t):
            continue
        values = [maker.value(t) for _ in range(5)]
        dumped = json.dumps({"records": [{"c": plain(t, v)} for v in values]}, indent=maker.random.choice([None, 1]))
        back, _ = records.read(dumped, {"c": words(t)})
        assert same(back.column(0).to_pylist(), array(values, t).to_pylist()), (t, dumped)


ACCEPTED = [
    ("list<int64>", "[1, null, 2.0, \"3\", \"\"]", [1, None, 2, 3, None]),
    ("list<int64>", '""', None),
    ("list<string>", '["a", 1.10, true, {"x": [1, 2]}, [ ], "", null]', ["a", "1.10", "true", '{"x":[1,2]}', "[]", "", None]),
    ("list<json>", '["a", 1.10, {"x": [1, 2]}, null, ""]', ['"a"', "1.10", '{"x":[1,2]}', None, '""']),
    ("list<bool>", '[true, 0, "yes", null]', [True, False, True, None]),
    ("list<binary>", '["", "AAE="]', [b"", b"\0\1"]),
    ("list<binary(2)>", '["", "AAE="]', [None, b"\0\1"]),
    ("list(2)<int8>", "[1, null]", [1, None]),
    ("list(2)<int8>", "null", None),
    ("list(0)<int8>", "[]", []),
    ("struct<a: int64, b: list<date>>", '{"b": ["2024-02-29"]}', {"a": None, "b": [datetime.date(2024, 2, 29)]}),
    ("struct<a: int64, b: list<date>>", "{}", {"a": None, "b": None}),
    ("struct<a: int64, b: list<date>>", '""', None),
    ("struct<a: int64>", '{"a": 1, "\\u0061": 2}', {"a": 2}),
    ("struct<a: list<int64>, b: string>", '{"a": [1, 2], "b": "x", "a": [3], "b": null}', {"a": [3], "b": None}),
    ('struct<"": int64, "x.y": int64>', '{"x.y": 2, "": 1}', {"": 1, "x.y": 2}),
    ("map<string, int64>", '{"a": 1, "": null}', [("a", 1), ("", None)]),
    ("map<string, int64>", '[["a", 1], {"value": 2, "key": "b"}, {"key": "c"}]', [("a", 1), ("b", 2), ("c", None)]),
    ("map<int64, int64>", '{"1": 1, " +02 ": 2}', [(1, 1), (2, 2)]),
    ("map<binary, int64>", '{"AAE=": 1}', [(b"\0\1", 1)]),
    ("map<int64, int64>", "[[1, 1], [1, 2]]", [(1, 1), (1, 2)]),
    ("map<list<int64>, string>", '[[[1], "a"], [[], "b"]]', [([1], "a"), ([], "b")]),
    ("map<string, map<string, int64>>", '{"a": {"a": 1}}', [("a", [("a", 1)])]),
    ("list<interval>", '["P1Y2M3W4DT5H6M7.5S", "P-1M2DT-0.5S", "-P1D", "PT0S"]',
     [pa.MonthDayNano([14, 25, 18367500000000]), pa.MonthDayNano([-1, 2, -500000000]), pa.MonthDayNano([0, -1, 0]), pa.MonthDayNano([0, 0, 0])]),
    ("list<duration[ms]>", '["PT1.5S", "P1DT1H", "-PT0.001S", "PT-1M1S"]',
     [datetime.timedelta(milliseconds=n) for n in (1500, 90_000_000, -1, -59_000)]),
    ("list<float16>", "[1, 0.1, 65504, -0.0, 5.960464477539063e-08, 1e-9, NaN, -Infinity, 2049.0]",
     [1.0, 0.0999755859375, 65504.0, -0.0, 5.960464477539063e-08, 0.0, math.nan, -math.inf, 2048.0]),
    ("list<null>", '[null, ""]', [None, None]),
]  # fmt: skip


@pytest.mark.parametrize("type_, text, value", ACCEPTED, ids=[f"{t}={text}" for t, text, _ in ACCEPTED])
def test_values_that_are_taken(type_, text, value):
    back, _ = records.read(f'[{{"c": {text}}}, {{"c": null}}, {{}}]', {"c": type_})
    assert same(back.column(0).to_pylist(), [value, None, None])


WRONG = [
    ("list<int64>", "5", "column 'c': the number '5' is no value of type list<int64>; correct the value or declare the column as string", 7),
    ("list<int64>", '{"a": 1}', "column 'c': the object '{\"a\":1}' is no value of type list<int64>", 7),
    ("list<int64>", '[1, "x"]', "column 'c', at c[1]: the text 'x' is no value of type int64; correct the value or declare it as string", 11),
    ("list<int64>", "[1, 1.5]", "column 'c', at c[1]: the number '1.5' is no value of type int64; correct the value or declare it as float64", 11),
    ("list<int64>", "[[1]]", "column 'c', at c[0]: the array '[1]' is no value of type int64", 8),
    ("list<list<int64>>", "[[1], [2, true]]", "column 'c', at c[1][1]: the boolean 'true' is no value of type int64", 17),
    ("struct<l: list<struct<a: int64>>>", '{"l": [{}, {"a": null}, {"a": 2.5}]}', "at c.l[2].a: the number '2.5' is no value of type int64", 37),
    ("struct<a: int64>", '{"a": 1, "b c": 2}', "column 'c': the text 'b c' is the name of no member of struct<a: int64>; declare the member, or leave it out", 16),
    ("struct<a: int64>", "[1]", "column 'c': the array '[1]' is no value of type struct<a: int64>", 7),
    ('struct<"a b": int8>', '{"a b": 300}', "at c['a b']: the number '300' is no value of type int8", 15),
    ("map<string, int8>", '{"k": 1, "x y": 300}', "at c['x y']: the number '300' is no value of type int8", 23),
    ("map<string, int8>", '{"k": 1, "k": 2}', "column 'c': the object '{\"k\":1,\"k\":2}' has a key twice, and so is none of type map<string, int8>; a map has a key once", 7),
    ("map<string, int8>", '[["k", 1], ["k", 2]]', "has a key twice", 7),
    ("map<string, int8>", '[["k", 1, 2]]', "at c[0]: the array '[\"k\",1,2]' is no value of type struct<key: string, value: int8>", 8),
    ("map<string, int8>", '[["k"]]', "at c[0]: the array '[\"k\"]' is no value", 8),
    ("map<string, int8>", "[1]", "at c[0]: the number '1' is no value", 8),
    ("map<string, int8>", "[[null, 1]]", "at c[0][0]: the value 'null' is no value of type string; it must not be null: send a value", 9),
    ("map<string, int8>", '[{"value": 1}]', "at c[0].key: the object '{\"value\":1}' lacks a value of type string; send one", 8),
    ("map<string, int8>", '[{"key": "a", "x": 1}]', "at c[0]: the text 'x' is the name of no member", 21),
    ("map<int64, int8>", '{"x": 1}', "column 'c': the text 'x' is no value of type int64", 8),
    ("map<int64, int8>", '{"": 1}', "column 'c': the text '' is no value of type int64; it must not be null", 8),
    ("map<list<int8>, int8>", '{"1": 1}', "the text '1' is no value of type list<int8>", 8),
    ("list(3)<int64>", "[1, 2]", "column 'c': the array '[1,2]' has another number of items than list(3)<int64>", 7),
    ("list(1)<int64>", "[]", "has another number of items than list(1)<int64>", 7),
    ("list<binary>", '["abc"]', "at c[0]: the text 'abc' is no value of type binary", 8),
    ("list<binary(2)>", '["AA=="]', "at c[0]: the text 'AA==' is no value of type binary(2)", 8),
    ("list<float16>", "[65520.0]", "at c[0]: the number '65520.0' is too large for float16", 8),
    ("list<float16>", "[2049]", "at c[0]: the number '2049' would lose digits as float16", 8),
    ("list<duration[s]>", '["PT0.5S"]', "the text 'PT0.5S' is no value of type duration[s]", 8),
    ("list<duration>", '["P1M"]', "the text 'P1M' is no value of type duration", 8),
    ("list<interval_months>", '["P1D"]', "the text 'P1D' is no value of type interval_months", 8),
    ("list<null>", "[0]", "at c[0]: the number '0' is no value of type null", 8),
    ("binary", '"abc"', "column 'c': the text 'abc' is no value of type binary; correct the value or declare the column as string", 7),
    ("!list<int64>", "null", "required column 'c' is null; send a value of type list", 1),
]  # fmt: skip


@pytest.mark.parametrize("type_, text, message, offset", WRONG, ids=[f"{t}={text}" for t, text, *_ in WRONG])
def test_values_that_do_not_fit(type_, text, message, offset):
    fine = '{"c":""}' if type_[0] != "!" else '{"c":[]}'
    before = f"[{fine},"
    with pytest.raises(Refused) as refused:
        records.read(f'{before}{{"c": {text}}}]', {"c": type_})
    assert str(refused.value).startswith("record 2") and message in str(refused.value)
    error = refused.value.error
    assert (error.row, error.column) == (2, b"c") and error.byte_offset == len(before) - 1 + offset
    # a later duplicate of the key takes its place
    assert records.read(f'[{{"c": {text}, "c": {fine[5:-1]}}}]', {"c": type_})[0].num_rows == 1


MALFORMED = ['[1', "[1,", "[1,]", "[1 2]", '{"a"', '{"a":', '{"a":1', '{"a":1,', '{"a":1,}', "{1:2}", '{"a" 1}', '["\x01"]', '["\\x"]', "[01]", "[nul]"]


@pytest.mark.parametrize("type_", ["list<int64>", "list<string>", "list<list<json>>", "struct<a: int64>", "map<string, int64>", "map<int8, struct<a: date>>"])
def test_malformed_values_are_none_of_any_type(type_):
    for text in MALFORMED:
        with pytest.raises(Refused, match="malformed JSON at byte"):
            records.read(f'[{{"c":{text}', {"c": type_})


def test_rounded_values_within_are_counted():
    text = '[{"c": [0.1, 1001.999999999999999785]}, {"c": [1e-400, 1e-400]}, {"c": ["x", 1e-400], "c": []}, {"c": [1e-400], "c": null}]'
    back, n = records.read(text, {"c": "list<float64>"})
    assert n == 3 and back.column(0).to_pylist() == [[0.1, 1002.0], [0.0, 0.0], [], None]


def test_extra_columns_keep_nested_values_as_their_text():
    back, _ = records.read('[{"x": {"a": [1, 2]}, "c": [1]}]', {"c": "list<int8>"})
    assert back.to_pylist() == [{"c": [1], "x": '{"a":[1,2]}'}]


@pytest.mark.parametrize("kind", ["list", "map", "struct"])
def test_hostile_depth(kind):
    opening, closing = {"list": ("list<", ">"), "map": ("map<string, ", ">"), "struct": ("struct<a: ", ">")}[kind]
    most = 31 if kind == "map" else 62  # pyarrow imports no more
    start, end = {"list": ("[", "]"), "map": ('{"k":', "}"), "struct": ('{"a":', "}")}[kind]
    type_ = opening * most + "int64" + closing * most
    back, _ = records.read(f'[{{"c":{start * most}1{end * most}}}]', {"c": type_})
    assert records.write(back) == f'[{{"c":{start * most}1{end * most}}}]'
    for n in (most + 1, 200, 100_000):
        with pytest.raises(Refused, match="is no value of type int64" if n < 100 else "malformed JSON"):
            records.read(f'[{{"c":{start * n}1{end * n}}}]', {"c": type_})
        with pytest.raises(Refused, match="levels deep"):
            records.read("[]", {"c": opening * (64 if kind != "map" else 65) + "int64"})


def test_no_null_takes_all_memory():
    with pytest.raises(Refused, match="no known type"):
        records.read('[{"c": null}]', {"c": "list(99999)<list(99999)<int8>>"})


def test_columns_that_cannot_be_declared():
    with pytest.raises(Refused, match="no known type"):
        records.read("[]", {"c": "struct<a: int8, a: int16>"})


def test_many_and_large_values():
    large = "\u00e9" * 5_000_000
    text = json.dumps([{"c": [large, "x"], "d": list(range(200_000))}], ensure_ascii=False)
    back, _ = records.read(text, {"c": "list<string>", "d": "list<int64>"})
    assert back.to_pylist() == [{"c": [large, "x"], "d": list(range(200_000))}]
    assert json.loads(records.write(back)) == json.loads(text)
    keys = {f"k{i}": i for i in range(20_000)}
    back, _ = records.read(json.dumps([{"c": keys}]), {"c": "map<string, int64>"})
    assert json.loads(records.write(back)) == [{"c": keys}]
