"""Every rule of `verify`, by a file that breaks it."""

import datetime
import decimal
import pathlib
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import SOURCE
from test_verify import findings
from thrift_file import BINARY, FALSE, File, Field, I16, I32, I64, LIST, STRUCT, TRUE, varint

pytestmark = pytest.mark.damages

N = 200
I, S, F, D, T, L = range(6)  # the columns of the file below
NAMES = ["i", "s", "f", "d", "t", "l.list.element"]
BLOOM = SOURCE / "tests" / "data" / "parquet" / "duckdb_bloom.parquet"


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    def nulls(values):
        return [None if i % 7 == 3 else v for i, v in enumerate(values)]

    table = pa.table({
        "i": pa.array(nulls(range(N)), pa.int32()),
        "s": pa.array(nulls(f"text {i % 50}" for i in range(N))),
        "f": pa.array([i / 3 for i in range(N)]),
        "d": pa.array([decimal.Decimal(i) / 100 for i in range(N)], pa.decimal128(12, 2)),
        "t": pa.array([datetime.time(i % 24) for i in range(N)], pa.time64("us")),
        "l": pa.array([[i, i + 1] for i in range(N)], pa.list_(pa.int32())),
    })
    folder = tmp_path_factory.mktemp("good")
    common = {"compression": "none", "use_dictionary": ["s"], "write_page_checksum": True, "write_page_index": True,
              "data_page_size": 300, "write_batch_size": 40}
    pq.write_table(table, folder / "v1.parquet", **common)
    pq.write_table(table, folder / "v2.parquet", data_page_version="2.0", **common)
    for codec in ("snappy", "lz4"):
        pq.write_table(table, folder / f"{codec}.parquet", **common | {"compression": codec})
    assert findings(folder / "v1.parquet") == []
    assert {f["rule"] for f in findings(folder / "v2.parquet")} == {"chunk.encoding_stats"}
    return folder


def rule(name, base="v1", severity="error"):
    """The function does a damage that the rule is about."""
    def mark(function):
        CASES.append(pytest.param(name, base, severity, function, id=f"{name}-{function.__name__.strip('_')}"))
        return function

    return mark


CASES = []


@rule("file.version")
def version(f):
    f.footer[1].value = 3


@rule("file.num_rows")
def rows(f):
    f.footer[3].value += 1


@rule("thrift.required")
def no_rows(f):
    del f.footer[3]


@rule("thrift.required")
def no_codec(f):
    del f.meta(I)[4]


@rule("thrift.type")
def type_of_rows(f):
    f.footer[3].kind = I32


@rule("thrift.enum")
def codec(f):
    f.meta(I)[4].value = 99


@rule("thrift.union")
def two_types(f):
    f.element(2)[10].value[6] = Field(STRUCT, {})


@rule("thrift.union")
def no_order(f):
    f.footer[7].value[1][0].clear()


@rule("thrift.utf8")
def creator(f):
    f.footer[6].value = b"\xff"


@rule("thrift.unknown", severity="note")
def unknown(f):
    f.footer[77] = Field(I32, 5)


@rule("schema.tree")
def children(f):
    f.element(0)[5].value += 1


@rule("schema.tree")
def no_children(f):
    f.element(6)[5].value = 0


@rule("schema.repetition")
def no_repetition(f):
    del f.element(1)[3]


@rule("schema.name", severity="note")
def same_name(f):
    f.element(1)[4].value = f.element(2)[4].value


@rule("schema.type_length")
def no_length(f):
    del f.element(4)[2]


@rule("schema.decimal")
def precision(f):
    f.element(4)[8].value = 13


@rule("schema.decimal")
def scale(f):
    f.element(4)[7].value = f.element(4)[10].value[5].value[1].value = 13


@rule("schema.logical_type")
def text_of_numbers(f):
    f.element(1)[10] = Field(STRUCT, {1: Field(STRUCT, {})})


@rule("schema.logical_type")
def digits(f):
    f.element(4)[8].value = f.element(4)[10].value[5].value[2].value = 15


@rule("schema.converted_type")
def converted(f):
    f.element(2)[6].value = 4


@rule("schema.converted_type")
def text_of_nulls(f):
    f.element(2)[10].value = {11: Field(STRUCT, {})}


