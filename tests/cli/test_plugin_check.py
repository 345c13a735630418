"""`plugin check` names what a plugin does wrong, one defect after the other, and what to do about it."""

import json

import pytest

from conftest import FAKES, PLUGINS

PLUGIN = FAKES / "libbroken_plugin.so"
LEVEL1 = FAKES / "libbroken_level1.so"
BAD_JSON, MISSING, NULLS, ROWS, TWO, MANY = (
    "reader: a configuration that is not JSON gives an error text", "reader: a missing file gives an error text",
    "reader: NULL handles give an error text and do no harm", "reader: batches are lists of records, then NULL",
    "reader: readers do not disturb each other, and may be freed early", "reader: readers that are gone leave no files open, no threads and no memory")
SMALL, FILES, RECORDS, UNWRITABLE, MANY_WRITERS = ("writer: a small batch becomes a file", "writer: two batches become two files, which stay",
                         "writer: records that are not JSON give an error text", "writer: an unwritable folder gives an error text",
                         "writer: writers that are gone leave no files open, no threads and no memory")

WRITER_TOO = {"keeps handles": (MANY_WRITERS, "20 writers left"), "keeps texts": (MANY_WRITERS, "20 writers left"), "files: nameless": (FILES, "not a list")}


def check(tool, defect, *flags, plugin=PLUGIN):
    return tool("plugin", "check", *flags, plugin, env={"BROKEN": defect})


def found(done, name, says):
    """The remedy of the finding."""
    lines = done.stdout.decode().splitlines()
    at = [i for i, line in enumerate(lines) if line.startswith("FAIL  " + name)]
    assert done.returncode == 2 and at, lines
    assert says in lines[at[0]] and lines[at[0] + 1].startswith("      remedy: "), lines[at[0]:]
    return lines[at[0] + 1]


@pytest.mark.parametrize("defect", WRITER_TOO)
def test_a_defect_of_writers_that_readers_have_too(tool, defect):
    name, says = WRITER_TOO[defect]
    found(check(tool, defect), "level 0 " + name, says)


@pytest.mark.parametrize("kept", ["pool", "ring"])
def test_what_is_kept_for_the_process_is_not_lost(tool, kept):
    for _ in range(3):
        text = check(tool, kept).stdout.decode()
        assert "FAIL" not in text and " 0 failed" in text, text


@pytest.mark.parametrize("named", ["files: URL", "files: encoded URL"])
def test_a_file_may_be_named_by_its_url(tool, named):
    text = check(tool, named).stdout.decode()
    assert "FAIL" not in text and "16 passed, 0 failed, 0 skipped" in text, text


def test_what_is_written_elsewhere_is_not_looked_for(tool):
    text = check(tool, "files: elsewhere").stdout.decode()
    assert "FAIL" not in text and " 0 failed" in text, text


@pytest.mark.parametrize("n", [2, 3, 5])
def test_a_reader_that_makes_its_rows_has_not_read_the_small_file(tool, n):
    text = check(tool, f"makes {n} rows").stdout.decode()
    assert "FAIL" not in text and " 0 failed" in text, text
    assert f"SKIP  level 0 {ROWS} - {n} rows, but not those of the small CSV file" in text
    assert "note  level 0 reader: nothing of reading was checked: give --run CONFIG" in text


def test_a_reader_of_something_else_is_not_held_to_the_small_file(tool):
    """Nor told that all is well: its rows were not seen."""
    for defect, plugin, level in (("another source", PLUGIN, 0), ("another source, unsupported", PLUGIN, 0), ("lines", LEVEL1, 1)):
        done = check(tool, defect, plugin=plugin)
        text = done.stdout.decode()
        assert done.returncode == 0 and " 0 failed" in text, text
        assert "--run CONFIG checks it with yours" in text
        assert text.count(f"note  level {level} reader: nothing of reading was checked: give --run CONFIG") == 1


