"""CSV that is packed or in another encoding: the rows of the plain file, or an error with a place; never fewer rows."""
import bz2
import codecs
import ctypes
import gzip
import io
import lzma
import random
import struct
import subprocess
import zlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

PLAIN = ("id,name,price\n" + "".join(f'{i},"naïve, {i % 97}",{i / 8}\n' for i in range(4000))).encode()


def zstd(data):
    """With a checksum, as the zstd command writes it."""
    lib = ctypes.CDLL("libzstd.so.1")
    lib.ZSTD_createCCtx.restype = ctypes.c_void_p
    context = ctypes.c_void_p(lib.ZSTD_createCCtx())
    lib.ZSTD_CCtx_setParameter(context, 201, 1)  # ZSTD_c_checksumFlag
    lib.ZSTD_compress2.restype = ctypes.c_size_t
    out = ctypes.create_string_buffer(len(data) + (len(data) >> 8) + 1024)
    n = lib.ZSTD_compress2(context, out, ctypes.c_size_t(len(out)), data, ctypes.c_size_t(len(data)))
    lib.ZSTD_freeCCtx(context)
    return out.raw[:n]


def bgzf(data):
    """Blocked gzip, as bgzip writes it, with its empty last member."""
    out = b""
    for at in [*range(0, len(data), 60000), len(data)]:
        body = zlib.compressobj(6, zlib.DEFLATED, -15)
        piece = data[at:at + 60000]
        body = body.compress(piece) + body.flush()
        size = 18 + len(body) + 8
        out += struct.pack("<4BI2BH2BHH", 31, 139, 8, 4, 0, 0, 255, 6, 66, 67, 2, size - 1)
        out += body + struct.pack("<II", zlib.crc32(piece), len(piece))
    return out


PACKINGS = {"gzip": gzip.compress, "bgzf": bgzf, "zstd": zstd, "bzip2": bz2.compress, "xz": lzma.compress}
NAMES = {"bgzf": "gzip"}
packed = pytest.mark.parametrize("packing", PACKINGS)


def read(tool, *args, **kwargs):
    tool.ok("convert", "-qf", *args, "out.parquet", **kwargs)
    return pq.read_table(tool.cwd / "out.parquet")


@pytest.fixture
def plain(tool, write):
    write("plain.csv", PLAIN)
    table = read(tool, "plain.csv")
    assert table.num_rows == 4000
    return table


@packed
def test_packed_files(tool, write, plain, packing):
    """Whatever the name says."""
    write("in.csv", PACKINGS[packing](PLAIN))
    assert read(tool, "in.csv").equals(plain)
    assert read(tool, "-", stdin=PACKINGS[packing](PLAIN)).equals(plain)
    assert tool.ok("schema", "in.csv").stdout == tool.ok("schema", "plain.csv").stdout


@packed
@pytest.mark.parametrize("flags", [(), ("--reader-option", "block_bytes=1000"), ("-t", "1", "--reader-option", "block_bytes=7")])
def test_members(tool, write, plain, packing, flags):
    """All of them, also empty ones and ones that end in the middle of a row."""
    cuts = sorted(random.Random(7).randrange(len(PLAIN)) for _ in range(9))
    pieces = [PLAIN[a:b] for a, b in zip([0, *cuts], [*cuts, len(PLAIN)])]
    pieces.insert(3, b"")
    write("in.csv", b"".join(PACKINGS[packing](piece) for piece in pieces))
    assert read(tool, *flags, "in.csv").equals(plain)


@packed
def test_several_files(tool, write, plain, packing):
    write("b.csv", PACKINGS[packing](PLAIN))
    both = read(tool, "plain.csv", "b.csv")
    assert both.equals(pa.concat_tables([plain, plain]).combine_chunks())


def test_blocks_that_hide_others(tool, write):
    """A length that covers the next member, too; an end that is missing, whatever was put in its place."""
    first, second = bgzf(b"a,b\n1,2\n")[:-28], bgzf(b"3,4\n")
    size = len(first) + len(second) - 28
    write("in.csv", first[:16] + struct.pack("<H", size - 1) + first[18:] + second)
    tool.fails("convert", "in.csv", "out.parquet", says=["gzip: a block is not what its length", "byte 0"])
    for behind in (bytes(100), gzip.compress(b"5,6\n")):
        write("in.csv", first + behind)
        tool.fails("convert", "in.csv", "out.parquet", says=["empty block", "missing", f"byte {len(first)}"])