@rule("schema.logical_type", severity="note")
def interval_of_nulls(f):
    element = f.element(2)
    element[1].value, element[2], element[6].value = 7, Field(I32, 12), 21
    element[10].value = {11: Field(STRUCT, {})}


@rule("schema.converted_type", severity="note")
def no_converted(f):
    del f.element(2)[6]


@rule("schema.column_orders")
def one_order_less(f):
    del f.footer[7].value[1][-1]


@rule("schema.column_orders", severity="note")
def no_orders(f):
    del f.footer[7]


@rule("schema.column_orders")
def order_of_floats(f):
    f.footer[7].value[1][I] = {2: Field(STRUCT, {})}


@rule("group.columns")
def one_chunk_less(f):
    del f.group()[1].value[1][-1]


@rule("group.num_rows")
def negative_rows(f):
    f.group()[3].value = -1


@rule("group.ordinal")
def ordinal(f):
    f.group()[7] = Field(I16, 3)


@rule("group.total_byte_size")
def byte_size(f):
    f.group()[2].value += 1


@rule("group.total_compressed_size")
def compressed_size(f):
    f.group()[6] = Field(I64, 1)


@rule("group.total_byte_size", "snappy", severity="note")
def size_as_compressed(f):
    f.group()[2].value = sum(f.meta(column)[7].value for column in range(6))


@rule("group.file_offset", severity="note")
def offset_of_the_first_chunk(f):
    f.chunk(0)[2].value = f.group()[5].value = f.meta(0)[9].value + 1


@rule("group.file_offset")
def group_offset(f):
    f.group()[5] = Field(I64, 5)


@rule("group.sorting_columns")
def sorting(f):
    column = {1: Field(I32, 6), 2: Field(FALSE, False), 3: Field(TRUE, True)}
    f.group()[4] = Field(LIST, (STRUCT, [column]))


@rule("group.sorting_columns")
def not_sorted(f):
    column = {1: Field(I32, I), 2: Field(TRUE, True), 3: Field(FALSE, False)}
    f.group()[4] = Field(LIST, (STRUCT, [column]))


@rule("group.sorting_columns")
def not_sorted_by_ids(f):
    column = {1: Field(I32, S), 2: Field(FALSE, False), 3: Field(FALSE, False)}
    f.group()[4] = Field(LIST, (STRUCT, [column]))


@rule("chunk.meta_data")
def no_meta(f):
    del f.chunk(I)[3]


@rule("chunk.path_in_schema")
def path(f):
    f.meta(I)[3].value = (BINARY, [b"j"])


@rule("chunk.path_in_schema")
def path_of_parts(f):
    f.meta(L)[3].value = (BINARY, [b"l.list", b"element"])


@rule("chunk.type")
def physical_type(f):
    f.meta(I)[1].value = 2


@rule("chunk.place")
def far_away(f):
    f.meta(I)[9].value = 1 << 40


@rule("chunk.not_read", severity="note")
def other_file(f):
    f.chunk(I)[1] = Field(BINARY, b"other.parquet")


@rule("layout.place")
def index_far_away(f):
    f.chunk(I)[4].value = 1 << 40


@rule("layout.overlap")
def same_index(f):
    f.chunk(I)[4].value = f.chunk(S)[4].value
    f.chunk(I)[5].value = f.chunk(S)[5].value


@rule("layout.gap", severity="note")
def gap(f):
    f.data += b"??"


@rule("chunk.num_values")
def one_value_more(f):
    f.meta(L)[5].value += 1


@rule("chunk.num_values")
def negative_values(f):
    f.meta(I)[5].value = -1


@rule("chunk.rows")
def rows_of_group(f):
    f.group()[3].value += 1
    f.footer[3].value += 1


@rule("chunk.total_uncompressed_size")
def uncompressed(f):
    f.meta(I)[6].value += 1


@rule("chunk.data_page_offset")
def data_offset(f):
    f.meta(S)[9].value += 1


@rule("chunk.dictionary_page_offset")
def no_dictionary(f):
    f.meta(I)[11] = Field(I64, f.meta(I)[9].value)


@rule("chunk.dictionary_page_offset")
def negative_dictionary(f):
    f.meta(S)[11].value = -1


@rule("chunk.dictionary_page_offset", severity="note")
def dictionary_at_0(f):
    f.meta(I)[11] = Field(I64, 0)


