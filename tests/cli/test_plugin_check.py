"""`plugin check` names what a plugin does wrong, one defect after the other, and what to do about it."""

import json

import pytest

from conftest import FAKES

PLUGIN = FAKES / "libbroken_plugin.so"
BAD_JSON, MISSING, NULLS, ROWS, TWO, MANY = (
    "reader: a configuration that is not JSON gives an error text", "reader: a missing file gives an error text",
    "reader: NULL handles give an error text and do no harm", "reader: batches are lists of records, then NULL",
    "reader: readers do not disturb each other, and may be freed early", "reader: readers that are gone leave no files open, no threads and no memory")
SMALL, FILES, RECORDS = ("writer: a small batch becomes a file", "writer: two batches become two files, which stay",
                         "writer: records that are not JSON give an error text")

DEFECTS = {  # what breaks, the check that finds it, what it says
    "create NULL": (BAD_JSON, "returned NULL, which hosts do not check"),
    "forgets errors": (BAD_JSON, "the second call after an error"),
    "error is JSON": (BAD_JSON, "the error text is JSON"),
    "error without prefix": (BAD_JSON, "does not begin with"),
    "missing is the end": (MISSING, "end of the data"),
    "NULL handle": (NULLS, "crashed: "),
    "one file of two": ("reader: of two files", "3 rows, and of the file twice 3"),
    "empty list": (ROWS, "an empty list"),
    "object": (ROWS, "no list of records"),
    "number": (ROWS, "no list of records"),
    "no JSON": (ROWS, "not JSON"),
    "cut off": (ROWS, "not JSON"),
    "NUL": (ROWS, "not JSON"),
    "bad UTF-8": (ROWS, "not UTF-8"),
    "empty": (ROWS, "a text is empty"),
    "texts": (ROWS, "a record is no object"),
    "error record": (ROWS, "an error came as a record"),
    "zeros": (ROWS, "00501 became a number"),
    "loses a row": (ROWS, "3 rows expected, got 2"),
    "again after the end": (ROWS, "after NULL came another batch"),
    "static": (TWO, "took turns"),
    "files open": (MANY, "files open"),
    "endless": (ROWS, "did not end within 1 seconds"),
    "frees twice": (ROWS, "crashed: Aborted"),
    "frees strings twice": (ROWS, "crashed: Aborted"),
    "error is not UTF-8": (BAD_JSON, "the error text is not UTF-8"),
    "key twice": (ROWS, "a key twice"),
    "other value": (ROWS, 'record 3, key name: "y", and not x'),
    "key missing": (ROWS, "record 3, key name: absent"),
    "key too many": (ROWS, "record 3 has a key that the file has not: extra"),
    "no keys": (ROWS, "a record has no keys"),
    "row twice": (ROWS, "3 rows expected, got 4"),
    "threads stay": (MANY, "64 threads"),
    "keeps handles": (MANY, "bytes of memory"),
    "keeps texts": (MANY, "bytes of memory"),
    "process stays": (ROWS, "left a process that it started"),
    "mask": (ROWS, "changed the signals that are blocked"),
    "umask": (ROWS, "changed the umask"),
    "environment": (ROWS, "changed the environment"),
    "rounding": (ROWS, "changed how numbers are rounded"),
    "standard error": (ROWS, "changed standard error"),
    "files: another": (SMALL, "a file is not there"),
    "exit": (ROWS, "ended the process, with code 0"),
    "descriptors": (ROWS, "ended the process, with code 0"),  # writes to files that are not its own
    "abort": (ROWS, "crashed: Aborted"),
    "stdout": (ROWS, "printed on standard output"),
    "signals": (ROWS, "changed the handler of SIGINT"),
    "directory": (ROWS, "changed the working directory"),
    "locale": (ROWS, "changed the locale"),
    "no files": (SMALL, "not a list of files"),
    "files: NULL": (SMALL, "hosts take it for no files"),
    "files: error": (SMALL, "not a list of files"),
    "files: no size": (SMALL, "size_bytes is no whole number"),
    "files: wrong size": (SMALL, "not of size_bytes"),
    "files: wrong count": (SMALL, "record_count is not 3"),
    "files: twice": (SMALL, "a file is named twice"),
    "files: not there": (SMALL, "is not there"),
    "one file": (FILES, "the rows of the first are gone"),
    "temporary files stay": (FILES, ".tmp is left once the writer is freed"),
    "removes files": (FILES, "is gone once the writer is freed"),
    "records NULL": (RECORDS, "end of the data"),
}


def check(tool, defect, *flags):
    return tool("plugin", "check", *flags, PLUGIN, env={"BROKEN": defect})


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_has_its_finding_and_a_remedy(tool, defect):
    name, says = DEFECTS[defect]
    done = check(tool, defect, "--timeout", "1")
    lines = done.stdout.decode().splitlines()
    found = [i for i, line in enumerate(lines) if line.startswith("FAIL  level 0 " + name)]
    assert done.returncode == 2 and found, lines
    assert says in lines[found[0]] and lines[found[0] + 1].startswith("      remedy: "), lines[found[0]:]


def test_without_a_defect_nothing_is_found(tool):
    text = tool.ok("plugin", "check", PLUGIN).stdout.decode()
    assert "FAIL" not in text and "13 passed, 0 failed, 0 skipped" in text


def test_a_configuration_of_ones_own(tool):
    (tool.cwd / "texts.json").write_text(json.dumps({"engine": {"options": {"texts": ['[{"a":1}]', '[{"a":2},{"a":3}]']}}}))
    text = tool("plugin", "check", "--run", "texts.json", FAKES / "libfake_answers.so").stdout.decode()
    assert "PASS  level 0 reader: batches are lists of records, then NULL - 3 rows in 2 batches, then the end" in text
    numbers = '[{"a":-Infinity,"b":NaN,"NaN":"Infinity \\\\\\" NaN","c":12345678901234567890123}]'  # as json of Python reads them
    (tool.cwd / "texts.json").write_text(json.dumps({"engine": {"options": {"texts": [numbers]}}}))
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
