"""As test_plugin_new: what fresh plugins of C promise."""

import subprocess

import pytest

from conftest import Tool, environment
from promises_level0 import AT_LEVEL_0
from promises_level1 import AT_LEVEL_1
from test_plugin_new import build_and_run, built, make


@built
@pytest.mark.parametrize("level", [0, 1])
def test_a_line_that_is_not_utf8_is_an_error(tool, level):
    build_and_run(tool, "reader", "c", level)
    (tool.cwd / "demo" / "lines.txt").write_bytes("a\n\u20ac \U0001f600\n".encode() + b"b \xed\xa0\x80\nc\n")
    done = subprocess.run(["make", "-C", "demo", "run"], cwd=tool.cwd, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "UTF-8" in done.stderr


@built
def test_a_cell_that_is_wrong_is_told_with_its_row(tool):
    tool.ok("plugin", "new", "demo", "--reader", "--level", "1")
    make(tool)
    (tool.cwd / "in").write_bytes(b"a\n" * 8999 + b"\xff\n")  # in the second batch
    tool.fails("convert", "--reader", "demo/libdemo_plugin.so", "in", "out.parquet", says='error: in: row 9000: column "text": byte 0 of the text is no UTF-8')


@pytest.fixture(scope="module")
def c_library(tmp_path_factory):
    """One of each kind, for all tests."""
    made = {}

    def library(role, level):
        if (role, level) not in made:
            tool = Tool(tmp_path_factory.mktemp(f"{role}{level}"))
            tool.ok("plugin", "new", "demo", f"--{role}", "--level", level)
            make(tool, CFLAGS="-O1 -g -Wall -Wextra -Werror -fsanitize=undefined -fno-sanitize-recover=undefined")
            made[role, level] = tool.cwd / "demo" / "libdemo_plugin.so"
        return made[role, level]
    return library


@built
@pytest.mark.parametrize("role, promise", AT_LEVEL_0)
def test_what_level_0_of_c_promises(tool, c_library, role, promise):
    promise(tool, c_library(role, 0))


@built
@pytest.mark.parametrize("role, promise", AT_LEVEL_1)
def test_what_level_1_of_c_promises(tool, c_library, role, promise):
    promise(tool, c_library(role, 1))
