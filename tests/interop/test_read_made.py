"""Files put together by hand, read: rare types and pages are what they are, for pyarrow too where it reads them, or refused in words."""

import decimal as decimals

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from made_file import (BOOL, FIXED, FLOAT16, INT, INT96, LONG, TEXT, UNKNOWN, UUID, bounds, changed, data_page, data_page_v2,
                       decimal,
                       dictionary_page, element, group_of, halves, int96, integer, ints, leaf, levels, longs, made, runs, said, struct,
                       texts, time)
from stream import Refused, read, same
from thrift_file import BINARY, I32, I64, LIST, STRUCT, Field, Page

ONE = data_page(2, ints(1, 2))
OPTIONAL = leaf(INT, i32_3=1)
NO_ROWS = struct(list_1=(STRUCT, [struct(i64_2=0, struct_3=struct(
    i32_1=INT, list_2=(I32, [0]), list_3=(BINARY, [b"x"]), i32_4=0, i64_5=0, i64_6=0, i64_7=0, i64_9=4))]), i64_2=0, i64_3=0)


def packed(page, codec="snappy", behind=0):
    """The page with its body packed, but for the first `behind` bytes."""
    body = page.body[:behind] + pa.compress(page.body[behind:], codec=codec, asbytes=True)
    header = changed(page.header, {3: Field(I32, len(body))})
    return Page(header, body)


# ---- what `inspect` shows --------------------------------------------------------------------------------------------

SHOWN = [  # name, file, values or words of the refusal
    ("ints", made([ONE]), [1, 2]),
    ("decimals of bytes", made([data_page(3, texts(b"\x01", b"\xff\x7f", b"\0\x80"))], leaf=decimal(TEXT, 6, 2)),
     ["0.01", "-1.29", "1.28"]),
    ("decimals of no bytes", made([data_page(1, texts(b""))], leaf=decimal(TEXT, 6, 2)), ["0x"]),
    ("decimals of 65 bytes", made([data_page(1, b"\1" * 65)], leaf=decimal(FIXED, 6, 2, length=65)), ["0x" + "01" * 65]),
    ("decimals of scale 152", made([data_page(1, ints(7))], leaf=decimal(INT, 9, 152)), ["0." + "0" * 151 + "7"]),
    ("decimals of scale 153", made([data_page(1, ints(7))], leaf=decimal(INT, 9, 153)), ["0x07000000"]),
    ("decimals of scale below zero", made([data_page(1, ints(7))], leaf=decimal(INT, 9, -1)), ["0x07000000"]),
    ("halves", made([data_page(3, halves(1.5, -2, 65504))], leaf=leaf(FIXED, FLOAT16, length=2)), [1.5, -2, 65504]),
    ("halves of 4 bytes", made([data_page(1, bytes(4))], leaf=leaf(FIXED, FLOAT16, length=4)), ["0x00000000"]),
    ("halves of text", made([data_page(1, texts(b"\1\2"))], leaf=leaf(TEXT, FLOAT16)), ["0x0102"]),
    ("uuid", made([data_page(1, bytes(range(16)))], leaf=leaf(FIXED, UUID, length=16)), ["00010203-0405-0607-0809-0a0b0c0d0e0f"]),
    ("uuid of 3 bytes", made([data_page(1, b"\1\2\3")], leaf=leaf(FIXED, UUID, length=3)), ["0x010203"]),
    ("json", made([data_page(1, texts(b"{}"))], leaf=leaf(TEXT, 12)), ["{}"]),
    ("json of a fixed length", made([data_page(1, b"{}")], leaf=leaf(FIXED, 12, length=2)), ["0x7b7d"]),
    ("dates of longs", made([data_page(1, longs(1))], leaf=leaf(LONG, 6)), [1]),
    ("dates", made([data_page(1, ints(-1))], leaf=leaf(INT, 6)), ["1969-12-31"]),
    ("times of the other width", made([data_page(1, longs(5))], leaf=time(LONG, 7, 1, True)), [5]),
    ("times", made([data_page(1, longs(3723000004000))], leaf=time(LONG, 7, 3, True)), ["01:02:03.000004000"]),
    ("timestamps of ints", made([data_page(1, ints(5))], leaf=time(INT, 8, 2, True)), [5]),
    ("timestamps past what can be shown", made([data_page(2, longs(9223372036854999, 9223372036854775))], leaf=time(LONG, 8, 1, True)),
     [9223372036854, "+294247-01-10T04:00:54.775000Z"]),
    ("int96", made([data_page(2, int96((2440588, 1), (-1, 0)))], leaf=leaf(INT96)),
     ["1970-01-01T00:00:00.000000001", "-004713-11-23T00:00:00"]),
    ("nothing", made([data_page(2, levels(0, 0))], leaf=leaf(INT, UNKNOWN, i32_3=1)), [None, None]),
    ("unsigned", made([data_page(2, longs(-1, 1))], leaf=integer(LONG, 64, False)), ["18446744073709551615", 1]),
    ("rows behind a row group without any", made([ONE], before=[NO_ROWS]), [1, 2]),
    ("a page of an index behind the rows", made([ONE, Page(struct(i32_1=1, i32_2=3, i32_3=3, struct_6={}), b"???")]), [1, 2]),
    ("a page without rows behind the rows", made([ONE, data_page(0, b"")]), [1, 2]),
    ("old levels", made([data_page(4, b"\xa0" + ints(5, 6), defs=4)], leaf=OPTIONAL), [5, None, 6, None]),
    ("a long header", made([data_page(2, ints(1, 2), statistics=bounds(b"x" * 3000, b"y")), ONE]), [1, 2, 1, 2]),
    ("more memory than is shown", made([dictionary_page(1, bytes(1 << 20)), data_page(600, b"\1\xb0\x09\0", encoding=8)],
                                       leaf=leaf(FIXED, length=1 << 20)), "ask for fewer rows"),
    ("version 2, levels longer than the page", made([Page(changed(p.header, {2: Field(I32, 1)}), p.body) for p in [
        data_page_v2(2, ints(1, 2), defs=runs(1, 1))]], leaf=OPTIONAL), "levels of 0 and 4 bytes in a page of 12, 1 unpacked"),
    ("a type below zero", made([ONE], leaf=element(i32_1=-1, i32_5=0)), "the schema has 0 columns"),
    ("deep", made([ONE], above=[group_of(b"g", 0)] * 63), "is nested more than 63 deep"),
    ("too deep", made([ONE], above=[group_of(b"g", 0)] * 64), "nested more than 64 deep"),
    ("a repeated column", made([data_page(2, levels(0, 1) + levels(1, 1) + ints(1, 2))], leaf=leaf(INT, i32_3=2), rows=1), [[1, 2]]),
    ("rows without end", made([ONE], before=[struct(list_1=(STRUCT, [struct(i64_2=0)]), i64_2=0, i64_3=2**62)] * 2), "rows"),
    ("field numbers past their end", made([ONE], footer={32767: Field(STRUCT, b"\0\x15\2")}), "damaged"),
    ("field numbers without end", made([ONE], footer={32767: Field(I32, 2)}), [1, 2]),
]


