"""The same with Rust, where Debian's cargo, or another, is."""

import shutil

import pytest

from test_plugin_new import build_and_run, make, writes_every_type

pytestmark = pytest.mark.skipif(shutil.which("cargo") is None, reason="no cargo: apt-get install cargo")


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("role", ["reader", "writer"])
def test_a_new_plugin_of_rust(tool, role, level):
    build_and_run(tool, role, "rust", level)


def test_a_writer_of_rust_takes_every_type(tool):
    tool.ok("plugin", "new", "demo", "--writer", "--level", "1", "--language", "rust")
    make(tool)
    writes_every_type(tool, "./demo/target/release/libdemo.so")