def test_what_may_follow(tool, write, plain):
    write("zeros.gz", gzip.compress(PLAIN) + bytes(1000))
    write("zeros.xz", lzma.compress(PLAIN) + bytes(8) + lzma.compress(b"") + bytes(4))
    skippable = b"\x53\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"hello"
    write("skip.zst", skippable + zstd(PLAIN) + skippable)
    for name in ("zeros.gz", "zeros.xz", "skip.zst"):
        assert read(tool, name).equals(plain), name


@packed
def test_names_of_packed_files(tool, write, plain, packing):
    """A text under such a name is read; what lost its first bytes is an error, in encodings too that have all bytes."""
    name = "in.csv" + {"gzip": ".gz", "bgzf": ".gz", "zstd": ".zst", "bzip2": ".bz2", "xz": ".xz"}[packing]
    write(name, PLAIN)
    assert read(tool, name).equals(plain)
    stored = PACKINGS[packing](PLAIN)
    for damaged in (stored[1:], b"X" + stored[1:], stored[:1] + b"X" + stored[2:]):
        write(name, damaged)
        for flags in ([], ["--encoding", "latin1"], ["--on-invalid", "replace"]):
            tool.fails("convert", "-f", *flags, name, "out.parquet", says=[name, "its name says", "get the file again"])


@packed
def test_trailing_bytes(tool, write, packing):
    stored = PACKINGS[packing](PLAIN)
    write("in.csv", stored + b"more")
    tool.fails("convert", "in.csv", "out.parquet", says=[f"in.csv': {NAMES.get(packing, packing)}: ", f"byte {len(stored)}"])


@packed
def test_packed_twice(tool, write, packing):
    write("in.csv", gzip.compress(PACKINGS[packing](PLAIN)))
    tool.fails("convert", "in.csv", "out.parquet", says=["packed twice", NAMES.get(packing, packing)])


@packed
def test_errors_have_lines_of_the_text(tool, write, packing):
    text = PLAIN + b'5000,"x",1\n5001,y,1,2\n'
    write("in.csv", PACKINGS[packing](text))
    tool.fails("convert", "in.csv", "out.parquet", says=["in.csv: line 4003, ", "byte %d" % text.index(b"5001,y")])
    write("in.csv", PACKINGS[packing](PLAIN.replace(b"3999,", b"x9,")))
    assert read(tool, "in.csv").schema.field("id").type == pa.string()


def test_empty(tool, write):
    write("in.csv", gzip.compress(b""))
    tool.fails("convert", "in.csv", "out.parquet", says=["in.csv", "empty"])
    write("in.csv", gzip.compress(b"a,b\n"))
    assert read(tool, "--allow-empty", "in.csv").num_rows == 0


def test_blocked_and_plain_members(tool, write):
    """Members that say how long they are, and some that do not, in one file; far more blocks than are in flight."""
    data = PLAIN * 60
    write("plain.csv", data.replace(b"id,name,price\n", b"0,h,1\n")[6:])
    write("in.csv", bgzf(data.replace(b"id,name,price\n", b"0,h,1\n")[6:]) + gzip.compress(b"7,x,1\n") + bgzf(b"8,y,2\n"))
    flags = ("--no-header", "--types", "column_2=string")
    expected = read(tool, *flags, "plain.csv")
    for more in ((), ("-t", "1"), ("-t", "7")):
        table = read(tool, *flags, *more, "in.csv")
        assert table.slice(0, len(expected)).equals(expected)
        assert table.slice(len(expected)).column("column_1").to_pylist() == [7, 8]


def test_stored_blocks_and_other_windows(tool, write, plain):
    """What other packers than ours write."""
    write("stored.gz", gzip.compress(PLAIN, 0))
    write("fast.bz2", bz2.compress(PLAIN, 1))
    write("x.xz", lzma.compress(PLAIN, check=lzma.CHECK_CRC32, preset=0))
    named = io.BytesIO()
    with gzip.GzipFile("a name", "wb", fileobj=named) as out:
        out.write(PLAIN)
    write("named.gz", named.getvalue())
    for name in ("stored.gz", "fast.bz2", "x.xz", "named.gz"):
        assert read(tool, name).equals(plain), name


def test_a_wish_to_stop_while_a_packed_pipe_waits(tool):
    proc = tool.start("convert", "-q", "-", "out.parquet", stdin=subprocess.PIPE)
    proc.stdin.write(gzip.compress(PLAIN)[:2000])
    proc.stdin.flush()
    with pytest.raises(subprocess.TimeoutExpired):
        proc.wait(0.5)
    proc.terminate()
    assert proc.wait(5) == 143
    assert not (tool.cwd / "out.parquet").exists()