@pytest.mark.parametrize("name, data, want", SHOWN, ids=[name for name, *_ in SHOWN])
def test_what_is_shown(inspect, tmp_path, name, data, want):
    (tmp_path / "a.parquet").write_bytes(data)
    got = inspect(tmp_path / "a.parquet", 1000)
    if isinstance(want, str):
        assert want in got["message"]
    else:
        assert [list(row.values())[0] for row in got["rows"]] == want


def test_words(inspect, tmp_path):
    def describe(data, rows=0):
        (tmp_path / "a.parquet").write_bytes(data)
        return inspect(tmp_path / "a.parquet", rows)

    assert describe(made([ONE], leaf=leaf(INT, 19)))["schema"][0]["logical_type"] == "logical type 19"
    assert describe(made([ONE], leaf=leaf(INT, 18)))["schema"][0]["logical_type"] == "geography"
    for codec, words in ((3, "lzo"), (5, "lz4"), (7, "lz4_raw"), (8, "unknown")):
        assert describe(made([ONE], codec=codec))["row_groups"][0]["columns"][0]["codec"] == words
    assert "codec -1" in describe(made([ONE], codec=-1))["message"]
    chunk = describe(made([data_page(1, int96((1, 0)))], leaf=leaf(INT96), meta=said(bounds(int96((1, 0)), int96((1, 0))))))
    assert chunk["row_groups"][0]["columns"][0]["min"] is None, "INT96 has no order"
    no_columns = made([], rows=2, footer={2: Field(LIST, (STRUCT, [struct(binary_4=b"schema", i32_5=0)])),
                                          4: Field(LIST, (STRUCT, [struct(list_1=(STRUCT, []), i64_2=0, i64_3=2)]))})
    assert describe(no_columns, 10)["rows"] == [{}, {}]
    long = changed(group_of(b"n" * (1 << 20), 0), {5: Field(I32, 70)})
    many = made([], footer={2: Field(LIST, (STRUCT, [struct(binary_4=b"s", i32_5=1), long, *[element(i32_1=INT)] * 70])),
                            4: Field(LIST, (STRUCT, []))})
    assert "the names of the columns take more than 67108864 bytes" in describe(many)["message"]


