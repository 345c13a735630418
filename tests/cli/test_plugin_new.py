"""`plugin new` makes a folder that builds, tests itself and runs in a job, with one command."""

import datetime
import json
import subprocess

import pyarrow.parquet as pq
import pytest

from conftest import SANITIZED, SOURCE, Tool, environment

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
def test_what_jobs_ask_for_is_kept_or_refused(tool, types):
    tool.fails(*types(rwos=5), says="engine.options.rwos is no option of this plugin")
    tool.fails(*types("--types", "i=string"), says='column "i" is int64 here')
    tool.fails(*types("--columns", "i,x"), says='there is no column "x"')
    tool.fails(*types("--types", "x=int64"), says='there is no column "x"')
    for size in (0, "1x", 1.5, "true"):
        tool.fails(*types(batch_size=size), says="batch_size must be from 1")
    done = tool.fails(*types(required='["i"]'), says='column "i" is required, and has no value')
    assert "row 5" in done


@built
def test_columns_of_other_names_are_the_flags_fault(tool, types):
    """Not that of an option that nobody has named."""
    for item in ("i:n", "-i", "#1"):
        said = tool.fails(*types(f"--columns={item}"), says=[f"--columns {item}: only of CSV files", "one by one"])
        assert "is no option" not in said


@built
def test_one_text_is_a_list_of_it(tool, types):
    assert "row 5" in tool.fails(*types(required="i"), says='column "i" is required, and has no value')


# ---- what both levels promise ----


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
