"""What a generated plugin of Level 0 promises, in whatever language: functions of a `tool` and the library."""

import concurrent.futures
import ctypes
import errno
import json
import os
import pathlib
import subprocess
import sys

from conftest import environment
from plugin_host import in_child

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
