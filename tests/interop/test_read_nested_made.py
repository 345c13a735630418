"""Nested columns put together by hand: the old forms of lists and maps, and levels that make no rows."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import nested
import stream
from made_file import INT, TEXT, UNKNOWN, data_page, data_page_v2, element, ints, leaf, levels, made_tree, runs, struct, texts

MAP, KEY_VALUE, LIST = 1, 2, 3  # converted types
REQUIRED, OPTIONAL, REPEATED = 0, 1, 2


def group(name, repetition, n=1, converted=None):
    return struct(i32_3=repetition, binary_4=name.encode(), i32_5=n, i32_6=converted)


def field(name, repetition, kind=INT, **more):
    return leaf(kind, binary_4=name.encode(), i32_3=repetition, **more)


def page(reps, defs, values=b"", old=False):
    """Of version 1, with these levels."""
    if old:
        return data_page(len(defs or reps), reps + defs + values, defs=4, reps=4)
    return data_page(len(defs or reps), (levels(*reps) if reps else b"") + (levels(*defs) if defs else b"") + values)


TWO = page([0, 1, 0], [1, 1, 0], ints(1, 2))  # [1, 2], []: of something repeated and no more
LISTS = page([0, 1, 0, 0], [3, 2, 1, 0], ints(1))  # [1, null], [], null: three levels, all optional
FORMS = [  # name, schema, columns, rows
    ("three levels", [group("l", OPTIONAL, 1, LIST), group("list", REPEATED), field("element", OPTIONAL)],
     [("l.list.element", [LISTS])], [[1, None], [], None]),
    ("three levels of other names", [group("l", OPTIONAL, 1, LIST), group("bag", REPEATED), field("array_element", OPTIONAL)],
     [("l.bag.array_element", [LISTS])], [[1, None], [], None]),
    ("repeated", [field("l", REPEATED)], [("l", [TWO])], [[1, 2], []]),
    ("repeated, in pages that end within rows", [field("l", REPEATED)],
     [("l", [page([0, 1], [1, 1], ints(1, 2)), page([1], [1], ints(3)), page([1, 0, 0], [1, 0, 1], ints(4, 5))])], [[1, 2, 3, 4], [], [5]]),
    ("repeated, old levels", [field("l", REPEATED)],
     [("l", [data_page(3, b"\x40" + b"\xc0" + ints(1, 2), defs=4, reps=4)])], [[1, 2], []]),
    ("old levels of two bits", [group("l", OPTIONAL, 1, LIST), group("list", REPEATED), field("element", OPTIONAL)],
     [("l.list.element", [data_page(4, b"\x40" + b"\xe4" + ints(1), defs=4, reps=4)])], [[1, None], [], None]),
    ("a repeated group", [group("l", REPEATED), field("x", REQUIRED)], [("l.x", [TWO])], [[{"x": 1}, {"x": 2}], []]),
    ("two levels", [group("l", REQUIRED, 1, LIST), field("anything", REPEATED)], [("l.anything", [TWO])], [[1, 2], []]),
    ("two levels, array", [group("l", REQUIRED, 1, LIST), group("array", REPEATED), field("x", REQUIRED)],
     [("l.array.x", [TWO])], [[{"x": 1}, {"x": 2}], []]),
    ("two levels, tuple", [group("l", REQUIRED, 1, LIST), group("l_tuple", REPEATED), field("x", REQUIRED)],
     [("l.l_tuple.x", [TWO])], [[{"x": 1}, {"x": 2}], []]),
    ("no tuple of its own", [group("l", REQUIRED, 1, LIST), group("m_tuple", REPEATED), field("x", REQUIRED)],
     [("l.m_tuple.x", [TWO])], [[1, 2], []]),
    ("two levels, several fields", [group("l", REQUIRED, 1, LIST), group("item", REPEATED, 2), field("x", REQUIRED), field("y", OPTIONAL)],
     [("l.item.x", [TWO]), ("l.item.y", [page([0, 1, 0], [2, 1, 0], ints(7))])], [[{"x": 1, "y": 7}, {"x": 2, "y": None}], []]),
    ("two levels twice", [group("l", OPTIONAL, 1, LIST), group("array", REPEATED, 1, LIST), field("array", REPEATED)],
     [("l.array.array", [page([0, 2, 1, 0, 0], [3, 3, 2, 1, 0], ints(1, 2))])], [[[1, 2], []], [], None]),
    ("a list that is none", [group("l", OPTIONAL, 1, LIST), field("x", OPTIONAL)],
     [("l.x", [page([], [2, 1, 0], ints(5))])], [{"x": 5}, {"x": None}, None]),
    ("a list of a struct", [group("l", OPTIONAL, 2, LIST), field("x", REPEATED), field("y", REQUIRED)],
     [("l.x", [page([0, 1, 0], [2, 2, 0], ints(1, 2))]), ("l.y", [page([], [1, 0], ints(7))])], [{"x": [1, 2], "y": 7}, None]),
    ("a map", [group("l", OPTIONAL, 1, MAP), group("map", REPEATED, 2, KEY_VALUE), field("k", REQUIRED), field("v", OPTIONAL)],
     [("l.map.k", [page([0, 1, 0, 0], [2, 2, 1, 0], ints(1, 2))]), ("l.map.v", [page([0, 1, 0, 0], [3, 2, 1, 0], ints(5))])],
     [[(1, 5), (2, None)], [], None]),
    ("a map by its old name", [group("l", OPTIONAL, 1, KEY_VALUE), group("map", REPEATED, 2), field("k", REQUIRED), field("v", REQUIRED)],
     [("l.map.k", [page([0, 1], [2, 2], ints(1, 2))]), ("l.map.v", [page([0, 1], [2, 2], ints(5, 6))])], [[(1, 5), (2, 6)]]),
    ("a map with optional keys", [group("l", OPTIONAL, 1, MAP), group("map", REPEATED, 2), field("k", OPTIONAL), field("v", REQUIRED)],
     [("l.map.k", [page([0, 1, 0], [3, 3, 0], ints(1, 2))]), ("l.map.v", [page([0, 1, 0], [2, 2, 0], ints(5, 6))])], [[(1, 5), (2, 6)], None]),
    ("a map without values", [group("l", OPTIONAL, 1, MAP), group("map", REPEATED), field("k", REQUIRED)],
     [("l.map.k", [page([0, 1, 0, 0], [2, 2, 1, 0], ints(1, 2))])], [[1, 2], [], None]),
    ("a map of three", [group("l", OPTIONAL, 1, MAP), group("map", REPEATED, 3), field("a", REQUIRED), field("b", REQUIRED),
                        field("c", REQUIRED)],
     [("l.map." + name, [page([0, 0, 0], [2, 1, 0], ints(1))]) for name in "abc"], [{"map": [{"a": 1, "b": 1, "c": 1}]}, {"map": []}, None]),
    ("required in optional", [group("l", OPTIONAL), field("x", REQUIRED)], [("l.x", [page([], [1, 0, 1], ints(5, 6))])],
     [{"x": 5}, None, {"x": 6}]),
    ("optional in required", [group("l", REQUIRED), field("x", OPTIONAL)], [("l.x", [page([], [1, 0, 1], ints(5, 6))])],
     [{"x": 5}, {"x": None}, {"x": 6}]),
    ("required in required", [group("l", REQUIRED), field("x", REQUIRED)], [("l.x", [data_page(2, ints(5, 6))])], [{"x": 5}, {"x": 6}]),
    ("texts that need not be there", [group("l", OPTIONAL), field("x", REQUIRED, TEXT, converted=0)],
     [("l.x", [page([], [0, 1, 0], texts(b"more than twelve bytes"))])], [None, {"x": "more than twelve bytes"}, None]),
    ("nothing", [group("l", OPTIONAL, 1, LIST), group("list", REPEATED), leaf(INT, UNKNOWN, binary_4=b"element", i32_3=1)],
     [("l.list.element", [page([0, 1, 0, 0], [2, 2, 1, 0])])], [[None, None], [], None]),
    ("version 2", [field("l", REPEATED)],
     [("l", [data_page_v2(3, ints(1, 2), rows=2, reps=runs(0, 1, 0), defs=runs(1, 1, 0))])], [[1, 2], []]),
]
# pyarrow sees lists of structs in unannotated groups as we do, but not these
OTHER = {"repeated, old levels", "a list that is none", "a list of a struct", "a map with optional keys", "a map of three", "old levels of two bits",
         "repeated, in pages that end within rows", "a map by its old name"}


@pytest.mark.parametrize("name, schema, columns, want", FORMS, ids=[form[0] for form in FORMS])
def test_forms(tmp_path, inspect, name, schema, columns, want):
    path = tmp_path / "a.parquet"
    path.write_bytes(made_tree(schema, columns, len(want)))
    for rows in (0, 1, 2):
        got = stream.read(path, rows=rows)
        got.validate(full=True)
        assert got.column(0).to_pylist() == want
    if name not in OTHER:
        assert nested.equal(got.column(0), pq.read_table(path).column(0))
    assert [row["l"] for row in inspect(path, 10)["rows"]] == [as_shown(row) for row in want]


def as_shown(row):
    """Maps of keys that are no texts are lists of entries."""
    if isinstance(row, list) and row and isinstance(row[0], tuple):
        return [{"key": key, "value": value} for key, value in row]
    return row


THREE = [group("l", OPTIONAL, 1, LIST), group("list", REPEATED), field("element", OPTIONAL)]
PAIR = [group("l", OPTIONAL, 1, LIST), group("item", REPEATED, 2), field("x", REQUIRED), field("y", REQUIRED)]
KEYS = [group("l", OPTIONAL, 1, MAP), group("map", REPEATED, 2), field("k", OPTIONAL), field("v", REQUIRED)]
PARTS = [group("l", OPTIONAL, 2), field("x", OPTIONAL), field("y", OPTIONAL)]
APART = "they are in the same lists or structs, and their levels tell of different ones"
DAMAGED = [  # name, schema, columns, rows, words
    ("begins in a row", THREE, [("l.list.element", [page([1, 0], [3, 3], ints(1, 2))])], 2, "begins with repetition level 1"),
    ("goes on with a null", THREE, [("l.list.element", [page([0, 1], [0, 3], ints(1))])], 1, "row 1: its levels are damaged: .* not there"),
    ("goes on with nothing", THREE, [("l.list.element", [page([0, 0, 1], [3, 1, 3], ints(1, 2))])], 2, "row 2: its levels are damaged"),
    ("goes on with no item", THREE, [("l.list.element", [page([0, 1], [3, 1], ints(1))])], 1, "definition levels 3 and 1"),
    ("goes on with a null of the page before", THREE, [("l.list.element", [page([0], [1]), page([1], [3], ints(1))])], 1, "not there"),
    ("a repetition level too high", [group("l", OPTIONAL, 1, LIST), group("a", REPEATED, 1, LIST), field("b", REPEATED)],
     [("l.a.b", [page([0, 3], [3, 3], ints(1, 2))])], 1, "3 where 2 is the highest"),
    ("a definition level too high", [group("l", OPTIONAL), field("x", OPTIONAL)],
     [("l.x", [page([], [3, 0], ints(1))])], 2, "3 where 2 is the highest"),
    ("fewer rows", THREE, [("l.list.element", [page([0, 1, 1], [3, 3, 3], ints(1, 2, 3))])], 2, "the column ends 1 rows too early"),
    ("more rows", THREE, [("l.list.element", [page([0, 0, 0], [3, 3, 3], ints(1, 2, 3))])], 2, "more rows than its row group"),
    ("fewer levels than rows", THREE, [("l.list.element", [page([0], [3], ints(1))])], 2, "1 values in a row group of 2 rows"),
    ("lists of other lengths", PAIR, [("l.item.x", [page([0, 1, 0], [2, 2, 2], ints(1, 2, 3))]),
                                      ("l.item.y", [page([0, 0, 1], [2, 2, 2], ints(1, 2, 3))])], 2, APART),
    ("a list and no list", PAIR, [("l.item.x", [page([0], [2], ints(1))]), ("l.item.y", [page([0], [1])])], 1, APART),
    ("null and empty", PAIR, [("l.item.x", [page([0], [0])]), ("l.item.y", [page([0], [1])])], 1, APART),
    ("structs and nulls", PARTS, [("l.x", [page([], [2, 0], ints(1))]), ("l.y", [page([], [0, 2], ints(1))])], 2, APART),
    ("a null for a key", KEYS, [("l.map.k", [page([0, 1], [3, 2], ints(1))]), ("l.map.v", [page([0, 1], [2, 2], ints(5, 6))])], 1,
     "a map has a null for a key"),
    ("values where there are none", [group("l", OPTIONAL, 1, LIST), group("list", REPEATED),
                                     leaf(INT, UNKNOWN, binary_4=b"element", i32_3=1)],
     [("l.list.element", [page([0], [3], ints(1))])], 1, "all is null"),
    ("text that is none", [field("l", REPEATED, TEXT, converted=0)],
     [("l", [page([0, 0, 1], [1, 1, 1], texts(b"a", b"b", b"\xff"))])], 2, "row 2: .*is not valid UTF-8"),
]


@pytest.mark.parametrize("name, schema, columns, rows, words", DAMAGED, ids=[one[0] for one in DAMAGED])
def test_damage_is_named(tmp_path, inspect, name, schema, columns, rows, words):
    path = tmp_path / "a.parquet"
    path.write_bytes(made_tree(schema, columns, rows))
    for batch_rows in (0, 1):
        with pytest.raises(OSError, match=words) as error:
            stream.read(path, rows=batch_rows)
        assert "a.parquet: column" in str(error.value) and f'"{columns[0][0]}"' in str(error.value)
        assert "row group 0" in str(error.value)
    assert isinstance(inspect(path, 10), dict)  # rows or a message, and no crash


def test_deep(tmp_path):
    path = tmp_path / "a.parquet"
    names = ["l"] + ["g"] * 62 + ["x"]
    schema = [group(name, OPTIONAL) for name in names[:-1]] + [field("x", OPTIONAL)]
    path.write_bytes(made_tree(schema, [(".".join(names), [page([], [64, 3, 0], ints(7))])], 3))
    with pytest.raises(stream.Refused, match='column "l" is nested more than 63 deep'):
        stream.read(path)
    del schema[1:3], names[1:3]
    path.write_bytes(made_tree(schema, [(".".join(names), [page([], [62, 3, 0], ints(7))])], 3))
    rows = stream.read(path).column(0).to_pylist()
    assert rows[1:] == [{"g": {"g": {"g": None}}}, None]
    repeated = [field("x", REPEATED)]
    for _ in range(40):
        repeated.insert(0, group("g", REPEATED))
    path.write_bytes(made_tree(repeated, [(".".join(["g"] * 40 + ["x"]), [page([0], [0])])], 1))
    with pytest.raises(stream.Refused, match='column "g" is nested more than 63 deep'):
        stream.read(path)


def test_a_group_without_fields(tmp_path):
    path = tmp_path / "a.parquet"
    schema = [group("l", OPTIONAL, 2), group("none", OPTIONAL, 0), field("x", OPTIONAL), field("y", OPTIONAL)]
    path.write_bytes(made_tree(schema, [("l.x", [page([], [2], ints(1))]), ("y", [page([], [1], ints(2))])], 1))
    with pytest.raises(stream.Refused, match='column "l" has a group without fields'):
        stream.read(path)
    assert stream.read(path, columns=["y"]).to_pylist() == [{"y": 2}]


def test_shown_maps(tmp_path, inspect):
    kind = pa.map_(pa.string(), pa.list_(pa.int32()))
    rows = [[("a", [1]), ("b", None)], [("a", [1]), ("a", [2])], [], None]
    table = pa.table({"m": pa.array(rows, kind), "s": pa.array([{"x": {"y": [[1], None]}}] * 4)})
    pq.write_table(table, tmp_path / "a.parquet")
    shown = inspect(tmp_path / "a.parquet", 10)["rows"]
    assert [row["m"] for row in shown] == [{"a": [1], "b": None}, [{"key": "a", "value": [1]}, {"key": "a", "value": [2]}], {}, None]
    assert shown[0]["s"] == {"x": {"y": [[1], None]}}
    assert [list(row) for row in inspect(tmp_path / "a.parquet", 1)["rows"]] == [["m", "s"]]
