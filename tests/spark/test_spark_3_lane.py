"""Spark 3.4, which has no data sources in Python: the functions, on a cluster of two workers."""

import datetime
import decimal
import os
import pathlib
import signal

import pyarrow.parquet as pq
import pytest
from pyspark.sql import functions as F
from rows import SCHEMA, clean, fingerprint

from dativo_native import spark as dn_spark

TYPES = {"price": "decimal(12,2)", "at": "timestamptz"}


def test_there_are_no_sources(spark):
    with pytest.raises(Exception, match=r"Spark 3\..* has no data sources in Python, which came with 4.0"):
        dn_spark.register(spark)


def test_equals_sparks_own(spark, plain, tmp_path):
    plain, rows = plain
    theirs = fingerprint(spark.read.schema(SCHEMA).option("header", True).csv(plain))
    frame = dn_spark.read_csv(spark, plain, types=TYPES, split_size="16MB")
    assert fingerprint(frame) == theirs and theirs[0] == rows
    assert dn_spark.write_parquet(frame, str(tmp_path / "a"), compression="zstd").rows_out == rows
    assert dn_spark.write_parquet(frame.select("*"), str(tmp_path / "c")).rows_out == rows
    assert dn_spark.convert(spark, plain, str(tmp_path / "b"), split_size="16MB", types=TYPES).rows_out == rows
    for name in "abc":
        back = spark.read.parquet(str(tmp_path / name))
        assert clean(tmp_path / name) == rows and back.dtypes == frame.dtypes and fingerprint(back) == theirs
    given = dn_spark.read_csv(spark, plain, schema=frame.schema)
    assert given.dtypes == frame.dtypes and fingerprint(given) == theirs


def test_quoted_line_ends(spark, quoted, tmp_path):
    frame = dn_spark.read_csv(spark, quoted, split_size="150kB")
    dn_spark.write_parquet(frame, str(tmp_path / "q"))
    back = spark.read.parquet(str(tmp_path / "q"))
    assert clean(tmp_path / "q") == 100_000 == back.count() and len(list((tmp_path / "q").glob("part-*"))) > 10
    assert back.where(F.col("text") != F.concat(F.lit("a line,\n"), F.col("id"), F.lit(',and another "'), F.col("id"), F.lit('"'))).count() == 0


def test_a_frame_with_nothing_done_to_it(spark, quoted, tmp_path):
    """Its rows are not in Java, those of others are, and they are the same."""
    frame = dn_spark.read_csv(spark, quoted, split_size="400kB")
    wanted = fingerprint(frame)
    through_java = frame.mapInArrow
    frame.mapInArrow = None
    dn_spark.write_parquet(frame, str(tmp_path / "a"))
    with pytest.raises(TypeError):
        dn_spark.write_parquet(frame.cache(), str(tmp_path / "b"))
    frame.mapInArrow = through_java
    dn_spark.write_parquet(frame, str(tmp_path / "b"))
    frame.unpersist()
    frame.createOrReplaceTempView("kept")
    spark.sql("CACHE TABLE kept")
    frame.mapInArrow = None
    with pytest.raises(TypeError):
        dn_spark.write_parquet(frame, str(tmp_path / "c"))
    spark.catalog.clearCache()
    dn_spark.write_parquet(frame, str(tmp_path / "d"))
    dn_spark.write_parquet(frame.where("id % 2 = 0"), str(tmp_path / "c"))
    for name, rows in (("a", 100_000), ("b", 100_000), ("c", 50_000), ("d", 100_000)):
        assert clean(tmp_path / name) == rows
    assert fingerprint(spark.read.parquet(str(tmp_path / "a"))) == wanted == fingerprint(spark.read.parquet(str(tmp_path / "b")))


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "+08:00"])
def test_the_same_file_with_nothing_done_to_it(spark, tmp_path, zone):
    """Whether rows are in Java or not, values and types, and with them the name of the session's time zone, are the same."""
    path = tmp_path / "t.csv"
    path.write_text("id,at,price\n" + "".join(f"{i},2024-07-01T00:00:00.{i}Z,{i}.50\n" for i in range(10)))
    frame = dn_spark.read_csv(spark, str(path), types=TYPES)
    before = spark.conf.get("spark.sql.session.timeZone")
    spark.conf.set("spark.sql.session.timeZone", zone)
    try:
        dn_spark.write_parquet(frame, str(tmp_path / "a"))
        dn_spark.write_parquet(frame.select("*"), str(tmp_path / "b"))
    finally:
        spark.conf.set("spark.sql.session.timeZone", before)
    a, b = (pq.read_table(next((tmp_path / name).glob("part-*"))) for name in "ab")
    assert a.equals(b) and a.schema.field("at").type.tz == zone


def test_a_worker_is_killed(spark, quoted, tmp_path):
    killed = str(tmp_path / "killed")

    def work(batches):
        for batch in batches:
            yield batch
            try:
                os.close(os.open(killed, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                continue
            os.kill(os.getpid(), signal.SIGKILL)

    frame = dn_spark.read_csv(spark, quoted, split_size="400kB")
    wanted = fingerprint(frame)
    dn_spark.write_parquet(frame.mapInArrow(work, frame.schema), str(tmp_path / "out"))
    assert pathlib.Path(killed).exists() and clean(tmp_path / "out") == 100_000
    assert fingerprint(spark.read.parquet(str(tmp_path / "out"))) == wanted


def test_a_job_that_fails_changes_nothing(spark, quoted, tmp_path):
    frame = dn_spark.read_csv(spark, quoted, split_size="700kB")
    dn_spark.write_parquet(frame.limit(10), str(tmp_path / "out"))

    def fail(batches):
        yield from batches
        raise ValueError("on purpose")

    with pytest.raises(Exception, match="on purpose"):
        dn_spark.write_parquet(frame.mapInArrow(fail, frame.schema), str(tmp_path / "out"), mode="overwrite")
    assert clean(tmp_path / "out") == 10
    with pytest.raises(Exception, match="mode append or overwrite"):
        dn_spark.write_parquet(frame, str(tmp_path / "out"))
    dn_spark.write_parquet(frame, str(tmp_path / "out"), mode="append")
    assert clean(tmp_path / "out") == 100_010 == spark.read.parquet(str(tmp_path / "out")).count()


def test_types(spark, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("u8,u64,d,n,x,b\n255,18446744073709551615,1.50,2024-05-06T07:08:09.5,2024-05-06,AAE=\n,,,,,\n")
    types = {"u8": "uint8", "u64": "uint64", "d": "decimal(5,2)", "n": "timestamp[us]", "x": "date", "b": "binary"}
    frame = dn_spark.read_csv(spark, str(path), types=types)
    assert frame.dtypes == [("u8", "smallint"), ("u64", "decimal(20,0)"), ("d", "decimal(5,2)"), ("n", "timestamp_ntz"), ("x", "date"),
                            ("b", "binary")]
    dn_spark.write_parquet(frame, str(tmp_path / "out"))
    back = spark.read.parquet(str(tmp_path / "out"))
    assert back.dtypes == frame.dtypes and sorted(map(repr, back.collect())) == sorted(map(repr, frame.collect()))
    assert tuple(frame.where("u8 is not null").first()) == (
        255, decimal.Decimal(18446744073709551615), decimal.Decimal("1.50"),
        datetime.datetime(2024, 5, 6, 7, 8, 9, 500000), datetime.date(2024, 5, 6), bytearray(b"\x00\x01"))
    with pytest.raises(Exception, match=r'"u8" is of type time\[us\], which Spark does not have'):  # of 4.1
        dn_spark.read_csv(spark, str(path), types={"u8": "time[us]"})
