"""The S3 client against moto, another implementation of S3's answers, which verifies signatures with botocore's signer."""

import json
import os
import socket
import subprocess
import sys
import time

import boto3
import pytest

from conftest import EXISTS, IO, NOT_FOUND, SECRET, Tool, contents

SET_UP = 4  # requests of the fixture, before moto wants signatures


@pytest.fixture(scope="module")
def moto(tmp_path_factory):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": str(SET_UP), "AWS_EC2_METADATA_DISABLED": "true"}
    log = tmp_path_factory.mktemp("moto") / "log"
    with log.open("w") as out:
        process = subprocess.Popen([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], env=env,
                                   stdout=out, stderr=out)
    try:
        while True:
            assert process.poll() is None, log.read_text()
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        url = f"http://127.0.0.1:{port}"
        some = {"endpoint_url": url, "region_name": "us-east-1", "aws_access_key_id": "x", "aws_secret_access_key": "y"}
        iam = boto3.client("iam", **some)
        iam.create_user(UserName="u")
        keys = iam.create_access_key(UserName="u")["AccessKey"]
        allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
        iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=json.dumps(allow))
        boto3.client("s3", **some).create_bucket(Bucket="bucket")
        yield url, keys["AccessKeyId"], keys["SecretAccessKey"]
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def tool(tmp_path, moto):
    url, key_id, secret = moto
    made = Tool(tmp_path, url, [f"--key-id={key_id}", f"--secret={secret}"])
    made.secrets.append(secret)
    return made


@pytest.fixture
def other(moto):
    url, key_id, secret = moto
    return boto3.client("s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id=key_id, aws_secret_access_key=secret)


@pytest.mark.parametrize("key", ["a", "d=2026-01-02/part+1 (2).csv", "caf\u00e9/\u65e5\u672c.parquet", "-_.!*'();:@&=+$,", "x%20y"])
def test_any_key(tool, other, key):
    tool.file("f", 5000)
    tool.ok("put", "f", f"s3://bucket/{key}")
    assert other.get_object(Bucket="bucket", Key=key)["Body"].read() == contents(5000)
    tool.ok("get", f"s3://bucket/{key}", "back", 999)
    assert (tool.home / "back").read_bytes() == contents(5000)
    assert tool.ok("list", f"s3://bucket/{key}").startswith(f"{key} 5000 ")
    tool.ok("delete", f"s3://bucket/{key}")
    assert "Contents" not in other.list_objects_v2(Bucket="bucket", Prefix=key)


def test_an_upload_in_parts(tool, other):
    data = contents(12_000_000)
    tool.file("f", len(data))
    options = ["--meta=asset-name:x", "--tag=a b:c", "--content-type=application/x-parquet"]
    tool.ok("upload", "f", "s3://bucket/parts", 5 << 20, 2, options=options)
    there = other.get_object(Bucket="bucket", Key="parts")
    assert there["Body"].read() == data
    assert there["Metadata"] == {"asset-name": "x"} and there["ContentType"] == "application/x-parquet"
    assert other.get_object_tagging(Bucket="bucket", Key="parts")["TagSet"] == [{"Key": "a b", "Value": "c"}]
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
    tool.fails("head", "s3://bucket/there", code=IO, says="SignatureDoesNotMatch", options=[f"--secret={SECRET}"])
    tool.fails("head", "s3://bucket/there", code=IO, says="InvalidAccessKeyId", options=["--key-id=AKIDNOBODY"])
    assert tool.ok("uploads", "s3://bucket/") == ""
