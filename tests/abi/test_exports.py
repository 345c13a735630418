"""What the plugins export is what their export lists say, and what a host would look up."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from stock_host import PLUGINS

SOURCE = Path(os.environ.get("DN_SOURCE", Path(__file__).parents[2]))
NM = os.environ.get("DN_NM") or "nm"
NAMES = sorted(path.stem for path in (SOURCE / "plugins").glob("*.map"))

LEVEL_0 = {
    "csv_reader": {"create_reader", "extract_batch", "free_reader", "free_string"},
    "csv_writer": {"create_writer", "write_batch", "free_writer", "free_string"},
    "level0": set(),
    "parquet_reader": {"create_reader", "extract_batch", "free_reader", "free_string"},
    "parquet_writer": {"create_writer", "write_batch", "free_writer", "free_string"},
    "postgres_reader": {"create_reader", "extract_batch", "free_reader", "free_string"},
}


def map_list(name):
    text = (SOURCE / "plugins" / f"{name}.map").read_text()
    listed, hidden = re.fullmatch(r"\s*\{\s*global:(.*)local:(.*)\};\s*", text, re.S).groups()
    assert hidden.strip() == "*;", "everything else is hidden"
    return [symbol.strip() for symbol in listed.split(";") if symbol.strip()]


def library(name):
    return PLUGINS / f"lib{name}_plugin.so"


@pytest.mark.parametrize("name", NAMES)
def test_exported_symbols(name):
    lines = subprocess.run([NM, "-D", "--defined-only", library(name)], check=True, capture_output=True, text=True).stdout
    exported = [line.split()[-1].split("@")[0] for line in lines.splitlines()]
    assert sorted(exported) == sorted(map_list(name))


@pytest.mark.parametrize("name", NAMES)
def test_list_is_sorted_and_declared(name):
    listed = map_list(name)
    header = (SOURCE / "include/dativo/plugin.h").read_text()
    assert listed == sorted(set(listed))
    for symbol in listed:
        assert re.search(rf"DATIVO_EXPORT [^;]*\b{symbol}\(", header), symbol
    assert LEVEL_0.get(name, {"free_string"}) | {"dativo_plugin_get"} <= set(listed)


@pytest.mark.parametrize("name", NAMES)
def test_is_never_unloaded(name):
    dynamic = subprocess.run(["readelf", "-d", library(name)], check=True, capture_output=True, text=True).stdout
    assert "NODELETE" in dynamic
    assert "SYMBOLIC" in dynamic


@pytest.mark.parametrize("name", NAMES)
def test_has_nothing_that_ends_the_host_when_memory_runs_out(name):
    """C++ throws, and the loader ends the process where it cannot give a thread its copy of a thread-local variable."""
    found = subprocess.run(["ldd", library(name)], check=True, capture_output=True, text=True).stdout
    assert "libc.so" in found
    if re.search(r"lib[at]san\.so", found):  # a sanitizer's runtime brings both, and ships with nothing
        found = re.sub(r".*lib([atu]b?san|stdc\+\+)\.so.*\n", "", found)
    assert not re.search(r"libstdc\+\+|libsnappy|not found", found), found
    needed = [path for path in re.findall(r"=> (/\S+)", found) if "libc.so" not in path]
    for path in [library(name), *needed]:
        segments = subprocess.run(["readelf", "-lW", path], check=True, capture_output=True, text=True).stdout
        assert "LOAD" in segments
        assert not re.search(r"^ +TLS ", segments, re.M), path
