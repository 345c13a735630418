"""The files by which the Parquet projects test each other (apache/parquet-testing): read equal to pyarrow, or refused with a reason.

They are in the folder that PARQUET_TEST_DATA names (the variable of the Arrow projects: `data` of a checkout), or fetched once into the
build folder if that takes seconds, or else those in tests/data/parquet-testing, with what the pyarrow package ships.
"""

import functools
import os
import pathlib
import re
import shutil
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import nested
import stream
from conftest import TESTS, verify

REPOSITORY = "https://github.com/apache/parquet-testing"
COMMIT = "1a2a75127be06fc0123f03ebd36c966f7beda27d"
SECONDS = 5  # a fetch that takes longer is none
OURS = pathlib.Path(__file__).parent.parent / "data" / "parquet-testing"
SHIPPED = pathlib.Path(pa.__file__).parent / "tests" / "data" / "parquet"

CHECKSUM = r"page at byte \d+: its checksum is \w+ and should be \w+; the file is damaged"
BEYOND = r"a timestamp -?\d+ days from 1970-01-01 does not fit nanoseconds in 64 bits"
ENCRYPTED = "row group 0: the column is encrypted, which is not supported"

# Columns that are refused though pyarrow has an answer, or has none either; "*": all flat ones.
REFUSED = {
    "datapage_v1-corrupt-checksum": {"*": CHECKSUM},
    "rle-dict-uncompressed-corrupt-checksum": {"*": CHECKSUM},
    # pyarrow lets the nanoseconds of year 9999 run over
    "int96_from_spark": {"a": BEYOND},
    # which of the two is right?
    "repeated_no_annotation": dict.fromkeys(("*", "phoneNumbers"), "it says 0 rows, and its row groups have 6"),
    # one text of 1 GiB
    "large_string_map.brotli": {"*": "a row takes about 1073741905 bytes, more than there is room for; raise the memory budget to"},
    "encrypt_columns_plaintext_footer": {"float_field": ENCRYPTED, "double_field": ENCRYPTED, "int96_field": BEYOND},
    "aes256/encrypt_columns_plaintext_footer": {"*": ENCRYPTED},
}
# Its keys are optional, and none is null.
READ_BY_US = {"incorrect_map_schema": [{"my_map": [("parent", "another"), ("name", "report")]}]}
# What `verify` says of files that others read: they are against the specification, each in the way that is named here.
VIOLATIONS = {
    "byte_array_decimal": {"chunk.encodings"},  # PLAIN is not in the list of encodings
    "datapage_v1-corrupt-checksum": {"page.crc", "index.null_pages", "index.null_counts"},
    # the column index says that all pages hold nulls only, -1 of them
    "datapage_v1-snappy-compressed-checksum": {"index.null_pages", "index.null_counts"},
    "datapage_v1-uncompressed-checksum": {"index.null_pages", "index.null_counts"},
    "delta_length_byte_array": {"group.file_offset"},  # 0 for 4
    "dict-page-offset-zero": {"thrift.type"},  # a list in the place of bloom_filter_length
    # sizes of chunks without the header of the dictionary, none of the row group, PLAIN not in the list
    "nation.dict-malformed": {"page.size", "group.total_byte_size", "chunk.encodings"},
    "repeated_no_annotation": {"file.num_rows"},
    "rle-dict-uncompressed-corrupt-checksum": {"page.crc"},
    "rle_boolean_encoding": {"page.levels"},  # repetition levels of a column that is not repeated
}
# Nothing is wrong with it but what a reader made of it: ids of no bits, all of them 0.
NO_FAULT = {"ARROW-GH-43605"}


