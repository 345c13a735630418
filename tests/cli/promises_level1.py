"""What a generated plugin of Level 1 promises, in whatever language: functions of a `tool` and the library."""

import ctypes
import datetime
import json
import os
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plugin_host import Failure, Handle, Reader, Writer, WriterTable
from promises_level0 import on_file_systems_without_links, source

FLOATS = [0.1, -0.0, 5.0, 1e22, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, 123456.789]
ALL = pa.table({
    "b": pa.array([True, None, False]), "i8": pa.array([-128, None, 127], pa.int8()), "u32": pa.array([2**32 - 1, None, 0], pa.uint32()),
    "i": pa.array([2**63 - 1, None, -2**63]), "f": pa.array([0.1, None, -2.5e-300]), "g": pa.array([1.5, None, 0.25], pa.float32()),
    "d": pa.array([datetime.date(2024, 2, 29), None, datetime.date(1969, 12, 31)]), "t": pa.array([0, None, -1], pa.timestamp("us")),
    "z": pa.array([1709210096000000, None, 0], pa.timestamp("us", "UTC")), "s": pa.array(['"quoted" \\ täxt of more than twelve', None, ""])})
WRITTEN = [
    {"b": True, "i8": -128, "u32": 2**32 - 1, "i": 2**63 - 1, "f": 0.1, "g": 1.5, "d": "2024-02-29", "t": "1970-01-01T00:00:00",
     "z": "2024-02-29T12:34:56Z", "s": '"quoted" \\ täxt of more than twelve'}, dict.fromkeys(ALL.column_names),
    {"b": False, "i8": 127, "u32": 0, "i": -2**63, "f": -2.5e-300, "g": 0.25, "d": "1969-12-31", "t": "1969-12-31T23:59:59.999999",
     "z": "1970-01-01T00:00:00Z", "s": ""}]


def writes_every_type(tool, library):
    pq.write_table(ALL, tool.cwd / "in.parquet")
    tool.ok("convert", "--writer", library, "in.parquet", "out.parquet")
    assert [json.loads(line) for line in (tool.cwd / "out.parquet").read_text().splitlines()] == WRITTEN
    tool.fails("convert", "--writer", library, "in.parquet", "out.parquet", says="out.parquet")
    tool.ok("convert", "--writer", library, "in.parquet", "out.jsonl")  # it is the writer's own form
    assert (tool.cwd / "out.jsonl").read_bytes() == (tool.cwd / "out.parquet").read_bytes()
    tool.ok("convert", "-f", "--writer", library, "--limit", "1", "in.parquet", "out.parquet")
    assert len((tool.cwd / "out.parquet").read_text().splitlines()) == 1
    pq.write_table(pa.table({"f": FLOATS, "quoted \"\\\x01\u00fc": [""] * len(FLOATS)}), tool.cwd / "in.parquet")
    tool.ok("convert", "--writer", library, "in.parquet", "floats.jsonl")
    rows = [json.loads(line) for line in (tool.cwd / "floats.jsonl").read_text().splitlines()]
    assert [repr(float(row["f"])) for row in rows] == [repr(f) for f in FLOATS] and {*rows[0]} == {"f", "quoted \"\\\x01\u00fc"}
    assert '{"f":0.1,' in (tool.cwd / "floats.jsonl").read_text()
    pq.write_table(pa.table({"f": [1.0, float("inf")]}), tool.cwd / "in.parquet")
    tool.fails("convert", "--writer", library, "in.parquet", "new.parquet", says=["error: new.parquet: ", "JSON has no inf"])
    pq.write_table(pa.table({"N" * 300: [1]}), tool.cwd / "in.parquet")
    tool.ok("convert", "--writer", library, "in.parquet", "long.jsonl")
    assert json.loads((tool.cwd / "long.jsonl").read_text()) == {"N" * 300: 1}
    pq.write_table(pa.table({"a": [1], "l": [[1]]}), tool.cwd / "in.parquet")
    tool.fails("convert", "--writer", library, "in.parquet", "new.parquet", says=["l", "does not take: +"])
    assert not [name for name in os.listdir(tool.cwd) if name.endswith(".tmp")]
    refuses_what_is_not_utf8(tool, library)


def refuses_what_is_not_utf8(tool, library):
    """Our readers do not hand it out; others may."""
    for texts, kind in (([b"\xc3\xbc", b"\xed\xa0\x80"], pa.string()), ([b"more than twelve bytes", b"\xff"], pa.large_string())):
        batch = pa.record_batch([pa.Array.from_buffers(kind, 2, pa.array(texts, pa.binary() if kind == pa.string() else pa.large_binary()).buffers())], names=["s"])
        writer = Writer(tool.cwd / library, {"path": str(tool.cwd / "utf8.jsonl")}, batch.schema)
        with pytest.raises(Failure, match='column "s": .*(UTF-8|utf-8)'):
            writer.append(batch)
        writer.close()


