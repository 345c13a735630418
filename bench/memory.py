"""The promise of --memory: files that ask much of it, each at several budgets.

A conversion holds at most what it was given and 64 MB, or ends with an error that names the least that works; then it is run with that.
Prints a table of peaks and ends with 1 if one of them breaks the promise.
"""
import argparse
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = ROOT / "build/bin"
DATA = ROOT / "build/bench/memory"
BUDGETS = ["32MB", "64MB", "256MB", None]
DEFAULT_BYTES = (64 + 256) << 20
ALLOWED_BEYOND = 64_000_000
UNITS = {"MB": 10**6, "MiB": 1 << 20, "KB": 1000, "GB": 10**9}


def header(n, name="c{}"):
    yield ",".join(name.format(i) for i in range(n)) + "\n"


def empty():
    """Rows without a value, in many columns."""
    yield from header(2000)
    rows = ("," * 1999 + "\n") * 100
    for _ in range(400):
        yield rows


def nulls():
    """95 of 100 values are missing."""
    yield from header(300)
    r = random.Random(1)
    for _ in range(200_000):
        row = [""] * 300
        for i in r.sample(range(300), 15):
            row[i] = str(r.getrandbits(40))
        yield ",".join(row) + "\n"


def texts():
    """Very many columns of text."""
    yield from header(20_000, "column_{}")
    for i in range(300):
        yield ",".join(f"v{i * 7 % 97}_{c % 13}" for c in range(20_000)) + "\n"


def distinct():
    """Texts that are worth a dictionary, and a large one."""
    yield from header(32)
    r = random.Random(2)
    pool = [f"value-{i:08d}" for i in range(110_000)]
    for _ in range(500_000):
        yield ",".join(r.choices(pool, k=32)) + "\n"


def numbers():
    """Numbers that are worth a dictionary, and spread wide."""
    yield from header(24)
    r = random.Random(3)
    pool = [str(r.getrandbits(52)) for _ in range(150_000)]
    for _ in range(600_000):
        yield ",".join(r.choices(pool, k=24)) + "\n"


def columns():
    """As many columns as there can be."""
    yield from header(50_000, "column_{}")
    for i in range(20):
        yield ",".join(str(c * i % 1000) for c in range(50_000)) + "\n"


def long_row():
    """A quoted field of 256 MB."""
    yield 'a,b\n1,"'
    for _ in range(256):
        yield "some text\n" * 100_000
    yield '"\n2,x\n'


def same_names():
    """4,000 columns of one name."""
    yield from header(4000, "name")
    for i in range(200):
        yield ",".join(str(i + c) for c in range(4000)) + "\n"


def late():
    """400 columns whose values turn out to be texts, one after the other."""
    yield from header(400)
    for i in range(40_000):
        row = [str(i)] * 400
        if i >= 20_000 and i % 50 == 0:
            row[(i - 20_000) // 50] = "text"
        yield ",".join(row) + "\n"


def wide():
    """5,000 columns of texts that are all different."""
    yield from header(5000)
    r = random.Random(4)
    for _ in range(800):
        yield ",".join(f"{r.getrandbits(60):x}" for _ in range(5000)) + "\n"


def very_many():
    """More columns than is sensible, and rows for them."""
    yield from header(60_000)
    for i in range(30):
        yield ",".join(str(c * i) for c in range(60_000)) + "\n"


def random_texts():
    """What no codec makes smaller."""
    yield from header(24)
    r = random.Random(5)
    for _ in range(12_000):
        yield ",".join(f"{r.getrandbits(160):040x}" for _ in range(24)) + "\n"


def lineitem():
    """An ordinary file."""
    return None


SHAPES = [empty, nulls, texts, distinct, numbers, columns, long_row, same_names, late, wide, very_many, random_texts, lineitem]
# More threads hold more; so do codecs at high levels.
FURTHER = [
    (empty, ["-t", "16"]),
    (wide, ["-t", "16"]),
    (wide, ["-t", "64"]),
    (very_many, ["-t", "16"]),
    (texts, ["--verify"]),
    (wide, ["--verify"]),
    (random_texts, ["-t", "16", "--compression", "brotli:9"]),
    (random_texts, ["-t", "16", "--compression", "zstd:19"]),
]


def generate(shape):
    path = DATA / f"{shape.__name__}.csv"
    if path.exists():
        return path
    part = path.with_suffix(".part")
    with open(part, "wb", buffering=1 << 20) as out:
        if shape is lineitem:
            subprocess.run([BIN / "gen_csv", "lineitem", "1000000"], stdout=out, check=True)
        else:
            for text in shape():
                out.write(text.encode())
    part.rename(path)
    return path


def convert(src, budget, extra):
    """(exit code, peak RSS in bytes, seconds, stderr)"""
    dst = DATA / "out.parquet"
    argv = [BIN / "dativo-native", "convert", src, dst, "--overwrite", "--quiet", *extra]
    argv += ["--memory", budget] if budget else []
    with tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        process = subprocess.Popen([str(a) for a in argv], stdout=subprocess.DEVNULL, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        err.seek(0)
        return process.returncode, usage.ru_maxrss * 1024, seconds, err.read().decode(errors="replace")


def as_bytes(budget):
    if budget is None:
        return DEFAULT_BYTES
    number, unit = re.fullmatch(r"(\d+)([A-Za-z]+)", budget).groups()
    return int(number) * UNITS[unit]


def least_named(message):
    found = re.search(r"(?:at least|--memory of) (\d+[KMG]i?B)", message)
    return found.group(1) if found else None


def check(src, budget, extra):
    """What to print of one run, and whether the promise was kept."""
    allowed = as_bytes(budget) + ALLOWED_BEYOND
    code, peak, seconds, message = convert(src, budget, extra)
    kept = peak <= allowed
    if code == 0:
        return f"{peak / 1e6:.0f}", seconds, kept
    if "the most that a row may have" in message:
        return "never", seconds, kept
    least = least_named(message)
    if least is None or as_bytes(least) <= as_bytes(budget):
        return f"exit {code}: {message.strip()[-160:]}", seconds, False
    shown, more, kept_then = check(src, least, extra)
    return f"needs {least}: {shown}", seconds + more, kept and kept_then


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapes", default=",".join(s.__name__ for s in SHAPES))
    parser.add_argument("--budgets", default=",".join(b or "default" for b in BUDGETS))
    parser.add_argument("extra", nargs="*", help="arguments for every conversion, behind --")
    args = parser.parse_args()
    budgets = [None if b == "default" else b for b in args.budgets.split(",")]
    broken = []

    DATA.mkdir(parents=True, exist_ok=True)
    print("\nPeak memory in MB by --memory; at most what was given and 64 MB")
    print(f"  {'':32}" + "".join(f"{b or 'default':>23}" for b in budgets))
    for shape, further in [(shape, []) for shape in SHAPES] + FURTHER:
        if shape.__name__ not in args.shapes.split(","):
            continue
        src = generate(shape)
        name = " ".join([shape.__name__, *further]).replace("--compression ", "")
        line = f"  {name:32}"
        for budget in budgets:
            shown, seconds, kept = check(src, budget, further + args.extra)
            line += f"{shown + ('' if kept else ' BROKEN'):>17}{seconds:5.1f}s"
            if not kept:
                broken.append(f"{name} at {budget or 'default'}: {shown}")
        print(line, flush=True)
    (DATA / "out.parquet").unlink(missing_ok=True)
    for text in broken:
        print(f"memory: promise broken: {text}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
