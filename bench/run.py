"""Ours and the peers on the same files in the same run.

Makes the data, checks that all results are equal, then times every tool in turn, round by round, and prints medians of wall, CPU,
peak RSS and output size with the ratio to each peer.  Writes bench/results/rows_N.json and .svg.
"""
import argparse
import json
import os
import pathlib
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import chart

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = ROOT / "build/bin"
DATA = ROOT / "build/bench"
SHAPES = {"lineitem": 1, "wide": 1 / 40, "text": 1 / 10, "narrow": 1, "quoted": 1 / 2}  # rows, relative to --rows
TASKS = ["read", "snappy", "zstd", "json", "drain-snappy", "drain-zstd"]
PEERS = ["duckdb", "duckdb-unordered", "polars", "pyarrow", "pandas"]
CHECK_ROWS = 100_000
TITLES = {"read": "CSV read typed and dropped", "snappy": "CSV -> Parquet, snappy", "zstd": "CSV -> Parquet, zstd",
          "json": "CSV -> JSON records", "drain-snappy": "Parquet, snappy, read as Arrow batches and dropped",
          "drain-zstd": "Parquet, zstd, read as Arrow batches and dropped"}


def generate(shape, rows):
    path = DATA / f"{shape}_{rows}.csv"
    if not path.exists():
        part = path.with_suffix(".part")
        with open(part, "wb") as out:
            subprocess.run([BIN / "gen_csv", shape, str(rows)], stdout=out, check=True)
        part.rename(path)
    return path


def parquet_of(src, codec):
    """The file of ours that the tools drain, made anew: the encoder may have changed."""
    path = src.with_suffix(f".{codec}.parquet")
    run_process([BIN / "dativo-native", "convert", src, path, "--compression", codec, "--overwrite", "--quiet"])
    return path


def warm(path):
    """Into the page cache, for everybody; in small pieces, for a started process counts our memory as its own."""
    with open(path, "rb", buffering=0) as file:
        while file.read(1 << 16):
            pass


def run_process(argv):
    """Run to the end; (stdout, wall, cpu, peak RSS in bytes) of that one process."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        process = subprocess.Popen([str(a) for a in argv], stdout=out, stderr=err, cwd=ROOT)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if process.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, argv))} ended with {process.returncode}: {err.read().decode()[-600:]}")
        return out.read().decode(), wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def measure(tool, task, src, dst):
    """One run of one tool: {"wall", "cpu", "rss", "size"}."""
    if dst.exists():
        dst.unlink()
    os.sync()  # nobody pays for writing another one's output to the disk; ours syncs its own, and that counts
    if tool != "dativo":
        out, _, _, rss = run_process([sys.executable, ROOT / "bench/peer.py", tool, task, src, dst])
        figures = json.loads(out.splitlines()[-1])
        figures["rss"] = rss
    elif task == "json":
        library = ROOT / "build/plugins/libcsv_reader_plugin.so"
        out, _, _, rss = run_process([sys.executable, ROOT / "bench/peer.py", tool, task, src, library])
        figures = json.loads(out.splitlines()[-1])
        figures["rss"] = rss
    else:
        target = ["null:"] if task == "read" or task.startswith("drain") else [dst, "--compression", task, "--overwrite"]
        _, wall, cpu, rss = run_process([BIN / "dativo-native", "convert", src, *target, "--quiet"])
        figures = {"wall": wall, "cpu": cpu, "rss": rss}
    figures["size"] = dst.stat().st_size if dst.exists() else 0
    return figures


def check_equal(shapes, peers):
    """Every tool's Parquet of a smaller file holds the cells that pyarrow.csv reads; a peer that differs is noted."""
    notes = {}
    for shape in shapes:
        src = generate(shape, max(1000, int(CHECK_ROWS * SHAPES[shape])))
        for tool in ["dativo", *peers]:
            dst = DATA / f"check_{tool}.parquet"
            measure(tool, "snappy", src, dst)
            # in a process of its own: a process started from a large one counts that one's memory as its own
            compared = subprocess.run([sys.executable, ROOT / "bench/compare.py", src, dst], capture_output=True, text=True)
            if compared.returncode != 0 and tool == "dativo":
                raise SystemExit(f"bench: our result for {shape} is wrong: {compared.stdout}{compared.stderr}")
            if compared.returncode != 0:
                notes[f"{shape}/{tool}"] = compared.stdout.strip().replace(f"{ROOT}/", "")
                print(f"bench: note: {tool} reads {shape} otherwise: {notes[f'{shape}/{tool}']}")
            dst.unlink()
    print(f"bench: results equal for {', '.join(shapes)}" + (" apart from the notes above" if notes else ""))
    return notes


