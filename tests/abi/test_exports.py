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
    "parquet_writer": {"create_writer", "write_batch", "free_writer", "free_string"},
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
def test_needs_no_cpp(name):
    """What C++ throws when memory runs out ends a host that is not written in it."""
    found = subprocess.run(["ldd", library(name)], check=True, capture_output=True, text=True).stdout
    assert "libc.so" in found
    assert not re.search(r"libstdc\+\+|libsnappy|not found", found), found