def test_an_unknown_option_is_one_of_a_source_that_is_read(tool):
    """An error on a file that is none of the reader's says nothing of options."""
    name = "level 1 reader: an unknown option is an error"
    assert f"SKIP  {name}" in check(tool, "unsupported", plugin=LEVEL1).stdout.decode()
    (tool.cwd / "small.csv").write_text("id,name,amount\n1,\"a \"\"b\"\", c\",1.5\n")
    (tool.cwd / "run.json").write_text('{"files": [{"path": "small.csv"}], "engine": null}')
    done = check(tool, "options of lines", "--run", "run.json", plugin=LEVEL1)
    assert "compare every key of engine.options" in found(done, name, "open() accepted an unknown option")
    assert f"PASS  {name} - unknown option" in check(tool, "none", "--run", "run.json", plugin=LEVEL1).stdout.decode()
    found(check(tool, "unsupported", "--run", "run.json", plugin=LEVEL1), name, "open() failed, without an unknown option, too: not mine")


@pytest.mark.parametrize("defect, name, says, remedy", [
    ("one file of two", "of two files come the rows of both", "3 rows, and of the file twice 3", "read every entry of files"),
    ("reads in a child", "a child of fork() gets an error", "got rows of its parent", "getpid()"),
])
def test_a_defect_of_level_1_with_a_configuration(tool, defect, name, says, remedy):
    (tool.cwd / "small.csv").write_text("id,name,amount\n1,\"a \"\"b\"\", c\",1.5\n")
    (tool.cwd / "run.json").write_text('{"files": [{"path": "small.csv"}]}')
    assert remedy in found(check(tool, defect, "--run", "run.json", plugin=LEVEL1), "level 1 reader: " + name, says)
    assert "34 passed, 0 failed, 0 skipped" in check(tool, "none", "--run", "run.json", plugin=LEVEL1).stdout.decode()


@pytest.mark.parametrize("defect, says", [("one name", 'columns 2 and 3 are both named "name"'), ("no name", "column 3 has no name")])
def test_names_that_hosts_take_are_told(tool, defect, says):
    (tool.cwd / "small.csv").write_text("id,name,amount\n1,\"a \"\"b\"\", c\",1.5\n")
    (tool.cwd / "run.json").write_text('{"files": [{"path": "small.csv"}]}')
    text = check(tool, defect, "--run", "run.json", plugin=LEVEL1).stdout.decode()
    assert f"PASS  level 1 reader: the rows of --run come out - 3 rows of 3 columns in 3 batches, then the end; note: {says}" in text


def test_a_writer_is_checked_where_it_is_started_if_it_has_a_configuration(tool):
    (tool.cwd / "w.json").write_text('{"asset_name": "x", "schema": [{"name": "id"}, {"name": "name"}], "engine": {}}')
    done = check(tool, "file in the working directory", "--run", "w.json")
    assert b"working directory" not in done.stdout and (tool.cwd / "x.json").exists()


def test_a_writer_of_level_1_gets_the_options_of_its_configuration(tool):
    """And not its schema, for the rows are the check's own, nor its `overwrite`."""
    (tool.cwd / "w.json").write_text(json.dumps({"asset_name": "x", "schema": [{"name": "other"}], "engine": {"options": {"table": "t", "overwrite": True}}}))
    text = check(tool, "needs an option", "--run", "w.json", plugin=LEVEL1).stdout.decode()
    assert [line for line in text.splitlines() if line.startswith("FAIL  level 1 writer")] == [] and "PASS  level 1 writer: with the option overwrite" in text
    (tool.cwd / "w.json").write_text(json.dumps({"asset_name": "x", "schema": [{"name": "other"}], "engine": {"options": {"compression": "zstd"}}}))
    assert " 0 failed" in tool.ok("plugin", "check", "--run", "w.json", PLUGINS / "libparquet_writer_plugin.so").stdout.decode()


def test_texts_of_every_layout_are_compared(tool):
    assert "PASS  level 1 reader: a small file comes out exactly" in check(tool, "large texts", plugin=LEVEL1).stdout.decode()


