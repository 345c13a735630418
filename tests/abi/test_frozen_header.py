"""The public header against the frozen version 1: nothing removed, reordered or given another value; growth at the end only."""

import os
import re
from pathlib import Path

SOURCE = Path(os.environ.get("DN_SOURCE", Path(__file__).parents[2]))


def strip(path):
    text = re.sub(r"/\*.*?\*/", " ", path.read_text(), flags=re.S)
    return re.sub(r"//[^\n]*", " ", text)


def structs(text):
    found = {}
    for name, body in re.findall(r"struct (\w+) \{(.*?)\n\};", text, flags=re.S):
        found[name] = [" ".join(member.split()) for member in body.split(";") if member.strip()]
    return found


def macros(text):
    return {name: value.strip() for name, value in re.findall(r"^# *define (\w+) +(.+)$", text, flags=re.M)}


def functions(text):
    return {" ".join(match.split()) for match in re.findall(r"^DATIVO_EXPORT [^;]*;", text, flags=re.M)}


PUBLIC = strip(SOURCE / "include/dativo/plugin.h")
FROZEN = strip(Path(__file__).parent / "plugin_v1.h")


def test_structs_only_grow_at_the_end():
    public, frozen = structs(PUBLIC), structs(FROZEN)
    assert len(frozen) == 7
    for name, members in frozen.items():
        assert public[name][: len(members)] == members, name


def test_macros_keep_their_values():
    public, frozen = macros(PUBLIC), macros(FROZEN)
    assert frozen["DATIVO_ERR_INTERNAL"] == "12"
    for name, value in frozen.items():
        if name == "DATIVO_ABI_VERSION":
            continue
        assert public[name] == value, name
    major = re.compile(r"0x([0-9a-f]{4})[0-9a-f]{4}u")
    assert major.search(public["DATIVO_ABI_VERSION"])[1] == major.search(frozen["DATIVO_ABI_VERSION"])[1]


def test_functions_stay():
    assert len(functions(FROZEN)) == 13
    assert functions(FROZEN) <= functions(PUBLIC)
