"""CSV as JSON records through extract_batch(), at several sizes of batches, beside the same file read typed and dropped; and what a Python
host pays for its rows besides.  Medians of rounds, every run in a process of its own, in turn.

A bar is what has to be reached; one that is missed is said, and with --strict it fails.  Walls of so short runs mean something on an idle
machine alone; the CPU seconds stand beside them.
"""
import argparse
import ctypes
import json
import statistics
import sys
import time

import run

LIBRARY = run.ROOT / "build/plugins/libcsv_reader_plugin.so"
HOST = run.BIN / "level0_host"
BATCHES = [1_000, 10_000, 50_000]
TYPED = "convert to null:"
MOST_TIMES_TYPED = 3.5  # of batches of 50,000
MOST_TIMES_LARGE = 1.2  # of smaller ones, against those
MOST_RSS = 128e6


def python_host(src, batch_rows):
    """What a host in Python does, step by step; CPU seconds of its own thread."""
    lib = ctypes.CDLL(str(LIBRARY))
    lib.create_reader.restype = lib.extract_batch.restype = ctypes.c_void_p
    lib.create_reader.argtypes = [ctypes.c_char_p]
    for function in (lib.extract_batch, lib.free_reader, lib.free_string):
        function.argtypes = [ctypes.c_void_p]
    config = {"type": "csv", "files": [{"path": str(src)}], "engine": {"options": {"batch_size": batch_rows}}}
    reader = lib.create_reader(json.dumps(config).encode())
    steps = dict.fromkeys(("extract_batch", "copy", "decode", "json.loads", "free"), 0.0)
    rows = 0
    while True:
        times = [time.thread_time()]
        pointer = lib.extract_batch(reader)
        times.append(time.thread_time())
        if not pointer:
            break
        data = ctypes.string_at(pointer)
        times.append(time.thread_time())
        text = data.decode()
        times.append(time.thread_time())
        records = json.loads(text)
        rows += len(records)
        times.append(time.thread_time())
        lib.free_string(pointer)
        del data, text, records
        times.append(time.thread_time())
        for step, begin, end in zip(steps, times[:-1], times[1:], strict=True):
            steps[step] += end - begin
    lib.free_reader(reader)
    print(json.dumps({"rows": rows, "steps": steps}))


def measure(lane, src):
    if lane == TYPED:
        _, wall, cpu, rss = run.run_process([run.BIN / "dativo-native", "convert", src, "null:", "--quiet"])
    else:
        _, wall, cpu, rss = run.run_process([HOST, LIBRARY, src, lane])
    return {"wall": wall, "cpu": cpu, "rss": rss}


def missed(figures):
    """What is said of bars that are not reached."""
    large = figures[BATCHES[-1]]
    times = large["wall"] / figures[TYPED]["wall"]
    if times > MOST_TIMES_TYPED:
        yield f"batches of {BATCHES[-1]}: {times:.2f} times as long as typed, at most {MOST_TIMES_TYPED} were wanted"
    for batch in BATCHES:
        if figures[batch]["wall"] > MOST_TIMES_LARGE * large["wall"]:
            yield f"batches of {batch}: {figures[batch]['wall'] / large['wall']:.2f} times as long as of {BATCHES[-1]}"
        if figures[batch]["rss"] > MOST_RSS:
            yield f"batches of {batch}: {figures[batch]['rss'] / 1e6:.0f} MB, at most {MOST_RSS / 1e6:.0f} were wanted"


def report(src, rows, figures):
    print(f"\nCSV -> JSON records through extract_batch(): lineitem, {rows} rows, {src.stat().st_size / 1e6:.0f} MB")
    print(f"  {'':18}{'wall s':>9}{'CPU s':>9}{'RSS MB':>9}  against typed")
    for lane, figure in figures.items():
        title = TYPED if lane == TYPED else f"{lane} rows"
        print(f"  {title:18}{figure['wall']:9.2f}{figure['cpu']:9.2f}{figure['rss'] / 1e6:9.0f}"
              f"  {figure['wall'] / figures[TYPED]['wall']:5.2f}x as long")


def report_python(hosts, rows):
    print("\nA Python host's own thread, microseconds of CPU time per row")
    for batch, host in hosts.items():
        if host["rows"] != rows:
            raise SystemExit(f"bench: {host['rows']} rows of {rows} arrived in batches of {batch}")
        print(f"  {batch:6} rows   " + "   ".join(f"{step} {seconds / rows * 1e6:.2f}" for step, seconds in host["steps"].items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--strict", action="store_true", help="fail if a bar is missed")
    parser.add_argument("--python-host", nargs=2, metavar=("SRC", "BATCH"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.python_host:
        python_host(args.python_host[0], int(args.python_host[1]))
        return

    run.DATA.mkdir(parents=True, exist_ok=True)
    src = run.generate("lineitem", args.rows)
    run.warm(src)
    runs = {lane: [] for lane in [TYPED, *BATCHES]}
    for _ in range(args.rounds):
        for lane in runs:
            runs[lane].append(measure(lane, src))
    figures = {lane: {key: statistics.median(r[key] for r in runs[lane]) for key in ("wall", "cpu", "rss")} for lane in runs}
    report(src, args.rows, figures)
    hosts = {}
    for batch in BATCHES:
        out, *_ = run.run_process([sys.executable, __file__, "--python-host", src, batch])
        hosts[batch] = json.loads(out)
    report_python(hosts, args.rows)
    results = run.ROOT / "bench/results"
    results.mkdir(exist_ok=True)
    (results / f"records_{args.rows}.json").write_text(
        json.dumps({"machine": run.machine(), "rows": args.rows, "rounds": args.rounds, "figures": figures, "python": hosts}, indent=1) + "\n", encoding="utf-8")
    print(f"\nbench: wrote bench/results/records_{args.rows}.json")
    faults = list(missed(figures))
    for fault in faults:
        print(f"bench: missed: {fault}")
    if faults and args.strict:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
