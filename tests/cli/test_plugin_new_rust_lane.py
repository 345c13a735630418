"""The same with Rust, where Debian's cargo, or another, is."""

import shutil

import pytest

from test_plugin_new import build_and_run


@pytest.mark.skipif(shutil.which("cargo") is None, reason="no cargo: apt-get install cargo")
@pytest.mark.parametrize("role", ["reader", "writer"])
def test_a_new_plugin_of_rust(tool, role):
    build_and_run(tool, role, "rust")