# ---- what comes as Arrow ---------------------------------------------------------------------------------------------

def test_who_forgets_headers(tmp_path, inspect):
    """Chunks of old parquet-mr may reach over their ends by the header of the dictionary; those of no other writer may."""
    pages = [dictionary_page(2, ints(5, 6)), data_page(2, b"\1\3\2", encoding=8)]
    head = len(pages[0].bytes()) - 8
    for creator, forgets in (("parquet-mr", True), ("parquet-mr version 1.2.8 (build x)", True), ("parquet-mr version 1.1.9", True),
                             ("parquet-mr version 0.9", True), ("parquet-mr version 1.2.9", False), ("parquet-mr version 1.10.0", False),
                             ("parquet-mr version 2.0", False), ("parquet-mrs version 1.0.0", False), ("parquet-mr version x:1", True),
                             ("parquet-mr on something", False), ("parquet", False)):
        whole = made(pages)
        size = len(pages[0].bytes()) + len(pages[1].bytes())
        (tmp_path / "a.parquet").write_bytes(made(pages, meta={7: Field(I64, size - head)}, footer={6: Field(BINARY, creator.encode())}))
        got = inspect(tmp_path / "a.parquet", 10)
        assert ("rows" in got) == forgets, (creator, got)
        if forgets:
            assert [row["x"] for row in got["rows"]] == [5, 6] and whole


D = decimals.Decimal
READ = [  # name, file, values or words of the refusal
    ("decimals of bytes", made([data_page(4, levels(1, 0, 1, 1) + texts(b"\x01", b"\xff\x7f", b"\0" * 20 + b"\x80"))],
                               leaf=changed(decimal(TEXT, 6, 2), {3: Field(I32, 1)})),
     [D("0.01"), None, D("-1.29"), D("1.28")]),
    ("decimals of bytes that do not fit", made([data_page(2, texts(b"\1", b"\1" * 17))], leaf=decimal(TEXT, 6)),
     "row 2: a decimal of 17 bytes does not fit 128 bits"),
    ("decimals of bytes whose sign does not fit", made([data_page(2, texts(b"\1", b"\0" + b"\xff" * 16))], leaf=decimal(TEXT, 6)),
     "row 2: a decimal of 17 bytes does not fit 128 bits"),
    ("decimals of no bytes", made([data_page(1, texts(b""))], leaf=decimal(TEXT, 6)), "row 1: a decimal of 0 bytes has no value"),
    ("decimals of 40 bytes", made([data_page(1, b"\xff" * 40)], leaf=decimal(FIXED, 50, 1, length=40)), [D("-0.1")]),
    ("decimals of 40 bytes that do not fit", made([data_page(3, levels(0, 0, 1) + b"\1" * 40)], leaf=changed(
        decimal(FIXED, 50, 1, length=40), {3: Field(I32, 1)})), "row 3: a decimal of 40 bytes does not fit 256 bits"),
    ("a small integer that does not fit", made([data_page(3, levels(1, 0, 1) + ints(1, 128))], leaf=integer(INT, 8, True, i32_3=1)),
     "row 3: 128 does not fit int8"),
    ("texts that are not UTF-8", made([data_page(3, texts(b"a", b"b", b"\xff"))], leaf=leaf(TEXT, 1, converted=0)),
     "row 3: '\\xff' is not valid UTF-8"),
    ("texts of which some are not UTF-8", made([data_page(3, levels(1, 0, 1) + texts(b"a", b"\xff"))],
                                               leaf=leaf(TEXT, 1, converted=0, i32_3=1)), "row 3: '\\xff' is not valid UTF-8"),
    ("entries that are not UTF-8", made([dictionary_page(2, texts(b"a", b"\xff")), data_page(1, b"\1\2\0", encoding=8)],
                                        leaf=leaf(TEXT, 1, converted=0)), "value 2 of the dictionary: '\\xff' is not valid UTF-8"),
    ("no entries", made([dictionary_page(0, b""), data_page(2, levels(0, 0) + b"\0", encoding=8)],
                        leaf=leaf(TEXT, 1, converted=0, i32_3=1)),
     [None, None]),
    ("ids of no entries", made([dictionary_page(0, b""), data_page(2, b"\1\3\0", encoding=8)], leaf=leaf(TEXT, 1, converted=0)),
     "dictionary"),
    ("pages without rows behind the rows", made([ONE, Page(struct(i32_1=1, i32_2=3, i32_3=3, struct_6={}), b"???"), data_page(0, b"")]),
     [1, 2]),
    ("something of nothing", made([data_page(2, levels(0, 1) + ints(1))], leaf=leaf(INT, UNKNOWN, i32_3=1)), "1 rows have values"),
    ("a column in another file", made([ONE], chunk={1: Field(BINARY, b"b.parquet")}), "lies in another file"),
    ("a name with a zero byte", made([ONE], leaf=leaf(INT, binary_4=b"a\0b")), "holds a zero byte"),
    ("a name that is not UTF-8", made([ONE], leaf=leaf(INT, binary_4=b"\xff")), "is not valid UTF-8"),
    ("no columns", made([], rows=0, footer={2: Field(LIST, (STRUCT, [struct(binary_4=b"schema", i32_5=0)])),
                                            4: Field(LIST, (STRUCT, []))}), []),
]


