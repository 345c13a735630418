"""Jobs with a bucket as their target, and with objects as their sources."""
import io
import json
import re
import signal
import threading
import time

import pyarrow.parquet as pq
import pytest

import s3_server
from conftest import KEY_ID, SECRET
from job_runs import KEY, SOURCE, WRITER, Job, expected, make_large, rows
from stopping import within_a_second


@pytest.fixture
def server():
    started = s3_server.Server(["my-data-lake", "other"]).start()
    yield started
    started.shutdown()


@pytest.fixture
def job(tmp_path, server):
    return Job(tmp_path, server)


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
    for name in ("S3_ENDPOINT", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del job.env[name]
    return job


@pytest.mark.parametrize("nest", ["", "s3", "minio"])
def test_the_job_says_everything(job, nest):
    inner = f'{{bucket: my-data-lake, endpoint: "{job.server.url}", access_key_id: {KEY_ID}, secret_access_key: "{SECRET}", region: us-east-1}}'
    nothing_set(job).change(('  connection:\n    bucket: "my-data-lake"', f"  connection: {f'{{{nest}: {inner}}}' if nest else inner}"))
    job.ok()
    assert rows(job) == expected()


def test_the_recipe_of_minio(job):
    nothing_set(job).change(("target_connector: s3", "target_connector: minio"), ("connectors/s3.yaml", "connectors/minio.yaml"),
                            ('bucket: "my-data-lake"', "prefix: /raw/csv/"))
    host = job.server.url.removeprefix("http://")
    job.ok(MINIO_ENDPOINT=host, MINIO_BUCKET="my-data-lake", MINIO_ACCESS_KEY=KEY_ID, MINIO_SECRET_KEY=SECRET)
    assert rows(job, "raw/csv/" + KEY) == expected()


def test_the_environment_of_the_host(job):
    """No recipe, and a connection without anything."""
    nothing_set(job).change(("target_connector_path: examples/connectors/s3.yaml", ""), ('  connection:\n    bucket: "my-data-lake"', "  {}"))
    job.ok(S3_BUCKET="my-data-lake", MINIO_ENDPOINT=job.server.url, MINIO_ACCESS_KEY=KEY_ID, MINIO_SECRET_KEY=SECRET)
    job.ok(MINIO_BUCKET="my-data-lake", AWS_ENDPOINT_URL=job.server.url, AWS_ACCESS_KEY_ID=KEY_ID, AWS_SECRET_ACCESS_KEY=SECRET)


def test_a_session_token_goes_with_its_keys(job):
    job.server.keys["AKIDTEMP"] = ("temporary", "the-token")
    job.ok(AWS_ACCESS_KEY_ID="AKIDTEMP", AWS_SECRET_ACCESS_KEY="temporary", AWS_SESSION_TOKEN="the-token")


def test_a_profile_in_the_job_is_before_keys_of_the_recipe(job):
    (job.home / "credentials").write_text(f"[lake]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n")
    job.change(('bucket: "my-data-lake"', 'bucket: "my-data-lake"\n    profile: lake'))
    job.ok(AWS_ACCESS_KEY_ID="AKIDWRONG", AWS_SECRET_ACCESS_KEY="other-secret", AWS_SHARED_CREDENTIALS_FILE=str(job.home / "credentials"))


@pytest.mark.parametrize("pairs, env, says", [
    ([('bucket: "my-data-lake"', "prefix: x")], {}, ["S3_BUCKET is not set, nor is MINIO_BUCKET;"]),
    ([('bucket: "my-data-lake"', 'bucket: "my-data-lake/raw"')], {}, ["job.yaml:31:13", "goes into prefix"]),
    ([('bucket: "my-data-lake"', 'bucket: b\n    prefix: a/../b')], {}, ["job.yaml:32:13", "prefix"]),
    ([('bucket: "my-data-lake"', 'bucket: b\n    acces_key_id: x')], {}, ["job.yaml:32:5", 'did you mean "access_key_id"']),
    ([('bucket: "my-data-lake"', 'bucket: b\n    secure: maybe')], {}, ["job.yaml:32:13", "true or false"]),
    ([('bucket: "my-data-lake"', f'bucket: b\n    secret_key: "{SECRET}"')], {}, ["job.yaml:32:17", "without its access key"]),
    ([('bucket: "my-data-lake"', 'bucket: b\n    endpoint: "${LAKE}"')], {"S3_ENDPOINT": None},
     ["LAKE is not set", "S3_ENDPOINT"]),
    ([('bucket: "my-data-lake"', 'bucket: b\n    access_key_id: AKIDTEST\n    secret_access_key: "${LAKE}"')], {},
     ["job.yaml:33:24", "LAKE is not set", "half of the keys"]),
    ([("target_connector: s3", "target_connector: minio"), ("target_connector_path: examples/connectors/s3.yaml", "")],
     {"S3_ENDPOINT": None}, ["says not where MinIO is", "MINIO_ENDPOINT"]),
])
def test_connections_that_cannot_be(job, pairs, env, says):
    job.change(*pairs).fails(says=says, **env)
    assert job.server.seen == []


def test_what_objects_are_marked_with(job):
    job.ok()
    headers = dict(job.bucket[KEY].headers)
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", headers.pop("x-amz-meta-ingest-timestamp"))
    assert headers == {
        "content-type": "application/x-parquet", "x-amz-meta-asset-name": "my_data", "x-amz-meta-asset-version": "1.0.0",
        "x-amz-meta-asset-domain": "sales", "x-amz-meta-data-product": "shop", "x-amz-meta-tenant-id": "acme",
        "x-amz-meta-branch": "main", "x-amz-meta-owner": "data-platform@example.com", "x-amz-meta-retention-days": "365",
        "x-amz-meta-classification": "PII", "x-amz-meta-file-format": "parquet", "x-amz-meta-compression": "snappy",
        "x-amz-tagging": "asset-tag=shop&branch=main&data-product=shop&domain=sales&owner=data-platform%40example.com&tenant=acme",
    }


def test_tags_of_ones_own_and_none(job):
    job.change(('bucket: "my-data-lake"', 'bucket: "my-data-lake"\n  engine: {options: {tags: {team: lake, domain: other}, metadata: {}}}'))
    job.ok()
    headers = job.bucket[KEY].headers
    assert "domain=other" in headers["x-amz-tagging"] and "team=lake" in headers["x-amz-tagging"]
    assert not any(name.startswith("x-amz-meta-") for name in headers)
    job.change(("tags: {team: lake, domain: other}", "tags: {}")).ok()
    assert "x-amz-tagging" not in job.bucket[KEY].headers


@pytest.mark.parametrize("parts", [False, True])
def test_a_service_without_tags(job, parts):
    """Those of the asset are left out, which is said; those that somebody asks for are not."""
    job.server.fault = lambda request: "no-tags"
    if parts:
        make_large(job)
    job.ok(command="check")
    job.ok()
    [stored] = job.bucket.values()
    assert "x-amz-tagging" not in stored.headers and stored.headers["x-amz-meta-owner"] == "data-platform@example.com"
    assert job.err.count("has no tags: the service does not know them") == 1, job.err
    job.change(('bucket: "my-data-lake"', 'bucket: "my-data-lake"\n  engine: {options: {tags: {team: lake}}}'))
    job.fails(says=["NotImplemented", "status 501"])
    job.change(("tags: {team: lake}", "tags: {}")).ok()
    assert "has no tags" not in job.err


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
    assert [line.split()[:2] for line in job.out.splitlines()] == [["ok", "reader"], ["ok", "writer"], ["ok", "source"], ["ok", "asset"], ["ok", "target"]]
    assert "s3://my-data-lake/sales/shop/my_data" in job.out.splitlines()[4]
    assert job.bucket == {} and sorted(job.server.operations()) == ["abort", "create"]
    job.ok("--json", command="check")
    assert json.loads(job.out)["ok"] is True


@pytest.mark.parametrize("pairs, env, failed", [
    ([("libcsv_reader_plugin", "libno_plugin")], {}, {"reader": ["job.yaml:19:18", "not found", "libno_plugin"]}),
    ([(":create_reader", ":make_reader")], {}, {"reader": ["job.yaml:19:18", "make_reader"]}),
    ([("orders.csv", "none.csv")], {}, {"source": ["job.yaml:22:13", "none.csv"]}),
    ([("delimiter: \",\"", "delimiter: \"123456789\"")], {}, {"source": ["job.yaml:27:7", "delimiter"]}),
    ([("examples/data/orders.csv", "{home}/short.csv")], {}, {"asset": ["short.csv", 'no column "customer"', "requires"]}),
    ([("my-data-lake", "no-such-bucket")], {}, {"target": ["job.yaml:31:13", "NoSuchBucket", "REQ", "buckets are not made here"]}),
    ([], {"AWS_SECRET_ACCESS_KEY": "other-secret"}, {"target": ["SignatureDoesNotMatch", "secret key does not belong"]}),
    ([("my-data-lake", "no-such-bucket"), ("orders.csv", "none.csv")], {}, {"source": ["none.csv"], "target": ["NoSuchBucket"]}),
])
def test_check_tells_what_is_wrong(job, pairs, env, failed):
    (job.home / "short.csv").write_text("order_id,order_date\n1,2024-01-31\n")
    pairs = [(old, new.replace("{home}", str(job.home))) for old, new in pairs]
    job.change(*pairs).fails("--json", command="check", says=[], **env)
    found = json.loads(job.out)
    assert found["ok"] is False
    assert {item["check"] for item in found["checks"] if item["ok"] is False} == set(failed)
    for item in found["checks"]:
        assert all(word in item["message"] for word in failed.get(item["check"], [])), item


@pytest.mark.parametrize("operation, fault", [("create", "slow"), ("create", "late"), ("create", "stall"), ("abort", "late"), ("abort", "held"), ("get", "late")])
def test_check_is_asked_to_stop(job, operation, fault):
    """What it has begun is undone, if the service answers; and it ends within a second."""
    reached, over = threading.Event(), threading.Event()
    if operation == "get":
        job.server.buckets["other"]["in.csv"] = s3_server.make_object((SOURCE / "examples/data/orders.csv").read_bytes())
        job.change(('"examples/data/orders.csv"', '"s3://other/in.csv"'))

    def wait(request):
        if request.operation != operation:
            return None
        reached.set()
        if fault in ("late", "held"):
            over.wait(0.3 if fault == "late" else 60)
            return None
        return fault

    job.server.fault = wait
    process = job.start(command="check")
    assert reached.wait(60)
    asked = time.monotonic()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    within_a_second(time.monotonic() - asked)
    assert process.returncode == 143 and out == b"" and err.count(b"asked to stop") == 1, (process.returncode, out, err)
    over.set()
    job.server.wait_until_idle()
    if (operation, fault) != ("create", "stall"):  # whose answer would have named what is to be aborted
        assert job.server.uploads[job.bucket_name] == {}
    if operation == "get":
        assert "create" not in job.server.operations()  # nothing more is begun
