"""`plugin new` makes a folder that builds, tests itself and runs in a job, with one command."""

import concurrent.futures
import ctypes
import datetime
import errno
import json
import os
import pathlib
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import SANITIZED, SOURCE, Tool, environment
from plugin_host import Failure, Handle, Reader, Writer, WriterTable, in_child

OUT = {"reader": "out/default/default/lines/lines_000000.parquet", "writer": "out/default/default/rows/rows_000000.json"}
ROWS = [{"id": 1, "name": "Ann"}, {"id": 2, "name": "Bob, the second"}, {"id": 3, "name": None}]
LINES = ["the first line", 'the second, with "quotes"', "", "the fourth"]
built = pytest.mark.skipif(SANITIZED, reason="the template is built without it")


def make(tool, *words, **variables):
    done = subprocess.run(["make", "-C", "demo", *words], cwd=tool.cwd, env={**environment(), **variables}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def build_and_run(tool, role, language, level):
    tool.ok("plugin", "new", "demo", f"--{role}", "--language", language, "--level", level)
    done = make(tool, "test", "run")
    assert " 0 failed, 0 skipped" in done.stdout and "warning" not in done.stderr, done.stdout + done.stderr
    out = tool.cwd / "demo" / OUT[role]
    if role == "writer":
        text = out.read_text()
        assert (json.loads(text)["records"] if level == 0 else [json.loads(line) for line in text.splitlines()]) == ROWS
    else:
        assert pq.read_table(out).to_pylist() == [{"line": i + 1, "text": text} for i, text in enumerate(LINES)]
        nothing_is_dropped(tool, min((tool.cwd / "demo").glob("**/libdemo*.so")))


def nothing_is_dropped(tool, library):
    """What a fresh reader does not do is refused: a second file and an option would be lost without a word."""
    (tool.cwd / "a.txt").write_text("one\n")
    convert = ("convert", "-f", "--reader", library)
    tool.fails(*convert, "a.txt", "a.txt", "out.parquet", says="several files: this reader reads one")
    tool.fails(*convert, "--reader-option", "skip=1", "a.txt", "out.parquet", says="engine.options.skip")
    tool.ok(*convert, "--columns", "text", "a.txt", "out.parquet")
    assert pq.read_table(tool.cwd / "out.parquet").to_pylist() == [{"text": "one"}]


@built
@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("role", ["reader", "writer"])
def test_a_new_plugin_of_c(tool, role, level):
    build_and_run(tool, role, "c", level)
    if role == "reader" or level == 0:
        lines = (tool.cwd / "demo" / "demo.c").read_text().splitlines()
        assert len([line for line in lines if line.strip() and not line.lstrip().startswith("/*")]) < 80


@built
@pytest.mark.parametrize("level", [0, 1])
def test_a_line_that_is_not_utf8_is_an_error(tool, level):
    build_and_run(tool, "reader", "c", level)
    (tool.cwd / "demo" / "lines.txt").write_bytes("a\n\u20ac \U0001f600\n".encode() + b"b \xed\xa0\x80\nc\n")
    done = subprocess.run(["make", "-C", "demo", "run"], cwd=tool.cwd, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "UTF-8" in done.stderr


def test_wrong_words(tool):
    (tool.cwd / "there").mkdir()
    tool.fails("plugin", "new", "there", "--reader", says="there: the folder cannot be made")
    tool.fails("plugin", "new", "demo", says="--reader or --writer")
    tool.fails("plugin", "new", "demo", "--reader", "--writer", says="one of them")
    tool.fails("plugin", "new", "../demo", "--reader", says="must begin with a letter")
    tool.fails("plugin", "new", "Demo", "--reader", says="must begin with a letter")
    tool.fails("plugin", "new", "demo", "--reader", "--language", "cobol", says="c or rust")
    tool.fails("plugin", "new", "demo", "--reader", "--level", "2", says="--level must be 0 or 1")
    tool.fails("plugin", "ned", "demo", says='did you mean "new"?')
    tool.fails("plugin", "check", "x.so", "--reader", says="for plugin new")
    tool.fails("plugin", "check", "x.so", "--level", "0", says="for plugin new")


# ---- what the headers of Level 1 take care of ----


@pytest.fixture(scope="module")
def types_library(tmp_path_factory):
    """Every type, and what is wrong by option, on the header for readers."""
    tool = Tool(tmp_path_factory.mktemp("types"))
    tool.ok("plugin", "new", "demo", "--reader", "--level", "1")
    (tool.cwd / "demo" / "demo.c").write_text((SOURCE / "tests" / "cli" / "level1_types.c").read_text())
    make(tool, CFLAGS="-O1 -g -Wall -Wextra -Werror")
    return tool.cwd / "demo" / "libdemo_plugin.so"


@pytest.fixture
def types(tool, types_library):
    (tool.cwd / "in").touch()

    def flags(*more, **options):
        return ["convert", "-f", "--reader", types_library,
                *[word for key, value in options.items() for word in ("--reader-option", f"{key}={value}")], *more, "in", "out.parquet"]
    return flags


def expected(n):
    def cell(column, value):
        return None if (n + column) % 5 == 0 else value
    epoch, us = datetime.datetime(1970, 1, 1), datetime.timedelta(microseconds=1)
    return {"b": cell(0, n % 2 == 0), "i": cell(1, n), "f": cell(2, n / 4), "d": cell(3, (epoch + datetime.timedelta(days=n)).date()),
            "t": cell(4, epoch + n * 1000001 * us), "z": cell(5, epoch.replace(tzinfo=datetime.timezone.utc) - n * us),
            "s": cell(6, "" if n % 3 == 0 else f"täxt {n} of more than twelve bytes")}


@built
def test_cells_of_every_type(tool, types, types_library):
    for options in ({}, {"batch_size": 1}, {"batch_size": 7}, {"batch_size": 8}):
        tool.ok(*types(rows=50, **options))
        assert pq.read_table(tool.cwd / "out.parquet").to_pylist() == [expected(n) for n in range(50)]
    tool.ok(*types(rows=20000))
    assert pq.read_table(tool.cwd / "out.parquet", columns=["i"])["i"].null_count == 4000
    tool.ok(*types("--columns", "s,b", rows=5))
    assert pq.read_table(tool.cwd / "out.parquet").to_pylist() == [{"s": expected(n)["s"], "b": expected(n)["b"]} for n in range(5)]
    (tool.cwd / "run.json").write_text(json.dumps({"engine": {"options": {"rows": 1000, "batch_size": 100}}}))
    text = tool("plugin", "check", "--run", "run.json", types_library).stdout.decode()
    assert "1000 rows of 7 columns in 10 batches" in text
    assert [line for line in text.splitlines() if line.startswith("FAIL")] == [  # it has no files
        "FAIL  level 1 reader: a missing file is an error - open() accepted a file that is not there"]
    (tool.cwd / "run.json").write_text(json.dumps({"files": [{"path": "in"}], "engine": {"options": {"rows": 10}}}))
    text = tool("plugin", "check", "--run", "run.json", types_library).stdout.decode()
    assert "FAIL  level 1 reader: of two files come the rows of both, or an error - 10 rows, and of the file twice 10" in text


@built
@pytest.mark.parametrize("wrong, says", [
    ("type", 'column "s" is string: a int64 was put there'), ("twice", 'column "s" was put twice'), ("utf8", 'column "s": byte 1 of the text is no UTF-8'),
    ("silent", "next() returned 7, without fail()"), ("fail", "the cable is cut"), ("open", "not now")])
def test_what_authors_get_wrong_is_an_error(tool, types, wrong, says):
    said = tool.fails(*types(rows={"fail": 9000, "utf8": 5}.get(wrong, 2), wrong=wrong), says=says)
    assert ("error: in: " in said) == (wrong not in ("type", "twice", "silent"))  # those are not the file's fault


@built
def test_long_names_are_kept(tool, types):
    """They do not fit where most names do; some hosts' do not fit into errors either."""
    name = "N" * 300
    tool.ok(*types("--columns", f"s,{name}", "--types", f"{name}=int64", rows=5, long_names="true"))
    assert pq.read_table(tool.cwd / "out.parquet").to_pylist() == [{"s": expected(n)["s"], name: expected(n)["i"]} for n in range(5)]
    tool.ok(*types(rows=5, long_names="true"))
    assert pq.read_table(tool.cwd / "out.parquet").column_names[1] == name
    tool.fails(*types("--types", f"{name}=string", long_names="true"), says=f'column "{name}" is int64 here')
    tool.fails(*types("--types", f"{name}X=string", long_names="true"), says=f'there is no column "{name}X"')
    tool.fails(*types("--columns", f"{name}X", long_names="true"), says=f'there is no column "{name}X"')
    tool.fails(*types(**{name: 1}), says="is no option of this plugin")
    done = tool.fails(*types(required=json.dumps([name]), long_names="true"), says="is required, and has no value")
    assert f'column "{name}"' in done


@built
def test_a_cell_that_is_wrong_is_told_with_its_row(tool):
    tool.ok("plugin", "new", "demo", "--reader", "--level", "1")
    make(tool)
    (tool.cwd / "in").write_bytes(b"a\n" * 8999 + b"\xff\n")  # in the second batch
    tool.fails("convert", "--reader", "demo/libdemo_plugin.so", "in", "out.parquet", says='error: in: row 9000: column "text": byte 0 of the text is no UTF-8')


@built
def test_what_jobs_ask_for_is_kept_or_refused(tool, types):
    tool.fails(*types(rwos=5), says="engine.options.rwos is no option of this plugin")
    tool.fails(*types("--types", "i=string"), says='column "i" is int64 here')
    tool.fails(*types("--columns", "i,x"), says='there is no column "x"')
    tool.fails(*types("--types", "x=int64"), says='there is no column "x"')
    for size in (0, "1x", 1.5, "true"):
        tool.fails(*types(batch_size=size), says="batch_size must be from 1")
    done = tool.fails(*types(required='["i"]'), says='column "i" is required, and has no value')
    assert "row 5" in done


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


@built
def test_a_writer_of_c_takes_every_type(tool):
    tool.ok("plugin", "new", "demo", "--writer", "--level", "1")
    make(tool, CFLAGS="-O1 -g -Wall -Wextra -Werror")
    writes_every_type(tool, "./demo/libdemo_plugin.so")


@built
def test_columns_of_other_names_are_the_flags_fault(tool, types):
    """Not that of an option that nobody has named."""
    for item in ("i:n", "-i", "#1"):
        said = tool.fails(*types(f"--columns={item}"), says=[f"--columns {item}: only of CSV files", "one by one"])
        assert "is no option" not in said


# ---- what Level 0 promises ----

PREFIX = "DATIVO_PLUGIN_ERROR "
ODD = 'odd "quoted" back\\slash\x01\n\u00fc\U0001f600'  # a folder that has to be escaped, and that json.dumps() escapes


class Level0:
    """A library of either role; texts that are no UTF-8 fail to be decoded."""

    def __init__(self, path):
        self.library = ctypes.CDLL(str(path))
        names = ("create_reader", "extract_batch", "free_reader") if hasattr(self.library, "create_reader") else ("create_writer", "write_batch", "free_writer")
        self.create, self.work, self.release = (getattr(self.library, name) for name in names)
        self.create.restype = self.work.restype = ctypes.c_void_p

    def open(self, config):
        return ctypes.c_void_p(self.create(config if isinstance(config, bytes) else json.dumps(config).encode()))

    def call(self, handle, *records):
        pointer = ctypes.c_void_p(self.work(handle, *[r if isinstance(r, bytes) else json.dumps(r).encode() for r in records]))
        text = ctypes.string_at(pointer).decode() if pointer.value else None
        self.library.free_string(pointer)
        return text

    def once(self, config, *records):
        handle = self.open(config)
        text = self.call(handle, *records)
        self.release(handle)
        return text

    def refuses(self, config, *records, says):
        text = self.once(config, *records)
        assert text.startswith(PREFIX), text
        message = json.loads(text[len(PREFIX):])["message"]
        assert says in message
        return message


def source(path, options=None, **more):
    return {"type": "csv", "connection": {"path": "elsewhere"}, "files": [{"path": str(path), "object": "lines"}], "incremental": None,
            "engine": {"type": "native", "options": options}, **more}


def odd_folder(tool):
    folder = tool.cwd / ODD
    folder.mkdir()
    return folder


LINES_0 = ['say "no" \\ \x01\x1f\t', "", "nul \0 nul", "\u00fc\U0001f600", "x" * 3000000, "cr\r"]


def lines_file(tool):
    path = odd_folder(tool) / "in"
    path.write_bytes("\n".join(LINES_0).encode())
    return path


def lines_come_as_they_are(tool, library):
    plugin, path = Level0(library), lines_file(tool)
    expected = [{"line": i + 1, "text": text} for i, text in enumerate(LINES_0)]
    config = source(path)
    assert json.loads(plugin.once(config)) == expected
    assert json.loads(plugin.once(json.dumps(config).encode() + b'}, "files": [{"path": "no"}]')) == expected  # it stops at the brace
    for file in ({"file": str(path)}, {"path": None, "file": str(path)}):
        assert json.loads(plugin.once({**config, "files": [file]})) == expected
    (tool.cwd / "none").touch()
    assert plugin.once(source(tool.cwd / "none")) is None
    (tool.cwd / "many").write_text("x" * 1000000 + "\n" + "\n" * 2000)
    handle = plugin.open(source(tool.cwd / "many"))
    assert [len(json.loads(plugin.call(handle))) for _ in range(3)] == [1000, 1000, 1] and plugin.call(handle) is plugin.call(handle) is None
    plugin.release(handle)
    (tool.cwd / "long").write_text(("x" * 6000000 + "\n") * 4)
    handle = plugin.open(source(tool.cwd / "long"))
    assert [len(json.loads(plugin.call(handle))) for _ in range(2)] == [3, 1]  # what a host has to hold has a bound
    plugin.release(handle)


def errors_of_readers_are_json(tool, library):
    plugin, path = Level0(library), lines_file(tool)
    gone = path.with_name("gone")
    assert str(gone) in plugin.refuses(source(gone), says="No such file")
    plugin.refuses(source(path.parent), says="")
    plugin.refuses(source("x" * 5000), says="too long")
    plugin.refuses(source("a\0b"), says="NUL")
    plugin.refuses(source("a\ud800"), says="surrogate pair")  # not the file whose name has U+FFFD
    for file in ("", None, 7):
        plugin.refuses({**source(path), "files": [{"path": file}]}, says="files[0].path")
    for files in ([], None, "in", [None]):
        plugin.refuses({**source(path), "files": files}, says="files[0].path")
    plugin.refuses({**source(path), "files": source(path)["files"] * 2}, says="several files")
    for wrong in (b"", b"[]", b'{"files": ', b'{"files": [{"path": "\xff"}]}'):
        plugin.refuses(wrong, says="configuration")


def children_of_readers_get_an_error(tool, library):
    plugin, path = Level0(library), lines_file(tool)
    handle = plugin.open(source(path))
    assert "another process" in in_child(lambda: str([plugin.call(handle)[:500], plugin.release(handle)]))
    assert len(json.loads(plugin.call(handle))) == len(LINES_0)
    plugin.release(handle)


def no_option_is_passed_over(tool, library):
    """`native` is looked at, too; the sections of other engines, and what recipes put into `native`, are not ours."""
    plugin, path = Level0(library), lines_file(tool)
    recipe = {"library": "pandas", "library_version": "2.1.0", "chunk_size": 10000, "encoding": "utf-8", "delimiter": ",", "quote_char": '"'}
    plugin.refuses(source(path, recipe), says="engine.options.library")
    for options in ({"native": recipe}, None, {}, {"native": {}}, {"native": None}, {"skip": None}, {"native": {"skip": None}}, {"meltano": {"skip": 2}, "airbyte": {}, "singer": {}}):
        assert plugin.once(source(path, options)).startswith('[{"line":1,')
    for options in ({"skip": 2}, {"native": {}, "skip": 2}, {"meltano": {"skip": 2}, "skip": {}}):
        plugin.refuses(source(path, options), says="engine.options.skip")
    for options in ({"native": {"skip": 2}}, {"native": {"x": None, "skip": {}}, "meltano": {}}):
        plugin.refuses(source(path, options), says="engine.options.native.skip")
    plugin.refuses(source(path, {"duckdb": {}}), says="engine.options.duckdb")
    plugin.refuses(source(path, {"native": {"native": {}}}), says="engine.options.native.native")
    plugin.refuses(source(path, {'say "\u00fc\x01': 1}), says='engine.options.say "\u00fc\x01')
    plugin.refuses(source(path, ["skip"]), says="engine.options")
    plugin.refuses(source(path, {"native": "skip"}), says="engine.options.native")


class Written:
    """The files that writers made of a folder, and what must be in each."""

    def __init__(self, folder):
        self.folder, self.files = folder, {}
        self.config = {"asset_name": "t", "schema": [{"name": "output_base"}], "output_base": str(folder), "file_format": None}

    def check(self):
        """Every file that was named, complete, and no other."""
        assert {p: p.read_bytes() for p in self.folder.iterdir()} == self.files

    def write(self, plugin, handle, records, count, raw=None):
        (file,) = json.loads(plugin.call(handle, records))
        path = pathlib.Path(file["path"])
        assert path not in self.files
        self.files[path] = raw or (records if isinstance(records, bytes) else json.dumps(records).encode())
        assert file == {"path": str(path), "size_bytes": len(self.files[path]), "record_count": count} and path.parent == self.folder
        self.check()
        return path.name


def paths_are_escaped_both_ways(tool, library):
    """In the configuration, as json.dumps() has them, and in the answer."""
    plugin, written = Level0(library), Written(odd_folder(tool))
    handle = plugin.open(written.config)
    written.write(plugin, handle, {"records": [{"a": 1}], "file_counter": 0}, 1)
    plugin.release(handle)


def no_batch_replaces_another(tool, library):
    (tool.cwd / "out").mkdir()
    plugin, written = Level0(library), Written(tool.cwd / "out")
    two = [plugin.open(written.config), plugin.open(written.config)]
    assert [written.write(plugin, two[i], {"records": [{"n": i}], "file_counter": i}, 1) for i in (0, 1)] == ["demo_000000.json", "demo_000001.json"]
    for counter in (1, 1, 0):  # the same one of both, and again
        for i in (0, 1):
            written.write(plugin, two[i], {"records": [{"n": i}, {"c": counter}], "file_counter": counter}, 2)
    for handle in two:
        plugin.release(handle)
    written.check()
    handle = plugin.open(written.config)
    assert written.write(plugin, handle, {"file_counter": 7, "records": []}, 0) == "demo_000007.json"
    written.write(plugin, handle, {"records": []}, 0)  # without a counter
    written.write(plugin, handle, {"records": [], "file_counter": None}, 0)
    plugin.release(handle)


def threads_replace_nothing(tool, library):
    (tool.cwd / "out").mkdir()
    plugin, written = Level0(library), Written(tool.cwd / "out")

    def fill(n):
        handle = plugin.open(written.config)
        for counter in range(20):
            batch = {"records": [{"n": n}], "file_counter": counter}
            (file,) = json.loads(plugin.call(handle, batch))
            written.files[pathlib.Path(file["path"])] = json.dumps(batch).encode()
        plugin.release(handle)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(fill, range(4)))
    assert len(written.files) == 80
    written.check()


def batches_come_as_they_are(tool, library):
    (tool.cwd / "out").mkdir()
    plugin, written = Level0(library), Written(tool.cwd / "out")
    values = b'[{"n":-9223372036854775808,"f":[-0.0,1e+300,1.5E-7,NaN,-Infinity],"d":12345678901234567890.123456789,"s":"","z":null,"\\"{[\\\\":"}]\\u0000\\ud83d"}]'
    handle = plugin.open(written.config)
    written.write(plugin, handle, [{"a": 1}, {"a": 2}], 2)
    written.write(plugin, handle, [{"a": 1}, {"a": [{"b": 2}]}], 2)
    written.write(plugin, handle, [], 0)
    written.write(plugin, handle, values, 1)
    written.write(plugin, handle, values + b"[{]", 1, raw=values)  # it stops at the bracket
    written.write(plugin, handle, {"records": [{"s": "x" * 3000000}], "file_counter": 10000000}, 1)
    plugin.release(handle)


def errors_of_writers_are_json(tool, library):
    folder = odd_folder(tool)
    plugin, written = Level0(library), Written(folder)
    for base in ("", None, 7):
        plugin.refuses({"output_base": base}, [], says="output_base")
    plugin.refuses({"schema": [{"name": "output_base"}]}, [], says="output_base")
    plugin.refuses({"output_base": "/tmp/\ud800"}, [], says="surrogate pair")
    plugin.refuses({"output_base": "/tmp/" + "x" * 5000}, [], says="too long")
    plugin.refuses({"output_base": "/tmp/" + "x" * 300}, [], says="too long")
    gone = str(folder / "gone\x02")
    assert gone in plugin.refuses({"output_base": gone}, [], says="No such file")
    for wrong in (b"", b"[]", b'{"output_base": ', b'{"output_base": "\xff"}'):
        plugin.refuses(wrong, [], says="configuration")
    for wrong in (b"", b'[{"a":', b'[{"a":1},]', b'[{"a":nul}]', b'[{"a":01}]', b'[{"a":1.}]', b'[{"a":+1}]', b'[{"a":inf}]', b'[{"a":"\\x"}]', b'[{"a":"\\u12g4"}]',
                  b'[{"a":"\xff"}]', b'[{"a":"\x01"}]', b"[{'a':1}]", b"{}", b'{"records":{}}', b'{"records":null}', b'{"records":[1]}', b"7",
                  b'{"records":[],"file_counter":" 1"}', b'{"records":[],"file_counter":"+1"}', b'{"records":[],"file_counter":-1}', b'{"records":[],"file_counter":1.5}', b'{"records":[],"file_counter":"7x"}'):
        plugin.refuses(written.config, wrong, says="")
    written.check()  # there is none


def no_option_of_a_writer_is_passed_over(tool, library):
    (tool.cwd / "out").mkdir()
    plugin, config = Level0(library), Written(tool.cwd / "out").config
    for options in ({"compresion": "zstd"}, {"native": {"compresion": "zstd"}}):
        plugin.refuses({**config, "engine": {"options": options}}, [], says="compresion is no option")
    assert plugin.once({**config, "engine": {"options": {"native": {"compression": "snappy"}}}}, [])  # of a recipe
    (tool.cwd / "in.csv").write_text("a\n1\n2\n")
    tool.ok("convert", "--writer", library, "--writer-option", "batch_size=1", "in.csv", "rows.json")
    assert (tool.cwd / "rows_000001.json").exists()
    tool.fails("convert", "--writer", library, "--writer-option", "compresion=1", "in.csv", "more.json", says="compresion is no option")


def children_of_writers_get_an_error(tool, library):
    (tool.cwd / "out").mkdir()
    plugin, written = Level0(library), Written(tool.cwd / "out")
    handle = plugin.open(written.config)
    assert "another process" in in_child(lambda: str([plugin.call(handle, []), plugin.release(handle)]))
    written.write(plugin, handle, [{"a": 1}], 1)
    plugin.release(handle)


WATCH = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static void tell(const char *call, const char *path)
{
    FILE *out = fopen(getenv("TOLD"), "a");
    fprintf(out, "%s %s\n", call, path);
    fclose(out);
}
int fsync(int fd)
{
    char at[64], path[4096] = "";
    snprintf(at, sizeof at, "/proc/self/fd/%d", fd);
    if (readlink(at, path, sizeof path - 1) > 0) tell("fsync", path);
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}
int link(const char *from, const char *to)
{
    tell("link", to);
    return ((int (*)(const char *, const char *))dlsym(RTLD_NEXT, "link"))(from, to);
}
int linkat(int a, const char *from, int b, const char *to, int flags)
{
    tell("link", to);
    return ((int (*)(int, const char *, int, const char *, int))dlsym(RTLD_NEXT, "linkat"))(a, from, b, to, flags);
}
"""


def is_durable_when_it_is_named(tool, library):
    """The file, then its name, then the folder that has the name."""
    (tool.cwd / "watch.c").write_text(WATCH)
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", "watch.so", "watch.c", "-ldl"], cwd=tool.cwd, check=True)
    (tool.cwd / "plain").mkdir()
    base = os.path.realpath(tool.cwd / "plain")
    script = ("import ctypes, json, sys\nl = ctypes.CDLL(sys.argv[1])\nl.create_writer.restype = ctypes.c_void_p\n"
              "l.write_batch(ctypes.c_void_p(l.create_writer(json.dumps({'output_base': sys.argv[2]}).encode())), b'[]')\n")
    variables = {**environment(), "LD_PRELOAD": str(tool.cwd / "watch.so"), "TOLD": str(tool.cwd / "told")}
    subprocess.run([sys.executable, "-c", script, str(library), base], env=variables, check=True)
    told = [line.split(" ") for line in (tool.cwd / "told").read_text().splitlines()]
    assert [call for call, _ in told] == ["fsync", "link", "fsync"]
    assert os.path.dirname(told[0][1]) == base and told[1][1] == f"{base}/demo_000000.json" and told[2][1] == base


LINKLESS = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
static int failed(const char *why)
{
    errno = atoi(getenv(why));
    return -1;
}
int link(const char *from, const char *to) { return (void)from, (void)to, failed("NO_LINK"); }
int linkat(int a, const char *from, int b, const char *to, int flags) { return (void)a, (void)from, (void)b, (void)to, (void)flags, failed("NO_LINK"); }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags)
{
    if (getenv("NO_RENAME") != NULL) return failed("NO_RENAME");
    return ((int (*)(int, const char *, int, const char *, unsigned))dlsym(RTLD_NEXT, "renameat2"))(a, from, b, to, flags);
}
"""


def on_file_systems_without_links(tool, library, script, **expected):
    """What `script` says with errno of link(), and then with that of renameat2(), too."""
    (tool.cwd / "linkless.c").write_text(LINKLESS)
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", "linkless.so", "linkless.c", "-ldl"], cwd=tool.cwd, check=True)
    variables = {**environment(), "LD_PRELOAD": str(tool.cwd / "linkless.so"), "PYTHONPATH": os.pathsep.join(sys.path)}
    for link in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS):
        for rename in (None, errno.EINVAL, errno.ENOSYS):
            folder = tool.cwd / f"out-{link}-{rename}"
            folder.mkdir()
            more = {"NO_LINK": str(link)} if rename is None else {"NO_LINK": str(link), "NO_RENAME": str(rename)}
            words = [sys.executable, "-c", script, str(library), str(folder)]
            done = subprocess.run(words, env={**variables, **more}, capture_output=True, text=True, check=False)
            if rename is None:
                assert done.returncode == 0, done.stderr
                assert {path.name: path.read_text() for path in folder.iterdir()} == expected["files"]
            else:
                assert "this file system has neither hard links nor renames that replace nothing" in done.stdout + done.stderr
                assert list(folder.iterdir()) == []


