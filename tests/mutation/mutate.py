#!/usr/bin/env python3
"""Break the encoder, and what gives columns of CSV their types, in one place at a time: a test must notice every time.

    tests/mutation/mutate.py [WORD | NUMBER]     only mutants whose text has the word; those from that number on

mutants.txt has pairs of lines "- TEXT" and "+ TEXT": what stands exactly once in the files of PLACES, and what takes its place.  A pair whose text is not there any more is an error, so that the list keeps up with the code.  Each mutant is built in a copy of
the sources, build/mutation/tree, and the quick tests of its folder are built and run one by one, the nearest first, until one fails, hangs
or does not compile.
"""

import os
import pathlib
import resource
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TREE = ROOT / "build/mutation/tree"
BUILD = ROOT / "build/mutation/build"
PLACES = ("src/parquet/write", "src/parquet/encoding", "src/csv", "src/text")
PARTS = ("CMakeLists.txt", "cmake", "include", "src", "plugins", "tests", "fuzz")
ENCODER = {
    "test_parquet_dictionary_writer": [],
    "test_parquet_rle_writer": [],
    "test_parquet_stats_writer": [],
    "test_parquet_thrift_write": [],
    "gen_batches": ["1", "400"],
    "test_parquet_bounds": [],
    "test_parquet_store": [],
    "test_parquet_utf8": [],
    "test_parquet_writer": [],
    "test_parquet_nested_writer": [],
}
TYPES = {
    "test_csv_infer": [],
    "test_csv_unseen": [],
    "test_text_narrow_floats": [],
    "test_text_period": [],
    "test_csv_rare": [],
}
TIMEOUT = 60
MEMORY = 6 << 30


def mutants():
    lines = (pathlib.Path(__file__).parent / "mutants.txt").read_text(encoding="utf-8").splitlines()
    lines = [line for line in lines if line and not line.startswith("#")]
    for old, new in zip(lines[::2], lines[1::2]):
        if not (old.startswith("- ") and new.startswith("+ ")):
            sys.exit(f"mutants.txt: no pair: {old} {new}")
        yield old[2:], new[2:]


def sources():
    return [path for place in PLACES for path in sorted((ROOT / place).glob("*.c"))]


def find(text):
    """The one file that has it once."""
    found = [path for path in sources() for _ in range(path.read_text(encoding="utf-8").count(text))]
    if len(found) != 1:
        sys.exit(f"mutants.txt: in the sources {len(found)} times: {text}")
    return found[0]


def copy_tree():
    """As it is here, but untouched where nothing changed, so that little is built again."""
    wanted = set()
    for part in PARTS:
        top = ROOT / part
        for path in [top] if top.is_file() else top.rglob("*"):
            if path.is_file() and "corpus" not in path.parts and "__pycache__" not in path.parts:
                wanted.add(path.relative_to(ROOT))
    for path in TREE.rglob("*"):
        if path.is_file() and path.relative_to(TREE) not in wanted:
            path.unlink()
    for name in wanted:
        target = TREE / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.read_bytes() != (ROOT / name).read_bytes():
            shutil.copyfile(ROOT / name, target)


def configure():
    command = ["cmake", "-S", TREE, "-B", BUILD, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_C_FLAGS=-O1", "-DDN_PYTHON=none"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stdout + done.stderr)


def build(test):
    done = subprocess.run(["cmake", "--build", BUILD, "--target", test], capture_output=True, text=True)
    return None if done.returncode == 0 else done.stdout


def limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def tests_of(path):
    return ENCODER if "parquet" in path.parts else TYPES


def run_tests(tests, near=""):
    """(the test that failed or None, what it said); tests whose names have `near` come first."""
    for name in sorted(tests, key=lambda test: (near not in test, test != "gen_batches")):
        said = build(name)
        if said is not None:
            return "the compiler", said
        command = [BUILD / "tests" / name, *tests[name]]
        try:
            done = subprocess.run(command, cwd=BUILD / "tmp", capture_output=True, timeout=TIMEOUT, preexec_fn=limit_memory)
        except subprocess.TimeoutExpired:
            return name, "no end"
        if done.returncode != 0:
            return name, (done.stdout + done.stderr).decode(errors="replace")
    return None, ""


def try_mutant(old, new):
    """What killed it, or None."""
    path = find(old)
    target = TREE / path.relative_to(ROOT)
    text = path.read_text(encoding="utf-8")
    target.write_text(text.replace(old, new), encoding="utf-8")
    killer = run_tests(tests_of(path), path.stem)[0]
    target.write_text(text, encoding="utf-8")
    return killer


def main():
    which = sys.argv[1] if len(sys.argv) > 1 else "1"
    every = list(mutants())
    chosen = every[int(which) - 1 :] if which.isdigit() else [pair for pair in every if which in pair[0] + pair[1]]
    for old, _ in chosen:
        find(old)
    os.makedirs(TREE, exist_ok=True)
    copy_tree()
    configure()
    for tests in {id(t): t for t in (tests_of(find(old)) for old, _ in chosen)}.values():
        failed, said = run_tests(tests)
        if failed is not None:
            sys.exit(f"{failed} fails without a mutant:\n{said[-3000:]}")
    start, survivors = time.monotonic(), []
    for old, new in chosen:
        killer = try_mutant(old, new)
        shown = f"{old.strip()}  ->  {new.strip()}"
        print(f"{'SURVIVES' if killer is None else 'killed by ' + killer}: {find(old).name}: {shown}", flush=True)
        if killer is None:
            survivors.append(shown)
    print(f"mutation: {len(chosen) - len(survivors)} of {len(chosen)} mutants killed, {time.monotonic() - start:.0f} s")
    return 1 if survivors or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