def test_how_many_rows_there_are(tool):
    (tool.cwd / "small.csv").write_text("id,name,amount\n1,\"a \"\"b\"\", c\",1.5\n")
    (tool.cwd / "run.json").write_text('{"files": [{"path": "small.csv"}]}')
    for plugin, level in ((PLUGIN, 0), (LEVEL1, 1)):
        text = check(tool, "none", "--run", "run.json", "--rows", "3", plugin=plugin).stdout.decode()
        assert "rows expected" not in text
        name = ROWS if level == 0 else "reader: the rows of --run come out"
        assert "number of rows" not in text
        text = check(tool, "none", "--run", "run.json", plugin=plugin).stdout.decode()
        assert text.count("note  reader: the number of rows was not checked: give --rows N") == 1
        found(check(tool, "none", "--run", "run.json", "--rows", "4", plugin=plugin), f"level {level} {name}", "4 rows expected, by --rows, got 3")
    tool.fails("plugin", "check", "--rows", "3", PLUGIN, says="--rows needs")
    tool.fails("plugin", "check", "--run", "run.json", "--rows", "0", PLUGIN, says="--rows needs")
    tool.fails("plugin", "new", "x", "--reader", "--rows", "1", says="are for plugin check")
    done = tool("plugin", "check", "--run", "run.json", "--rows", "1", PLUGINS / "libcsv_writer_plugin.so")
    found(done, "library: the rows of --rows come out", "no reader")
    (tool.cwd / "w.json").write_text("{}")
    assert b"number of rows" not in tool("plugin", "check", "--run", "w.json", PLUGINS / "libcsv_writer_plugin.so").stdout


def test_without_a_defect_nothing_is_found(tool):
    text = tool.ok("plugin", "check", PLUGIN).stdout.decode()
    assert "FAIL" not in text and "16 passed, 0 failed, 0 skipped" in text
    text = tool.ok("plugin", "check", LEVEL1).stdout.decode()
    assert "FAIL" not in text and "33 passed, 0 failed, 0 skipped" in text


def test_a_configuration_of_ones_own(tool):
    (tool.cwd / "texts.json").write_text(json.dumps({"engine": {"options": {"texts": ['[{"a":1}]', '[{"a":2},{"a":3}]']}}}))
    text = tool("plugin", "check", "--run", "texts.json", FAKES / "libfake_answers.so").stdout.decode()
    assert "PASS  level 0 reader: batches are lists of records, then NULL - 3 rows in 2 batches, then the end" in text
    numbers = '[{"a":-Infinity,"b":NaN,"NaN":"Infinity \\\\\\" NaN","c":12345678901234567890123}]'  # as json of Python reads them
    (tool.cwd / "texts.json").write_text(json.dumps({"engine": {"options": {"texts": [numbers]}}}))
    text = tool("plugin", "check", "--run", "texts.json", FAKES / "libfake_answers.so").stdout.decode()
    assert "PASS  level 0 reader: batches are lists of records, then NULL - 1 rows in 1 batches, then the end" in text
    big = '[{"a":1' + 400 * "0" + ',"b":-1e999,"c":"1e999"}]'
    (tool.cwd / "texts.json").write_text(json.dumps({"engine": {"options": {"texts": [big]}}}))
    text = tool("plugin", "check", "--run", "texts.json", FAKES / "libfake_answers.so").stdout.decode()
    assert "PASS  level 0 reader: batches are lists of records, then NULL - 1 rows in 1 batches, then the end" in text
    (tool.cwd / "texts.json").write_text(json.dumps({"engine": {"options": {"texts": ["DATIVO_PLUGIN_ERROR {}"]}}}))
    text = tool("plugin", "check", "--run", "texts.json", FAKES / "libfake_answers.so").stdout.decode()
    assert "FAIL  level 0 reader: batches are lists of records, then NULL - the run failed" in text
    (tool.cwd / "texts.json").write_text(json.dumps({"files": [{"path": "x"}], "engine": {"options": {"texts": ['[{"a":1}]']}}}))
    text = tool("plugin", "check", "--run", "texts.json", FAKES / "libfake_answers.so").stdout.decode()
    assert "FAIL  level 0 reader: of two files come the rows of both, or an error - 1 rows, and of the file twice 1" in text
    (tool.cwd / "texts.json").write_text("[1]")
    tool.fails("plugin", "check", "--run", "texts.json", PLUGIN, says=["texts.json", "no JSON object"])
    tool.fails("plugin", "check", "--timeout", "0", PLUGIN, says="--timeout")
