"""CSV to Parquet in Spark: its own reader and writer beside ours, on one cluster of two workers in one run.  Medians of rounds.

    build/spark/bin/python bench/spark.py --rows 10000000

The file is lineitem, which both readers can read, cut into as many pieces for both.  First the schema is given to all, so that nobody
infers; then to none, and both look at every value before they read.  Ours cuts the file in the time that is measured.  Rows are compared in
Spark before anything is said.  CPU seconds are those of the driver, the workers and all below them.  --strict fails if ours, with the
setting that docs/spark.md advises, is not twice as fast.
"""
import argparse
import functools
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

os.environ["PYSPARK_PYTHON"] = sys.executable
os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"

from pyspark.sql import SparkSession, functions as F  # noqa: E402

from dativo_native import spark as dn_spark  # noqa: E402

GEN_CSV = pathlib.Path(__file__).parents[1] / "build/bin/gen_csv"
MONEY = "decimal(12,2)"
COLUMNS = {
    "l_orderkey": "long", "l_partkey": "long", "l_suppkey": "long", "l_linenumber": "int", "l_quantity": "int", "l_extendedprice": MONEY,
    "l_discount": MONEY, "l_tax": MONEY, "l_returnflag": "string", "l_linestatus": "string", "l_shipdate": "date", "l_commitdate": "date",
    "l_receiptdate": "timestamp_ntz", "l_shipinstruct": "string", "l_shipmode": "string", "l_comment": "string",
}
SCHEMA = ", ".join(f"{name} {of}" for name, of in COLUMNS.items())
TYPES = {name: {"long": "int64", "int": "int32", "timestamp_ntz": "timestamp[us]"}.get(of, of) for name, of in COLUMNS.items()}
THEIRS, OURS, INFER = "Spark's own csv -> parquet", "dativo_csv -> dativo_parquet, no limit of bytes", ", infers"
BYTES = "spark.sql.execution.arrow.maxBytesPerBatch"
BAR = 2
TICKS = os.sysconf("SC_CLK_TCK")


def generate(path, rows):
    with open(path, "wb") as out:
        subprocess.run([GEN_CSV, "lineitem", str(rows)], stdout=out, check=True)
    return str(path)


def fingerprint(frame):
    """How many rows, a sum over their hashes; of each column how many values, and a sum over their hashes, all as the types of SCHEMA."""
    assert frame.columns == list(COLUMNS), frame.columns
    columns = [F.col(name).cast(of) for name, of in COLUMNS.items()]
    of_columns = [of for one in columns for of in (F.count(one), F.sum(F.xxhash64(one).cast("decimal(38,0)")))]
    return tuple(frame.select(F.count("*"), F.sum(F.xxhash64(*columns).cast("decimal(38,0)")), *of_columns).first())


def cpu_seconds():
    """Of this process, those below it, and those that have been."""
    parents, ticks = {}, {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = pathlib.Path("/proc", name, "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        parents[int(name)], ticks[int(name)] = int(fields[1]), sum(map(int, fields[11:15]))

    def below(pid):
        while pid not in (0, os.getpid()):
            pid = parents.get(pid, 0)
        return pid != 0

    return sum(of for pid, of in ticks.items() if below(pid)) / TICKS


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--conf", action="append", default=[], metavar="NAME=VALUE", help="another setting of the cluster")
    parser.add_argument("--strict", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        folder = pathlib.Path(folder)
        small = generate(folder / "small.csv", 200_000)
        large = generate(folder / "large.csv", arguments.rows)
        builder = SparkSession.builder.master("local-cluster[2,1,1024]").config("spark.ui.enabled", "false")
        builder = builder.config("spark.sql.session.timeZone", "UTC").config("spark.local.dir", str(folder))
        for one in arguments.conf:
            builder = builder.config(*one.split("=", 1))
        # a machine that stands still for a while loses no worker
        for name in ("spark.network.timeout", "spark.worker.timeout"):
            builder = builder.config(name, "600")
        spark = builder.config("spark.executor.heartbeatInterval", "60s").config("spark.ui.showConsoleProgress", "false").getOrCreate()
        spark.sparkContext.setLogLevel("OFF")
        dn_spark.register(spark)

        def size(source):
            return max(1 << 20, min(128 << 20, os.path.getsize(source) // 8))

        def theirs(source, target, infer=False):
            spark.conf.set("spark.sql.files.maxPartitionBytes", size(source))
            reader = spark.read.option("header", True).option("escape", '"')
            reader = reader.option("inferSchema", True) if infer else reader.schema(SCHEMA)
            reader.csv(source).write.mode("overwrite").parquet(target)

        def ours(source, target, infer=False):
            reader = spark.read.format("dativo_csv").option("split_size", size(source))
            reader = reader.option("infer", "all") if infer else reader.schema(SCHEMA)
            reader.load(source).write.format("dativo_parquet").mode("overwrite").save(target)

        def no_limit(*arguments, **more):
            spark.conf.set(BYTES, 2147483647)
            ours(*arguments, **more)
            spark.conf.unset(BYTES)

        def functions(source, target):
            dn_spark.write_parquet(dn_spark.read_csv(spark, source, types=TYPES, split_size=size(source)), target, mode="overwrite")

        def native(source, target):
            dn_spark.convert(spark, source, target, mode="overwrite", split_size=size(source), types=TYPES)

        ways = {THEIRS: theirs, "dativo_csv -> dativo_parquet": ours, OURS: no_limit, "dn_spark.read_csv -> write_parquet": functions}
        ways["dn_spark.convert"] = native
        ways.update({THEIRS + INFER: functools.partial(theirs, infer=True), OURS + INFER: functools.partial(no_limit, infer=True)})
        targets = {name: str(folder / str(number)) for number, name in enumerate(ways)}
        walls, cpus = {name: [] for name in ways}, {name: [] for name in ways}
        for name, way in ways.items():  # Java warms up
            for _ in range(2):
                way(small, targets[name])
        for number in range(arguments.rounds):
            for name, way in ways.items():
                begun, cpu = time.perf_counter(), cpu_seconds()
                way(large, targets[name])
                walls[name].append(time.perf_counter() - begun)
                cpus[name].append(cpu_seconds() - cpu)
                print(f"round {number + 1}: {name}: {walls[name][-1]:.2f} s, CPU {cpus[name][-1]:.2f} s", file=sys.stderr, flush=True)
        prints = {name: fingerprint(spark.read.parquet(target)) for name, target in targets.items()}
        spark.stop()
        assert len(set(prints.values())) == 1, f"the rows differ: {prints}"
        assert next(iter(prints.values()))[0] == arguments.rows
        print(f"{arguments.rows} rows, {os.path.getsize(large) / 1e6:.0f} MB, medians of {arguments.rounds}, two workers of one core; the rows are equal")
        medians = {name: statistics.median(seconds) for name, seconds in walls.items()}
        times = {name: medians[THEIRS + INFER if name.endswith(INFER) else THEIRS] / wall for name, wall in medians.items()}
        for name, wall in medians.items():
            print(f"{name:<56} {wall:8.2f} s   {times[name]:5.2f}x   CPU {statistics.median(cpus[name]):8.2f} s")
        if arguments.strict and min(times[OURS], times[OURS + INFER]) < BAR:
            sys.exit(f"ours is not {BAR} times as fast")


if __name__ == "__main__":
    main()
