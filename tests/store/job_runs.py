"""The documented job against the server that believes nothing: run, refused, killed."""
import io
import os
import pathlib
import subprocess

import duckdb
import pyarrow.parquet as pq

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
        self.env = {"PATH": "/usr/bin:/bin", "HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true", "S3_ENDPOINT": server.url,
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


def expected():
    """The orders as somebody else reads them."""
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


HEADER, BODY = (SOURCE / "examples/data/orders.csv").read_bytes().split(b"\n", 1)


def make_large(job, end=b""):
    """Some 17 MB of CSV that become as much CSV in the bucket: three parts.  Returns what has to be in the object."""
    times = 17_000_000 // len(BODY)
    (job.home / "large.csv").write_bytes(HEADER + b"\n" + BODY * times + end)
    job.change(('"examples/data/orders.csv"', f'"{job.home}/large.csv"'), ('target:\n', 'target:\n  file_format: csv\n'))
    return HEADER, times


def kill_and_run_again(job, draws, seconds):
    """kill -9 at such parts of a run's time: nothing or all of an object, and the next run finds what was left open."""
    left_open = 0
    for draw in draws:
        process = job.start()
        try:
            process.wait(draw * seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
        process.stderr.close()
        left_open += len(job.server.uploads[job.bucket_name])
        before = {name: item.data for name, item in job.bucket.items()}
        assert before in ({}, {job.key: job.wanted}), (draw, list(before))
        job.ok()
        assert {name: item.data for name, item in job.bucket.items()} == {job.key: job.wanted}
        job.bucket.clear()
    return left_open
