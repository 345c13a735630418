"""Jobs with a bucket as their target, and with objects as their sources."""
import io
import json
import pathlib
import os
import re
import subprocess

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

import s3_server
from command import BIN, PLUGINS
from conftest import KEY_ID, SECRET

SOURCE = pathlib.Path(os.environ["DN_SOURCE"])
KEY = "sales/shop/my_data/my_data_000000.parquet"
WRITER = f"""  custom_writer: "{PLUGINS}/libparquet_writer_plugin.so:create_writer"
  engine:
    options:
      compression: "zstd"
      row_group_size: 500000
"""


class Job:
    """The documented job, with the paths of this machine."""

    def __init__(self, home, server):
        self.home, self.server = home, server
        self.env = {"PATH": "/usr/bin:/bin", "HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true", "S3_ENDPOINT": server.url, "AWS_ENDPOINT_URL_S3": server.url,
                    "AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET, "DATIVO_PLUGIN_PATH": str(PLUGINS)}
        self.text = (SOURCE / "examples/jobs/csv_to_s3.yaml").read_text().replace("build/plugins", str(PLUGINS))

    def change(self, *pairs):
        for old, new in pairs:
            assert old in self.text, old
            self.text = self.text.replace(old, new)
        return self

    def start(self, *args, command="run", **env):
        (self.home / "job.yaml").write_text(self.text)
        return subprocess.Popen([str(BIN), command, *args, str(self.home / "job.yaml")], cwd=SOURCE,
                                env={k: v for k, v in {**self.env, **env}.items() if v is not None},
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def __call__(self, *args, command="run", timeout=120, **env):
        process = self.start(*args, command=command, **env)
        out, err = process.communicate(timeout=timeout)
        self.out, self.err, self.code = out.decode(), err.decode(), process.returncode
        for secret in (SECRET, "other-secret"):
            assert secret not in self.out + self.err, self.out + self.err
        return self

    def ok(self, *args, **more):
        self(*args, **more)
        assert self.code == 0, self.err
        assert self.server.problems == [] and self.server.uploads[self.bucket_name] == {}
        return self

    def fails(self, *args, says, **more):
        before = {name: item.data for name, item in self.bucket.items()}
        self(*args, **more)
        assert self.code == 2, (self.code, self.err)
        for word in [says] if isinstance(says, str) else says:
            assert word in self.err + self.out, self.err + self.out
        assert {name: item.data for name, item in self.bucket.items()} == before, "the bucket has changed"
        assert all(found == {} for found in self.server.uploads.values()), "an upload is open"
        return self.err

    bucket_name = "my-data-lake"

    @property
    def bucket(self):
        return self.server.buckets[self.bucket_name]


@pytest.fixture
def server():
    started = s3_server.Server(["my-data-lake", "other"]).start()
    yield started
    started.shutdown()


@pytest.fixture
def job(tmp_path, server):
    return Job(tmp_path, server)


def expected():
    """The orders as somebody else reads them."""
    types = pq.read_table  # noqa: F841
    return duckdb.sql(f"""select order_id::bigint order_id, customer, country, order_date::date order_date,
        shipped_at::timestamp shipped_at, quantity::bigint quantity, unit_price::double unit_price, total::double total,
        gift::boolean gift, note from read_csv('{SOURCE}/examples/data/orders.csv', all_varchar=true, header=true,
        allow_quoted_nulls=false)""").fetchall()


def rows(job, key=KEY):
    data = job.bucket[key].data
    table = pq.read_table(io.BytesIO(data))
    (job.home / "object.parquet").write_bytes(data)
    read = duckdb.sql(f"from '{job.home}/object.parquet'").fetchall()
    assert read == [tuple(row.values()) for row in table.to_pylist()]
    return read


@pytest.mark.parametrize("named", ["reader", "both", "none"])
def test_the_documented_job(job, named):
    if named == "both":
        job.change(('target:\n  connection:', f"target:\n{WRITER}  connection:"))
    if named == "none":
        job.text = re.sub(r"  custom_reader: .*\n", "", job.text)
    job.ok()
    assert list(job.bucket) == [KEY]
    assert rows(job) == expected()
    assert f"s3://my-data-lake/{KEY}" in job.err
    codec = pq.ParquetFile(io.BytesIO(job.bucket[KEY].data)).metadata.row_group(0).column(0).compression
    assert codec == ("ZSTD" if named == "both" else "SNAPPY")