def needs_no_links(tool, library):
    on_file_systems_without_links(tool, library, """
import ctypes, json, sys
plugin = ctypes.CDLL(sys.argv[1])
plugin.create_writer.restype = plugin.write_batch.restype = ctypes.c_void_p
handle = ctypes.c_void_p(plugin.create_writer(json.dumps({"output_base": sys.argv[2]}).encode()))
for n in range(2):
    print(ctypes.string_at(plugin.write_batch(handle, b'{"records":[{"n":%d}],"file_counter":0}' % n)))
""", files={name: f'{{"records":[{{"n":{n}}}],"file_counter":0}}' for n, name in enumerate(["demo_000000.json", "demo_000000-1.json"])})


AT_LEVEL_0 = [("reader", promise) for promise in (
    lines_come_as_they_are, errors_of_readers_are_json, children_of_readers_get_an_error, no_option_is_passed_over)]
AT_LEVEL_0 += [("writer", promise) for promise in (
    paths_are_escaped_both_ways, no_batch_replaces_another, threads_replace_nothing, batches_come_as_they_are, errors_of_writers_are_json,
    no_option_of_a_writer_is_passed_over, children_of_writers_get_an_error, is_durable_when_it_is_named, needs_no_links)]


@pytest.fixture(scope="module")
def level0_libraries(tmp_path_factory):
    """Of both roles, one for all tests."""
    made = {}
    for role in ("reader", "writer"):
        tool = Tool(tmp_path_factory.mktemp(role))
        tool.ok("plugin", "new", "demo", f"--{role}")
        make(tool, CFLAGS="-O1 -g -Wall -Wextra -Werror -fsanitize=undefined -fno-sanitize-recover=undefined")
        made[role] = tool.cwd / "demo" / "libdemo_plugin.so"
    return made


