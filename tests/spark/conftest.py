"""The wheel in the environment of Spark, and one cluster of two workers for all tests."""

import os
import pathlib
import subprocess
import sys

import pytest

SOURCE = pathlib.Path(__file__).parents[2]


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
    from pyspark.sql import SparkSession

    from dativo_native import spark as dn_spark

    os.environ.update(PYSPARK_PYTHON=sys.executable, SPARK_LOCAL_IP="127.0.0.1")
    session = (
        SparkSession.builder.master("local-cluster[2,1,1024]")
        .config("spark.ui.enabled", "false")
        .config("spark.local.dir", str(tmp_path_factory.mktemp("spark")))
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.speculation", "true")
        .config("spark.speculation.interval", "100ms")
        .config("spark.speculation.quantile", "0.5")
        .config("spark.speculation.multiplier", "1.5")
        .config("spark.excludeOnFailure.enabled", "false")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("OFF")
    dn_spark.register(session)
    yield session
    session.stop()
