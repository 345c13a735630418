"""What a server of S3 by somebody else is asked for; test_moto.py and test_s3proxy_slow.py say which, by the fixture `service`."""

import gzip
import io
import os
import signal
import subprocess
import sys

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.fs
import pyarrow.parquet as pq
import pytest
import yaml

import job_runs
from command import BIN, PLUGINS
from conftest import EXISTS, IO, NOT_FOUND, Tool, contents

sys.path[:0] = [str(job_runs.SOURCE / "tests" / folder) for folder in ("abi", "pg")]
import jobs  # noqa: E402
import postgres_server  # noqa: E402
from stock_host import StockReader, StockWriter, load  # noqa: E402

ROWS = 700_000
WRONG = "wrong/secret+key="


@pytest.fixture
def tool(tmp_path, service):
    made = Tool(tmp_path, service.url, [f"--key-id={service.key_id}", f"--secret={service.secret}"])
    made.secrets.append(service.secret)
    return made


class Command:
    def __init__(self, home, service):
        self.home, self.service = home, service
        self.env = {"PATH": "/usr/bin:/bin", "HOME": str(home), "AWS_ENDPOINT_URL_S3": service.url, "AWS_ACCESS_KEY_ID": service.key_id,
                    "AWS_SECRET_ACCESS_KEY": service.secret, "AWS_EC2_METADATA_DISABLED": "true"}

    def start(self, *args, **env):
        return subprocess.Popen([str(BIN), *map(str, args)], cwd=self.home, env={**self.env, **env}, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, stdin=subprocess.PIPE)

    def __call__(self, *args, **env):
        started = self.start(*args, **env)
        out, err = started.communicate(timeout=120)
        assert self.service.secret.encode() not in out + err
        started.text = err.decode()
        return started

    def ok(self, *args, **env):
        done = self(*args, **env)
        assert done.returncode == 0, (done.text, self.service.log.read_text()[-2000:])

    def fails(self, *args, says, **env):
        before = self.service.keys()
        done = self(*args, **env)
        assert done.returncode == 2, (done.returncode, done.text)
        assert all(word in done.text for word in says), done.text
        assert self.service.keys() == before and self.service.uploads() == []


@pytest.fixture
def command(tmp_path, service):
    return Command(tmp_path, service)


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    """CSV of more than one part."""
    path = tmp_path_factory.mktemp("big") / "big.csv"
    path.write_text("id,name,price\n" + "".join(f"{i},name {i * 7919 % 10007},{i / 8}\n" for i in range(ROWS)))
    return path


def same_as_csv(table, csv):
    """As pyarrow and DuckDB read the CSV."""
    assert table.equals(pa.csv.read_csv(csv).cast(table.schema))
    theirs = duckdb.sql(f"select * from read_csv('{csv}')")
    ours = duckdb.from_arrow(table)
    assert theirs.count("*").fetchall() == ours.count("*").fetchall() == [(table.num_rows,)]
    assert theirs.except_(ours).fetchall() == [] and ours.except_(theirs).fetchall() == []


def test_there_and_back(command, service, big):
    """In parts, and in pieces."""
    command.ok("convert", "-q", big, "s3://bucket/d/out.parquet")
    stored = service.get("d/out.parquet")
    assert len(stored) > 8 << 20
    same_as_csv(pq.read_table(io.BytesIO(stored)), big)
    command.ok("convert", "-q", "s3://bucket/d/out.parquet", "s3://bucket/d/out.csv")
    assert service.get("d/out.csv") == big.read_bytes()
    command.ok("convert", "-q", "s3://bucket/d/out.csv", "out.parquet")
    same_as_csv(pq.read_table(command.home / "out.parquet"), big)
    assert service.uploads() == []


def test_small_and_packed(command, service):
    text = b"id,name\n" + b"".join(b"%d,x\n" % i for i in range(1000))
    service.other.put_object(Bucket="bucket", Key="a b/in.csv.gz", Body=gzip.compress(text))
    command.ok("convert", "-q", "s3://bucket/a b/in.csv.gz", "s3://bucket/small.csv")
    assert service.get("small.csv") == text


