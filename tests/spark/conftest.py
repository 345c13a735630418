"""The wheel in the environment of Spark, one cluster of two workers for all tests of a file, and what they read.

DN_SPARK_ROWS=10000000 for a large one."""

import os
import pathlib
import subprocess
import sys

import pytest
from rows import NAMES, SOURCE

ROWS = int(os.environ.get("DN_SPARK_ROWS", 1_000_000))


def install():
    """Workers use what is installed, as those of a real cluster do: a wheel that is older than what it is made of is made again."""
    made_of = [path for folder in ("python", "plugins", "src") for path in (SOURCE / folder).rglob("*.[chp]*") if path.is_file()]
    wheels = list(SOURCE.glob("dist/dativo_native-*.whl"))
    if not wheels or wheels[0].stat().st_mtime < max(path.stat().st_mtime for path in made_of):
        subprocess.run([SOURCE / "tools/setup.sh", "wheel"], check=True)
        subprocess.run([SOURCE / "tools/wheel.sh"], check=True)
    (wheel,) = SOURCE.glob("dist/dativo_native-*.whl")
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", "--force-reinstall", wheel], check=True)


if os.environ.get("DN_SPARK_PACKAGE") != "installed":
    install()


@pytest.fixture(scope="session")
def spark(tmp_path_factory):
    """Spark 4 has the data sources, Spark 3 has the functions alone."""
    from pyspark.sql import SparkSession

    from dativo_native import spark as dn_spark

    os.environ.update(PYSPARK_PYTHON=sys.executable, SPARK_LOCAL_IP="127.0.0.1")
    session = (
        SparkSession.builder.master("local-cluster[2,1,1024]")
        .config("spark.ui.enabled", "false")
        .config("spark.local.dir", str(tmp_path_factory.mktemp("spark")))
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.worker.timeout", "600")  # of a machine that is busy, or stands still for a while
        .config("spark.network.timeout", "600s")
        .config("spark.executor.heartbeatInterval", "60s")
        .config("spark.speculation", "true")
        .config("spark.speculation.interval", "100ms")
        .config("spark.speculation.quantile", "0.5")
        .config("spark.speculation.multiplier", "1.5")
        .config("spark.excludeOnFailure.enabled", "false")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("OFF")
    if hasattr(session, "dataSource"):
        dn_spark.register(session)
    yield session
    session.stop()


@pytest.fixture(scope="session")
def plain(tmp_path_factory):
    """What both readers can read, with nulls and quotes, but no line end in a text: its name and how many rows it has."""
    path = tmp_path_factory.mktemp("plain") / "plain.csv"
    with open(path, "w", encoding="utf-8") as file:
        file.write(",".join(NAMES) + "\n")
        for i in range(ROWS):
            name = "" if i % 11 == 0 else f'"größe, {i % 9973}"' if i % 3 else f"name {i}"
            file.write(f"{i},{name},{i % 99991}.{i % 100:02},{i / 8},20{i % 30 + 10}-0{i % 9 + 1}-1{i % 10},2024-05-06T07:08:{i % 60:02}.25Z,"
                       f"{'true' if i % 2 else 'false'}\n")
    return str(path), ROWS


@pytest.fixture(scope="session")
def quoted(tmp_path_factory):
    path = tmp_path_factory.mktemp("quoted") / "quoted.csv"
    with open(path, "w", encoding="utf-8") as file:
        file.write("id,text\n" + "".join(f'{i},"a line,\n{i},and another ""{i}"""\n' for i in range(100_000)))
    return str(path)
