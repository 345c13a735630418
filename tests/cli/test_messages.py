"""What is said on a terminal: flags instead of options, numbers that mean something, the format of a file that is no CSV."""

import bz2
import fcntl
import gzip
import lzma
import os
import pty
import re
import struct
import subprocess
import termios
import threading
import time

import pytest

from conftest import BIN, environment

SMALL = "a,b\n1,2\n"


# ---- flags, not options ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text, args, says", [
    ('a,b\n1,2\n"x\n', [], "with --quote"),
    ('a,b\n1,x"\n', ["--reader-option", "strict=true"], "with --reader-option strict=true that is an error"),
    (SMALL, ["--reader-option", "delimeter=x"], "unknown option 'delimeter' in --reader-option"),
    (SMALL, ["--writer-option", "page_sise=1"], "unknown option 'page_sise' in --writer-option"),
    (SMALL, ["--reader-option", "escape=xx"], "error: --escape must be one ASCII character"),
    (SMALL, ["--escape", "auto"], "error: --escape needs one ASCII character, \"\" for none, not 'auto'"),
    (SMALL, ["--quote", "xx"], "error: --quote needs one ASCII character, \"\" for none, or auto, not 'xx'"),
    (SMALL, ["--row-group-size", "99999999999999"], "error: --row-group-size must be"),
    (SMALL, ["--writer-option", "page_rows=x"], "error: --writer-option page_rows must be"),
    (SMALL, ["--types", "zip=int64"], "--types names the column \"zip\""),
])
def test_flags_are_named(tool, write, text, args, says):
    write("in.csv", text)
    said = tool.fails("convert", *args, "in.csv", "out.parquet", says=says)
    assert "engine.options" not in said and "the option " not in said, said


def test_options_are_named_in_jobs(tool, write):
    write("in.csv", 'a,b\n1,2\n"x\n')
    write("asset.yaml", "name: t\nschema: [{name: a}, {name: b}]\n")
    write("job.yaml", "tenant_id: x\nsource_connector: csv\ntarget_connector: local\nasset_path: asset.yaml\n"
                      "source: {files: [{path: in.csv}]}\ntarget: {connection: {path: out}}\n")
    assert "with the option quote" in tool("run", "job.yaml").stderr.decode()


# ---- the delimiter -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text, args, says", [
    ("a;b;c\n1,5;2;3\n", [], "the row has 2 fields where the header has 1: '1,5;2;3'; with ';' between fields both have 3: "
                             "set it with --delimiter"),
    ("a\tb,c\n1\t2\n", [], "the row has 1 field where the header has 2: '1\\x092'; with tab between fields both have 2"),
    ("a,b\n1,2\n3\n", ["-d", ";"], "out.parquet"),
    ("a,b\n1,2\n3\n", [], "the row has 1 field where the header has 2: '3'; check the delimiter and the quotes"),
])
def test_delimiter_is_named(tool, write, text, args, says):
    write("in.csv", text)
    done = tool("convert", *args, "in.csv", "out.parquet")
    assert says in done.stderr.decode(), done.stderr.decode()


def test_delimiter_is_named_where_an_asset_finds_no_column(tool, write):
    write("in.csv", "id;name\n1;x\n")
    write("asset.yaml", "name: t\nschema: [{name: id, required: true}]\n")
    tool.fails("convert", "-q", "--schema", "asset.yaml", "in.csv", "out.parquet", says="--delimiter ';'")
    write("asset.yaml", "name: t\nschema: [{name: id}]\n")
    tool.fails("convert", "-q", "--schema", "asset.yaml", "in.csv", "out.parquet", says="--delimiter ';'")


# ---- files that are no CSV ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data, says", [
    (bz2.compress(bz2.compress(b"a\n1\n")), ["bzip2", "packed twice"]),
    (gzip.compress(lzma.compress(b"a\n1\n")), ["xz", "packed twice"]),
    (gzip.compress(b"\x28\xb5\x2f\xfd\x24\x04"), ["zstd", "packed twice"]),
    (b"\x04\x22\x4d\x18\x64\x40", ["lz4", "lz4 -dc"]),
    (b"PK\x03\x04\x14\x00", ["zip archive or a spreadsheet"]),
    (b"PAR1\x15\x00", ["Parquet"]),
])
def test_formats_that_are_no_csv(tool, write, data, says):
    write("in.csv", data)
    said = tool.fails("schema", "in.csv", says=says)
    assert "iconv" not in said
    tool.fails("convert", "-", "out.parquet", stdin=data, says=["standard input", says[0]])