def median(runs, key):
    return statistics.median(r[key] for r in runs)


def report(shape, task, src, results):
    size = src.stat().st_size
    print(f"\n{TITLES[task]}: {shape}, {size / 1e6:.0f} MB")
    print(f"  {'':18}{'wall s':>9}{'CPU s':>9}{'RSS MB':>9}{'out MB':>9}{'MB/s':>8}  ours is")
    ours = median(results["dativo"], "wall")
    for tool, runs in results.items():
        wall = median(runs, "wall")
        ratio = "" if tool == "dativo" else f"  {wall / ours:5.2f}x as fast"
        print(f"  {tool:18}{wall:9.2f}{median(runs, 'cpu'):9.2f}{median(runs, 'rss') / 1e6:9.0f}"
              f"{median(runs, 'size') / 1e6:9.0f}{size / wall / 1e6:8.0f}{ratio}")
    sys.stdout.flush()


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        model = next((line.split(":")[1].strip() for line in f if line.startswith("model name")), platform.machine())
    return {"cpu": model, "cores": len(os.sched_getaffinity(0)), "system": platform.platform()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of lineitem; the other shapes are scaled to it")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--shapes", default=",".join(SHAPES))
    parser.add_argument("--tasks", default=",".join(TASKS))
    parser.add_argument("--peers", default=",".join(PEERS))
    args = parser.parse_args()
    shapes, tasks, peers = (a.split(",") for a in (args.shapes, args.tasks, args.peers))

    DATA.mkdir(parents=True, exist_ok=True)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    notes = check_equal(shapes, peers)
    everything = {"machine": machine(), "rows": args.rows, "rounds": args.rounds, "notes": notes, "results": []}
    for shape in shapes:
        for task in tasks:
            rows = int(args.rows * SHAPES[shape])
            src = generate(shape, max(1000, rows // 10 if task == "json" else rows))
            if task.startswith("drain-"):
                src = parquet_of(src, task.removeprefix("drain-"))
            warm(src)
            results = {tool: [] for tool in ["dativo", *peers]}
            for round_number in range(args.rounds):
                for tool, runs in results.items():
                    if tool == "pandas" and round_number > 0 and args.rows > 2_000_000:
                        continue  # one round says enough
                    runs.append(measure(tool, task, src, DATA / f"out_{tool}.parquet"))
            report(shape, task, src, results)
            everything["results"].append({"shape": shape, "task": task, "bytes": src.stat().st_size, "tools": {
                tool: {key: median(runs, key) for key in ("wall", "cpu", "rss", "size")} | {"runs": runs}
                for tool, runs in results.items()}})
    for left in DATA.glob("out_*.parquet"):
        left.unlink()
    out = ROOT / "bench/results"
    out.mkdir(exist_ok=True)
    (out / f"rows_{args.rows}.json").write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")
    (out / f"rows_{args.rows}.svg").write_text(chart.draw(everything), encoding="utf-8")
    print(f"\nbench: wrote bench/results/rows_{args.rows}.json and .svg")


if __name__ == "__main__":
    main()
