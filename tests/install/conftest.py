"""The build, installed into a folder of the test's."""

import os
import pathlib
import re
import subprocess

import pytest

BUILD = pathlib.Path(os.environ["DN_BUILD"])
SOURCE = pathlib.Path(os.environ["DN_SOURCE"])
PREFIX = os.environ["DN_PREFIX"]
LIBDIR = os.environ["DN_LIBDIR"]
VERSION = re.search(r"project\(dativo_native VERSION ([0-9.]+)", (SOURCE / "CMakeLists.txt").read_text()).group(1)


def run(*command, env=None, cwd=None):
    """What it prints; anything that a caller of these tests has set for the command or the linker is left out."""
    clean = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **(env or {})}
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=clean, cwd=cwd, timeout=300)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


# as `help` lists them
COMMANDS = [name for name in re.findall(r"(?m)^  (\w+) ", run(BUILD.parent / "bin" / "dativo-native", "help").split("Commands:")[1].split("Examples:")[0])
            if name != "help"]


@pytest.fixture(scope="session")
def destdir(tmp_path_factory):
    root = tmp_path_factory.mktemp("destdir")
    run(os.environ["DN_CMAKE"], "--install", BUILD, "--strip", env={"DESTDIR": str(root)})
    return root


@pytest.fixture(scope="session")
def prefix(destdir):
    """<destdir>/usr/local"""
    return destdir / PREFIX.lstrip("/")
