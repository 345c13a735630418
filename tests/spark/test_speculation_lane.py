"""A second attempt of a task that is slow wins: Spark makes one on another host only, so each of two workers has an address of its own."""

import os
import pathlib
import socket
import subprocess
import sys
import time

import pytest
from pyspark.sql import SparkSession
from rows import clean, fingerprint

from dativo_native import spark as dn_spark

SLOW = 300  # seconds that the first attempt of a task would take: more than the tests have


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    """A cluster of its own with a master and workers at 127.0.0.1 and 127.0.0.2, each with one core."""
    import pyspark

    home = pathlib.Path(pyspark.__file__).parent
    folder = tmp_path_factory.mktemp("cluster")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    master = f"spark://127.0.0.1:{port}"
    logs = open(folder / "log", "wb")
    environment = {**os.environ, "SPARK_LOCAL_DIRS": str(folder), "SPARK_NO_DAEMONIZE": "1"}

    def start(name, *arguments):
        return subprocess.Popen([home / "bin/spark-class", f"org.apache.spark.deploy.{name}", *arguments, "--webui-port", "0"], stdout=logs,
                                stderr=subprocess.STDOUT, env=environment)

    running = [start("master.Master", "--host", "127.0.0.1", "--port", str(port))]
    session = None
    try:
        for number in (1, 2):
            running.append(start("worker.Worker", "--host", f"127.0.0.{number}", "--cores", "1", "--memory", "1G", "--work-dir",
                                 str(folder / str(number)), master))
        give_up = time.monotonic() + 120
        while (folder / "log").read_bytes().count(b"Successfully registered with master") < 2:
            assert time.monotonic() < give_up, (folder / "log").read_text()
            time.sleep(0.1)
        os.environ.update(PYSPARK_PYTHON=sys.executable, SPARK_LOCAL_IP="127.0.0.1")
        session = (
            SparkSession.builder.master(master)
            .config("spark.ui.enabled", "false")
            .config("spark.executor.memory", "512m")
            .config("spark.network.timeout", "600s")
            .config("spark.executor.heartbeatInterval", "60s")
            .config("spark.scheduler.minRegisteredResourcesRatio", "1")
            .config("spark.scheduler.maxRegisteredResourcesWaitingTime", "120s")
            .config("spark.cores.max", "2")
            .config("spark.sql.session.timeZone", "UTC")
            .config("spark.speculation", "true")
            .config("spark.speculation.interval", "100ms")
            .config("spark.speculation.quantile", "0.5")
            .getOrCreate()
        )
        session.sparkContext.setLogLevel("OFF")
        dn_spark.register(session)
        yield session
    finally:
        if session is not None:
            session.stop()
        for process in reversed(running):
            process.terminate()
        for process in running:
            process.wait(60)
        logs.close()


def slow_once(places):
    """The first attempt of the first task stops after some rows; who begins and who ends is told in a folder."""

    def work(batches):
        from pyspark import TaskContext

        context = TaskContext.get()
        name = f"{context.partitionId()}-{context.attemptNumber()}"
        pathlib.Path(places, f"{name}-begun").touch()
        for batch in batches:
            half = batch.num_rows // 2
            yield batch.slice(0, half)
            if name == "0-0":
                time.sleep(SLOW)
            yield batch.slice(half)
        pathlib.Path(places, f"{name}-done").touch()

    return work


def source(frame, path):
    frame.write.format("dativo_parquet").mode("append").save(str(path))


def functions(frame, path):
    dn_spark.write_parquet(frame, str(path))


@pytest.mark.parametrize("write", [source, functions])
def test_the_second_attempt_wins(spark, quoted, tmp_path, write):
    places = tmp_path / "places"
    places.mkdir()
    frame = spark.read.format("dativo_csv").option("split_size", "700kB").load(quoted)
    wanted = fingerprint(frame)
    begun = time.monotonic()
    write(frame.mapInArrow(slow_once(str(places)), frame.schema), tmp_path / "out")
    assert time.monotonic() - begun < SLOW
    names = {place.name for place in places.iterdir()}
    assert {"0-0-begun", "0-1-begun", "0-1-done"} <= names and "0-0-done" not in names
    assert clean(tmp_path / "out") == 100_000
    assert fingerprint(spark.read.parquet(str(tmp_path / "out"))) == wanted
