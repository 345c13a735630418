"""`verify`: what it says of files that are right, and of files that are not."""

import json
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import BIN, environment
from thrift_file import File, varint

CSV = "id,name,price,day,at,ok\n" + "".join(
    f"{i},{'name ' + str(i % 7) if i % 5 else ''},{i / 4},2024-01-{i % 28 + 1:02},2024-01-01 10:00:{i % 60:02},"
    f"{'true' if i % 3 else 'false'}\n" for i in range(1000))


@pytest.fixture
def ours(tool, write):
    def make(*flags):
        write("in.csv", CSV)
        tool.ok("convert", *flags, "in.csv", "ours.parquet", "--overwrite")
        return tool.cwd / "ours.parquet"

    return make


def findings(path, *, notes=True):
    done = subprocess.run([BIN, "verify", "--json", path], capture_output=True, env=environment(), timeout=60)
    (file,) = json.loads(done.stdout)
    assert done.returncode == (1 if file["errors"] else 0), done.stderr.decode()
    assert len(file["findings"]) == min(1000, file["errors"] + file["notes"]) or file["errors"] + file["notes"] > 200
    return [f for f in file["findings"] if notes or f["severity"] == "error"]


def test_a_good_file(tool, ours):
    ours()
    done = tool.ok("verify", "ours.parquet", "ours.parquet")
    assert done.stdout.decode() == 2 * "ours.parquet: 5,800 values in 9 pages, no errors\n"
    (file,) = json.loads(tool.ok("verify", "--json", "ours.parquet").stdout)
    assert (file["record_count"], file["columns"], file["row_groups"], file["errors"]) == (1000, 6, 1, 0)
    assert tool.ok("verify", "--quiet", "ours.parquet").stdout == b""


def test_nothing_is_verified_where_nothing_is_written(tool, write):
    write("one.csv", "a\n1\n")
    tool.fails("convert", "--verify", "one.csv", "null:", says=["--verify", "leave it out"])


def test_one_value_in_one_page(tool, write):
    write("one.csv", "a\n1\n")
    tool.ok("convert", "one.csv", "one.parquet")
    assert tool.ok("verify", "one.parquet").stdout == b"one.parquet: 1 value in 1 page, no errors\n"


@pytest.mark.parametrize("flags", [(), ("--compression", "none"), ("--compression", "zstd:3", "--row-group-size", "100")])
def test_ours_are_clean(ours, flags):
    assert findings(ours(*flags)) == []


@pytest.mark.damages
def test_a_damaged_page(tool, ours):
    path = ours("--compression", "none")
    data = bytearray(path.read_bytes())
    data[data.index(b"name 3")] ^= 1
    path.write_bytes(data)
    done = tool("verify", "ours.parquet")
    assert done.returncode == 1
    line, last = done.stdout.decode().splitlines()
    assert line.startswith('ours.parquet: error: page.crc, row group 0, column "name", page 0, byte ')
    assert last.endswith("1 error")
    assert tool("verify", "-q", "ours.parquet").stdout.decode().splitlines() == [line]


def test_what_is_no_parquet(tool, write):
    write("in.csv", CSV)
    (tool.cwd / "nothing").mkdir()
    done = tool("verify", "in.csv")
    assert done.returncode == 1 and b"file.magic" in done.stdout
    tool.fails("verify", "none.parquet", says="none.parquet")
    everything = tool("verify", ".")  # a folder stands for its files
    assert everything.returncode == 1 and b"./in.csv: error: file.magic" in everything.stdout
    tool.fails("verify", "nothing", says="nothing")
    tool.fails("verify", says="at least one file")
    tool.fails("verify", "--threads", "1025", "x", says="--threads")
    write("empty", "")
    assert tool("verify", "empty").returncode == 1
    # the worst of several files counts, and the others are looked at all the same
    done = tool("verify", "none.parquet", "in.csv")
    assert done.returncode == 2 and b"in.csv: error" in done.stdout


def test_statistics_that_lie(tool):
    """The bounds of a file are those of its values: here they are exchanged for those of a file of other values."""
    def write_one(name, values):
        pq.write_table(pa.table({"x": pa.array(values, pa.int64())}), tool.cwd / name, compression="none",
                       use_dictionary=False)
        return (tool.cwd / name).read_bytes()

    real, other = write_one("a.parquet", [5, 6, 7]), write_one("b.parquet", [5, 6, 9])
    at = len(real) - 8 - int.from_bytes(real[-8:-4], "little")
    (tool.cwd / "c.parquet").write_bytes(real[:at] + other[at:])
    assert {(f["severity"], f["rule"]) for f in findings(tool.cwd / "c.parquet")} == {
        ("note", "statistics.bounds"), ("error", "statistics.exact")}
    (tool.cwd / "c.parquet").write_bytes(other[:at] + real[at:])
    errors = findings(tool.cwd / "c.parquet", notes=False)
    assert {f["rule"] for f in errors} == {"statistics.bounds", "statistics.exact"}
    finding = errors[0]
    assert "9" in finding["message"] and finding["column"] == "x" and finding["row_group"] == 0


ROWS = 200


def ids_of_no_bits(n, kind):
    runs = {"a run": varint(n << 1), "packed": varint((n + 7) // 8 << 1 | 1), "nothing": b""}
    return b"\0" + runs[kind]


@pytest.mark.parametrize("kind", ["a run", "packed", "nothing"])
@pytest.mark.parametrize("entries", [1, 2])
def test_ids_of_no_bits(tool, entries, kind):
    """Ids may have a width of 0 bits: they are all 0, in any number of pages, and of a dictionary with more entries the first one."""
    table = pa.table({"s": pa.array([f"entry {i % entries}" for i in range(ROWS)])})
    table = table.cast(pa.schema([pa.field("s", pa.string(), nullable=False)]))
    pq.write_table(table, tool.cwd / "a.parquet", compression="none", write_statistics=False, data_page_size=5, write_batch_size=40)
    f = File(tool.cwd / "a.parquet")
    pages = f.pages(0)
    data = [page for page in pages if 7 not in page.header]
    assert len(data) == ROWS // 40
    for page in data:
        page.resize(ids_of_no_bits(page.inner[1].value, kind))
    f.set_pages(0, pages)
    f.write(tool.cwd / "b.parquet")
    # the pages have moved
    found = {x["rule"] for x in findings(tool.cwd / "b.parquet")} - {"group.file_offset", "layout.gap"}
    if kind == "nothing":
        assert found == {"page.values"}
        tool.fails("convert", "b.parquet", "b.csv", says=["b.parquet", "they end too early"])
    else:
        assert found == set()
        tool.ok("convert", "b.parquet", "b.csv")
        assert (tool.cwd / "b.csv").read_text() == "s\n" + "entry 0\n" * ROWS
        assert pq.read_table(tool.cwd / "b.parquet")["s"].to_pylist() == ["entry 0"] * ROWS


def test_what_cannot_be_opened_is_named_once(tool):
    said = tool.fails("verify", "none.parquet", says="error: cannot read 'none.parquet'")
    assert said.count("none.parquet") == 1