@rule("chunk.dictionary_page_offset", severity="note")
def dictionary_unsaid(f):
    f.meta(S)[9].value = f.meta(S)[11].value
    del f.meta(S)[11]


@rule("chunk.file_offset", severity="note")
def chunk_offset(f):
    f.chunk(I)[2].value = 77


@rule("chunk.encodings")
def encodings(f):
    f.meta(F)[2].value = (I32, [3])


@rule("chunk.encodings", severity="note")
def unused_encoding(f):
    f.meta(F)[2].value[1].append(7)


@rule("chunk.encoding_stats")
def encoding_stats(f):
    f.meta(F)[13].value[1][0][3].value += 1


@rule("chunk.encoding_stats", "v2", "note")
def versions_mixed(f):
    pass


def first_data_page(f, column):
    pages = f.pages(column)
    return pages, next(p for p in pages if 7 not in p.header)


def with_first(column, change, base="v1", name=None, severity="error"):
    """A case in which `change` does something to the first data page of a column."""
    def damage(f):
        pages, page = first_data_page(f, column)
        change(page)
        f.set_pages(column, pages)

    damage.__name__ = change.__name__
    rule(name, base, severity)(damage)


def page_rule(name, column, base="v1", severity="error"):
    def mark(change):
        with_first(column, change, base, name, severity)
        return change

    return mark


@page_rule("page.crc", F)
def body(page):
    page.body = bytes([page.body[0] ^ 1]) + page.body[1:]


@page_rule("page.header", F)
def other_header(page):
    page.header[1].value = 2


@page_rule("page.header", F)
def negative_count(page):
    page.inner[1].value = -1


@page_rule("page.size", F)
def unpacked_size(page):
    page.header[2].value += 1


@page_rule("page.size", F, "snappy")
def impossible_size(page):
    page.header[2].value = 1 << 28


@page_rule("page.codec", F, "snappy")
def unpacks_to_less(page):
    page.header[2].value += 1


@page_rule("page.codec", F, "snappy")
def is_no_snappy(page):
    page.body = b"\xff" * len(page.body)
    page.sum()


@page_rule("page.levels", I)
def levels_too_long(page):
    page.resize(b"\xff\xff\xff\x7f" + page.body[4:])


@page_rule("page.levels", F)
def level_too_high(page):
    length = int.from_bytes(page.body[:4], "little")
    page.resize(b"\4\0\0\0" + bytes([page.inner[1].value * 2 & 127 | 128, page.inner[1].value >> 6, 2, 0])
                + page.body[4 + length:])


@page_rule("page.levels", F)
def one_level_less(page):
    page.inner[1].value += 1


@page_rule("page.levels", F, "v2")
def levels_of_the_page(page):
    page.inner[5].value = 1 << 20


@page_rule("page.rows", F, "v2")
def rows_of_page(page):
    page.inner[3].value += 1


@page_rule("page.nulls", I, "v2")
def nulls_of_page(page):
    page.inner[2].value += 1


@page_rule("page.encoding", I)
def encoding_of_levels(page):
    page.inner[3].value = 0


@page_rule("page.encoding", I, severity="note")
def encoding_of_no_levels(page):
    page.inner[4].value = 0


@page_rule("page.values", F)
def cut_off(page):
    page.resize(page.body[:-1])


@page_rule("page.values", S)
def id_out_of_range(page):
    length = int.from_bytes(page.body[:4], "little")
    page.resize(page.body[: 4 + length] + b"\x20" + bytes([254, 1]) + b"\xff\xff\0\0")


@page_rule("page.trailing", F)
def one_byte_more(page):
    page.resize(page.body + b"\0")


@page_rule("page.trailing", F)
def eight_zeros(page):
    page.resize(page.body + bytes(8))


@rule("page.trailing", severity="note")
def eight_zeros_of_fastparquet(f):
    f.footer[6].value = b"fastparquet-python version 2024.1.0"
    pages, page = first_data_page(f, F)
    page.resize(page.body + bytes(8))
    f.set_pages(F, pages)


@rule("page.trailing")
def eight_zeros_of_nobody(f):
    del f.footer[6]
    pages, page = first_data_page(f, F)
    page.resize(page.body + bytes(8))
    f.set_pages(F, pages)


@rule("page.trailing")
def eight_bytes_of_fastparquet(f):
    f.footer[6].value = b"fastparquet-python version 2024.1.0"
    pages, page = first_data_page(f, F)
    page.resize(page.body + bytes(7) + b"\1")
    f.set_pages(F, pages)


