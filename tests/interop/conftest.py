"""Run write_types once for all suites; everything else reads what it left."""

import fcntl
import functools
import json
import os
import pathlib
import shutil
import subprocess

import pytest

import expected

TESTS = pathlib.Path(os.environ.get("DN_TESTS", "build/tests"))
BIN = pathlib.Path(os.environ.get("DN_BIN", "build/bin")) / "dativo-native"


def pytest_generate_tests(metafunc):
    if "case" in metafunc.fixturenames:
        names = case_names() if metafunc.module.__name__.endswith(("_slow", "_more")) else case_names()[::8]
        metafunc.parametrize("case", names, indirect=True)


@functools.cache
def written_folder():
    """Made by the first suite of a build, for writing and verifying take longer than most suites; no test changes what is in it."""
    folder, made = TESTS / "written", TESTS / "written.made"
    programs = [path.stat() for path in (TESTS / "write_types", BIN)]
    stamp = " ".join(f"{program.st_mtime_ns} {program.st_size}" for program in programs)
    with open(TESTS / "written.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists() or made.read_text() != stamp:
            made.unlink(missing_ok=True)
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            subprocess.run([TESTS / "write_types", folder], check=True)
            must_verify(sorted(folder.glob("*.parquet")))
            made.write_text(stamp)
    return folder


def verify(paths):
    """What `verify` says of files: one object for each."""
    done = subprocess.run([BIN, "verify", "--json", "--", *map(str, paths)], capture_output=True, timeout=300,
                          env=os.environ | {"DATIVO_PLUGIN_PATH": os.environ["DN_PLUGINS"]})
    assert done.returncode in (0, 1), done.stderr.decode()
    return json.loads(done.stdout)


def must_verify(paths):
    """Files of ours: not even a note."""
    for file in verify(paths):
        assert file["findings"] == [], file


@functools.cache
def all_cases():
    lines = (written_folder() / "cases.jsonl").read_text().splitlines()
    return {case["file"]: case for case in map(json.loads, lines)}


def case_names():
    return list(all_cases())


@functools.cache
def expected_columns(name):
    with open(written_folder() / f"{name}.jsonl", encoding="utf-8") as lines:
        return [expected.Column(line) for line in lines]


class Case:
    def __init__(self, described):
        self.__dict__.update(described)
        self.path = str(written_folder() / f"{self.file}.parquet")
        (self.manifest,) = json.loads((written_folder() / f"{self.file}.manifest.json").read_text(encoding="utf-8"))
        self.columns = expected_columns(self.expected)

    def group_slices(self):
        """(first row, rows) of every row group that is due."""
        return [(at, min(self.row_group_rows, self.rows - at)) for at in range(0, self.rows, self.row_group_rows)]


@functools.cache
def load_case(name):
    return Case(all_cases()[name])


@pytest.fixture
def case(request):
    return load_case(request.param)


@pytest.fixture
def case_named():
    return load_case


@pytest.fixture
def inspect():
    """inspect(path, n_rows=0): the document of dn_parquet_inspect(), or its {"error","message"}."""

    def run(path, n_rows=0):
        done = subprocess.run([TESTS / "inspect_file", str(n_rows), str(path)], check=True, capture_output=True)

        def no_constant(word):
            raise AssertionError(f"{word} is no JSON")

        return json.loads(done.stdout, parse_constant=no_constant)

    return run
