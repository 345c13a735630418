"""What `verify` says of files put together by hand: rare types, rare encodings, and what no damage to a usual file comes to."""

import json
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import BIN, SOURCE, environment
from made_file import (BOOL, DOUBLES, FIXED, FLOAT, FLOAT16, INT, INT96, LONG, TEXT, UNKNOWN, UUID, bounds, changed, data_page,
                       data_page_v2,
                       decimal, dictionary_page, doubles, element, floats, group_of, halves, int96, integer, ints, leaf, levels, longs,
                       made, order, runs, said, struct, texts, time)
from test_verify import findings
from thrift_file import BINARY, I32, I64, LIST, STRUCT, TRUE, Field, File, Page, write_struct

pytestmark = pytest.mark.damages

LISTED = [group_of(b"l", 1, i32_6=3, struct_10={3: Field(STRUCT, {})}), group_of(b"list", 2)]  # max_rep 1, max_def 2 or 3
ONE = data_page(2, ints(1, 2))
NAN, INF = float("nan"), float("inf")
CASES = []


def case(name, data, *rules, words=""):
    """The rules that are told, errors as they are called and notes with a question mark; `words` stand in one of the messages."""
    CASES.append((name, data, set(rules), words))


# ---- types, and values that they can have -------------------------------------------------------------------------

