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


# ---- where the connection comes from -----------------------------------------------------------------------------------


def nothing_set(job):
    """The environment says nothing; the job or its recipe has to."""
    for name in ("S3_ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del job.env[name]
    return job


def test_a_session_token_goes_with_its_keys(job):
    job.server.keys["AKIDTEMP"] = ("temporary", "the-token")
    job.ok(AWS_ACCESS_KEY_ID="AKIDTEMP", AWS_SECRET_ACCESS_KEY="temporary", AWS_SESSION_TOKEN="the-token")


@pytest.mark.parametrize("pairs, env, says", [
    ([('bucket: "my-data-lake"', "prefix: x")], {}, ["S3_BUCKET is not set", "MINIO_BUCKET"]),
    ([('bucket: "my-data-lake"', 'bucket: "my-data-lake/raw"')], {}, ["job.yaml:31:13", "goes into prefix"]),
    ([('bucket: "my-data-lake"', 'bucket: b\n    prefix: a/../b')], {}, ["job.yaml:32:13", "prefix"]),
    ([('bucket: "my-data-lake"', 'bucket: b\n    acces_key_id: x')], {}, ["job.yaml:32:5", 'did you mean "access_key_id"']),
    ([('bucket: "my-data-lake"', 'bucket: b\n    secure: maybe')], {}, ["job.yaml:32:13", "true or false"]),
    ([('bucket: "my-data-lake"', f'bucket: b\n    secret_key: "{SECRET}"')], {}, ["job.yaml:32:17", "without its access key"]),
    ([('bucket: "my-data-lake"', 'bucket: b\n    endpoint: "${LAKE}"')], {"S3_ENDPOINT": None, "AWS_ENDPOINT_URL_S3": None},
     ["LAKE is not set", "S3_ENDPOINT"]),
    ([("target_connector: s3", "target_connector: minio"), ("target_connector_path: examples/connectors/s3.yaml", "")],
     {"S3_ENDPOINT": None, "AWS_ENDPOINT_URL_S3": None}, ["says not where MinIO is", "MINIO_ENDPOINT"]),
])
def test_connections_that_cannot_be(job, pairs, env, says):
    job.change(*pairs).fails(says=says, **env)
    assert job.server.seen == []


# ---- sources in buckets and on the web ---------------------------------------------------------------------------------


def test_sources_in_a_bucket(job):
    """Keys of another account, in the job."""
    job.server.keys["AKIDOTHER"] = ("other-secret", None)
    job.server.buckets["other"]["in/orders.csv"] = s3_server.Object((SOURCE / "examples/data/orders.csv").read_bytes(), '"e"', {})
    job.change(('"examples/data/orders.csv"', "s3://other/in/orders.csv"),
               ("  engine:\n", '  connection: {access_key_id: AKIDOTHER, secret_access_key: "${OTHER}"}\n  engine:\n'))
    job.ok(OTHER="other-secret")
    assert rows(job) == expected()


# ---- what is said before anything is done ------------------------------------------------------------------------------


def test_dry_run(job):
    job.change(('"examples/data/orders.csv"', '"examples/data/orders.csv"\n    - path: "http://host/x.csv?token=other-secret"'),
               ("      delimiter:", '      api_token: "other-secret"\n      home: "${PLACE}"\n      delimiter:'))
    job.ok("--dry-run", PLACE="other-secret-place")
    assert f"s3://my-data-lake/{KEY}" in job.out and job.server.url in job.out and "order_id" in job.out and "http://host/x.csv" in job.out
    job.ok("--dry-run", "--json", PLACE="other-secret-place")
    plan = json.loads(job.out)
    assert plan["source"]["files"] == ["examples/data/orders.csv", "http://host/x.csv"]
    assert plan["source"]["options"] == {"batch_size": 50000, "api_token": "***", "home": "***", "delimiter": ","}
    assert plan["target"]["output"] == f"s3://my-data-lake/{KEY}"
    assert plan["target"]["connection"] == {"endpoint": job.server.url, "access_key_id": "***", "secret_access_key": "***"}
    assert plan["target"]["object"]["tags"]["domain"] == "sales"
    assert job.bucket == {} and job.server.seen == []
    job.fails("--json", says="--json belongs to --dry-run")


def test_check(job):
    job.ok(command="check")
    assert [line.split()[:2] for line in job.out.splitlines()] == [["ok", "reader"], ["ok", "writer"], ["ok", "source"], ["ok", "target"]]
    assert job.bucket == {} and sorted(job.server.operations()) == ["abort", "create"]
    job.ok("--json", command="check")
    assert json.loads(job.out)["ok"] is True


@pytest.mark.parametrize("pairs, env, failed", [
    ([("libcsv_reader_plugin", "libno_plugin")], {}, {"reader": ["job.yaml:19:18", "not found", "libno_plugin"]}),
    ([(":create_reader", ":make_reader")], {}, {"reader": ["job.yaml:19:18", "make_reader"]}),
    ([("orders.csv", "none.csv")], {}, {"source": ["job.yaml:22:13", "none.csv"]}),
    ([("delimiter: \",\"", "delimiter: \"||\"")], {}, {"source": ["job.yaml:27:7", "delimiter"]}),
    ([("my-data-lake", "no-such-bucket")], {}, {"target": ["job.yaml:31:13", "NoSuchBucket", "REQ", "buckets are not made here"]}),
    ([], {"AWS_SECRET_ACCESS_KEY": "other-secret"}, {"target": ["SignatureDoesNotMatch", "secret key does not belong"]}),
    ([("my-data-lake", "no-such-bucket"), ("orders.csv", "none.csv")], {}, {"source": ["none.csv"], "target": ["NoSuchBucket"]}),
])
def test_check_tells_what_is_wrong(job, pairs, env, failed):
    job.change(*pairs).fails("--json", command="check", says=[], **env)
    found = json.loads(job.out)
    assert found["ok"] is False
    assert {item["check"] for item in found["checks"] if item["ok"] is False} == set(failed)
    for item in found["checks"]:
        assert all(word in item["message"] for word in failed.get(item["check"], [])), item


# ---- what can go wrong -------------------------------------------------------------------------------------------------


def no_credentials(job):
    return {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}


def wrong_key(job):
    return {"AWS_ACCESS_KEY_ID": "AKIDWRONG"}


def wrong_secret(job):
    return {"AWS_SECRET_ACCESS_KEY": "other-secret"}


def fault(word, *operations):
    def prepare(job):
        job.server.fault = lambda request: word if not operations or request.operation in operations else None
        return {}
    return prepare


def no_bucket(job):
    job.change(("my-data-lake", "no-such-bucket"))
    return {}




def denied(job):
    job.server.denied.add(KEY)
    return {}


def clock(job):
    job.server.clock_offset = 3600
    job.server.fault = lambda request: "skew"
    return {}


def unreachable(job):
    return {"S3_ENDPOINT": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"}


BAD = [
    (no_credentials, ["there are no credentials for S3", "AWS_ACCESS_KEY_ID"]),
    (wrong_key, ["InvalidAccessKeyId", "REQ", "check it and the endpoint"]),
    (wrong_secret, ["SignatureDoesNotMatch", "REQ", "check it for cut or added bytes"]),
    (fault("expired"), ["ExpiredToken", "REQ", "fetch new credentials"]),
    (no_bucket, ["NoSuchBucket", "REQ", "buckets are not made here"]),
    (denied, ["AccessDenied", "REQ", "needs the permission s3:PutObject"]),
    (clock, ["RequestTimeTooSkewed", "REQ", "set this machine's clock"]),
    (unreachable, ["no connection to 127.0.0.1"]),
    (fault("full", "put"), ["507", "REQ", "the server's disk is full"]),
]


@pytest.mark.parametrize("command", ["run", "check"])
@pytest.mark.parametrize("prepare, says", BAD, ids=[getattr(p, "__name__", "?") + str(i) for i, (p, _) in enumerate(BAD)])
def test_bad_places(job, prepare, says, command):
    """One message with the place in the job, the URL, the code, the request, and what to do; nothing in the bucket."""
    env = prepare(job)
    if "the server's disk is full" in says and command == "check":
        fault("full", "create")(job)
    said = job.fails(command=command, says=["job.yaml:31:13", f"s3://{'no-such-bucket' if prepare is no_bucket else 'my-data-lake'}/{KEY}", *says],
                     **env)
    if command == "run":
        assert said.count("error:") == 1 and said.count("\n") == said.split("error:")[0].count("\n") + 1, said
    else:
        assert job.out.count("FAILED") == 1, job.out
