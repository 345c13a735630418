"""CSV to Parquet in Spark: its own reader and writer beside ours, on one cluster of two workers in one run.  Medians of rounds.

    build/spark/bin/python bench/spark.py --rows 10000000

Rows are compared before anything is said.  Both have the schema given, so that nobody infers; ours cuts the file in the time that is
measured.  --strict fails if ours is not twice as fast.
"""
import argparse
import os
import pathlib
import statistics
import sys
import tempfile
import time

os.environ["PYSPARK_PYTHON"] = sys.executable
os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"

from pyspark.sql import SparkSession, functions as F  # noqa: E402

from dativo_native import spark as dn_spark  # noqa: E402

SCHEMA = "id long, name string, price decimal(12,2), ratio double, day date, at timestamp, flag boolean, note string"
TYPES = {"id": "int64", "name": "string", "price": "decimal(12,2)", "ratio": "double", "day": "date", "at": "timestamptz", "flag": "bool", "note": "string"}
BAR = 2


def make(path, rows):
    with open(path, "w", encoding="utf-8") as file:
        file.write(",".join(TYPES) + "\n")
        for i in range(rows):
            file.write(f'{i},name {i % 9973},{i % 99991}.{i % 100:02},{i / 8},20{i % 30 + 10}-0{i % 9 + 1}-1{i % 10},2024-05-06T07:08:{i % 60:02}Z,'
                       f'{"true" if i % 2 else "false"},"a note, of some length, {i * 7919 % 100003}"\n')


def fingerprint(frame):
    hashes = F.xxhash64(*frame.columns).cast("decimal(38,0)")
    return tuple(frame.select(F.count("*"), F.sum(hashes)).first())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--strict", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        source = str(pathlib.Path(folder) / "rows.csv")
        make(source, arguments.rows)
        spark = (SparkSession.builder.master("local-cluster[2,1,1024]").config("spark.ui.enabled", "false")
                 .config("spark.sql.session.timeZone", "UTC").config("spark.local.dir", folder).getOrCreate())
        spark.sparkContext.setLogLevel("OFF")
        dn_spark.register(spark)
        size = max(1 << 20, os.path.getsize(source) // 8)
        spark.conf.set("spark.sql.files.maxPartitionBytes", size)

        def theirs(target):
            spark.read.schema(SCHEMA).option("header", True).csv(source).write.mode("overwrite").parquet(target)

        def ours(target):
            frame = spark.read.format("dativo_csv").schema(SCHEMA).option("split_size", size).load(source)
            frame.write.format("dativo_parquet").mode("overwrite").save(target)

        def native(target):
            dn_spark.convert(spark, source, target, mode="overwrite", split_size=size, types=TYPES)

        ways = {"Spark's own csv -> parquet": theirs, "dativo_csv -> dativo_parquet": ours, "dativo_native.spark.convert": native}
        walls = {name: [] for name in ways}
        prints = set()
        for number in range(arguments.rounds + 1):  # the first one warms up
            for name, way in ways.items():
                target = str(pathlib.Path(folder) / name.replace("'", "").replace(" ", "_").replace(">", ""))
                begun = time.perf_counter()
                way(target)
                if number:
                    walls[name].append(time.perf_counter() - begun)
                else:
                    prints.add(fingerprint(spark.read.parquet(target)))
        spark.stop()
        assert len(prints) == 1, f"the rows differ: {prints}"
        print(f"{arguments.rows} rows, {os.path.getsize(source) / 1e6:.0f} MB, medians of {arguments.rounds}, two workers of one core")
        base = statistics.median(next(iter(walls.values())))
        for name, seconds in walls.items():
            print(f"{name:<32} {statistics.median(seconds):8.2f} s   {base / statistics.median(seconds):5.2f}x")
        if arguments.strict and base / statistics.median(walls["dativo_csv -> dativo_parquet"]) < BAR:
            sys.exit(f"ours is not {BAR} times as fast")


if __name__ == "__main__":
    main()