def test_text_that_begins_like_one(tool, write):
    write("in.csv", "BZh91,PAR1\n1,2\n")
    assert b"BZh91" in tool.ok("schema", "in.csv").stdout


# ---- numbers -----------------------------------------------------------------------------------------------------------


def test_numbers_that_mean_nothing_are_left_out(tool, write):
    write("in.csv", SMALL)
    text = tool.ok("convert", "in.csv", "out.parquet").stderr.decode()
    assert "MB/s" not in text and "rows/s" not in text and "%" not in text and "?" not in text, text
    write("in.csv", "a,b\n" + "1,2\n" * 200_000)
    text = tool.ok("convert", "-f", "in.csv", "out.parquet").stderr.decode()
    assert re.search(r"bytes   800 kB in, [0-9.]+ k?B?(ytes)? ?out|bytes   800 kB in", text) and "MB/s" in text and " %)" in text


def test_help_of_help(tool):
    assert tool.ok("help", "help").stdout == tool.ok("help").stdout


# ---- the progress line -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [30, 200])
def test_progress_line_fits_and_goes(tool, columns):
    """On a terminal: never wider than it, and gone before the table is printed."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 25, columns, 0, 0))
    process = subprocess.Popen([str(BIN), "schema", "--full", "-"], stdin=subprocess.PIPE, stdout=slave, stderr=slave,
                               env=environment(TERM="xterm"))
    os.close(slave)
    seen = bytearray()

    def listen():
        while True:
            try:
                data = os.read(master, 65536)
            except OSError:
                return
            if not data:
                return
            seen.extend(data)

    reader = threading.Thread(target=listen)
    reader.start()
    process.stdin.write(b"name,number\n")
    for _ in range(4):
        process.stdin.write(b"some text,1234567\n" * 60_000)
        process.stdin.flush()
        time.sleep(0.25)
    process.stdin.close()
    assert process.wait(timeout=300) == 0
    reader.join(timeout=300)
    os.close(master)
    text = seen.decode().replace("\r\n", "\n")
    assert "rows" in text, text
    lines = [line.rsplit("\r\x1b[K", 1)[-1] for line in text.split("\n")]
    assert lines[0].split() == ["column", "type", "nulls"], text
    for piece in text.split("\r\x1b[K")[1:-1]:
        assert len(piece) < columns, piece


def test_a_row_without_end_in_a_pipe(tool):
    """What comes through a pipe cannot be read again: the line was counted, and how long the row is nobody knows."""
    tool.fails("convert", "--memory", "64MB", "-", "out.parquet", stdin=b"a\n1\n" + b"x" * (20 << 20),
               says=["line 3", "no row end in the 8388608 bytes from byte 4 on", "else raise --memory, one part in 8 of which"])


ADDRESSES = ["postgres://me:s3cret@host/db?table=t&password=s3cret", "POSTGRES://me:s3cr@et@s3cret@host/db", "mysql://me:s3cret@host/db", "jdbc:postgresql://host/db?user=me&password=s3cret", "s3://ID:s3cret@bucket/x.txt",
             "s3a://ID:s3/s3cret@bucket/x.parquet", " postgres://me:s3cret@host/db?table=s3cret", '"http://me:s3cret@host/x.csv?s3cret',
             "https://me:s3cret@host/x.csv?signature=s3cret", "ftp://host/x.csv?signature=s3cret"]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("args", [["convert", "in.csv", "ADDRESS"], ["convert", "-f", "--log-format", "json", "in.csv", "in.csv", "ADDRESS"], ["convert", "ADDRESS", "in.csv", "out.parquet"],
                                  ["inspect", "ADDRESS"], ["verify", "ADDRESS"], ["verify", "--json", "ADDRESS"], ["run", "ADDRESS"], ["check", "ADDRESS"],
                                  ["convert", "--schema", "ADDRESS", "in.csv", "out.parquet"]], ids=str)
def test_an_address_shows_no_secret(tool, write, args, address):
    """Wherever an address stands, and be it where none can be: its password and its query are in no message."""
    write("in.csv", SMALL)
    done = tool(*[address if a == "ADDRESS" else a for a in args])
    text = (done.stdout + done.stderr).decode()
    assert done.returncode == 2 and "error" in text.lower() and "s3cret" not in text and "s3cr" not in text, text