@built
@pytest.mark.parametrize("role, promise", AT_LEVEL_0)
def test_what_level_0_of_c_promises(tool, level0_libraries, role, promise):
    promise(tool, level0_libraries[role])


WALK = r"""
#include "json.h"
static int walked(const char *at, int with_key)
{
    const char *key = NULL;
    int n = 0;
    while (json_next(&at, with_key ? &key : NULL) != NULL) n++;
    return n;
}
int main(void)
{
    static const char *const lists[] = {"[\"a\",\"b\"]", "[[\"a\",1],{}]", "[ 1 , 2 ]"}, *const objects[] = {"{\"a\":1,\"b\":2}", "{\"a\":[1,2],\"b\":{\"c\":1}}"};
    static const char *const others[] = {"\"a,b\"", "5", "null", "[]", "{}"};
    int failed = walked(NULL, 0) + walked(NULL, 1);
    for (int i = 0; i < 3; i++) failed += walked(lists[i], 0) != 2 || walked(lists[i], 1) != 0;
    for (int i = 0; i < 2; i++) failed += walked(objects[i], 1) != 2 || walked(objects[i], 0) != 0;
    for (int i = 0; i < 5; i++) failed += walked(others[i], 0) + walked(others[i], 1);
    return failed;
}
"""


@built
def test_lists_are_not_walked_through_as_objects(tool):
    (tool.cwd / "walk.c").write_text(WALK)
    subprocess.run(["cc", "-g", "-Wall", "-Wextra", "-Werror", f"-I{SOURCE}/templates/plugin/c", "-o", "walk", "walk.c"], cwd=tool.cwd, check=True)
    subprocess.run([tool.cwd / "walk"], check=True)