def options_may_be_native(tool, library):
    """engine.options.native has options, too; engine.options comes first. Sections of other engines are not ours."""
    (tool.cwd / "in").write_text("".join(f"{n}\n" for n in range(5)))

    def convert(**options):
        words = [word for key, value in options.items() for word in ("--reader-option", f"{key}={json.dumps(value)}")]
        return ["convert", "-f", "--reader", library, *words, "in", "out.parquet"]

    def lines(**options):
        tool.ok(*convert(**options))
        return pq.read_table(tool.cwd / "out.parquet")["line"].to_pylist()

    tool.fails(*convert(skip_lines=2**63 - 1), says="no rows")
    assert lines(native={"skip_lines": 3}) == lines(native={"skip_lines": "3"}) == lines(native={"skip_lines": 1}, skip_lines=3) == [4, 5]
    assert lines(native={"skip_lines": 3, "batch_size": 1, "library": "pandas", "delimiter": ","}, skip_lines=None, meltano={"skip": 1}, airbyte={}, singer={}) == [4, 5]
    tool.fails(*convert(native={"skip": 3}), says="engine.options.native.skip is no option of this plugin")
    tool.fails(*convert(native={"native": {}}), says="engine.options.native.native is no option of this plugin")
    tool.fails(*convert(native=3), says="engine.options.native")
    tool.fails(*convert(duckdb={"skip_lines": 3}), says="engine.options.duckdb is no option of this plugin")
    tool.fails(*convert(native={"batch_size": 0}), says="batch_size must be from 1")
    tool.fails(*convert(native={"skip_lines": "3 4"}), says="skip_lines must be from 0")
    tool.fails(*convert(native={"columns": ["x"]}), says='there is no column "x"')
    assert "?" not in tool.fails("convert", "-f", "--reader", library, "a" + "\u00fc" * 600, "out.parquet", says="\u00fc")  # cut between characters
    (tool.cwd / "run.json").write_text(json.dumps({"files": [{"file": "in"}]}))
    assert "5 rows of 2 columns" in tool.ok("plugin", "check", "--run", "run.json", library).stdout.decode()


DAYS = {-719162: "0001-01-01", -354649: "0999-01-02", 2932896: "9999-12-31", 2932897: "+010000-01-01", -719163: "0000-12-31", -719529: "-000001-12-31",
        2**31 - 1: "+5881580-07-11", -2**31: "-5877641-06-23", 11016: "2000-02-29", -25509: "1900-02-28", -25508: "1900-03-01", -1: "1969-12-31"}
MICROS = {2**63 - 1: "+294247-01-10T04:00:54.775807", -2**63: "-290308-12-21T19:59:05.224192", -1: "1969-12-31T23:59:59.999999", -1000000: "1969-12-31T23:59:59",
          -354649 * 86400000000 + 1: "0999-01-02T00:00:00.000001", -719162 * 86400000000 - 1: "0000-12-31T23:59:59.999999",
          2932897 * 86400000000 - 1: "9999-12-31T23:59:59.999999", 2932897 * 86400000000: "+010000-01-01T00:00:00"}


def writes_every_moment(tool, library):
    pq.write_table(pa.table({"d": pa.array(list(DAYS), pa.int32()).cast(pa.date32())}), tool.cwd / "days.parquet")
    micros = pa.array(list(MICROS), pa.int64())
    pq.write_table(pa.table({"t": micros.cast(pa.timestamp("us")), "z": micros.cast(pa.timestamp("us", "Europe/Paris"))}), tool.cwd / "micros.parquet")
    for name, expected in (("days", [{"d": text} for text in DAYS.values()]), ("micros", [{"t": text, "z": text + "Z"} for text in MICROS.values()])):
        tool.ok("convert", "--writer", library, f"{name}.parquet", f"{name}.jsonl")
        assert [json.loads(line) for line in (tool.cwd / f"{name}.jsonl").read_text().splitlines()] == expected


def no_option_of_another_form_is_passed_over(tool, library):
    (tool.cwd / "in").write_text("a\nb\n")

    def convert(options):
        words = [word for key, value in options.items() for word in ("--reader-option", f"{key}={json.dumps(value)}")]
        return ["convert", "-f", "--reader", library, *words, "in", "out.parquet"]

    def columns(**options):
        tool.ok(*convert(options))
        return pq.read_table(tool.cwd / "out.parquet").column_names

    for option in ("columns", "required"):
        for wrong in ({"line": 1}, 5, ["line", 5], [None], [["line"]]):
            tool.fails(*convert({option: wrong}), says=[option, "must be a list of texts"])
        tool.fails(*convert({option: "nosuch"}), says='there is no column "nosuch"')  # one text is a name
        tool.fails(*convert({option: ["line", "nosuch"]}), says='there is no column "nosuch"')
    assert columns(columns="text") == columns(columns=["text"], required="text") == ["text"]
    assert columns(required="text", types={"line": None}, widened={"text": "string"}) == ["line", "text"]
    tool.fails(*convert({"columns": ["line"], "required": "text"}), says=["required", "columns", 'column "text"'])
    tool.fails(*convert({"columns": ["q"], "missing_as_null": True, "required": ["q"]}), says=["required", 'there is no column "q"'])
    for again in (["text", "text"], ["q", "line", "q"]):
        tool.fails(*convert({"columns": again, "missing_as_null": True}), says=f'has "{again[0]}" twice')
    assert columns(columns=["q", "line"], missing_as_null=True) == ["q", "line"]
    for option in ("types", "widened"):
        for wrong in (["line"], "string", 5, {"text": 5}, {"text": ["string"]}):
            tool.fails(*convert({option: wrong}), says=[option, "must be an object that gives columns types"])
        for word in ("x", "x" * 59, "x" * 70, "x" * 5000):
            tool.fails(*convert({option: {"text": word}}), says='column "text" is')
        tool.fails(*convert({option: {"nosuch": "string"}}), says=[option, 'there is no column "nosuch"'])
    for wrong in (" 1", "+1", "1 ", "", "-1"):
        tool.fails(*convert({"skip_lines": wrong}), says="skip_lines must be from 0")