def test_nothing_is_replaced_unless_it_is_wished(command, service):
    (command.home / "in.csv").write_text("a\n1\n")
    command.ok("convert", "-q", "in.csv", "s3://bucket/once.csv")
    (command.home / "in.csv").write_text("a\n2\n")
    command.fails("convert", "-q", "in.csv", "s3://bucket/once.csv", says=["s3://bucket/once.csv", "is there already"])
    assert service.get("once.csv") == b"a\n1\n"
    command.ok("convert", "-qf", "in.csv", "s3://bucket/once.csv")
    assert service.get("once.csv") == b"a\n2\n"


def test_what_fails_leaves_nothing(command, service, big):
    with (command.home / "bad.csv").open("w") as bad:
        bad.write(big.read_text() + "1,2,3,4\n")
    command.fails("convert", "-q", "bad.csv", "s3://bucket/bad.csv", says=["bad.csv: line"])
    command.fails("convert", "-q", big, "s3://nobucket/x.csv", says=["s3://nobucket/x.csv", "NoSuchBucket"])
    command.fails("convert", "-q", "s3://bucket/none.csv", "x.csv", says=["s3://bucket/none.csv", "NoSuchKey"])
    command.fails("convert", "-q", big, "s3://bucket/x.csv", says=["s3://bucket/x.csv", "SignatureDoesNotMatch"],
                  AWS_SECRET_ACCESS_KEY=WRONG)
    command.fails("convert", "-q", big, "s3://bucket/x.csv", says=["s3://bucket/x.csv", "InvalidAccessKeyId"],
                  AWS_ACCESS_KEY_ID="AKIDNOBODY")


def documented_rows(service, folder):
    """What others read of the job's object: pyarrow from the bucket, DuckDB from a copy."""
    bucket = pyarrow.fs.S3FileSystem(access_key=service.key_id, secret_key=service.secret, endpoint_override=service.url, region="us-east-1")
    table = pq.read_table(f"my-data-lake/{job_runs.KEY}", filesystem=bucket)
    copy = folder / "copy.parquet"
    copy.write_bytes(service.other.get_object(Bucket="my-data-lake", Key=job_runs.KEY)["Body"].read())
    read = duckdb.sql(f"from '{copy}'").fetchall()
    assert read == [tuple(row.values()) for row in table.to_pylist()]
    return read


@pytest.fixture
def lake(service):
    """The bucket of the documented job, with nothing in it."""
    if "my-data-lake" not in [b["Name"] for b in service.other.list_buckets()["Buckets"]]:
        service.other.create_bucket(Bucket="my-data-lake")
    service.other.delete_object(Bucket="my-data-lake", Key=job_runs.KEY)


def test_the_documented_job(tmp_path, service, lake):
    """With both plugins named."""
    job = job_runs.Job(tmp_path, service).change(("target:\n  connection:", f"target:\n{job_runs.WRITER}  connection:"))
    job(AWS_ACCESS_KEY_ID=service.key_id, AWS_SECRET_ACCESS_KEY=service.secret)
    assert job.code == 0, (job.err, service.log.read_text()[-2000:])
    assert service.secret not in job.err + job.out
    assert documented_rows(service, tmp_path) == job_runs.expected()


