"""CSV as JSON records through extract_batch(), at several sizes of batches, beside the same file read typed and dropped; the same records
through write_batch() into a folder in memory, one with nothing in it and one with 100,000 other files, beside `convert` to the same codec; and what a Python host pays for its rows besides.  What was
written is compared with what `convert` writes, value by value, before anything is measured.  Medians of rounds, every run in a process of its own, in turn.

A bar is what has to be reached; one that is missed is said, and with --strict it fails.  Walls of so short runs mean something on an idle
machine alone; the CPU seconds stand beside them.
"""
import argparse
import ctypes
import json
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
import time

import run

LIBRARY = run.ROOT / "build/plugins/libcsv_reader_plugin.so"
WRITER = run.ROOT / "build/plugins/libparquet_writer_plugin.so"
HOST = run.BIN / "level0_host"
BATCHES = [1_000, 10_000, 50_000]
TYPED = "convert to null:"
MOST_TIMES_TYPED = 3.5  # of batches of 50,000
MOST_TIMES_LARGE = 1.2  # of smaller ones, against those
MOST_TIMES_CONVERT = 3  # of batches of 50,000, written
MOST_TIMES_SMALL_FILES = 1.7  # of the smallest batches, against those
OTHERS = 100_000  # files that are in the folder already
CROWDED = f"{BATCHES[0]} beside {OTHERS}"
MOST_TIMES_CROWDED = 1.1  # of the smallest batches beside them, against those without
MOST_RSS = 128e6
CODEC = "snappy"
CONVERT = f"convert to {CODEC}"
ASSET_TYPES = {"int64": "integer", "double": "double", "date32[day]": "date", "bool": "boolean"}


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


def print_schema(path):
    """The columns of a file as an asset has them.  In a process of its own: what this one takes counts as its children's memory."""
    import pyarrow.parquet as pq

    schema = pq.read_schema(path)
    print(json.dumps([{"name": field.name, "type": ASSET_TYPES.get(str(field.type), "string")} for field in schema]))


def compare(path, folder):
    import pyarrow as pa
    import pyarrow.parquet as pq

    expected = pq.read_table(path)
    made = pa.concat_tables(pq.read_table(file) for file in sorted(pathlib.Path(folder).glob("*.parquet")))
    if not made.cast(expected.schema).equals(expected):
        raise SystemExit("bench: what write_batch() made of the records is not what convert writes")


class Writing:
    """The records of a file as texts, and a folder in memory for what is written of them."""

    def __init__(self, src):
        memory = pathlib.Path("/dev/shm")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="dn-bench-", dir=memory if os.access(memory, os.W_OK) else run.DATA))
        self.src = src
        self.converted = self.folder / "converted.parquet"

    def texts(self, batch):
        return run.DATA / f"records_{batch}.texts"

    def prepare(self):
        self.convert()
        out, *_ = run.run_process([sys.executable, __file__, "--schema-of", self.converted])
        schema = json.loads(out)
        for name in ("out", "crowded"):
            config = {"asset_name": "t", "schema": schema, "output_base": str(self.folder / name), "engine": {"options": {"compression": CODEC}}}
            (self.folder / f"{name}.json").write_text(json.dumps(config), encoding="utf-8")
        (self.folder / "crowded").mkdir()
        for n in range(OTHERS):
            (self.folder / "crowded" / f"other_{n:06}.parquet").touch()
        for batch in BATCHES:
            run.run_process([HOST, LIBRARY, self.src, batch, self.texts(batch)])
            self.write(batch, check=True)

    def convert(self):
        _, wall, cpu, rss = run.run_process([run.BIN / "dativo-native", "convert", self.src, self.converted, "--quiet", "-f", "-c", CODEC])
        return {"wall": wall, "cpu": cpu, "rss": rss}

    def write(self, batch, check=False):
        _, wall, cpu, rss = run.run_process([HOST, WRITER, "--write", self.folder / "out.json", self.texts(batch)])
        if check:
            run.run_process([sys.executable, __file__, "--compare", self.converted, self.folder / "out"])
        shutil.rmtree(self.folder / "out")
        return {"wall": wall, "cpu": cpu, "rss": rss}

    def write_beside(self, batch):
        _, wall, cpu, rss = run.run_process([HOST, WRITER, "--write", self.folder / "crowded.json", self.texts(batch)])
        for entry in os.scandir(self.folder / "crowded"):
            if not entry.name.startswith("other_"):
                os.unlink(entry)
        return {"wall": wall, "cpu": cpu, "rss": rss}

    def measure(self, lane):
        batch = BATCHES[0] if lane == CROWDED else lane
        if lane != CONVERT:
            run.warm(self.texts(batch))  # of large tables they do not stay in memory beside each other
        os.sync()  # nobody pays for writing the texts to the disk
        return self.convert() if lane == CONVERT else self.write_beside(batch) if lane == CROWDED else self.write(batch)

    def close(self):
        shutil.rmtree(self.folder)
        for batch in BATCHES:
            self.texts(batch).unlink(missing_ok=True)


