"""Every job file of the public host's repository: what this host makes of it, and that it ends as the Python host does (host_jobs.py)."""

import io
import json
import os
import shutil
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import host_jobs
import s3_server
from command import BIN, PLUGINS
from conftest import KEY_ID, SECRET

JOBS = host_jobs.jobs()
# Python's own end after an exception, and what it does with plugins in Python, nobody else can have.
OTHERWISE = {job.name for job in JOBS if job.stock == "traceback"} | {"smoke_test_1", "smoke_test_2"}


@pytest.fixture(scope="module")
def server():
    started = s3_server.Server(["test-bucket", "my-data-lake"]).start()
    yield started
    started.shutdown()


@pytest.fixture
def host(tmp_path, server):
    host_jobs.write_all(tmp_path)
    built = tmp_path / "examples/plugins/rust/target/release"
    built.mkdir(parents=True)
    for name in ("libcsv_reader_plugin.so", "libparquet_writer_plugin.so"):
        shutil.copy(PLUGINS / name, built)
    for bucket in server.buckets.values():
        bucket.clear()
    return Host(tmp_path, server)


class Host:
    def __init__(self, root, server):
        self.root, self.server = root, server
        self.env = {"PATH": os.environ["PATH"], "HOME": str(root), "AWS_EC2_METADATA_DISABLED": "true", "DATIVO_PLUGIN_PATH": str(PLUGINS),
                    "AWS_ENDPOINT_URL_S3": server.url, "S3_ENDPOINT": server.url, "MINIO_ENDPOINT": server.url, "S3_BUCKET": "test-bucket", "AWS_REGION": "us-east-1",
                    "AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET, "MINIO_ACCESS_KEY": KEY_ID, "MINIO_SECRET_KEY": SECRET}

    def run(self, name):
        done = subprocess.run([BIN, "run", "--log-format", "json", f"jobs/{name}.yaml"], cwd=self.root, env=self.env, capture_output=True,
                              timeout=120)
        text = done.stderr.decode()
        assert SECRET not in text and "Sanitizer" not in text, text
        return done.returncode, [json.loads(line) for line in text.splitlines()], text

    def table(self, key):
        return pq.read_table(io.BytesIO(self.server.buckets["test-bucket"][key].data))


def test_there_are_all_of_them():
    assert len(JOBS) == 47 and len({job.name for job in JOBS}) == 47


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_a_job(host, job):
    code, lines, text = host.run(job.name)
    bucket = host.server.buckets["test-bucket"]
    assert code == job.code, text
    assert code == job.stock or job.name in OTHERWISE
    for word in job.says:
        assert any(word in line["message"] for line in lines), text
    assert host.server.problems == [] and not any(host.server.uploads.values())
    if code == 2:
        assert lines[-1]["event_type"] == "job_error" and sum(line["level"] == "ERROR" for line in lines) == 1
        assert not any(host.server.buckets.values())
        return
    assert lines[-1]["event_type"] == "job_finished"
    assert (lines[-1]["rows_in"], lines[-1]["rows_out"]) == (job.rows, job.rows)
    assert list(bucket) == [job.key] and host.table(job.key).num_rows == job.rows


NOT_OURS = [job for job in JOBS if job.says and job.says[0].startswith(("source connector", "target connector", "is a Python plugin"))]


@pytest.mark.parametrize("job", NOT_OURS, ids=lambda job: job.name)
def test_what_is_not_ours_is_one_line(host, job):
    host.env = {"PATH": host.env["PATH"]}  # no variable is needed to say so
    code, lines, _ = host.run(job.name)
    assert code == 2 and len(lines) == 1
    assert lines[0]["message"].startswith(f"jobs/{job.name}.yaml:") and "Python host" in lines[0]["message"]


def test_values(host):
    host.run("csv_listening_history_to_minio")
    host.run("csv_sales_order_to_s3")
    host.run("csv_employee_to_iceberg_with_catalog")
    host.run("csv_product_to_minio")
    keys = {job.name: job.key for job in JOBS}
    heard = host.table(keys["csv_listening_history_to_minio"])
    assert heard.schema.field("date").type == pa.date32() and heard.schema.field("premium").type == pa.bool_()
    assert heard.column("album").to_pylist() == ["÷"] * 10
    assert host.table(keys["csv_sales_order_to_s3"]).column("TerritoryID").to_pylist() == [1, 2, None, *range(4, 11)]
    employees = host.table(keys["csv_employee_to_iceberg_with_catalog"])  # no column of the asset, all of the file
    assert employees.schema.names == ["0\t295847284\tworks\\user0\tTitle of Ünë\t2009-01-14"]
    assert employees.column(0).to_pylist()[-1] == "289\t295847573\tworks\\user289\tTitle of Ünë\t2009-01-14"
    products = host.table(keys["csv_product_to_minio"])
    assert products.column("Weight").to_pylist() == [i + 0.5 for i in range(1, 11)] + [None]
    assert str(products.column("ModifiedDate")[0]) == "2014-02-08 10:01:36.827000"


def test_an_unchanged_file_is_read_once(host):
    """The Python host ends with 2 where nothing is new: that is no failure here."""
    assert host.run("csv_employee_state_persistence")[0] == 1
    state = host.root / ".local/state/test_tenant/csv.employee.state.json"
    assert list(json.loads(state.read_text())) == ["file_seeds/Employee.csv"]
    code, lines, _ = host.run("csv_employee_state_persistence")
    assert code == 0 and [line["event_type"] for line in lines][-2:] == ["no_new_files", "job_finished"]
    (host.root / "seeds/Employee.csv").touch()
    assert host.run("csv_employee_state_persistence")[0] == 1
    assert len(host.server.buckets["test-bucket"]) == 1


def test_a_wrapped_asset(host):
    (host.root / "seeds/missing.csv").write_text("id\n7\n")
    assert host.run("csv_to_iceberg_with_catalog")[0] == 0
    (key,) = host.server.buckets["test-bucket"]
    assert key.startswith("dativo/wrappeds/csv_wrapped/ingest_date=") and host.table(key).column("id").to_pylist() == [7]