def fetched():
    """The commit above in the build folder, from the network; None if it cannot be had at once."""
    folder = TESTS.parent / "parquet-testing"
    if not (folder / "data").is_dir():
        fresh = TESTS.parent / f"parquet-testing.{os.getpid()}"
        git = ["git", "-C", fresh, "-c", "advice.detachedHead=false"]
        try:
            subprocess.run(["git", "init", "-q", fresh], check=True, capture_output=True, timeout=SECONDS)
            subprocess.run([*git, "fetch", "-q", "--depth", "1", REPOSITORY, COMMIT], check=True, capture_output=True,
                           timeout=SECONDS, env=os.environ | {"GIT_TERMINAL_PROMPT": "0"})
            subprocess.run([*git, "checkout", "-q", COMMIT], check=True, capture_output=True, timeout=60)
            fresh.rename(folder)
        except (OSError, subprocess.SubprocessError):
            pass
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return folder if (folder / "data").is_dir() else None


@functools.cache
def collection():
    """(where the files come from, the good ones, the bad ones, how many there must be)"""
    named = os.environ.get("PARQUET_TEST_DATA")
    whole = pathlib.Path(named) if named else None
    if whole is None and fetched() is not None:
        whole = fetched() / "data"
    folder = whole or OURS / "data"
    good = sorted([*folder.rglob("*.parquet"), *folder.rglob("*.parquet.encrypted")])
    bad = sorted((folder.parent / "bad_data").glob("*.parquet"))
    if whole:
        good += sorted((folder.parent / "shredded_variant").glob("*.parquet"))
        return f"{whole} of the repository", good, bad, (60, 5)
    return f"{folder} and pyarrow's package", good + sorted(SHIPPED.glob("*.parquet")), bad, (20, 4)


def name_of(path):
    """As in the tables above."""
    folder = "aes256/" if path.parent.name == "aes256" else ""
    return folder + path.name.removesuffix(".encrypted").removesuffix(".parquet")


def refusal(path, **options):
    with pytest.raises((OSError, stream.Refused)) as refused:
        stream.read(path, **options)
    assert str(refused.value), path
    return str(refused.value)


def check_good(path, counts):
    file, said = pq.ParquetFile(path), REFUSED.get(name_of(path), {})
    names = file.schema_arrow.names
    good = [n for n in names if n not in said and "*" not in said]
    for name in names:
        if name not in good:
            message = refusal(path, columns=[name])
            assert re.search(said.get(name) or said["*"], message) and path.name in message, (name, message)
    if good:
        want = pq.read_table(path, columns=good)
        for threads in (1, 4):
            got = stream.read(path, threads=threads, columns=good)
            got.validate(full=True)
            assert got.column_names == good
            for name, mine, theirs in zip(good, got.columns, want.columns):
                assert nested.equal(mine, theirs), (path, name, threads)
    counts["read equal, all columns" if len(good) == len(names) else "read equal, some columns" if good
           else "refused: " + next(iter(said.values()))] += 1


def check_unreadable(path, counts):
    """pyarrow cannot open it."""
    if name_of(path) in READ_BY_US:
        assert stream.read(path).to_pylist() == READ_BY_US[name_of(path)]
        counts["read by us alone"] += 1
        return
    message = refusal(path)
    assert "is encrypted" in message and path.name in message
    counts["refused: is encrypted"] += 1


def check_bad(path, counts):
    """Equal to pyarrow, or refused, column by column."""
    try:
        file = pq.ParquetFile(path)
    except (OSError, pa.ArrowException):
        assert refusal(path)
        counts["bad ones refused"] += 1
        return
    refused = 0
    for name in file.schema_arrow.names:
        try:
            mine = stream.read(path, columns=[name])
        except (OSError, stream.Refused) as error:
            assert str(error)
            refused += 1
        else:
            mine.validate(full=True)
            assert nested.equal(mine.column(0), pq.read_table(path, columns=[name]).column(0)), (path, name)
    counts["bad ones refused" if refused else "bad ones read equal"] += 1


class Counts(dict):
    def __missing__(self, key):
        return 0


