"""Every message that docs/troubleshooting.md quotes is one that the program prints."""

import os
import shutil
import subprocess

import pytest

from conftest import FAKES, READER, SOURCE, BIN, environment

PAGE = (SOURCE / "docs/troubleshooting.md").read_text()
MADE = set()


def said(tool, says, *args, **kwargs):
    done = tool(*args, **kwargs)
    text = (done.stdout + done.stderr).decode()
    assert done.returncode == 2 and says in text, text
    assert says in PAGE, f"{says!r} is not on the page"
    MADE.add(says)


def build(tool, name, text, *flags):
    (tool.cwd / f"{name}.c").write_text(text)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", f"{name}.so", f"{name}.c", *flags], cwd=tool.cwd, check=True)


def test_messages_are_those_of_the_page(tool):
    convert = ["convert", "in.csv", "null:", "--reader"]
    (tool.cwd / "in.csv").write_text("a\n1\n")
    said(tool, "library not found: nowhere/libx.so; tried nowhere/libx.so", *convert, "nowhere/libx.so")
    (tool.cwd / "bin").mkdir()
    shutil.copy(BIN, tool.cwd / "bin/alone")
    lost = subprocess.run([tool.cwd / "bin/alone", "convert", "in.csv", "null:"], cwd=tool.cwd, env=environment(DATIVO_PLUGIN_PATH=str(tool.cwd)),
                          capture_output=True, text=True, check=False)
    if lost.returncode != 0:  # else they are installed on this machine
        assert "library not found: libcsv_reader_plugin.so; tried" in lost.stderr
    MADE.add("library not found: libcsv_reader_plugin.so; tried")
    said(tool, "symbol create_raeder not found in", *convert, f"{READER}:create_raeder")
    said(tool, "symbol write_batch not found in", "convert", "in.csv", "out.parquet", "--writer", FAKES / "libfake_careless.so")
    build(tool, "libmissing", "int x;", "-Wl,-soname,libmissing.so.1")
    build(tool, "needs", "extern int x; int y(void) { return x; }", "./libmissing.so")
    said(tool, "cannot be loaded: libmissing.so.1: cannot open shared object file: No such file or directory", *convert, "./needs.so")
    build(tool, "undefined", "int nobody_has_this(void); int y(void) { return nobody_has_this(); }")
    said(tool, "undefined symbol: nobody_has_this", *convert, "./undefined.so")
    image = bytearray((tool.cwd / "libmissing.so").read_bytes())
    image[4] = 1  # EI_CLASS
    (tool.cwd / "other.so").write_bytes(image)
    said(tool, "wrong ELF class: ELFCLASS32", *convert, "./other.so")
    (tool.cwd / "text.so").write_text("this is not a library at all" * 100)
    said(tool, "invalid ELF header", *convert, "./text.so")
    (tool.cwd / "short.so").write_text("no")
    said(tool, "file too short", *convert, "./short.so")
    said(tool, "crashed: Segmentation fault", "plugin", "check", FAKES / "libbroken_plugin.so", env={"BROKEN": "NULL handle"})


@pytest.mark.skipif(os.geteuid() == 0 and shutil.which("setpriv") is None, reason="root may read everything")
def test_permission(tool):
    (tool.cwd / "secret.so").write_bytes(READER.read_bytes())
    (tool.cwd / "secret.so").chmod(0)
    command = [str(BIN), "convert", "--reader", "./secret.so", "x.csv", "null:"]
    if os.geteuid() == 0:
        command = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--", *command]
    done = subprocess.run(command, cwd=tool.cwd, env=environment(), capture_output=True, text=True, check=False)
    if "setpriv:" in done.stderr:
        pytest.skip(done.stderr)
    says = "cannot open shared object file: Permission denied"
    assert says in done.stderr and says in PAGE
