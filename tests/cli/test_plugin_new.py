"""`plugin new` makes a folder that builds, tests itself and runs in a job, with one command."""

import json
import subprocess

import pyarrow.parquet as pq
import pytest

from conftest import SANITIZED, environment

OUT = {"reader": "out/default/default/lines/lines_000000.parquet", "writer": "out/default/default/rows/rows_000000.parquet"}


def build_and_run(tool, role, language):
    tool.ok("plugin", "new", "demo", f"--{role}", "--language", language)
    done = subprocess.run(["make", "-C", "demo", "test", "run"], cwd=tool.cwd, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 failed, 0 skipped" in done.stdout and "warning" not in done.stderr, done.stdout + done.stderr
    out = tool.cwd / "demo" / OUT[role]
    if role == "writer":
        assert json.loads(out.read_text())["records"] == [{"id": 1, "name": "Ann"}, {"id": 2, "name": "Bob, the second"}, {"id": 3, "name": None}]
    else:
        assert pq.read_table(out).to_pylist() == [{"line": i + 1, "text": text} for i, text in enumerate(
            ["the first line", 'the second, with "quotes"', "", "the fourth"])]


@pytest.mark.skipif(SANITIZED, reason="the template is built without it")
@pytest.mark.parametrize("role", ["reader", "writer"])
def test_a_new_plugin_of_c(tool, role):
    build_and_run(tool, role, "c")
    if role == "reader":
        assert len((tool.cwd / "demo" / "demo.c").read_text().splitlines()) < 80


def test_wrong_words(tool):
    (tool.cwd / "there").mkdir()
    tool.fails("plugin", "new", "there", "--reader", says="there: the folder cannot be made")
    tool.fails("plugin", "new", "demo", says="--reader or --writer")
    tool.fails("plugin", "new", "demo", "--reader", "--writer", says="one of them")
    tool.fails("plugin", "new", "../demo", "--reader", says="must begin with a letter")
    tool.fails("plugin", "new", "Demo", "--reader", says="must begin with a letter")
    tool.fails("plugin", "new", "demo", "--reader", "--language", "cobol", says="c or rust")
    tool.fails("plugin", "ned", "demo", says='did you mean "new"?')
    tool.fails("plugin", "check", "x.so", "--reader", says="for plugin new")