def test_packed_in_a_way_that_is_refused(tool, write):
    write("in.csv", lzma.compress(PLAIN, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 512 << 20}]))
    tool.fails("convert", "in.csv", "out.parquet", says=["in.csv': xz: ", "513 MiB of memory"])
    window = b"\x28\xb5\x2f\xfd\x00" + bytes([18 << 3]) + b"\x01\x00\x00"  # 256 MiB, an empty last block
    write("in.csv", zstd(b"a,b\n") + window)
    tool.fails("convert", "in.csv", "out.parquet", says=["in.csv': zstd: ", "128 MiB", "--long=31"])
    dictionary = b"\x28\xb5\x2f\xfd\x21\x07\x00" + b"\x01\x00\x00"
    write("in.csv", zstd(b"a,b\n") + dictionary)
    tool.fails("convert", "in.csv", "out.parquet", says=["in.csv': zstd: ", "dictionary"])


# ---- encodings -----------------------------------------------------------------------------------------------------------

TEXT = "id,naïve\n1,Ärger\n2,€uro\n3,\"a\nb\"\n"
ASTRAL = "id,s\n1,\U0001f600x\n2,\u4e2d\u6587\n"


@pytest.mark.parametrize("mark, encoding", [(codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
                                            (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
                                            (codecs.BOM_UTF8, "utf-8")])
@pytest.mark.parametrize("text", [TEXT, ASTRAL])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_byte_order_marks(tool, write, mark, encoding, text, pack):
    write("utf8.csv", text)
    expected = read(tool, "utf8.csv")
    write("in.csv", pack(mark + text.encode(encoding)))
    assert read(tool, "in.csv").equals(expected)
    assert read(tool, "-", stdin=pack(mark + text.encode(encoding))).equals(expected)
    write("bare.csv", pack(text.encode(encoding)))
    assert read(tool, "--encoding", encoding, "bare.csv").equals(expected)


@pytest.mark.parametrize("encoding", ["windows-1252", "cp1252", "iso-8859-15", "latin-9", "WINDOWS-1252"])
def test_single_bytes(tool, write, encoding):
    write("utf8.csv", TEXT)
    write("in.csv", TEXT.encode("cp1252" if "1252" in encoding else "iso-8859-15"))
    assert read(tool, "--encoding", encoding, "in.csv").equals(read(tool, "utf8.csv"))


@pytest.mark.parametrize("encoding, text", [("shift_jis", "a,b\n1,日本\n"), ("gb18030", "a,b\n1,中文\n"), ("euc-kr", "a,b\n1,한글\n"),
                                            ("koi8-r", "a,b\n1,мир\n"), ("koi8_r", "a,b\n1,мир\n"), ("ms_kanji", "a,b\n1,日本\n"),
                                            ("iso8859_15", "a,b\n1,€\n"), ("cp437", "a,b\n1,é\n"), ("utf-7", "a,b\n1,é\n"),
                                            ("iso2022_jp", "a,b\n1,日本\n"), ("iso2022_jp_2", "a,b\n1,日本\n"), ("iso2022_jp_3", "a,b\n1,日本\n"),
                                            ("iso2022_kr", "a,b\n1,한글\n")])
def test_others(tool, write, encoding, text):
    write("in.csv", text.encode(encoding))
    assert read(tool, "--encoding", encoding, "in.csv").to_pylist() == [{"a": 1, "b": text.split(",")[-1][:-1]}]


@pytest.mark.parametrize("mark, text, wrong", [
    (codecs.BOM_UTF16_LE, "utf-16-le", ["utf-16be", "utf-32", "utf-32le", "latin1", "gb18030", "ucs-2be"]),
    (codecs.BOM_UTF16_BE, "utf-16-be", ["utf-16le", "utf-32", "utf-32be", "windows-1252", "ucs-2le"]),
    (codecs.BOM_UTF32_LE, "utf-32-le", ["utf-32be", "utf-16", "utf-16le", "latin1"]),
    (codecs.BOM_UTF8, "utf-8", ["latin1", "windows-1252", "shift_jis", "gbk", "utf-16", "utf-16le", "utf-32be"])])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_marks_that_contradict_the_option(tool, write, mark, text, wrong, pack):
    """They are rows of nonsense otherwise, or none, and no error."""
    write("in.csv", pack(mark + TEXT.encode(text)))
    for encoding in wrong:
        tool.fails("convert", "--no-header", "--allow-empty", "--encoding", encoding, "in.csv", "out.csv", says=["in.csv", "byte order mark", encoding])
    for encoding in {text, text[:6].strip("-"), text.replace("-", "_")}:
        assert read(tool, "--encoding", encoding, "in.csv").num_rows == 3


def test_an_order_that_nobody_tells(tool, write):
    for order in ("utf-16-le", "utf-16-be"):
        write("in.csv", TEXT.encode(order))
        assert read(tool, "--encoding", "utf-16", "in.csv").to_pylist()[1] == {"id": 2, "naïve": "€uro"}
        write("in.csv", "中文中文中文中文中文\n日本日本日本\n".encode(order))
        tool.fails("convert", "--encoding", "utf-16", "in.csv", "out.csv", says=["in.csv", "utf-16le or utf-16be"])
        write("in.csv", "一丁七万丈三上下不与\n一日\n".encode(order))  # some end in a zero, as ASCII of the other order does
        tool.fails("convert", "-f", "--encoding", "utf-16", "in.csv", "out.csv", says=["in.csv", "utf-16le or utf-16be"])
        for text in ("一,二\n一,日\n", "имя;возраст\nя;1\n", "a\n1\n", "一丁七\n一\n"):
            write("in.csv", text.encode(order))
            flags = ["--delimiter", ";"] if ";" in text else []
            tool.ok("convert", "-qf", *flags, "--encoding", "utf-16", "in.csv", "ours.csv")
            assert (tool.cwd / "ours.csv").read_text().splitlines()[0].replace('"', "") == text.splitlines()[0].replace(";", ","), text
    write("in.csv", b"")
    tool.fails("convert", "--encoding", "utf-16", "in.csv", "out.csv", says=["in.csv", "empty"])


@pytest.mark.parametrize("name", ["", "\n", "é", "(", " ", "-", "utf-8//IGNORE", "latin1\n", "x" * 100, "char", "//"])
def test_names_of_no_encoding(tool, write, name):
    """Of some iconv takes nothing, and takes the locale's."""
    write("in.csv", b"a,b\n1,2\n")
    tool.fails("convert", "--encoding", name, "in.csv", "out.csv", says="--encoding")


def test_what_is_no_text(tool, write):
    write("in.csv", b"a,b\n1,x\n2,\x81\n")
    tool.fails("convert", "--encoding", "windows-1252", "in.csv", "out.parquet",
               says=["in.csv: line 3, byte 10", " 81 ", "WINDOWS-1252", "--on-invalid"])
    write("cut.csv", codecs.BOM_UTF16_LE + "a,b\n1,x\n".encode("utf-16-le") + b"y")
    tool.fails("convert", "cut.csv", "out.parquet", says=["cut.csv: line 3", "UTF-16LE"])
    write("half.csv", codecs.BOM_UTF16_LE + "a\n\ud83d\nb\n".encode("utf-16-le", "surrogatepass"))
    tool.fails("convert", "half.csv", "out.parquet", says=["half.csv: line 2", "UTF-16LE", "3d d8"])


def test_replaced(tool, write):
    write("in.csv", b"a,b\n1,x\n2,\x81\n3,\x81\x8d\n")
    said = tool.ok("convert", "--encoding", "windows-1252", "--on-invalid", "replace", "in.csv", "out.parquet").stderr.decode()
    assert "in.csv: 3 byte sequences were no text in the encoding and became U+FFFD" in said
    assert pq.read_table(tool.cwd / "out.parquet").column("b").to_pylist() == ["x", "\ufffd", "\ufffd\ufffd"]
    (tool.cwd / "out.parquet").unlink()
    write("in.csv", b"a,b\n1,\xff\n2,\xc3\xa9\n")
    tool.fails("convert", "in.csv", "out.parquet", says=["\\xff", "line 2"])
    assert read(tool, "--on-invalid", "replace", "in.csv").column("b").to_pylist() == ["\ufffd", "é"]


@pytest.mark.parametrize("encoding", ["windows-1258", "windows-1255", "tcvn", "big5-hkscs", "iso-2022-jp-3"])
def test_characters_held_back(tool, write, encoding):
    """The last of a file is made, though what follows could have changed it."""
    last = {"windows-1255": b"\xe0", "big5-hkscs": b"\x88\x66", "iso-2022-jp-3": b"\x1b$(O\x2b\x52"}.get(encoding, b"a")
    write("in.csv", b"a,b\n1,x" + last)
    row, = read(tool, "--encoding", encoding, "in.csv").to_pylist()
    assert row["b"][:1] == "x" and len(row["b"]) == 2, row


def test_a_character_held_back_in_front_of_a_fault(tool, write):
    write("in.csv", b"a,b\n1,x\xe0\xd9y\n")
    flags = ("--encoding", "windows-1255")
    assert read(tool, *flags, "--on-invalid", "replace", "in.csv").to_pylist()[0]["b"] == "x\u05d0\ufffdy"
    tool.fails("convert", "-f", *flags, "in.csv", "out.parquet", says=["byte 9", " d9 "])


@pytest.mark.parametrize("encoding, stored", [
    ("unicodebig", "a,b\n1,x\ud800y\n2,zz\n".encode("utf-16-be", "surrogatepass")),
    ("utf-16", codecs.BOM_UTF16_BE + "a,b\n1,x\ud800y\n2,zz\n".encode("utf-16-be", "surrogatepass")),
    ("ucs-4", "a,b\n1,x\ud800y\n2,zz\n".encode("utf-32-be", "surrogatepass")),
    ("iso-10646", "a,b\n1,x".encode("utf-32-be") + b"\x00\x11\x00\x00" + "y\n2,zz\n".encode("utf-32-be")),
    ("utf-8", b"a,b\n1,x\xf4\x90\x80\x80y\n2,zz\n"),
    ("gbk", b"a,b\n1,x\xffy\n2,zz\n")])
def test_what_follows_a_fault_stays(tool, write, encoding, stored):
    write("in.csv", stored)
    said = tool.ok("convert", "--encoding", encoding, "--on-invalid", "replace", "in.csv", "out.parquet").stderr.decode()
    assert "1 byte sequence was no text" in said
    assert pq.read_table(tool.cwd / "out.parquet").column("b").to_pylist() == ["x\ufffdy", "zz"]


def test_shifts_outlive_a_fault(tool, write):
    text = "a,b\n1,\u65e5\u672c\u8a9e\n2,x\n".encode("iso2022_jp")
    at = text.index(b"\x1b$B") + 5
    write("in.csv", text[:at] + b"\x7e\x7e" + text[at:])
    table = read(tool, "--encoding", "iso-2022-jp", "--on-invalid", "replace", "in.csv")
    assert table.column("b").to_pylist() == ["\u65e5\ufffd\u672c\u8a9e", "x"]


def test_other_encodings_are_told_how_they_are_read(tool, write):
    write("latin.csv", "id,name\n1,Müller\n".encode("latin1"))
    tool.fails("convert", "latin.csv", "out.parquet", says=["latin.csv: line 2", '"name"', "\\xfc", "name it with --encoding", "windows-1252"])
    write("header.csv", "id,größe\n1,2\n".encode("latin1"))
    tool.fails("convert", "header.csv", "out.parquet", says=["header.csv: line 1", "name it with --encoding", "windows-1252"])
    write("bare.csv", "id,name\n1,x\n".encode("utf-16-le"))
    tool.fails("convert", "bare.csv", "out.parquet", says=["bare.csv: line 1", "set --encoding to utf-16le"])
    assert read(tool, "--encoding", "utf-16le", "bare.csv").to_pylist() == [{"id": 1, "name": "x"}]


def test_packed_parquet(tool, write):
    pq.write_table(pa.table({"a": [1]}), tool.cwd / "a.parquet")
    write("a.parquet.gz", gzip.compress((tool.cwd / "a.parquet").read_bytes()))
    tool.fails("convert", "a.parquet.gz", "out.parquet", says=["a.parquet.gz", "this is Parquet", "not packed"])


def test_encodings_that_are_none(tool, write):
    write("in.csv", "a\n1\n")
    for name in ("utf-9", "", "latin1//IGNORE", "x" * 100):
        tool.fails("convert", "--encoding", name, "in.csv", "out.parquet", says=["--encoding must be", "iconv -l"])
    tool.fails("convert", "--on-invalid", "drop", "in.csv", "out.parquet", says=["error or replace", "--on-invalid"])


def test_deflate_alone_is_no_file(tool, write):
    write("in.csv", zlib.compress(b"a,b\n1,2\n"))
    tool.fails("convert", "in.csv", "out.parquet", says="in.csv")