@page_rule("page.unsupported", F, severity="note")
def encoding_to_come(page):
    page.inner[2].value = 10


@page_rule("page.row_start", L)
def begins_within_a_row(page):
    length = int.from_bytes(page.body[:4], "little")
    n = page.inner[1].value
    levels = bytes([2, 1]) + varint((n - 1) * 2) + b"\0"
    page.resize(len(levels).to_bytes(4, "little") + levels + page.body[4 + length:])


@page_rule("value", T)
def no_time_of_a_day(page):
    page.resize(page.body[:-8] + (-1).to_bytes(8, "little", signed=True))


@rule("dictionary.place")
def two_dictionaries(f):
    pages = f.pages(S)
    f.set_pages(S, [pages[0], *pages])


@rule("dictionary.is_sorted")
def sorted_dictionary(f):
    pages = f.pages(S)
    pages[0].inner[3] = Field(TRUE, True)
    f.set_pages(S, pages)


@rule("value")
def not_utf8(f):
    pages = f.pages(S)
    pages[0].resize(pages[0].body.replace(b"text 3", b"tex\xff 3"))
    f.set_pages(S, pages)


@rule("value")
def small_integers(f):
    f.element(1)[10] = Field(STRUCT, {10: Field(STRUCT, {1: Field(3, 8), 2: Field(TRUE, True)})})
    f.element(1)[6] = Field(I32, 15)


@rule("value")
def nothing_but_nulls(f):
    f.element(1)[10] = Field(STRUCT, {11: Field(STRUCT, {})})


@rule("statistics.bounds")
def least(f):
    f.statistics(I)[6].value = (1).to_bytes(4, "little")


@rule("statistics.bounds")
def greatest(f):
    f.statistics(S)[5].value = b"text"


@rule("statistics.bounds", severity="note")
def loose(f):
    f.statistics(I)[6].value = (-5).to_bytes(4, "little", signed=True)


@rule("statistics.bounds")
def length_of_bound(f):
    f.statistics(I)[6].value = b"\0"


@rule("statistics.bounds")
def deprecated(f):
    f.statistics(I)[1] = Field(BINARY, bytes(4))


@rule("statistics.exact")
def exact(f):
    f.statistics(I)[6].value = (-5).to_bytes(4, "little", signed=True)
    f.statistics(I)[8] = Field(TRUE, True)


@rule("statistics.null_count")
def null_count(f):
    f.statistics(I)[3].value += 1


@rule("statistics.nan_count")
def nan_count(f):
    f.statistics(F)[9] = Field(I64, 1)


@rule("statistics.distinct_count")
def distinct_count(f):
    f.statistics(S)[4] = Field(I64, 51)


@rule("sizes.unencoded")
def unencoded(f):
    f.meta(S)[16].value[1].value += 1


@rule("sizes.unencoded")
def fewer_unencoded(f):
    f.meta(S)[16].value[1].value -= 1


@rule("sizes.unencoded")
def unencoded_of_numbers(f):
    f.meta(I)[16].value[1] = Field(I64, 0)


@rule("sizes.histogram")
def histogram(f):
    f.meta(L)[16].value[3].value[1][0] += 1


@rule("sizes.histogram")
def short_histogram(f):
    del f.meta(L)[16].value[2].value[1][0]


def index_rule(name, column, which):
    def mark(change):
        def damage(f):
            index = f.index(column, which)
            change(index)
            f.set_index(column, which, index)

        damage.__name__ = change.__name__
        rule(name)(damage)
        return change

    return mark


@rule("index")
def index_cut_off(f):
    f.chunk(I)[5].value -= 1


@rule("index.lists")
def no_offset_index(f):
    del f.chunk(I)[4], f.chunk(I)[5]


@index_rule("index.lists", I, 6)
def one_minimum_less(index):
    del index[2].value[1][-1]


@index_rule("index.offsets", I, 4)
def page_offset(index):
    index[1].value[1][1][1].value += 1


@index_rule("index.offsets", I, 4)
def page_size(index):
    index[1].value[1][1][2].value += 1


@index_rule("index.first_row_index", I, 4)
def first_row(index):
    index[1].value[1][1][3].value += 1


