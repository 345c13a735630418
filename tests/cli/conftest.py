"""Helpers for the command line tests: run the binary, look at what it left behind."""

import os
import pathlib
import resource
import subprocess

import pyarrow.parquet as pq
import pytest

import written
from command import BIN, PLUGINS, environment, wait_until_it_listens  # noqa: F401 (the last one for the tests)

pytest.register_assert_rewrite("promises_level0", "promises_level1")  # they say what broke

FAKES = pathlib.Path(os.environ["DN_FAKES"])
SOURCE = pathlib.Path(os.environ["DN_SOURCE"])
SANITIZED = bool(os.environ.get("DN_SANITIZED"))

READER = PLUGINS / "libcsv_reader_plugin.so"
WRITER = PLUGINS / "libparquet_writer_plugin.so"


class Tool:
    """The binary, run in a scratch directory."""

    def __init__(self, cwd):
        self.cwd = cwd

    def __call__(self, *args, stdin=None, env=None, timeout=300, **kwargs):
        kwargs.setdefault("stdout", subprocess.PIPE)
        return subprocess.run([str(BIN), *map(str, args)], cwd=self.cwd, input=stdin, stderr=subprocess.PIPE,
                              timeout=timeout, env=environment(**(env or {})), **kwargs)

    def ok(self, *args, **kwargs):
        done = self(*args, **kwargs)
        assert done.returncode == 0, done.stderr.decode()
        return done

    def fails(self, *args, says, code=2, **kwargs):
        """The command ends with `code` and a message that has all of `says`; nothing on stdout, no crash, no leftovers."""
        before = tree(self.cwd)
        done = self(*args, **kwargs)
        text = done.stderr.decode()
        assert done.returncode == code, (done.returncode, text)
        for word in [says] if isinstance(says, str) else says:
            assert word in text, f"{word!r} is not in {text!r}"
        assert "Sanitizer" not in text and "runtime error" not in text, text
        assert done.stdout == b""
        assert tree(self.cwd) == before, "files were left behind"
        return text

    def start(self, *args, env=None, **kwargs):
        return subprocess.Popen([str(BIN), *map(str, args)], cwd=self.cwd, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env=environment(**(env or {})), **kwargs)


def cpu_seconds(call):
    """What `call` returns, and the processor time of the commands it ran: the same on a busy machine."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = call()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def tree(root):
    return sorted(str(p.relative_to(root)) for p in pathlib.Path(root).rglob("*") if not p.is_dir())


@pytest.fixture(autouse=True)
def what_is_left_verifies(request, tmp_path):
    """Every Parquet file of ours that a test leaves behind keeps every rule, unless the test is marked as one that does damage."""
    yield
    if not request.node.get_closest_marker("damages"):
        written.must_verify(tmp_path)


def pytest_configure(config):
    config.addinivalue_line("markers", "damages: leaves Parquet files behind that are wrong on purpose")


@pytest.fixture
def tool(tmp_path):
    return Tool(tmp_path)


@pytest.fixture
def table(tool):
    """convert ARGS... to Parquet, read back."""
    def read(*args):
        tool.ok("convert", "-qf", *args, "out.parquet")
        return pq.read_table(tool.cwd / "out.parquet")
    return read


@pytest.fixture
def write(tmp_path):
    def put(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, bytes):
            path.write_bytes(text)
        else:
            path.write_text(text, encoding="utf-8", newline="")
        return path

    return put