# ---- what Level 1 promises in both languages ----


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


@built
def test_options_of_c_may_be_native(tool):
    tool.ok("plugin", "new", "demo", "--reader", "--level", "1")
    make(tool)
    options_may_be_native(tool, "./demo/libdemo_plugin.so")


# years have four digits at least, as those of Rust's {:04}
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


@built
def test_a_writer_of_c_writes_every_moment(tool):
    tool.ok("plugin", "new", "demo", "--writer", "--level", "1")
    make(tool, CFLAGS="-O1 -g -Wall -Wextra -Werror -fsanitize=undefined -fno-sanitize-recover=undefined")
    writes_every_moment(tool, "./demo/libdemo_plugin.so")


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


AT_LEVEL_1 = [("reader", no_option_of_another_form_is_passed_over), ("reader", files_are_those_that_are_named), ("writer", any_name_of_a_file_is_good),
              ("writer", columns_may_have_no_name), ("writer", commit_needs_no_links)]


@pytest.fixture(scope="module")
def level1_libraries(tmp_path_factory):
    """Of both roles, one for all tests."""
    made = {}
    for role in ("reader", "writer"):
        tool = Tool(tmp_path_factory.mktemp(role))
        tool.ok("plugin", "new", "demo", f"--{role}", "--level", "1")
        make(tool, CFLAGS="-O1 -g -Wall -Wextra -Werror -fsanitize=undefined -fno-sanitize-recover=undefined")
        made[role] = tool.cwd / "demo" / "libdemo_plugin.so"
    return made


@built
@pytest.mark.parametrize("role, promise", AT_LEVEL_1)
def test_what_level_1_of_c_promises(tool, level1_libraries, role, promise):
    promise(tool, level1_libraries[role])


@built
def test_one_text_is_a_list_of_it(tool, types):
    assert "row 5" in tool.fails(*types(required="i"), says='column "i" is required, and has no value')