@index_rule("index.null_pages", I, 6)
def null_page(index):
    index[1].value[1][0] = True


@index_rule("index.bounds", I, 6)
def least_of_page(index):
    index[2].value[1][1] = (1 << 20).to_bytes(4, "little")


@index_rule("index.null_counts", I, 6)
def nulls_of_index(index):
    index[5].value[1][0] += 1


@index_rule("index.nan_counts", F, 6)
def nans_of_index(index):
    index[8] = Field(LIST, (I64, [1] * len(index[1].value[1])))


@index_rule("index.histogram", L, 6)
def histogram_of_index(index):
    index[6].value[1][0] += 1


@index_rule("index.unencoded", S, 4)
def bytes_of_page(index):
    index[2].value[1][0] += 1


@index_rule("index.boundary_order", I, 6)
def descending(index):
    index[4].value = 2


@rule("bloom.size", BLOOM)
def length_of_filter(f):
    f.meta(0)[15] = Field(I32, 5)


@rule("bloom.values", BLOOM)
def emptied_filter(f):
    at = f.meta(0)[14].value
    f.data[at + 20 : at + 60] = bytes(40)


@rule("bloom.header", BLOOM)
def no_filter(f):
    at = f.meta(0)[14].value
    f.data[at] = 0xFF


@pytest.mark.parametrize("name, base, severity, damage", CASES)
def test_rule(good, tmp_path, name, base, severity, damage):
    source = base if isinstance(base, pathlib.Path) else good / f"{base}.parquet"
    f = File(source)
    damage(f)
    f.write(tmp_path / "bad.parquet")
    after = findings(tmp_path / "bad.parquet")
    assert (severity, name) in {(x["severity"], x["rule"]) for x in after}, after


@pytest.mark.parametrize("base", ["v1", "v2", "snappy", BLOOM], ids=["v1", "v2", "snappy", "bloom"])
def test_what_is_put_together_again(good, tmp_path, base):
    """Without damage there is nothing to find: what the cases above find is their own."""
    f = File(base if isinstance(base, pathlib.Path) else good / f"{base}.parquet")
    f.write(tmp_path / "same.parquet")
    usual = {"v2": {"chunk.encoding_stats"}, BLOOM: {"chunk.encodings"}}
    assert {x["rule"] for x in findings(tmp_path / "same.parquet")} == usual.get(base, set())
    f.set_pages(1, f.pages(1))
    f.write(tmp_path / "moved.parquet")
    said = {(x["severity"], x["rule"]) for x in findings(tmp_path / "moved.parquet")}
    assert {rule for severity, rule in said if severity == "error"} <= {"index.offsets"}


def test_the_lz4_of_old_files(good, tmp_path):
    """What others write as LZ4_RAW is, under the number of LZ4, one without frames: it is unpacked and looked at."""
    f = File(good / "lz4.parquet")
    for column in range(6):
        f.meta(column)[4].value = 5
    f.write(tmp_path / "old.parquet")
    assert findings(tmp_path / "old.parquet") == []
    pages, page = first_data_page(f, F)
    page.resize(page.body[:-1] + b"\0\0")
    f.set_pages(F, pages)
    f.write(tmp_path / "old.parquet")
    assert "page.codec" in {x["rule"] for x in findings(tmp_path / "old.parquet")}


def test_every_rule_is_tried_and_told():
    """The table of docs/verify.md, the rules in the sources and the cases of this file are the same list."""
    sources = "".join(p.read_text() for p in (SOURCE / "src" / "parquet" / "verify").glob("*.c"))
    known = set(re.findall(r'"((?:file|thrift|schema|group|chunk|layout|page|dictionary|statistics|sizes|index|bloom)\.'
                           r'[a-z0-9_]+|value|index)"', sources))
    table = (SOURCE / "docs" / "verify.md").read_text().split("## Rules")[1].split("## What")[0]
    told = {rule for line in table.splitlines() if line.startswith("| `")
            for rule in re.findall(r"`([a-z0-9_.]+)`", line.split("|")[1])}
    assert known == told
    tried = {case.values[0] for case in CASES}
    # the rest by test_verify.py, and by tests/unit/parquet/test_parquet_verify.c, which turns over every bit
    assert known - tried == {"file.magic", "file.footer_length", "file.footer", "file.row_groups", "thrift.duplicate",
                             "thrift.bool", "thrift.stop"}
