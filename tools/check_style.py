#!/usr/bin/env python3
"""Check what no compiler checks: banned calls, file lengths, stray bytes, and names that are not the project's own."""
import fnmatch
import os
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BANNED = re.compile(r"\b(sprintf|vsprintf|strcpy|strcat|atoi|atol|atof|strtok|gets|system)\s*\(")
RAW_MEMORY = re.compile(r"(?<![\w.>])(malloc|calloc|realloc|free|strdup|strndup)\s*\(")
PLAIN_ASSERT = re.compile(r"(?<![\w])assert\s*\(")
MAX_LINES = 800
LEFT_OUT = {".git", ".venv", ".pytest_cache", "__pycache__", "build", "corpus"}


def files(*patterns):
    """The project's own files whose names match; the folder is walked, so that no git is needed."""
    for folder, subfolders, names in os.walk(ROOT):
        subfolders[:] = sorted(s for s in subfolders if s not in LEFT_OUT)
        for name in sorted(names):
            if any(fnmatch.fnmatch(name, p) for p in patterns):
                yield pathlib.Path(folder, name)


def without_comments(text):
    return re.sub(r'"(?:\\.|[^"\\])*"|/\*.*?\*/', lambda m: re.sub(r"[^\n]", " ", m.group(0)), text, flags=re.S)


def faults():
    for path in files("*.c", "*.h"):
        name = path.relative_to(ROOT).as_posix()
        text = path.read_text(encoding="utf-8")
        library = name.startswith(("src/", "plugins/"))
        for number, line in enumerate(without_comments(text).splitlines(), 1):
            if library and BANNED.search(line):
                yield name, number, "banned call"
            if library and not name.startswith(("src/base/", "src/windows/")) and RAW_MEMORY.search(line):
                yield name, number, "memory outside base: use dn_malloc() and its kin"
            if name.startswith("tests/") and PLAIN_ASSERT.search(line):
                yield name, number, "assert() is no test's check: use cmocka's macros"
        if text.count("\n") > MAX_LINES and "table" not in path.name:
            yield name, 0, f"{text.count(chr(10))} lines; cut it where a newcomer would look for the pieces"
    for path in files("*.c", "*.h", "*.py", "*.sh", "*.md", "*.yaml", "*.cmake", "*.txt", "*.map", "Makefile", "run"):
        data = path.read_bytes()
        name = path.relative_to(ROOT).as_posix()
        if b"\t" in data and path.suffix in (".c", ".h", ".py"):
            yield name, 0, "a tab"
        if re.search(rb"[ \t]+\n", data) and path.suffix != ".md":
            yield name, 0, "trailing spaces"
        if data and not data.endswith(b"\n"):
            yield name, 0, "no line end at its end"


def main():
    found = list(faults())
    for name, number, fault in found:
        print(f"{name}:{number}: {fault}", file=sys.stderr)
    if found:
        return 1
    print("style: clean")
    return 0


if __name__ == "__main__":
    sys.exit(main())