def missed_in_writing(figures):
    large, small = figures[BATCHES[-1]], figures[BATCHES[0]]
    if large["wall"] > MOST_TIMES_CONVERT * figures[CONVERT]["wall"]:
        yield (f"written in batches of {BATCHES[-1]}: {large['wall'] / figures[CONVERT]['wall']:.2f} times as long as {CONVERT}, "
               f"at most {MOST_TIMES_CONVERT} were wanted")
    if small["wall"] > MOST_TIMES_SMALL_FILES * large["wall"]:
        yield (f"written in batches of {BATCHES[0]}: {small['wall'] / large['wall']:.2f} times as long as of {BATCHES[-1]}, "
               f"at most {MOST_TIMES_SMALL_FILES} were wanted")
    if figures[CROWDED]["wall"] > MOST_TIMES_CROWDED * small["wall"]:
        yield (f"written in batches of {BATCHES[0]} beside {OTHERS} files: {figures[CROWDED]['wall'] / small['wall']:.2f} times as long as alone, "
               f"at most {MOST_TIMES_CROWDED} were wanted")
    for batch in [*BATCHES, CROWDED]:
        if figures[batch]["rss"] > MOST_RSS:
            yield f"written in batches of {batch}: {figures[batch]['rss'] / 1e6:.0f} MB, at most {MOST_RSS / 1e6:.0f} were wanted"


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


def report(title, base, figures):
    print(f"\n{title}")
    print(f"  {'':18}{'wall s':>9}{'CPU s':>9}{'RSS MB':>9}  against {base}")
    for lane, figure in figures.items():
        name = f"{lane} rows" if lane in BATCHES else lane
        print(f"  {name:18}{figure['wall']:9.2f}{figure['cpu']:9.2f}{figure['rss'] / 1e6:9.0f}"
              f"  {figure['wall'] / figures[base]['wall']:5.2f}x as long")


def medians(measured, lanes, rounds):
    runs = {lane: [] for lane in lanes}
    for _ in range(rounds):
        for lane in lanes:
            runs[lane].append(measured(lane))
    return {lane: {key: statistics.median(r[key] for r in runs[lane]) for key in ("wall", "cpu", "rss")} for lane in lanes}


def measure_writing(src, rounds):
    writing = Writing(src)
    try:
        writing.prepare()
        return medians(writing.measure, [CONVERT, *BATCHES, CROWDED], rounds)
    finally:
        writing.close()


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
    parser.add_argument("--schema-of", metavar="FILE", help=argparse.SUPPRESS)
    parser.add_argument("--compare", nargs=2, metavar=("FILE", "FOLDER"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.schema_of:
        print_schema(args.schema_of)
        return
    if args.compare:
        compare(*args.compare)
        return
    if args.python_host:
        python_host(args.python_host[0], int(args.python_host[1]))
        return

    run.DATA.mkdir(parents=True, exist_ok=True)
    src = run.generate("lineitem", args.rows)
    run.warm(src)
    written = measure_writing(src, args.rounds)
    figures = medians(lambda lane: measure(lane, src), [TYPED, *BATCHES], args.rounds)
    size = f"lineitem, {args.rows} rows, {src.stat().st_size / 1e6:.0f} MB"
    report(f"CSV -> JSON records through extract_batch(): {size}", TYPED, figures)
    report(f"JSON records -> Parquet, {CODEC}, through write_batch(): {size}", CONVERT, written)
    hosts = {}
    for batch in BATCHES:
        out, *_ = run.run_process([sys.executable, __file__, "--python-host", src, batch])
        hosts[batch] = json.loads(out)
    report_python(hosts, args.rows)
    results = run.ROOT / "bench/results"
    results.mkdir(exist_ok=True)
    (results / f"records_{args.rows}.json").write_text(
        json.dumps({"machine": run.machine(), "rows": args.rows, "rounds": args.rounds, "figures": figures, "written": written, "python": hosts}, indent=1) + "\n", encoding="utf-8")
    print(f"\nbench: wrote bench/results/records_{args.rows}.json")
    faults = [*missed(figures), *missed_in_writing(written)]
    for fault in faults:
        print(f"bench: missed: {fault}")
    if faults and args.strict:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
