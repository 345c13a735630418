"""The manual pages: one for each command, with all of its help, in man's language."""

import re
import shutil
import subprocess

import pytest
from conftest import COMMANDS, run


def plain(page):
    text = re.sub(r"\\\((\w\w)", lambda m: {"aq": "'", "ga": "`", "ti": "~", "ha": "^"}[m.group(1)], page)
    return re.sub(r"\\&", "", text).replace("\\-", "-").replace("\\e", "\\")


def words(text):
    return re.sub(r"(?m)^\.(SH|SS|B|TP|PP|EX|EE|TH)\b", " ", text).split()


def test_a_page_for_each_command(prefix):
    found = sorted(path.name for path in (prefix / "share" / "man" / "man1").iterdir())
    assert found == sorted(["dativo-native.1", *(f"dativo-native-{name}.1" for name in COMMANDS)])


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_a_page_has_every_word_of_the_help_in_order(prefix, name):
    binary = prefix / "bin" / "dativo-native"
    page = (prefix / "share" / "man" / "man1" / f"dativo-native{'-' * bool(name)}{name}.1").read_text()
    assert page == run(binary, "help", "--man", *filter(None, [name]))
    said = [word for word in words(plain(page).replace(":", "")) if not word.isupper()]
    for word in run(binary, "help", *filter(None, [name])).replace(":", "").split():
        if word in ("Usage", "Flags", "Examples", "Example") or word.isupper():
            continue
        assert word in said, word
        said = said[said.index(word) + 1:]


@pytest.mark.parametrize("tool", [["mandoc", "-T", "lint", "-W", "warning"], ["groff", "-man", "-ww", "-z", "-Tutf8"]])
def test_no_tool_complains(prefix, tool):
    if shutil.which(tool[0]) is None:
        pytest.skip(f"{tool[0]} is not installed")
    pages = sorted((prefix / "share" / "man" / "man1").iterdir())
    done = subprocess.run([*tool, *pages], capture_output=True, text=True)
    said = [line for line in (done.stdout + done.stderr).splitlines() if "missing date" not in line]
    assert said == []