def test_files(capsys):
    where, good, bad, (least_good, least_bad) = collection()
    counts = Counts()
    for path in good:
        try:
            pq.ParquetFile(path)
        except (OSError, pa.ArrowException):
            check_unreadable(path, counts)
        else:
            check_good(path, counts)
    for path in bad:
        check_bad(path, counts)
    with capsys.disabled():
        print(f"\n{len(good) + len(bad)} files from {where}")
        for what in sorted(counts):
            print(f"{counts[what]:4} {what}")
    assert len(good) >= least_good and len(bad) >= least_bad
    assert sum(n for what, n in counts.items() if what.startswith("read equal")) >= len(good) // 2


def test_verify():
    _, good, bad, _ = collection()
    plain = [p for p in good + bad if p.read_bytes()[:4] != b"PARE"]
    for path, file in zip(plain, verify(plain), strict=True):
        errors = {f["rule"] for f in file["findings"] if f["severity"] == "error"}
        if path in bad:
            assert (errors == set()) == (name_of(path) in NO_FAULT), (path, errors)
        else:
            assert errors == VIOLATIONS.get(name_of(path), set()), path


def test_verify_of_encrypted_files():
    encrypted = [p for p in collection()[1] if p.read_bytes()[:4] == b"PARE"]
    assert encrypted
    for path in encrypted:
        with pytest.raises(AssertionError, match=re.escape(f"{path}: the footer is encrypted")):
            verify([path])


# ---- what some of them are for ----


def test_a_type_that_is_none():
    assert 'has physical type -7' in refusal(OURS / "bad_data" / "PARQUET-1481.parquet")


def test_names_of_nested_columns():
    path = OURS / "data" / "nullable.impala.parquet"
    assert stream.read(path, columns=["id", "nested_struct"]).column_names == ["id", "nested_struct"]
    assert 'the column "nested_struct.A", which the file does not have' in refusal(path, columns=["nested_struct.A"])
    assert 'the column "nested_s", which the file does not have' in refusal(path, columns=["nested_s"])
    assert 'the column "id.x", which the file does not have' in refusal(path, columns=["id.x"])


def findings(name):
    (file,) = verify([OURS / "data" / name])
    return [(f["severity"], f["rule"]) for f in file["findings"] if f["rule"] != "chunk.encodings"]


def test_habits_of_old_writers_are_notes():
    assert findings("alltypes_plain.snappy.parquet") == [("note", "group.total_byte_size")]
    assert findings("non_hadoop_lz4_compressed.parquet") == [
        ("note", "group.total_byte_size"), ("note", "group.file_offset")]
    assert findings("dict-page-offset-zero.parquet") == [
        ("error", "thrift.type"), ("note", "chunk.dictionary_page_offset")]
    assert findings("encrypt_columns_plaintext_footer.parquet.encrypted") == [("note", "chunk.not_read")] * 2


WRITERS = {
    "parquet-mr": True, "parquet-mr version 1.2.8 (build 1)": True, "parquet-mr version 0.9": True,
    "parquet-mr version 1.2": True, "parquet-mr version 1.1.9": True, "parquet-mr version 1.2.8rc1": True,
    "parquet-mr version 1.2.9": False, "parquet-mr version 1.10.0": False,
    "parquet-mr version 2.0": False, "parquet-mrs": False, "parquet-m": False, "parquet-mr 1.0": False, "parquet-mr built by hand": False,
    "parquet-mr version 99999999999999999999.1": False,
}  # fmt: skip


@pytest.mark.parametrize("writer", WRITERS)
def test_sizes_without_the_header_of_the_dictionary(tmp_path, writer):
    """Before 1.2.9 parquet-mr left it out; of others the file is damaged, as it says of itself."""
    data = (OURS / "data" / "nation.dict-malformed.parquet").read_bytes()
    at = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    footer = data[at:-8].replace(b"\x28\x0aparquet-mr", bytes([0x28, len(writer)]) + writer.encode())
    path = tmp_path / "a.parquet"
    path.write_bytes(data[:at] + footer + len(footer).to_bytes(4, "little") + b"PAR1")
    if WRITERS[writer]:
        assert stream.read(path).num_rows == 25
    else:
        assert "the page is said to take 28 bytes and 13 are left" in refusal(path)
