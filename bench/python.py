"""dativo_native in Python beside the peers on lineitem: import, CSV to a table, a frame to Parquet.  Medians of rounds, each run in a
process of its own.

Results are compared before anything is measured.  A bar is what ours has to reach; one that is missed is said, and with --strict it
fails.  Walls of so short runs mean something on an idle machine alone; the CPU seconds stand beside them.

Memory is what the process had more of at its peak than before; a table that is read is a part of it.  Figures of imports are of `import` in a process that runs already; the tables' clocks start behind the imports, with the file in the
page cache, and Parquet files are written to build/bench and synced by nobody but ours, which syncs its own.
"""
import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "build/python"
OURS = "dativo_native"
SETTLE = 1.5  # seconds: a thread of Polars gives back what reading took, for half a second or more, beside whatever comes next
LONGEST_SETTLE = 20
# task: title, the peers and how many times as fast ours is to be
TASKS = {
    "import": ("import", {"pyarrow": 3}),
    "arrow": ("CSV -> pyarrow.Table, or what the peer reads it into", {"pyarrow": 4, "polars": 3}),
    "polars": ("CSV -> polars.DataFrame, strings as views", {"polars": 3}),
    "default": ("polars.DataFrame -> Parquet, as either writes it unasked: snappy, and zstd", {"polars": 3}),
    "snappy": ("polars.DataFrame -> Parquet, snappy", {"polars": 3}),
    "zstd": ("polars.DataFrame -> Parquet, zstd", {"polars": 3}),
}


def settle():
    """Until the process has done nothing for a while."""
    end = time.monotonic() + LONGEST_SETTLE
    used = 0.0
    while time.process_time() - used > SETTLE / 100 and time.monotonic() < end:
        used = time.process_time()
        time.sleep(SETTLE)


def work(tool, task, src, dst):
    """A generator: what comes before its first yield is not measured; it ends by returning the result."""
    if task == "import":
        yield
        __import__(tool)
        return None
    if task in ("arrow", "polars"):
        import polars as pl
        import pyarrow as pa
        import pyarrow.csv

        dn = __import__(OURS) if tool == OURS else None
        pa.table(pa.RecordBatchReader.from_batches(pa.schema([]), []))  # which imports pandas, if that is there
        parse = pyarrow.csv.ParseOptions(newlines_in_values=True)  # else it cuts at any line end
        yield
        if dn is not None:
            return pa.table(dn.read_csv(src)) if task == "arrow" else pl.DataFrame(dn.read_csv(src, strings="view"))
        if tool == "pyarrow":
            return pyarrow.csv.read_csv(src, parse_options=parse)
        return pl.read_csv(src, try_parse_dates=True)
    import polars as pl

    frame = pl.read_csv(src, try_parse_dates=True).rechunk()
    settle()
    dn = __import__(OURS) if tool == OURS else None
    yield
    codec = {} if task == "default" else {"compression": task}
    if dn is not None:
        dn.write_parquet(frame, dst, overwrite=True, **codec)
    else:
        frame.write_parquet(dst, **codec)
    return frame


def memory(field):
    """Of this process, in bytes."""
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) << 10
    raise RuntimeError(f"the system does not tell {field}")


def run(tool, task, src, dst):
    """The result, and {"wall", "cpu", "memory", "size"} of making it; size is the file's, 0 if there is none."""
    steps = work(tool, task, src, dst)
    next(steps)
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak begins here
    had = memory("VmRSS")
    before = resource.getrusage(resource.RUSAGE_SELF)
    started = time.perf_counter()
    try:
        next(steps)
    except StopIteration as end:
        result = end.value
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    size = os.path.getsize(dst) if os.path.exists(dst) else 0
    return result, {"wall": wall, "cpu": cpu, "memory": max(memory("VmHWM") - had, 0), "size": size}


def check(src, dst):
    """That the tools make the same tables of a smaller file, and files of the same rows."""
    import polars as pl

    table, theirs = run(OURS, "arrow", src, dst)[0], run("pyarrow", "arrow", src, dst)[0]
    assert table.num_rows > 0 and table.cast(theirs.schema) == theirs, "tables of CSV differ"
    frame, theirs = run(OURS, "polars", src, dst)[0], run("polars", "polars", src, dst)[0]
    assert frame.cast(theirs.schema).equals(theirs), "frames of CSV differ"
    for codec in ("default", "snappy", "zstd"):
        for tool in (OURS, "polars"):
            frame = run(tool, codec, src, dst)[0]
            assert pl.read_parquet(dst).equals(frame), f"{tool}: the file differs"


def measure(*task):
    done = subprocess.run([sys.executable, __file__, "--one", *map(str, task)], capture_output=True, text=True, cwd=ROOT)
    if done.returncode != 0:
        raise SystemExit(f"bench: {' '.join(map(str, task))}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def compare(task, rounds, src, dst):
    """Print one task; the peers whose bar is missed."""
    title, bars = TASKS[task]
    runs = {tool: [] for tool in (OURS, *bars)}
    for _ in range(rounds):
        for tool, figures in runs.items():
            dst.unlink(missing_ok=True)
            os.sync()
            figures.append(measure(tool, task, src, dst))
    figures = {tool: {key: statistics.median(one[key] for one in of) for key in of[0]} for tool, of in runs.items()}
    print(f"\n{title}\n  {'':18}{'wall s':>9}{'CPU s':>9}{'MB more':>9}{'file MB':>9}")
    missed = []
    for tool, of in figures.items():
        ratio = ""
        if tool != OURS:
            times = of["wall"] / figures[OURS]["wall"]
            ratio = f"  ours is {times:.1f}x as fast, in CPU seconds {of['cpu'] / figures[OURS]['cpu']:.1f}x; the bar is {bars[tool]}x"
            if times < bars[tool]:
                missed.append(f"{title} against {tool}")
        print(f"  {tool:18}{of['wall']:9.3f}{of['cpu']:9.3f}{of['memory'] / 1e6:9.0f}{of['size'] / 1e6:9.1f}{ratio}")
    sys.stdout.flush()
    return missed


def main():
    from run import DATA, generate, warm

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tasks", default=",".join(TASKS))
    parser.add_argument("--strict", action="store_true", help="fail if a bar is missed")
    args = parser.parse_args()
    DATA.mkdir(parents=True, exist_ok=True)
    dst = DATA / "python.parquet"
    measure("check", "", generate("lineitem", 100_000), dst)
    print("bench: Python: results equal")
    src = generate("lineitem", args.rows)
    warm(src)
    missed = [one for task in args.tasks.split(",") for one in compare(task, args.rounds, src, dst)]
    dst.unlink(missing_ok=True)
    print("\nbench: Python: " + ("missed: " + "; ".join(missed) if missed else "every bar is reached"))
    sys.exit(1 if missed and args.strict else 0)


if __name__ == "__main__":
    sys.path.insert(0, str(PACKAGE))
    if sys.argv[1:2] == ["--one"]:
        tool, task, src, dst = sys.argv[2:]
        if tool == "check":
            check(src, dst)
            print("{}")
        else:
            print(json.dumps(run(tool, task, src, dst)[1]))
    else:
        main()