def value_of(data, path, **options):
    path.write_bytes(data)
    table = read(path, **options)
    return table.column(0).to_pylist() if table.num_columns > 0 else []


@pytest.mark.parametrize("name, data, want", READ, ids=[name for name, *_ in READ])
def test_what_is_read(tmp_path, name, data, want):
    if isinstance(want, list):
        assert value_of(data, tmp_path / "a.parquet") == want
        return
    with pytest.raises((Refused, pa.ArrowException, OSError)) as refused:
        value_of(data, tmp_path / "a.parquet")
    assert want in str(refused.value)


TYPES = [  # rare types that pyarrow reads, too
    made([data_page(2, ints(-128, 127))], leaf=integer(INT, 8, True, converted=15)),
    made([data_page(2, ints(0, -1))], leaf=integer(INT, 32, False, converted=13)),
    made([data_page(2, longs(0, -1))], leaf=integer(LONG, 64, False, converted=14)),
    made([data_page(2, ints(0, 86399999))], leaf=time(INT, 7, 1, True, converted=7)),
    made([data_page(2, longs(0, 86399999999))], leaf=time(LONG, 7, 2, False)),
    made([data_page(2, longs(-1, 1))], leaf=time(LONG, 8, 3, True)),
    made([data_page(2, longs(-1, 1))], leaf=leaf(LONG, converted=9)),
    made([data_page(2, longs(-1, 1))], leaf=leaf(LONG, converted=10)),
    made([data_page(2, ints(-1, 1))], leaf=leaf(INT, converted=6)),
    made([data_page(2, ints(-1, 1))], leaf=leaf(INT, converted=5, i32_7=2, i32_8=5)),
    made([data_page(2, longs(-1, 1))], leaf=decimal(LONG, 18, 3)),
    made([data_page(2, b"\xff\xff\xff\0\0\1")], leaf=decimal(FIXED, 6, 3, length=3)),
    made([data_page(2, int96((2440588, 1), (2440587, 86399999999999)))], leaf=leaf(INT96)),
    made([data_page(2, halves(1.5, -0.0))], leaf=leaf(FIXED, FLOAT16, length=2)),
    made([data_page(3, b"abcabdabe")], leaf=leaf(FIXED, length=3)),
    made([data_page(4, b"\5")], leaf=leaf(BOOL)),
    made([data_page_v2(4, ints(7), nulls=3, defs=runs(0, 1, 0, 0))], leaf=OPTIONAL),
    made([data_page_v2(4, b"", nulls=4, defs=runs(0, 0, 0, 0))], leaf=OPTIONAL),
    made([packed(data_page_v2(4, ints(7), nulls=3, defs=runs(0, 1, 0, 0), is_packed=True), behind=8)], leaf=OPTIONAL, codec=1),
]


@pytest.mark.parametrize("number", range(len(TYPES)))
def test_rare_types(tmp_path, number):
    (tmp_path / "a.parquet").write_bytes(TYPES[number])
    assert same(tmp_path / "a.parquet", threads=(1,)).num_rows > 0


