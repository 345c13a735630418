"""The same with Rust, where Debian's cargo, or another, is."""

import shutil

import pytest

from conftest import Tool
from promises_level0 import AT_LEVEL_0
from promises_level1 import AT_LEVEL_1
from test_plugin_new import build_and_run, make

pytestmark = pytest.mark.skipif(shutil.which("cargo") is None, reason="no cargo: apt-get install cargo")


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("role", ["reader", "writer"])
def test_a_new_plugin_of_rust(tool, role, level):
    build_and_run(tool, role, "rust", level)


@pytest.fixture(scope="module")
def rust_library(tmp_path_factory):
    """One of each kind, for all tests."""
    made = {}

    def library(role, level):
        if (role, level) not in made:
            tool = Tool(tmp_path_factory.mktemp(f"{role}{level}"))
            tool.ok("plugin", "new", "demo", f"--{role}", "--level", level, "--language", "rust")
            make(tool)
            made[role, level] = tool.cwd / "demo/target/release/libdemo.so"
        return made[role, level]
    return library


@pytest.mark.parametrize("role, promise", AT_LEVEL_0)
def test_what_level_0_of_rust_promises(tool, rust_library, role, promise):
    promise(tool, rust_library(role, 0))


@pytest.mark.parametrize("role, promise", AT_LEVEL_1)
def test_what_level_1_of_rust_promises(tool, rust_library, role, promise):
    promise(tool, rust_library(role, 1))