def files_are_those_that_are_named(tool, library):
    """Not others whose names have U+FFFD; what is in them is no fault of the system."""
    (tool.cwd / "a\ufffd").write_text("another\n")
    for path in ("a\ud800", "a\udc00b", "a\0"):
        with pytest.raises(Failure, match="files.0..path has .* half of a surrogate pair"):
            Reader(library, source(tool.cwd / path))
    (tool.cwd / "in").write_bytes(b"a\n\xff\n")
    reader = Reader(library, source(tool.cwd / "in"))
    with pytest.raises(Failure):
        list(reader.batches())
    assert reader.error.code == 3  # DATIVO_ERR_DATA
    reader.close()


def written(library, path, **options):
    """One row of the column a."""
    schema = pa.schema([("a", pa.int64())])
    writer = Writer(library, {"path": str(path), "engine": {"options": options}}, schema)
    writer.append(pa.record_batch([pa.array([1])], schema=schema))
    writer.finish()
    writer.commit()
    writer.close()
    assert pathlib.Path(path).read_text() == '{"a":1}\n'


def any_name_of_a_file_is_good(tool, library):
    """And any other is refused in front of the first row."""
    (tool.cwd / "out").mkdir()
    names = ["x" * 255, "\u00fc" * 127, ".hidden", "a"]
    for name in names:
        written(library, tool.cwd / "out" / name)
        written(library, tool.cwd / "out" / name, overwrite=True)
        with pytest.raises(Failure, match="exists"):
            Writer(library, {"path": str(tool.cwd / "out" / name)}, pa.schema([("a", pa.int64())]))
    for path in ("", "out/new/", "out/a/", "out/", "out", "out/gone/x", "out/a/x", "out/" + "x" * 256, "out/\ud800", "out/a\0", 7, None):
        for overwrite in (False, True):
            config = {"path": f"{tool.cwd}/{path}" if path and path != 7 else path, "engine": {"options": {"overwrite": overwrite}}}
            with pytest.raises(Failure):
                Writer(library, config, pa.schema([("a", pa.int64())]))
    assert {*os.listdir(tool.cwd / "out")} == {*names}


def columns_may_have_no_name(tool, library):
    """Arrow lets names be left out, though pyarrow does not."""
    writer, schema = Handle(library, b"dativo.writer/1", WriterTable), ctypes.create_string_buffer(128)
    pa.schema([("a", pa.list_(pa.int64()))])._export_to_c(ctypes.addressof(schema))
    children = ctypes.c_void_p.from_address(ctypes.addressof(schema) + 40).value  # of struct ArrowSchema, whose `name` is behind its `format`
    name = ctypes.c_void_p.from_address(ctypes.c_void_p.from_address(children).value + 8)
    saved, name.value = name.value, None
    code = writer.table.open(json.dumps({"path": str(tool.cwd / "out")}).encode(), ctypes.addressof(schema), None, ctypes.byref(writer.handle), writer.error)
    name.value = saved
    pa.Schema._import_from_c(ctypes.addressof(schema))  # releases it
    with pytest.raises(Failure, match=r'column "" is of a type that this writer does not take: \+l'):
        writer.check(code)


def commit_needs_no_links(tool, library):
    on_file_systems_without_links(tool, library, """
import sys
import pyarrow as pa
from plugin_host import Failure, Writer
schema = pa.schema([("a", pa.int64())])
two = [Writer(sys.argv[1], {"path": sys.argv[2] + "/out"}, schema) for _ in range(2)]
for n, writer in enumerate(two):
    writer.append(pa.record_batch([pa.array([n])], schema=schema))
    writer.finish()
try:
    two[0].commit()
    try:
        two[1].commit()
    except Failure as failure:
        assert "exists" in str(failure)
    else:
        raise AssertionError("the file of the first is replaced")
finally:
    for writer in two:
        writer.close()
""", files={"out": '{"a":0}\n'})


AT_LEVEL_1 = [("reader", promise) for promise in (
    options_may_be_native, no_option_of_another_form_is_passed_over, files_are_those_that_are_named)]
AT_LEVEL_1 += [("writer", promise) for promise in (
    writes_every_type, writes_every_moment, any_name_of_a_file_is_good, columns_may_have_no_name, commit_needs_no_links)]