@pytest.mark.parametrize("codec", [0, 1])
@pytest.mark.parametrize("rows", [1, 3, 7, 1000])
def test_pages_with_ids_and_without(tmp_path, codec, rows):
    """Bodies of their own, so that views point into several blocks: of pages, and of a dictionary that is not the first."""
    def some(word, n=40):
        return texts(*(b"short" if i == 2 else f"{word} {i}, longer than a view".encode() * 3 for i in range(n)))

    ids = b"\2" + bytes([(40 + 7) // 8 * 2 + 1]) + bytes([0b11100100]) * 10  # 0 1 2 3 of two bits each, over and over
    pages = [dictionary_page(4, some("entry", 4)), data_page(40, some("first")), data_page(40, ids, encoding=8),
             data_page(40, some("second")), data_page(40, ids, encoding=8)]
    if codec == 1:
        pages = [packed(page) for page in pages]
    (tmp_path / "a.parquet").write_bytes(made(pages, leaf=leaf(TEXT, 1, converted=0), codec=codec))
    assert same(tmp_path / "a.parquet", rows=rows).num_rows == 160


def frames(*blocks):
    """LZ4 as Hadoop frames it."""
    out = b""
    for block in blocks:
        raw = pa.compress(block, codec="lz4_raw", asbytes=True)
        out += len(block).to_bytes(4, "big") + len(raw).to_bytes(4, "big") + raw
    return out


def test_the_lz4_of_old_files(tmp_path):
    values = ints(*range(100))
    raw = pa.compress(values, codec="lz4_raw", asbytes=True)
    for body in (raw, frames(values), frames(values[:200], values[200:])):
        page = Page(changed(data_page(100, values).header, {3: Field(I32, len(body))}), body)
        assert value_of(made([page], codec=5), tmp_path / "a.parquet") == list(range(100))
    bad = [frames(values) + b"?" * 8, frames(values, values), frames(values[:200]), bytes(8) + frames(values), frames(values)[:-1],
           len(values).to_bytes(4, "big") + (1 << 20).to_bytes(4, "big") + raw, frames(values)[:8] + b"\xff" * len(raw)]
    for body in bad:
        page = Page(changed(data_page(100, values).header, {3: Field(I32, len(body))}), body)
        with pytest.raises(Exception, match="lz4|LZ4|unpack"):
            value_of(made([page], codec=5), tmp_path / "a.parquet")
    (tmp_path / "a.parquet").write_bytes(made([Page(changed(data_page(100, values).header, {2: Field(I32, 1 << 26)}), raw)], codec=5))
    with pytest.raises(Exception, match="bytes of lz4 cannot unpack"):
        read(tmp_path / "a.parquet")


def test_columns_by_name(tmp_path):
    pq.write_table(pa.table([[1, 2], ["a", "b"], [3, 4], [[5], []]], names=["x", "y", "x", "x.y"]), tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet", columns=["x"]).to_pydict() == {"x": [1, 2]}, "the first of several"
    for name in ("nothing at all like it", "x.", "z"):
        with pytest.raises(Refused, match="which the file does not have"):
            read(tmp_path / "a.parquet", columns=[name])
    pq.write_table(pa.table({"xy": [[1]], "z": [1]}), tmp_path / "b.parquet")
    with pytest.raises(Refused, match="which the file does not have"):
        read(tmp_path / "b.parquet", columns=["x"])
    assert read(tmp_path / "b.parquet", columns=["xy"]).to_pylist() == [{"xy": [1]}]
    with pytest.raises(Refused, match="which the file does not have"):
        read(tmp_path / "b.parquet", columns=["xy.list.element"])


def test_a_header_longer_than_what_is_read_at_a_time(tmp_path):
    first = data_page(2, ints(1, 2), statistics=bounds(b"x" * (3 << 20), b"y"))
    (tmp_path / "a.parquet").write_bytes(made([first, data_page(1 << 20, bytes(4 << 20))]))
    assert read(tmp_path / "a.parquet").column(0).slice(0, 3).to_pylist() == [1, 2, 0]


def test_options(tmp_path):
    (tmp_path / "a.parquet").write_bytes(made([ONE]))
    for rows in (-1, (1 << 24) + 1):
        with pytest.raises(Refused, match="batch_rows is"):
            read(tmp_path / "a.parquet", rows=rows)