@pytest.mark.skipif(bool(os.environ.get("DN_SANITIZED")), reason="Python would need the sanitizer's runtime; test_plugins.py has it")
def test_the_documented_job_by_the_calls_of_a_stock_host(tmp_path, service, lake, monkeypatch):
    job = yaml.safe_load((job_runs.SOURCE / "examples/jobs/csv_to_s3.yaml").read_text())
    asset = yaml.safe_load((job_runs.SOURCE / job["asset_path"]).read_text())
    for name in [n for n in os.environ if n.startswith(("AWS_", "S3_", "MINIO_", "DATIVO_"))]:
        monkeypatch.delenv(name)
    for name, value in {"S3_ENDPOINT": service.url, "AWS_ACCESS_KEY_ID": service.key_id, "AWS_SECRET_ACCESS_KEY": service.secret,
                        "AWS_EC2_METADATA_DISABLED": "true", "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(job_runs.SOURCE)
    reader = StockReader({"type": "csv", "files": job["source"]["files"], "engine": job["source"]["engine"]})
    writer = StockWriter({"asset_name": job["asset"], "schema": asset["schema"], "connection": job["target"]["connection"],
                          "output_base": f"s3://{job['target']['connection']['bucket']}/{os.path.dirname(job_runs.KEY)}", "target_type": "s3",
                          "file_format": "parquet", "engine": {"options": {"compression": "zstd", "row_group_size": 500000}}})
    files = writer.write_batch(reader.rows(), 0)
    assert [f["path"] for f in files] == [f"s3://my-data-lake/{job_runs.KEY}"]
    assert documented_rows(service, tmp_path) == job_runs.expected()


@pytest.fixture(scope="module")
def database():
    if not (postgres_server.BIN / "initdb").exists():
        pytest.skip("there is no server of PostgreSQL")
    with postgres_server.Server() as server:
        server.sql(jobs.LARGE.replace("ROWS", "30000"))
        yield server


def large_table(service):
    bucket = pyarrow.fs.S3FileSystem(access_key=service.key_id, secret_key=service.secret, endpoint_override=service.url, region="us-east-1")
    return pq.read_table(f"my-data-lake/{job_runs.KEY}", filesystem=bucket)


def test_the_documented_job_of_postgres(tmp_path, service, lake, database):
    job = jobs.Documented(tmp_path, database, service)
    job.env.update(AWS_ACCESS_KEY_ID=service.key_id, AWS_SECRET_ACCESS_KEY=service.secret)
    done = job.ok()
    assert service.secret not in done.err + done.out
    table = large_table(service)
    assert table.num_rows == 30000
    jobs.same_as_server(database, table, "large_table", "order_id")


@pytest.mark.skipif(bool(os.environ.get("DN_SANITIZED")), reason="Python would need the sanitizer's runtime; test_plugins.py has it")
def test_the_documented_job_of_postgres_by_the_calls_of_a_stock_host(tmp_path, service, lake, database, monkeypatch):
    """That host sends no tables; objects name the one."""
    job = yaml.safe_load((job_runs.SOURCE / "examples/jobs/postgres_to_s3.yaml").read_text())
    asset = yaml.safe_load((job_runs.SOURCE / job["asset_path"]).read_text())
    recipe = yaml.safe_load((job_runs.SOURCE / job["source_connector_path"]).read_text())
    recipe["default_engine"]["options"]["meltano"]["batch_size"] = 7500
    for name in [n for n in os.environ if n.startswith(("AWS_", "S3_", "MINIO_", "DATIVO_", "PG"))]:
        monkeypatch.delenv(name)
    for name, value in {"S3_ENDPOINT": service.url, "AWS_ACCESS_KEY_ID": service.key_id, "AWS_SECRET_ACCESS_KEY": service.secret,
                        "AWS_EC2_METADATA_DISABLED": "true", "HOME": str(tmp_path), "PGHOST": str(database.folder),
                        "PGPORT": str(database.port)}.items():
        monkeypatch.setenv(name, value)
    reader = StockReader({"type": "postgres", "connection": {"host": "${PGHOST:-localhost}", "port": "${PGPORT}", "password": "${PGPASSWORD}"},
                          "credentials": {"type": "basic", "user": "postgres"}, "files": [], "incremental": {},
                          "objects": [t["name"] for t in job["source"]["tables"]], "engine": recipe["default_engine"]},
                         load(PLUGINS / "libpostgres_reader_plugin.so"))
    writer = StockWriter({"asset_name": job["asset"], "schema": asset["schema"], "connection": job["target"]["connection"],
                          "output_base": f"s3://{job['target']['connection']['bucket']}/{os.path.dirname(job_runs.KEY)}", "target_type": "s3",
                          "file_format": "parquet", "engine": job["target"]["engine"]})
    batches = list(reader.extract())
    assert [len(batch) for batch in batches] == [7500] * 4  # as the recipe has it for the host's own engine
    files = writer.write_batch([row for batch in batches for row in batch], 0)
    assert [f["path"] for f in files] == [f"s3://my-data-lake/{job_runs.KEY}"]
    jobs.same_as_server(database, large_table(service), "large_table", "order_id")


def feed(started, big, service):
    """More than a part, so that there is an upload; then the source waits."""
    with big.open("rb") as text:
        started.stdin.write(text.read(13 << 20))
    started.stdin.flush()
    while not service.uploads():
        assert started.poll() is None, started.stderr.read()


def test_terminated(command, service, big):
    started = command.start("convert", "-q", "-", "s3://bucket/ended.csv")
    feed(started, big, service)
    started.send_signal(signal.SIGTERM)
    assert started.wait(60) == 143
    assert service.uploads() == [] and "ended.csv" not in service.keys()


def test_killed_and_run_again(command, service, big):
    started = command.start("convert", "-q", "-", "s3://bucket/again.csv")
    feed(started, big, service)
    started.kill()
    started.wait()
    assert len(service.uploads()) == 1 and "again.csv" not in service.keys()
    command.ok("convert", "-q", big, "s3://bucket/again.csv")
    assert service.get("again.csv") == big.read_bytes()
    assert service.uploads() == []


@pytest.mark.parametrize("key", ["a", "d=2026-01-02/part+1 (2).csv", "caf\u00e9/\u65e5\u672c.parquet", "-_.!*'();:@&=+$,", "x%20y"])
def test_any_key(tool, service, key):
    tool.file("f", 5000)
    tool.ok("put", "f", f"s3://bucket/{key}")
    assert service.get(key) == contents(5000)
    tool.ok("get", f"s3://bucket/{key}", "back", 999)
    assert (tool.home / "back").read_bytes() == contents(5000)
    assert tool.ok("list", f"s3://bucket/{key}").startswith(f"{key} 5000 ")
    tool.ok("delete", f"s3://bucket/{key}")
    assert key not in service.keys()


def test_an_upload_in_parts(tool, service):
    data = contents(12_000_000)
    tool.file("f", len(data))
    tool.ok("upload", "f", "s3://bucket/parts", 5 << 20, 2, options=["--meta=asset-name:x", "--content-type=application/x-parquet"])
    there = service.other.get_object(Bucket="bucket", Key="parts")
    assert there["Body"].read() == data
    assert there["Metadata"] == {"asset-name": "x"} and there["ContentType"] == "application/x-parquet"
    tool.ok("get", "s3://bucket/parts", "back", 3_000_000, 3)
    assert (tool.home / "back").read_bytes() == data


def test_what_is_refused(tool):
    tool.file("f", 6000)
    tool.ok("put", "f", "s3://bucket/there")
    tool.fails("put", "f", "s3://bucket/there", code=EXISTS, options=["--overwrite=no"])
    tool.fails("upload", "f", "s3://bucket/there", 6000, 1, code=EXISTS, options=["--overwrite=no"])
    tool.fails("upload", "f", "s3://bucket/small", 1000, 2, code=IO, says="EntityTooSmall")
    tool.fails("get", "s3://bucket/none", "x", code=NOT_FOUND, says="NoSuchKey")
    tool.fails("get", "s3://nobucket/none", "x", code=NOT_FOUND, says="NoSuchBucket")
    tool.fails("head", "s3://bucket/there", code=IO, options=[f"--secret={WRONG}"])
    tool.fails("head", "s3://bucket/there", code=IO, options=["--key-id=AKIDNOBODY"])
    assert tool.ok("uploads", "s3://bucket/") == ""