case("int", made([ONE]))
case("no pages", made([], rows=0, group={2: Field(I64, 0)}), "group.num_rows?")
for kind, width, good, bad in [(INT, 8, (-128, 127), (-129, 1)), (INT, 8, (-128, 127), (0, 128)), (INT, 16, (-32768, 32767), (0, 32768))]:
    case(f"int{width} {good}", made([data_page(2, ints(*good))], leaf=integer(kind, width, True, converted=15 + width // 16)))
    case(f"int{width} {bad}", made([data_page(2, ints(*bad))], leaf=integer(kind, width, True, converted=15 + width // 16)),
         "value", words="bit width")
case("uint8", made([data_page(2, ints(0, 255))], leaf=integer(INT, 8, False, converted=11)))
case("uint8 of 256", made([data_page(2, ints(0, 256))], leaf=integer(INT, 8, False, converted=11)), "value")
case("uint8 below zero", made([data_page(2, ints(0, -1))], leaf=integer(INT, 8, False, converted=11)), "value")
case("int8 in 64 bits", made([data_page(2, longs(-128, 127))], leaf=integer(LONG, 8, True, converted=15)), "schema.logical_type")
case("int8 in 64 bits, too large", made([data_page(2, longs(0, 128))], leaf=integer(LONG, 8, True, converted=15)),
     "schema.logical_type", "value")
case("uint8 in 64 bits, below zero", made([data_page(2, longs(0, -1))], leaf=integer(LONG, 8, False, converted=11)),
     "schema.logical_type", "value")
case("int32 in 64 bits", made([data_page(2, longs(0, 1))], leaf=integer(LONG, 32, True, converted=17)), "schema.logical_type")
case("int64 in 32 bits", made([ONE], leaf=integer(INT, 64, True, converted=18)), "schema.logical_type")
case("int of 7 bits", made([ONE], leaf=integer(INT, 7, True, converted=18)), "schema.logical_type")

for kind, pack, most in ((INT, ints, 9), (LONG, longs, 18)):
    top = 10**most - 1
    case(f"decimal({most})", made([data_page(3, pack(-top, 0, top))], leaf=decimal(kind, most)))
    case(f"decimal({most}), more digits", made([data_page(1, pack(top + 1))], leaf=decimal(kind, most)), "value", words="more digits")
    case(f"decimal({most}), more digits below", made([data_page(1, pack(-top - 1))], leaf=decimal(kind, most)), "value")
    case(f"decimal({most + 1})", made([data_page(1, pack(1))], leaf=decimal(kind, most + 1)), "schema.logical_type")
    case(f"decimal(0), {most}", made([data_page(1, pack(5))], leaf=decimal(kind, 0)), "schema.decimal", words="precision 0")
case("decimal of precision below zero", made([data_page(1, ints(5))], leaf=decimal(INT, -1)), "schema.decimal")
case("decimal of scale below zero", made([data_page(1, ints(5))], leaf=decimal(INT, 3, -1)), "schema.decimal", words="scale -1")
case("decimal of old", made([data_page(1, ints(5))], leaf=leaf(INT, converted=5, i32_7=1, i32_8=3)))
case("decimal of old, without digits", made([data_page(1, ints(5))], leaf=leaf(INT, converted=5)), "schema.decimal", words="precision 0")
case("decimal said once", made([data_page(1, ints(5))], leaf=decimal(INT, 3, said=False)), "schema.decimal?", words="older readers")
case("decimal without a scale", made([data_page(1, ints(5))], leaf=changed(decimal(INT, 3), {7: None})), "schema.decimal?")
case("decimal without a precision", made([data_page(1, ints(5))], leaf=changed(decimal(INT, 3), {8: None})), "schema.decimal?")
case("decimal of two scales", made([data_page(1, ints(5))], leaf=changed(decimal(INT, 3, 1), {7: Field(I32, 2)})),
     "schema.decimal", words="scale 1, the element 3 and 2")
case("decimal of floats", made([data_page(1, floats(5))], leaf=decimal(FLOAT, 3)), "schema.logical_type")
LONG_TEXT = texts(b"\x01", b"\xff\xff", b"\0\x05", b"\xfe", b"\xff\x7f\0", b"\x7f")
case("decimal of bytes", made([data_page(6, LONG_TEXT)], leaf=decimal(TEXT, 6),
                              meta=said(bounds(b"\xff\x7f\0", b"\0\0\x7f", true_8=True, true_7=True))))
case("decimal of bytes, a bound too high", made([data_page(6, LONG_TEXT)], leaf=decimal(TEXT, 6), meta=said(bounds(b"\xfe", b"\0\0\x7f"))),
     "statistics.bounds", words="min_value")
case("decimal of bytes, one empty", made([data_page(4, texts(b"", b"\x05", b"", b"\xff"))], leaf=decimal(TEXT, 3),
                                         meta=said(bounds(b"\xff", b"\x05"))), "value", words="has no bytes")
case("decimal of bytes, empty bound", made([data_page(1, texts(b"\x05"))], leaf=decimal(TEXT, 3), meta=said(bounds(b"", b"\x05"))),
     "statistics.bounds", words="has no bytes")
case("decimal of bytes, more digits", made([data_page(2, texts(b"\x03\xe8", b"\x03\xe9"))], leaf=decimal(TEXT, 3)), "value",
     words="more digits")
case("decimal of bytes, least", made([data_page(2, texts(b"\xfc\x19", b"\x03\xe7"))], leaf=decimal(TEXT, 3)))
case("decimal of bytes, more digits below", made([data_page(1, texts(b"\xfc\x18"))], leaf=decimal(TEXT, 3)), "value")
case("decimal of 100 digits", made([data_page(1, texts(b"\x7f" * 32))], leaf=decimal(TEXT, 100)))
case("decimal of 40 bytes", made([data_page(1, texts(b"\0" * 39 + b"\x05"))], leaf=decimal(TEXT, 3)))
case("decimal without precision, of bytes", made([data_page(1, texts(b"\x05"))], leaf=decimal(TEXT, 0)), "schema.decimal")
case("decimal of 4 bytes", made([data_page(1, b"\0\0\0\1")], leaf=decimal(FIXED, 9, length=4)))
case("decimal of 4 bytes and 10 digits", made([data_page(1, b"\0\0\0\1")], leaf=decimal(FIXED, 10, length=4)), "schema.logical_type")
case("decimal of 1100 bytes", made([data_page(2, bytes(2200))], leaf=decimal(FIXED, 2000, length=1100)))

case("date of longs", made([data_page(1, longs(1))], leaf=leaf(LONG, 6, converted=6)), "schema.logical_type")
for unit, scale, kind, pack, old in ((1, 1, INT, ints, 7), (2, 1000, LONG, longs, 8), (3, 10**6, LONG, longs, None)):
    top = 86400000 * scale
    case(f"time {unit}", made([data_page(2, pack(0, top - 1))], leaf=time(kind, 7, unit, True, converted=old)))
    case(f"time {unit}, not UTC", made([data_page(1, pack(0))], leaf=time(kind, 7, unit, False)))
    case(f"time {unit}, too late", made([data_page(1, pack(top + 1))], leaf=time(kind, 7, unit, True, converted=old)), "value",
         words="no time of a day")
    case(f"time {unit}, too early", made([data_page(1, pack(-1))], leaf=time(kind, 7, unit, True, converted=old)), "value")
    case(f"time {unit}, of the other width", made([data_page(1, (longs if kind == INT else ints)(0))],
                                                  leaf=time(LONG if kind == INT else INT, 7, unit, True, converted=old)),
                                                  "schema.logical_type")
for unit, old in ((1, 9), (2, 10), (3, None)):
    case(f"timestamp {unit}", made([data_page(1, longs(-1))], leaf=time(LONG, 8, unit, True, converted=old)))
    case(f"timestamp {unit}, not UTC", made([data_page(1, longs(-1))], leaf=time(LONG, 8, unit, False)))
case("timestamp, not said for older readers", made([data_page(1, longs(1))], leaf=time(LONG, 8, 2, True)), "schema.converted_type?",
     words="it would be 10")
case("time, not said for older readers", made([data_page(1, longs(1))], leaf=time(LONG, 7, 2, True)), "schema.converted_type?",
     words="it would be 8")
case("timestamp of ints", made([ONE], leaf=time(INT, 8, 2, True, converted=10)), "schema.logical_type")
for old in (7, 9, 10, 8):
    kind, pack = (INT, ints) if old == 7 else (LONG, longs)
    case(f"converted {old}", made([data_page(1, pack(1))], leaf=leaf(kind, converted=old)))
for old in range(11, 19):
    kind, pack = (LONG, longs) if old in (14, 18) else (INT, ints)
    case(f"converted {old}", made([data_page(1, pack(1))], leaf=leaf(kind, converted=old)))
case("converted to what is to come", made([ONE], leaf=leaf(INT, converted=22)), "thrift.enum")

case("text of a fixed length", made([data_page(1, b"abc")], leaf=leaf(FIXED, 1, length=3, converted=0)), "schema.logical_type")
for logical, old in ((1, 0), (4, 4), (12, 19)):
    case(f"text {logical}", made([data_page(2, texts("ä".encode(), b"a"))], leaf=leaf(TEXT, logical, converted=old)))
    case(f"text {logical}, not UTF-8", made([data_page(3, texts(b"\xff", b"a", b"\xfe"))], leaf=leaf(TEXT, logical, converted=old)),
         "value", words="is not UTF-8")
    case(f"text {logical}, by converted type", made([data_page(1, texts(b"\xff"))], leaf=leaf(TEXT, converted=old)), "value")
for logical, old in ((13, 20), (17, None), (18, None)):
    case(f"bytes {logical}", made([data_page(2, texts(b"\xff", b""))], leaf=leaf(TEXT, logical, converted=old)))
    case(f"ints {logical}", made([ONE], leaf=leaf(INT, logical, converted=old)), "schema.logical_type")
case("bson by converted type", made([data_page(1, texts(b"\xff"))], leaf=leaf(TEXT, converted=20)))
for logical in (2, 3, 16, 19):
    case(f"a column of logical type {logical}", made([ONE], leaf=leaf(INT, logical, converted={2: 1, 3: 3}.get(logical))),
         "schema.logical_type")
case("interval", made([data_page(1, bytes(12))], leaf=leaf(FIXED, length=12, converted=21), meta=said(bounds(b"\1" * 12, b"\1" * 12))))
case("interval of 11 bytes", made([data_page(1, bytes(11))], leaf=leaf(FIXED, length=11, converted=21)), "schema.logical_type")
case("interval of text", made([data_page(1, texts(bytes(12)))], leaf=leaf(TEXT, converted=21)), "schema.logical_type")
case("interval that is sorted", made([data_page(2, b"\2" * 12 + b"\1" * 12)], leaf=leaf(FIXED, length=12, converted=21),
                                     group={4: Field(LIST, (STRUCT, [struct(i32_1=0, true_2=False, true_3=False)]))}))
case("a dictionary of intervals that is sorted", made([dictionary_page(2, b"\2" * 12 + b"\1" * 12, is_sorted=True),
                                                       data_page(2, b"\1\3\2", encoding=8)], leaf=leaf(FIXED, length=12, converted=21)))
case("uuid", made([data_page(2, b"\xff" * 16 + b"\1" * 16)], leaf=leaf(FIXED, UUID, length=16),
                  meta=said(bounds(b"\1" * 16, b"\xff" * 16))))
case("uuid, other bounds", made([data_page(2, b"\xff" * 16 + b"\1" * 16)], leaf=leaf(FIXED, UUID, length=16),
                                meta=said(bounds(b"\2" * 16, b"\xff" * 16))), "statistics.bounds")
case("uuid of 15 bytes", made([data_page(1, bytes(15))], leaf=leaf(FIXED, UUID, length=15)), "schema.logical_type")
case("uuid of text", made([data_page(1, texts(bytes(16)))], leaf=leaf(TEXT, UUID)), "schema.logical_type")
case("float16", made([data_page(4, halves(NAN, -1.5, 2, NAN))], leaf=leaf(FIXED, FLOAT16, length=2),
                     meta=said(bounds(halves(-1.5), halves(2)))))
case("float16, count of NaN", made([data_page(2, halves(NAN, 1))], leaf=leaf(FIXED, FLOAT16, length=2),
                                   meta=said(bounds(halves(1), halves(1), i64_9=2))), "statistics.nan_count")
case("float16 of 4 bytes", made([data_page(1, bytes(4))], leaf=leaf(FIXED, FLOAT16, length=4), meta=said(bounds(b"\1" * 4, b"\1" * 4))),
     "schema.logical_type")
case("float16 of text", made([data_page(1, texts(b"ab"))], leaf=leaf(TEXT, FLOAT16)), "schema.logical_type")
case("nothing", made([data_page(2, levels(0, 0))], leaf=leaf(INT, UNKNOWN, i32_3=1)))
case("nothing, of bytes", made([data_page(2, levels(0, 0))], leaf=leaf(TEXT, UNKNOWN, i32_3=1)))
case("something of nothing", made([data_page(2, levels(0, 1) + ints(5))], leaf=leaf(INT, UNKNOWN, i32_3=1)), "value", words="nulls")
case("bool", made([data_page(4, b"\5")], leaf=leaf(BOOL), meta=said(bounds(b"\0", b"\1"))))
case("bool, a bound of 2", made([data_page(4, b"\5")], leaf=leaf(BOOL), meta=said(bounds(b"\0", b"\2"))), "statistics.bounds",
     words="neither true nor false")
case("int96, no order", made([data_page(2, int96((3, 4), (2, 9)))], leaf=leaf(INT96), meta=said(bounds(int96((9, 9)), int96((1, 1))))))
case("int96 in order", made([data_page(4, int96((3, 4), (2, 9), (3, 5), (-1, 0)))], leaf=leaf(INT96), orders=order(3),
                            meta=said(bounds(int96((-1, 0)), int96((3, 5)), true_7=True, true_8=True))))
case("int96 out of order", made([data_page(2, int96((3, 4), (2, 9)))], leaf=leaf(INT96), orders=order(3),
                                meta=said(bounds(int96((2, 9)), int96((3, 3))))), "statistics.bounds", words="max_value")
case("the order of int96, of ints", made([ONE], orders=order(3)), "schema.column_orders")

# ---- floats: NaN, zeros, the order of all their bits --------------------------------------------------------------

for kind, length, pack in ((FLOAT, None, floats), (DOUBLES, None, doubles), (FIXED, 2, halves)):
    of, name = leaf(kind, FLOAT16 if length else None, length=length), f"{kind}"
    case(f"order of bits {name}", made([data_page(4, pack(-0.0, 0.0, -1, 2))], leaf=of, orders=order(2),
                                       meta=said(bounds(pack(-1), pack(2), true_7=True, true_8=True))))
    case(f"order of bits, zeros {name}", made([data_page(2, pack(-0.0, 0.0))], leaf=of, orders=order(2),
                                              meta=said(bounds(pack(-0.0), pack(0.0)))))
    case(f"order of bits, one zero {name}", made([data_page(2, pack(-0.0, 0.0))], leaf=of, orders=order(2),
                                                 meta=said(bounds(pack(0.0), pack(0.0)))), "statistics.bounds")
    case(f"order of bits, NaN {name}", made([data_page(2, pack(NAN, 1))], leaf=of, orders=order(2),
                                            meta=said(bounds(pack(1), pack(1), i64_9=1))))
    case(f"order of bits, all NaN {name}", made([data_page(2, pack(NAN, NAN))], leaf=of, orders=order(2),
                                                meta=said(bounds(pack(NAN), pack(NAN), i64_9=2))))
    case(f"bounds of all NaN {name}", made([data_page(2, pack(NAN, NAN))], leaf=of, meta=said(bounds(pack(NAN), pack(NAN), i64_9=2))),
         "statistics.bounds", "statistics.bounds?", words="every value is NaN")
    case(f"numbers as bounds of all NaN {name}", made([data_page(2, pack(NAN, NAN))], leaf=of, meta=said(bounds(pack(1), pack(2)))))
    case(f"NaN as a bound {name}", made([data_page(2, pack(1, 2))], leaf=of, meta=said(bounds(pack(1), pack(NAN)))), "statistics.bounds?",
         words="readers ignore it")
    case(f"NaN between the sorted {name}", made([data_page(3, pack(1, NAN, 2))], leaf=of,
                                                group={4: Field(LIST, (STRUCT, [struct(i32_1=0, true_2=False, true_3=False)]))}))
    case(f"sorted around NaN {name}", made([data_page(3, pack(2, NAN, 1))], leaf=of,
                                           group={4: Field(LIST, (STRUCT, [struct(i32_1=0, true_2=False, true_3=False)]))}),
         "group.sorting_columns", words="ascend")
case("the order of bits, of ints", made([ONE], orders=order(2)), "schema.column_orders")
case("-0 is not below +0", made([data_page(1, doubles(0.0))], leaf=leaf(DOUBLES), meta=said(bounds(doubles(0.0), doubles(-0.0)))),
     "statistics.bounds?", words="should be -0")

# ---- statistics ----------------------------------------------------------------------------------------------------

case("exact, and no bound", made([ONE], meta=said(struct(true_7=True, true_8=True))))
case("bounds of nothing", made([data_page(1, levels(0))], leaf=leaf(INT, i32_3=1), meta=said(bounds(ints(1), ints(2), i64_3=1))),
     "statistics.bounds", words="there are no values")
case("empty bounds of nothing", made([data_page(1, levels(0))], leaf=leaf(INT, i32_3=1), meta=said(bounds(b"", b"", i64_3=1))))
case("distinct below zero", made([ONE], meta=said(struct(i64_4=-1))), "statistics.distinct_count")
case("distinct, none", made([ONE], meta=said(struct(i64_4=0))), "statistics.distinct_count")
case("distinct, too many", made([ONE], meta=said(struct(i64_4=3))), "statistics.distinct_count", words="at most 2")
case("distinct", made([ONE], meta=said(struct(i64_4=2))))
IDS = [dictionary_page(2, ints(5, 6)), data_page(2, b"\1\3\2", encoding=8)]
case("distinct entries", made(IDS, meta=said(struct(i64_4=2))))
case("distinct entries, fewer", made(IDS, meta=said(struct(i64_4=1))), "statistics.distinct_count?", words="2 entries")
case("distinct of ids and values", made([*IDS, ONE], meta=said(struct(i64_4=4))))
case("distinct of ids of a page", made([IDS[0], data_page(2, b"\1\3\2", encoding=8, statistics=struct(i64_4=1))]))
case("distinct, none of none", made([data_page(1, levels(0))], leaf=leaf(INT, i32_3=1), meta=said(struct(i64_4=0))))
case("distinct of no pages", made([], rows=0, meta=said(struct(i64_4=0))), "group.num_rows?")
case("distinct of no dictionary", made([data_page(2, b"\1\3\2", encoding=8)], meta=said(struct(i64_4=1))), "page.values")
case("a bound above an empty text", made([data_page(2, texts(b"", b"b"))], leaf=leaf(TEXT, 1, converted=0), meta=said(bounds(b"a", b"b"))),
     "statistics.bounds", words='min_value is "a", and there is a value ""')
case("bounds of a page", made([data_page(2, ints(1, 2), statistics=bounds(ints(1), ints(2)))]))
case("bounds of a page of version 2", made([data_page_v2(2, ints(1, 2), statistics=bounds(ints(2), ints(2)))]), "statistics.bounds")

# ---- sorting -------------------------------------------------------------------------------------------------------

case("sorted by a column below zero", made([ONE], group={4: Field(LIST, (STRUCT, [struct(i32_1=-1, true_2=False, true_3=False)]))}),
     "group.sorting_columns", words="no column -1")
SORTED = {4: Field(LIST, (STRUCT, [struct(i32_1=0, true_2=False, true_3=False)]))}
case("sorted, a page of nothing but NaN", made([data_page(1, doubles(1)), data_page(2, doubles(NAN, NAN)), data_page(1, doubles(2))],
                                               leaf=leaf(DOUBLES), group=SORTED))
case("not sorted around a page of NaN", made([data_page(1, doubles(2)), data_page(1, doubles(NAN)), data_page(1, doubles(1))],
                                             leaf=leaf(DOUBLES), group=SORTED), "group.sorting_columns")
case("sorted lists", made([data_page(2, levels(0, 0) + levels(2, 2) + ints(2, 1))], above=LISTED, leaf=leaf(INT, i32_3=0),
                          group={4: Field(LIST, (STRUCT, [struct(i32_1=0, true_2=False, true_3=False)]))}))

# ---- what the footer says ------------------------------------------------------------------------------------------

case("a name without letters", made([ONE], leaf=element(i32_1=INT, binary_4=b"")), "schema.name?", words="empty name")
case("a place of old", made(IDS, chunk={2: Field(I64, 4 + len(IDS[0].bytes()))}))
PACKED = [Page(changed(p.header, {3: Field(I32, 10)}), b"\x08\x1c" + ints(1, 2)) for p in [data_page(2, ints(1, 2))]]
case("the packed size of a group of old", made(PACKED, codec=1, group={2: Field(I64, 4 + len(PACKED[0].bytes()) - 4)}),
     "group.total_byte_size?", words="the compressed size")
case("a group at the place of its first chunk",
     made([ONE], chunk={2: Field(I64, 4 + len(ONE.bytes()))}, group={5: Field(I64, 4 + len(ONE.bytes()))}),
     "group.file_offset?", words="as of the first chunk")
case("a dictionary at byte 0", made([ONE], meta={11: Field(I64, 0)}), "chunk.dictionary_page_offset?", words="readers take for none")
case("a dictionary below byte 0", made([ONE], meta={11: Field(I64, -1)}), "chunk.dictionary_page_offset")
case("a place in another file", made([ONE], chunk={1: Field(BINARY, b"other"), 2: Field(I64, 77)}),
     "chunk.not_read?", "layout.gap?")
case("encodings to come", made([ONE], meta={2: Field(LIST, (I32, [0, -1, 40]))}), "thrift.enum")
case("a root that is a column", made([ONE], footer={2: Field(LIST, (STRUCT, [element(i32_1=INT, i32_5=1), leaf(INT)]))}), "schema.tree")
case("a column with children", made([ONE], leaf=element(i32_1=INT, i32_5=1)), "schema.tree", words="a column has 1 children")
case("a column with no children, and says so", made([ONE], leaf=element(i32_1=INT, i32_5=0)))
case("a length below zero", made([ONE], leaf=leaf(FIXED, length=-1)), "schema.type_length")
case("a type to come", made([ONE], leaf=leaf(8)), "thrift.enum")
case("more orders than columns", made([ONE], orders=order(1) * 2), "schema.column_orders", words="2 column orders for 1")
case("an order to come", made([ONE], orders=({9: Field(STRUCT, {})},), meta=said(bounds(ints(9), ints(0)))), "thrift.unknown?")
case("a map", made([data_page(1, levels(0) + levels(0))], leaf=leaf(INT),
                   above=[group_of(b"m", 1, i32_6=2, struct_10={2: Field(STRUCT, {})}), group_of(b"key_value", 2)]))
case("a map that is a list", made([data_page(1, levels(0) + levels(0))], leaf=leaf(INT),
                                  above=[group_of(b"m", 1, i32_6=3, struct_10={2: Field(STRUCT, {})}), group_of(b"key_value", 2)]),
     "schema.converted_type", words="converted type 3")
case("a map of old", made([data_page(1, levels(0) + levels(0))], leaf=leaf(INT),
                          above=[group_of(b"m", 1, i32_6=1, struct_10={2: Field(STRUCT, {})}), group_of(b"map", 2, i32_6=2)]))
case("nothing, by another converted type", made([data_page(1, levels(0))], leaf=leaf(INT, UNKNOWN, converted=17, i32_3=1)),
     "schema.converted_type")
case("rows without end", made([ONE], before=[struct(list_1=(STRUCT, []), i64_2=0, i64_3=2**62)] * 2), "group.columns", "file.num_rows",
     words="the row groups have 9223372036854775807")
case("a variant", made([data_page(1, levels(0))], leaf=leaf(INT), above=[group_of(b"v", 1, struct_10={16: Field(STRUCT, struct(i8_1=1))})]))
case("a file, of a group", made([data_page(1, levels(0))], leaf=leaf(INT), above=[group_of(b"v", 1, struct_10={19: Field(STRUCT, {})})]))
case("a group of text", made([data_page(1, levels(0))], leaf=leaf(INT),
                             above=[group_of(b"v", 1, i32_6=0, struct_10={1: Field(STRUCT, {})})]),
     "schema.logical_type", words="a group of type -1")
case("nothing but numbers below zero", made([ONE], meta={6: Field(I64, -1), 7: Field(I64, -1)}), "chunk.num_values", "chunk.place",
     "group.total_byte_size", "layout.gap?")
case("a repeated column", made([data_page(3, levels(0, 1, 0) + levels(1, 1, 1) + ints(1, 2, 3))], leaf=leaf(INT, i32_3=2), rows=2))
case("an extension", made([ONE], footer={32767: Field(BINARY, b"more")}))
case("an extension of another type", made([ONE], footer={32767: Field(I32, 1)}), "thrift.unknown?", words="32767")
BOX = struct(**{f"double_{i}": float(i) for i in range(1, 9)})
case("places on the earth", made([data_page(1, texts(b"\1"))], leaf=leaf(TEXT, 17),
                                 meta={17: Field(STRUCT, struct(struct_1=BOX, list_2=(I32, [1])))}))
case("no place on the earth", made([data_page(1, texts(b"\1"))], leaf=leaf(TEXT, 17),
                                   meta={17: Field(STRUCT, struct(struct_1=struct(double_1=0.0)))}), "thrift.required")
case("structs without fields", made([ONE], footer={4: Field(LIST, (STRUCT, [b"\0"] * 4000))}), "file.footer", words="without fields")
case("another text", made([ONE], footer={6: Field(BINARY, b"x" * 300)}))
case("more notes than are kept", made([ONE], footer={100 + i: Field(I32, 1) for i in range(300)}), "thrift.unknown?")
case("row groups without number", made([], rows=32768, footer={
    2: Field(LIST, (STRUCT, [struct(binary_4=b"schema", i32_5=0)])), 7: Field(LIST, (STRUCT, [])),
    4: Field(LIST, (STRUCT, [write_struct(struct(list_1=(STRUCT, []), i64_2=0, i64_3=1))] * 32768))}), "file.row_groups?")


def footer_cut(data, at):
    """Without the last bytes of the footer."""
    length = int.from_bytes(data[-8:-4], "little")
    tail = data[-8 - length : -8 - at]
    return data[: -8 - length] + tail + len(tail).to_bytes(4, "little") + b"PAR1"


LAST = made([ONE], footer={7: None})
for at in range(1, 12):
    case(f"a footer without its last {at} bytes", footer_cut(LAST, at), "file.footer")
case("a footer that ends before a list", footer_cut(made([ONE], footer={5: Field(LIST, (STRUCT, [])), 7: None}), 2), "file.footer")
case("a footer that ends within a number",
     footer_cut(made([data_page(1, texts(b"\1"))], leaf=leaf(TEXT, 17), footer={7: None}, meta={17: Field(STRUCT, struct(struct_1=BOX))}),
                14),
     "file.footer", words="ends within a number")

# ---- pages ---------------------------------------------------------------------------------------------------------

OPTIONAL = leaf(INT, i32_3=1)
case("version 2", made([data_page_v2(3, ints(1, 2), nulls=1, defs=runs(1, 0, 1))], leaf=OPTIONAL))
case("version 2, not said whether packed", made([Page(changed(p.header, {8: Field(STRUCT, changed(p.inner, {7: None}))}), p.body)
                                                 for p in [data_page_v2(2, ints(1, 2))]]))
case("version 2, not said whether packed, and it is not",
     made([Page(changed(p.header, {8: Field(STRUCT, changed(p.inner, {7: None}))}), p.body)
                                                                for p in [data_page_v2(2, ints(1, 2))]], codec=1),
     "page.codec")
case("version 2, is no snappy", made([data_page_v2(2, ints(1, 2), packed=b"\xff" * 8, is_packed=True)], codec=1), "page.codec")
case("version 2, levels that are not there", made([data_page_v2(2, ints(1, 2), defs=b"\2")], leaf=OPTIONAL), "page.levels",
     words="cut off")
case("version 2, levels of a column without", made([data_page_v2(2, ints(1, 2), defs=runs(1, 1))]), "page.levels",
     words="4 bytes of definition levels")
case("version 2, repetition of a column without", made([data_page_v2(2, ints(1, 2), reps=runs(0, 0), defs=runs(1, 1))], leaf=OPTIONAL),
     "page.levels", words="4 bytes of repetition levels")
for number, what in ((5, "definition"), (6, "repetition")):
    page = data_page_v2(2, ints(1, 2))
    page.inner[number] = Field(I32, -1)
    case(f"version 2, {what} levels below zero", made([page]), "page.levels", words="-1")
page = data_page_v2(2, ints(1, 2), defs=runs(1, 1))
page.header[2] = Field(I32, 3)
case("version 2, levels longer than the page", made([page], leaf=OPTIONAL), "page.levels", words="3 unpacked")
case("version 2 of lists", made([data_page_v2(3, ints(1, 2, 3), rows=2, reps=runs(0, 1, 0), defs=runs(2, 2, 2))], above=LISTED,
                                leaf=leaf(INT), rows=2))
case("version 2 of lists, a level too high", made([data_page_v2(3, ints(1, 2, 3), rows=2, reps=runs(0, 2, 0), defs=runs(2, 2, 2))],
                                                  above=LISTED, leaf=leaf(INT), rows=2), "page.levels", words="repetition levels")
case("version 2 of lists, another level too high", made([data_page_v2(3, ints(1, 2, 3), rows=2, reps=runs(0, 1, 0), defs=runs(2, 3, 2))],
                                                        above=LISTED, leaf=leaf(INT), rows=2), "page.levels", words="definition levels")
case("version 2 of lists that all have a value", made([data_page_v2(3, ints(1, 2, 3), rows=2, reps=runs(0, 1, 0), defs=runs(1, 1, 1))],
                                                      leaf=leaf(INT, i32_3=2), rows=2))
case("no values", made([ONE, data_page(0, b"")]))
case("no values, of old levels", made([data_page(0, b"", defs=4)], leaf=OPTIONAL, meta={2: Field(LIST, (I32, [0, 4]))}, rows=0),
     "group.num_rows?")
case("old levels", made([data_page(10, b"\xaa\x80" + ints(*range(5)), defs=4)], leaf=OPTIONAL, meta={2: Field(LIST, (I32, [0, 4]))}))
case("old levels of two bits", made([data_page(3, bytes([0b10011000]) + ints(1, 2), defs=4)], leaf=OPTIONAL, above=[group_of(b"g", 1)],
                                    meta={2: Field(LIST, (I32, [0, 4]))}))
case("old levels that are too high", made([data_page(3, bytes([0b10110000]) + ints(1), defs=4)], leaf=OPTIONAL, above=[group_of(b"g", 1)],
                                          meta={2: Field(LIST, (I32, [0, 4]))}), "page.levels", words="above the highest")
case("old levels that are not there", made([data_page(100, b"\xaa", defs=4)], leaf=OPTIONAL, meta={2: Field(LIST, (I32, [0, 4]))}),
     "page.levels", words="take 13 bytes")
case("old levels, not listed", made([data_page(8, b"\0", defs=4)], leaf=OPTIONAL), "chunk.encodings?", words="levels have encoding 4")
case("lists, and damaged repetition levels",
     made([data_page(2, levels(0, 3) + levels(1, 1) + ints(1, 2))], leaf=leaf(INT, i32_3=2), rows=2),
     "page.levels", words="repetition levels")
ROW = [data_page(2, levels(0, 1) + levels(1, 1) + ints(1, 2)), data_page(2, levels(1, 0) + levels(1, 1) + ints(1, 2))]
case("a page that goes on with a row", made(ROW, leaf=leaf(INT, i32_3=2), rows=2))
case("a first page that goes on with a row", made(ROW[1:], leaf=leaf(INT, i32_3=2), rows=1), "page.row_start")
LEVELS = [  # of a column with levels up to 2, and what is wrong with them
    (bytes([0x80, 0x80, 0x80, 0x80, 0x80, 0]), "a run has no length"),
    (bytes([0x82]), "end too early"),
    (bytes([0, 0]), "a run of levels is empty"),
    (bytes([8]), "is cut off"),
    (bytes([8, 3]), "above the highest"),
    (bytes([10, 1]), "more levels than the page has values"),
    (bytes([3, 0xff, 0xff]), "above the highest"),
    (bytes([3, 0]), "packed run of levels is cut off"),
    (bytes([8, 0, 0]), "bytes behind the last level"),
]
for defs, words in LEVELS:
    case(f"levels {defs.hex()}", made([data_page(4, len(defs).to_bytes(4, "little") + defs)], leaf=OPTIONAL, above=[group_of(b"g", 1)]),
         "page.levels", words=words)
case("levels of two bits", made([data_page(4, b"\3\0\0\0\3" + bytes([0b10100100, 0]) + ints(1, 2))], leaf=OPTIONAL,
                                above=[group_of(b"g", 1)]))
case("a long header", made([data_page(2, ints(1, 2), statistics=bounds(ints(1), ints(2), binary_1=b"x" * 9000)), ONE]),
     "statistics.bounds", words="has not the length")
case("a longer header", made([data_page(2, ints(1, 2), statistics=bounds(ints(1), ints(2), binary_1=b"x" * 90000)), *[ONE] * 3]),
     "statistics.bounds")
case("no bytes of snappy", made([Page(changed(p.header, {3: Field(I32, 0)}), b"") for p in [data_page(0, b"")]], codec=1),
     "group.num_rows?")
case("no bytes of snappy for two values", made([Page(changed(p.header, {3: Field(I32, 0)}), b"") for p in [ONE]], codec=1), "page.codec")
case("a page of a gigabyte", made([Page(changed(p.header, {2: Field(I32, 1 << 30)}), p.body) for p in [ONE]], codec=6),
     "page.unsupported?", words="1073741824 bytes, which are not looked at")
case("a dictionary page behind", made([ONE, dictionary_page(1, ints(1))], meta={11: None}), "dictionary.place", words="after data pages")
INDEX = Page(struct(i32_1=1, i32_2=3, i32_3=3, struct_6={}), b"???")
case("a page of an index", made([INDEX, ONE], meta={9: Field(I64, 4)}), "chunk.data_page_offset")
case("a dictionary behind an index", made([INDEX, *IDS], meta={9: Field(I64, 4), 11: None}), "chunk.dictionary_page_offset",
     "chunk.data_page_offset", words="does not say")
case("a dictionary elsewhere", made([INDEX, *IDS], meta={9: Field(I64, 22), 11: Field(I64, 4)}), "chunk.dictionary_page_offset",
     "chunk.data_page_offset")
case("a dictionary of entries below zero", made([dictionary_page(-1, b""), ONE]), "page.header", words="-1 entries")
case("a page type to come", made([Page(struct(i32_1=7, i32_2=1, i32_3=1), b"?"), ONE], meta={9: Field(I64, 4)}, rows=2), "thrift.enum",
     "chunk.data_page_offset")
FREE = [data_page(2, ints(1, 2)), data_page_v2(2, ints(3, 4))]


def counts(*entries):
    return {13: Field(LIST, (STRUCT, [struct(i32_1=kind, i32_2=encoding, i32_3=n) for kind, encoding, n in entries]))}


case("pages counted", made(FREE, meta=counts((0, 0, 1), (3, 0, 1))))
case("pages of version 2 counted as others", made(FREE[1:], meta=counts((0, 0, 1))), "chunk.encoding_stats?")
case("pages of both versions counted as one", made(FREE, meta=counts((0, 0, 2))), "chunk.encoding_stats", words="2 data pages")
case("pages of version 2 counted wrong", made(FREE[1:], meta=counts((0, 0, 2))), "chunk.encoding_stats")
case("pages of version 2 counted twice", made(FREE[1:], meta=counts((0, 0, 1), (3, 0, 1))), "chunk.encoding_stats")
case("pages of no kind counted", made(FREE, meta=counts((0, 0, 1), (3, 0, 1), (9, 0, 1), (-1, 0, 1), (0, 99, 1), (0, -1, 1))),
     "thrift.enum")


def sizes(**fields):
    return {16: Field(STRUCT, struct(**fields))}


TWICE = data_page(2, levels(2, 0) + ints(1))
case("levels counted", made([TWICE], leaf=OPTIONAL, above=[group_of(b"g", 1)], meta=sizes(list_3=(I64, [1, 0, 1]))))
case("levels not counted", made([TWICE], leaf=OPTIONAL, above=[group_of(b"g", 1)], meta=sizes(list_3=(I64, []))), "sizes.histogram",
     words="0 entries")
case("sizes of ints", made([ONE], meta=sizes(i64_1=8)), "sizes.unencoded")
case("wide values", made([data_page(300, bytes(30000))], leaf=leaf(FIXED, length=100), meta=said(bounds(bytes(100), bytes(100)))))
case("a fault in the second block", made([data_page(9000, longs(*range(9000))[:-8] + longs(1000))], leaf=decimal(LONG, 3)), "value")
case("texts of several blocks that are not UTF-8", made([data_page(9000, texts(*[b"\xff"] * 9000))], leaf=leaf(TEXT, 1, converted=0)),
     "value")
case("values of 20 MB", made([dictionary_page(0, b""), data_page(0, b"")], leaf=leaf(FIXED, length=20 << 20)), "group.num_rows?")
case("a value of 20 MB", made([data_page(1, b"too short")], leaf=leaf(FIXED, length=20 << 20)))

# ---- indexes -------------------------------------------------------------------------------------------------------


def offsets_of(pages, **more):
    def index(places):
        rows, entries = 0, []
        for place, page in zip(places, pages):
            entries.append(struct(i64_1=place, i32_2=len(page.bytes()), i64_3=rows))
            rows += page.inner[1].value
        return struct(list_1=(STRUCT, entries), **more)

    return index


def columns_of(least, greatest, *, nulls=None, boundary=1, **more):
    nulls = [False] * len(least) if nulls is None else nulls
    return struct(list_1=(TRUE, nulls), list_2=(BINARY, least), list_3=(BINARY, greatest), i32_4=boundary, **more)


PAIR = [data_page(2, ints(1, 4)), data_page(2, ints(3, 6))]


def indexed(pages, columns, **more):
    return made(pages, offsets=offsets_of(pages), columns=columns, **more)


for boundary in (0, 1):
    case(f"indexes, order {boundary}", indexed(PAIR, columns_of([ints(1), ints(3)], [ints(4), ints(6)], boundary=boundary)))
case("indexes that descend", indexed(PAIR[::-1], columns_of([ints(3), ints(1)], [ints(6), ints(4)], boundary=2)))
case("indexes that do not descend", indexed(PAIR, columns_of([ints(1), ints(3)], [ints(4), ints(6)], boundary=2)), "index.boundary_order",
     words="descend")
case("indexes that do not ascend", indexed(PAIR[::-1], columns_of([ints(3), ints(1)], [ints(6), ints(4)])), "index.boundary_order",
     words="ascend")
case("greatest values that do not ascend", indexed([data_page(2, ints(1, 6)), data_page(2, ints(1, 4))],
                                                   columns_of([ints(1), ints(1)], [ints(6), ints(4)])), "index.boundary_order")
case("a bound of another length", indexed(PAIR, columns_of([ints(1), b"?"], [ints(4), ints(6)])), "index.bounds", words="length")
case("a greatest bound of another length", indexed(PAIR, columns_of([ints(1), ints(3)], [ints(4), b"?"])), "index.bounds")
HALF_NAN = [data_page(2, doubles(1, 2)), data_page(2, doubles(NAN, NAN))]
case("NaN as the least of a page", indexed(HALF_NAN, columns_of([doubles(1), doubles(NAN)], [doubles(2), doubles(NAN)]),
                                           leaf=leaf(DOUBLES)),
     "index.bounds?", words="every value of the page is NaN")
case("NaN as the greatest of a page", indexed([HALF_NAN[0]] * 2, columns_of([doubles(1)] * 2, [doubles(2), doubles(NAN)]),
                                              leaf=leaf(DOUBLES)),
     "index.bounds?", words="readers ignore it")
case("counts of NaN", indexed(HALF_NAN, columns_of([doubles(1), doubles(NAN)], [doubles(2), doubles(NAN)], list_8=(I64, [0, 2])),
                              leaf=leaf(DOUBLES), orders=order(2)))
EMPTY = [data_page(2, levels(1, 1) + ints(1, 2)), data_page(2, levels(0, 0))]
case("a page of nulls", indexed(EMPTY, columns_of([ints(1), b""], [ints(2), b""], nulls=[False, True], list_5=(I64, [0, 2])),
                                leaf=OPTIONAL))
for name, least, greatest in (("least", ints(1), b""), ("greatest", b"", ints(1))):
    case(f"a page of nulls with a {name} value",
         indexed(EMPTY, columns_of([ints(1), least], [ints(2), greatest], nulls=[False, True]), leaf=OPTIONAL), "index.bounds",
         words="page of nulls has bounds")
case("a page of nulls that is none", indexed(EMPTY, columns_of([ints(1), b""], [ints(2), b""]), leaf=OPTIONAL), "index.null_pages",
     words="said to hold values")
case("a page that is none of nulls", indexed(PAIR, columns_of([b"", ints(3)], [b"", ints(6)], nulls=[True, False])), "index.null_pages",
     words="said to hold nulls only")
case("a boolean of 3", indexed(PAIR, write_struct(columns_of([ints(1), ints(3)], [ints(4), ints(6)])).replace(b"\x19\x21\2\2",
                                                                                                              b"\x19\x21\2\3")),
     "thrift.bool")
case("an index of lists that end", indexed(PAIR, b"\x19\x21\2"), "index", words="cannot fit")
case("an index of intervals", indexed([data_page(1, bytes(12))], columns_of([b"?"], [b"!"]), leaf=leaf(FIXED, length=12, converted=21)))
case("an index of one page", made(PAIR, offsets=offsets_of(PAIR[:1]), columns=columns_of([ints(1)], [ints(4)])), "index.offsets",
     "index.lists", words="the column index has 1 pages and the chunk 2")
case("an index of three pages", made(PAIR, offsets=offsets_of(PAIR), columns=columns_of([ints(1)] * 3, [ints(6)] * 3)), "index.lists",
     "index.bounds?")
case("an index with bytes behind", made(PAIR, offsets=lambda places: write_struct(offsets_of(PAIR)(places)) + b"?"), "index",
     words="of the")
case("an index that is too long", made(PAIR, offsets=offsets_of(PAIR), chunk={5: Field(I32, 1 << 20)}), "layout.place")
case("an index of no bytes", made(PAIR, chunk={4: Field(I64, 4), 5: Field(I32, 0)}), "layout.place")
WORDS = [data_page(2, texts(b"ab", b"c")), data_page(1, texts(b"d"))]
case("sizes of pages", made(WORDS, leaf=leaf(TEXT), offsets=offsets_of(WORDS, list_2=(I64, [3, 1]))))
case("sizes of too few pages", made(WORDS, leaf=leaf(TEXT), offsets=offsets_of(WORDS, list_2=(I64, [3]))), "index.unencoded",
     words="1 sizes and the chunk 2")
case("nulls of lists", indexed([data_page(2, levels(0, 0) + levels(0, 2) + ints(1))], columns_of([ints(1)], [ints(1)], list_5=(I64, [0])),
                               above=LISTED, leaf=leaf(INT), meta=said(struct(i64_3=0))), "index.null_counts?", "statistics.null_count?",
     words="empty or null")
case("too many nulls of lists", indexed([data_page(2, levels(0, 0) + levels(0, 2) + ints(1))],
                                        columns_of([ints(1)], [ints(1)], list_5=(I64, [2])), above=LISTED, leaf=leaf(INT),
                                        meta=said(struct(i64_3=2))), "index.null_counts", "statistics.null_count", words="there are 1")
case("nulls of lists below zero", indexed([data_page(2, levels(0, 0) + levels(0, 2) + ints(1))],
                                          columns_of([ints(1)], [ints(1)], list_5=(I64, [-1])), above=LISTED, leaf=leaf(INT),
                                          meta=said(struct(i64_3=-1))), "index.null_counts", "statistics.null_count", words="-1")

# ---- Bloom filters -------------------------------------------------------------------------------------------------


def bloom(n=32, blocks=b"\xff" * 32):
    return write_struct(struct(i32_1=n, struct_2={1: Field(STRUCT, {})}, struct_3={1: Field(STRUCT, {})},
                               struct_4={1: Field(STRUCT, {})})) + blocks


case("a filter", made([ONE], bloom=bloom()))
case("a filter of nothing", made([ONE], bloom=bloom(blocks=bytes(32))), "bloom.values", words="2 values")
case("a filter of texts", made([data_page(2, texts(b"x" * 75, b""))], leaf=leaf(TEXT), bloom=bloom()))
case("a filter without its length", made([ONE], bloom=bloom(), meta={15: None}))
case("a filter of booleans", made([data_page(2, b"\3")], leaf=leaf(BOOL), bloom=bloom()), "bloom.size?", words="of no use")
for n in (-1, 0, 31, 33, 64, (128 << 20) + 32):
    case(f"a filter of {n} bytes", made([ONE], bloom=bloom(n)), "bloom.size", words=f"its {n} bytes")
for at in (0, 3, 1 << 30):
    case(f"a filter at {at}", made([ONE], meta={14: Field(I64, at), 15: Field(I32, 50)}), "layout.place")

# ---- where things lie ----------------------------------------------------------------------------------------------

for lengths in ((6, 4), (4, 6)):
    one_place = {4: Field(I64, 4), 5: Field(I32, lengths[0]), 6: Field(I64, 4), 7: Field(I32, lengths[1])}
    case(f"parts of {lengths} bytes at one place", made([ONE], chunk=one_place), "layout.overlap", "index", "thrift.type",
         *(["thrift.unknown?"] if lengths[0] > 4 else []),
         words="a column chunk begins before the end of " + ("an offset index" if lengths[0] > 4 else "a column index"))
case("the metadata behind its chunk", made([ONE], gap=write_struct(struct(i32_1=1, i64_5=2))))
case("a struct and more behind its chunk", made([ONE], gap=write_struct(struct(i32_1=1, i64_5=2)) + b"?"), "layout.gap?",
     words="6 bytes between a column chunk and the footer")
case("a megabyte behind a chunk", made([ONE], gap=b"\0" * ((1 << 20) + 1)), "layout.gap?", words="1048577 bytes")
case("a chunk too many", made([ONE], group={1: Field(LIST, (STRUCT, [struct(i64_2=0, struct_3=struct(
    i32_1=1, list_2=(I32, [0]), list_3=(BINARY, [b"x"]), i32_4=0, i64_5=0, i64_6=0, i64_7=1 << 40, i64_9=4, i64_14=1 << 40,
    i32_15=1))] * 2))}),
     "group.columns", "group.total_byte_size", "layout.place", "layout.gap?")


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """The findings of all files, by one command."""
    folder = tmp_path_factory.mktemp("made")
    for number, (_, data, *_) in enumerate(CASES):
        (folder / f"{number}.parquet").write_bytes(data)
    done = subprocess.run([BIN, "verify", "--json", *(f"{n}.parquet" for n in range(len(CASES)))], cwd=folder, capture_output=True,
                          env=environment(), timeout=300)
    assert done.returncode == 1 and done.stderr == b"", done.stderr.decode()
    return json.loads(done.stdout)


def test_sizes_of_texts_by_differences(tmp_path):
    """pyarrow counts what is left of them, which is less; more, or less than nothing, is nobody's habit."""
    for version in ("1.0", "2.0"):
        pq.write_table(pa.table({"s": ["aa", "ab", "ac"] * 10}), tmp_path / "a.parquet", use_dictionary=False, data_page_version=version,
                       column_encoding={"s": "DELTA_BYTE_ARRAY"})
        for size, severity in ((60, None), (59, "note"), (61, "error"), (-1, "error")):
            f = File(tmp_path / "a.parquet")
            f.meta(0)[16].value[1].value = size
            f.write(tmp_path / "b.parquet")
            found = [x["severity"] for x in findings(tmp_path / "b.parquet") if x["rule"] == "sizes.unencoded"]
            assert found == ([severity] if severity else []), size


def test_filters_without_their_lengths(tmp_path):
    """Nobody can tell where they end, so that no gap is told."""
    f = File(SOURCE / "tests" / "data" / "parquet" / "duckdb_bloom.parquet")
    for column in range(len(f.group()[1].value[1])):
        f.meta(column).pop(15, None)
    f.write(tmp_path / "a.parquet")
    assert {x["rule"] for x in findings(tmp_path / "a.parquet")} <= {"chunk.encodings"}


def test_what_is_refused_as_a_whole(tool):
    long = changed(group_of(b"n" * (1 << 20), 0), {5: Field(I32, 70)})
    schema = [struct(binary_4=b"s", i32_5=1), long, *[leaf(INT)] * 70]
    (tool.cwd / "names.parquet").write_bytes(made([], footer={2: Field(LIST, (STRUCT, schema)), 4: Field(LIST, (STRUCT, []))}))
    tool.fails("verify", "names.parquet", says="the names of the columns take more than 67108864 bytes")
    (tool.cwd / "deep.parquet").write_bytes(made([ONE], above=[group_of(b"g", 0)] * 64))
    tool.fails("verify", "deep.parquet", says="nested more than 64 deep")
    for command in ("verify", "inspect"):
        tool.fails(command, "/dev/stdin", stdin=made([ONE]), says="/dev/stdin")


@pytest.mark.parametrize("number", range(len(CASES)), ids=[name for name, *_ in CASES])
def test_made(told, number):
    _, _, rules, words = CASES[number]
    found = told[number]["findings"]
    assert {f["rule"] + ("?" if f["severity"] == "note" else "") for f in found} == rules, found
    assert words == "" or any(words in f["message"] for f in found), found
