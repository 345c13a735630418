"""Spark on a cluster of two workers: the rows of Spark's own reader where that is right, the right ones where it is not, whatever is
killed or runs twice."""

import datetime
import decimal
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import pytest
from pyspark.sql import functions as F
from rows import SCHEMA, SOURCE, clean, fingerprint

from dativo_native import spark as dn_spark


def ours(spark, path, **options):
    reader = spark.read.format("dativo_csv")
    for name, value in options.items():
        reader = reader.option(name, value)
    return reader.load(path)


def save(frame, path, mode="append", **options):
    writer = frame.write.format("dativo_parquet").mode(mode)
    for name, value in options.items():
        writer = writer.option(name, value)
    writer.save(str(path))


def test_equals_sparks_own(spark, plain, tmp_path):
    plain, rows = plain
    theirs = fingerprint(spark.read.schema(SCHEMA).option("header", True).csv(plain))
    frame = spark.read.format("dativo_csv").schema(SCHEMA).option("split_size", max(1 << 20, os.path.getsize(plain) // 7)).load(plain)
    save(frame, tmp_path / "ours", compression="zstd")
    back = spark.read.parquet(str(tmp_path / "ours"))
    assert back.dtypes == frame.dtypes and len(list((tmp_path / "ours").glob("part-*"))) >= 7
    assert theirs[0] == rows == clean(tmp_path / "ours") and fingerprint(back) == theirs


def test_functions_of_spark_3(spark, plain, tmp_path):
    plain, rows = plain
    theirs = fingerprint(spark.read.schema(SCHEMA).option("header", True).csv(plain))
    types = {"price": "decimal(12,2)", "at": "timestamptz"}
    frame = dn_spark.read_csv(spark, plain, types=types, split_size="16MB")
    assert dn_spark.write_parquet(frame, str(tmp_path / "a")).rows_out == rows
    assert dn_spark.write_parquet(frame.select("*"), str(tmp_path / "c")).rows_out == rows
    assert dn_spark.convert(spark, plain, str(tmp_path / "b"), split_size="16MB", types=types, writer={"compression": "zstd"}).rows_out == rows
    for name in "abc":
        assert clean(tmp_path / name) == rows and fingerprint(spark.read.parquet(str(tmp_path / name))) == theirs
    with pytest.raises(Exception, match="mode append or overwrite"):
        dn_spark.convert(spark, plain, str(tmp_path / "b"))


def test_quoted_line_ends(spark, quoted, tmp_path):
    frame = ours(spark, quoted, split_size="150kB")
    save(frame, tmp_path / "q")
    back = spark.read.parquet(str(tmp_path / "q"))
    assert back.count() == 100_000
    assert back.where(F.col("text") != F.concat(F.lit("a line,\n"), F.col("id"), F.lit(',and another "'), F.col("id"), F.lit('"'))).count() == 0
    assert spark.read.option("header", True).option("multiLine", False).csv(quoted).count() != 100_000


# ---- what is killed or runs twice -------------------------------------------------------------------------------------


def slow(places, seconds):
    """Tell who works, and take a while."""

    def work(batches):
        worker = os.getpid()
        daemon = os.getppid()
        executor = int(open(f"/proc/{daemon}/stat").read().rpartition(")")[2].split()[1])
        for batch in batches:
            pathlib.Path(places, f"{worker}-{executor}").touch()
            time.sleep(seconds)
            yield batch

    return work


def is_below(pid, ancestor):
    """Only what this test has started is ever killed."""
    while pid > 1:
        if pid == ancestor:
            return True
        try:
            pid = int(open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[1])
        except FileNotFoundError:
            return False
    return False


@pytest.mark.parametrize("what", ["worker", "executor"])
def test_killed_midway(spark, quoted, tmp_path, what):
    places = tmp_path / "places"
    places.mkdir()
    killed = []

    def kill():
        give_up = time.monotonic() + 120
        while not killed and time.monotonic() < give_up:
            for place in places.iterdir():
                worker, executor = map(int, place.name.split("-"))
                pid = worker if what == "worker" else executor
                if is_below(pid, os.getpid()):
                    time.sleep(0.3)
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)
                    return
            time.sleep(0.02)

    frame = ours(spark, quoted, split_size="400kB")
    wanted = fingerprint(frame)
    thread = threading.Thread(target=kill)
    thread.start()
    save(frame.mapInArrow(slow(str(places), 0.2), frame.schema), tmp_path / "out")
    thread.join()
    assert killed and clean(tmp_path / "out") == 100_000
    assert fingerprint(spark.read.parquet(str(tmp_path / "out"))) == wanted


def test_a_job_that_fails_changes_nothing(spark, quoted, tmp_path):
    frame = ours(spark, quoted, split_size="700kB")
    save(frame.limit(10), tmp_path / "out")

    def fail(batches):
        yield from batches
        raise ValueError("on purpose")

    for write in (lambda bad: save(bad, tmp_path / "out", "overwrite"),
                  lambda bad: dn_spark.write_parquet(bad, str(tmp_path / "out"), mode="overwrite")):
        with pytest.raises(Exception, match="on purpose"):
            write(frame.mapInArrow(fail, frame.schema))
        assert clean(tmp_path / "out") == 10
    save(frame, tmp_path / "out", "overwrite")
    save(frame, tmp_path / "out", "append")
    assert clean(tmp_path / "out") == 200_000 == spark.read.parquet(str(tmp_path / "out")).count()


# ---- whatever there is ------------------------------------------------------------------------------------------------


def test_types(spark, tmp_path):
    rows = [
        (decimal.Decimal("-99999999999999999999999999999999.999999"), datetime.datetime(1, 1, 1), datetime.date(9999, 12, 31), bytearray(b"\x00\xff"), None, "a\n\"b\"", -128, float("inf"), [1, None], {"k": 1}),
        (None, None, None, None, None, None, None, None, None, None),
        (decimal.Decimal("0.000001"), datetime.datetime(9999, 12, 31, 23, 59, 59, 999999), datetime.date(1, 1, 1), bytearray(b""), None, "", 127, -0.0, [], {}),
    ]
    schema = "d decimal(38,6), n timestamp_ntz, day date, b binary, nothing string, s string, t tinyint, f float, l array<int>, m map<string,bigint>"
    frame = spark.createDataFrame(rows, schema)
    save(frame, tmp_path / "out")
    back = spark.read.parquet(str(tmp_path / "out"))
    assert back.dtypes == frame.dtypes
    assert sorted(map(repr, back.collect())) == sorted(map(repr, frame.collect()))
    save(frame.limit(0), tmp_path / "none")
    assert spark.read.parquet(str(tmp_path / "none")).dtypes == frame.dtypes and clean(tmp_path / "none") == 0
    save(spark.createDataFrame([], schema), tmp_path / "nothing")
    assert spark.read.parquet(str(tmp_path / "nothing")).dtypes == frame.dtypes
    with pytest.raises(Exception, match='"a"'):
        save(spark.range(1).selectExpr("id a", "id a"), tmp_path / "twice")


def test_types_of_csv(spark, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("u8,u64,d,b,t,x\n255,18446744073709551615,1.50,AAE=,10:11:12.5,\n,,,,,\n")
    types = {"u8": "uint8", "u64": "uint64", "d": "decimal(5,2)", "b": "binary", "t": "time[us]", "x": "date"}
    frame = ours(spark, str(path), types=json.dumps(types))
    assert frame.dtypes == [("u8", "smallint"), ("u64", "decimal(20,0)"), ("d", "decimal(5,2)"), ("b", "binary"), ("t", "time(6)"), ("x", "date")]
    row = frame.collect()[0]
    assert row[:4] == (255, decimal.Decimal(18446744073709551615), decimal.Decimal("1.50"), bytearray(b"\x00\x01")) and row.x is None
    with pytest.raises(Exception, match=r'"u8" is of type timestamp\[ns\], which Spark does not have'):
        ours(spark, str(path), types='{"u8": "timestamp[ns]"}')


def test_files(spark, tmp_path):
    (tmp_path / "many").mkdir()
    for i in range(120):
        (tmp_path / "many" / f"{i:03}.csv").write_text("id,n\n" + ("" if i % 4 == 0 else f"{i},1\n{i},2\n"))
    frame = ours(spark, str(tmp_path / "many"))
    save(frame, tmp_path / "out")
    assert clean(tmp_path / "out") == 180 and fingerprint(spark.read.parquet(str(tmp_path / "out"))) == fingerprint(frame)
    (tmp_path / "header.csv").write_text("id,n\n")
    assert ours(spark, str(tmp_path / "header.csv")).collect() == []
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(Exception, match="empty.csv"):
        ours(spark, str(tmp_path / "empty.csv")).collect()
    with pytest.raises(Exception, match="nothing.csv"):
        ours(spark, str(tmp_path / "nothing.csv"))
    with pytest.raises(Exception, match='line 3.*column "n".*int64'):
        (tmp_path / "late.csv").write_text("id,n\n1,2\n2,x\n")
        ours(spark, str(tmp_path / "late.csv"), types='{"n": "int64"}').collect()


def test_a_file_that_changes(spark, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id,n\n1,2\n")
    frame = ours(spark, str(path))
    of_spark_3 = dn_spark.read_csv(spark, str(path))
    schema = frame.schema
    path.write_text("id,n,more\n1,2,3\n")
    with pytest.raises(Exception, match="other columns than when it was looked at: more: int64"):
        frame.collect()
    with pytest.raises(Exception, match="a.csv"):
        of_spark_3.collect()

    def touch(batches):
        with open(path, "a") as file:
            file.write("5,6,7\n")
        yield from batches

    with pytest.raises(Exception, match="a.csv"):  # between the plan and a task that was repeated, or began late
        pieces = dn_spark.Source(str(path), {}).pieces()
        spark.range(1).mapInArrow(touch, "id long").collect()
        spark.range(1).mapInArrow(lambda batches: (one for _ in batches for one in dn_spark.batches(pieces[0], schema)), schema).collect()


@pytest.mark.parametrize("options, says", [
    ({"delimeter": ";"}, r"no option 'delimeter' \(did you mean delimiter\?\)"), ({"sep": ";"}, r"'sep' \(did you mean delimiter\?\)"),
    ({"header": "maybe"}, "header is no JSON"), ({"limit": "x"}, "limit is a number, not 'x'"), ({"strict": "1"}, "strict is true or false"),
    ({"max_rejects": "3"}, "set aside over a whole source"), ({"split_size": "much"}, "size is a number of bytes"),
    ({"multiLine": "true", "infre": "all"}, r"'infre' \(did you mean infer\?\)"), ({"types": "int"}, "types is a map in JSON")])
def test_options(spark, quoted, tmp_path, options, says):
    with pytest.raises(Exception, match=says):
        ours(spark, quoted, **options).collect()


def test_options_of_writing(spark, tmp_path):
    frame = spark.range(3)
    for options, says in [({"compresion": "zstd"}, r"'compresion' \(did you mean compression\?\)"), ({"compression": "zip"}, "no codec 'zip'; did you mean 'gzip'"),
                          ({"page_rows": "x"}, "page_rows is a number")]:
        with pytest.raises(Exception, match=says):
            save(frame, tmp_path / "out", **options)
    with pytest.raises(Exception, match="partitioning"):  # says Spark
        frame.write.format("dativo_parquet").mode("append").partitionBy("id").save(str(tmp_path / "out"))
    with pytest.raises(Exception, match="no option 'compresion'"):
        dn_spark.write_parquet(frame, str(tmp_path / "out"), compresion="zstd")
    with pytest.raises(Exception, match="that all machines see"):
        save(frame, "s3://bucket/key")
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").glob("part-*"))


# ---- examples ---------------------------------------------------------------------------------------------------------


def test_example_of_spark(spark, tmp_path):
    done = subprocess.run([sys.executable, SOURCE / "examples/spark/csv_to_parquet.py", SOURCE / "examples/data/orders.csv", tmp_path / "out"],
                          capture_output=True, text=True, env={**os.environ, "SPARK_MASTER": "local[2]"})
    assert done.returncode == 0 and "3000 rows" in done.stdout, done.stderr


@pytest.mark.parametrize("engine", ["dask", "ray"])
def test_example_of_other_engines(tmp_path, engine):
    environment = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0", "RAY_agent_register_timeout_ms": "300000"}  # of a machine that is busy
    done = subprocess.run([sys.executable, SOURCE / f"examples/ray/with_{engine}.py", SOURCE / "examples/data/orders.csv", tmp_path / "out"],
                          capture_output=True, text=True, env=environment)
    assert done.returncode == 0 and "3000 rows" in done.stdout, done.stderr
