"""What parquet-java writes (tests/data/parquet/java), read by our reader, is what pyarrow reads of it, and `verify` finds no fault."""

import pathlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import stream
from conftest import verify

FILES = sorted((pathlib.Path(__file__).parent.parent / "data" / "parquet").glob("java_*.parquet"))
ROWS = 110


def chunks_of(path):
    meta = pq.read_metadata(path)
    return [meta.row_group(g).column(k) for g in range(meta.num_row_groups) for k in range(meta.num_columns)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_equal_to_pyarrow(path):
    names = [n for n in pq.read_schema(path).names if n != "interval"]
    assert len(names) == 32
    table = stream.same(path, columns=names)
    assert table.num_rows == ROWS
    stream.same(path, columns=names, threads=(2,), rows=7)


def spread(i):
    return i // 6 if i < 30 else i % 7 if i < 45 else i


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_intervals(path):
    """pyarrow believes that their column holds nulls only, and fails: here is what WriteFiles.java made of them."""
    got = stream.read(path, columns=["interval"]).column(0)
    want = [(spread(i), i % 31, i * 1000 * 10**6) for i in range(ROWS)]
    nulls = [g is None for g in got.to_pylist()]
    assert got.type == pa.month_day_nano_interval()
    assert [w for w, null in zip(want, nulls) if not null] == [tuple(g) for g in got.to_pylist() if g is not None]
    assert got.null_count in (0, sum((i * 7 + 31) % 9 == 0 for i in range(ROWS)))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_verify(path):
    (file,) = verify([path])
    notes = {(f["rule"], f["column"]) for f in file["findings"] if f["rule"] != "chunk.encodings"}
    assert notes == {("schema.logical_type", "interval")} and file["errors"] == 0
    # what pages of version 2 have for levels is not in the list of a chunk
    listed = [f["message"] for f in file["findings"] if f["rule"] == "chunk.encodings"]
    assert set(listed) <= {"levels have encoding 3, which is not in the list"}
    assert not listed or "_v2" in path.stem


def test_all_is_there():
    """Encodings, fallbacks in the middle of a chunk, codecs, indexes, Bloom filters."""
    chunks = [chunk for path in FILES for chunk in chunks_of(path)]
    encodings = {e for c in chunks for e in c.encodings}
    assert sum({"PLAIN", "PLAIN_DICTIONARY"} <= set(c.encodings) for c in chunks) > 10
    assert sum(c.bloom_filter_offset is not None for c in chunks) > 30
    # orders of INT96, intervals and geometries are not known, and so is where their columns would be in an index
    assert sum(c.has_offset_index for c in chunks) == len(chunks)
    assert sum(c.has_column_index for c in chunks) >= len(chunks) * 30 // 33
    assert encodings == {"PLAIN", "PLAIN_DICTIONARY", "RLE_DICTIONARY", "RLE", "BIT_PACKED", "DELTA_BINARY_PACKED",
                         "DELTA_BYTE_ARRAY", "BYTE_STREAM_SPLIT"}  # fmt: skip
    assert {c.compression for c in chunks} == {"UNCOMPRESSED", "SNAPPY", "GZIP", "ZSTD", "LZ4"}
