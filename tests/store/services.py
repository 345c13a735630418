"""Servers of S3 by other people, each a process of its own, in a folder of its own."""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import time

import boto3

from conftest import KEY_ID, SECRET

SOURCE = pathlib.Path(os.environ["DN_SOURCE"])
SECONDS = 60
SET_UP = 4  # requests of moto's set-up, before it wants signatures


class Service:
    def __init__(self, url, key_id, secret, log):
        self.url, self.key_id, self.secret, self.log = url, key_id, secret, log
        self.other = client("s3", url, key_id, secret)

    def keys(self):
        return [item["Key"] for item in self.other.list_objects_v2(Bucket="bucket").get("Contents", [])]

    def get(self, key):
        return self.other.get_object(Bucket="bucket", Key=key)["Body"].read()

    def uploads(self):
        return self.other.list_multipart_uploads(Bucket="bucket").get("Uploads", [])


def client(name, url, key_id, secret):
    return boto3.client(name, endpoint_url=url, region_name="us-east-1", aws_access_key_id=key_id, aws_secret_access_key=secret)


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextlib.contextmanager
def process(command, log, port, **env):
    """It listens when this begins, and is gone when it ends."""
    with log.open("w") as out:
        started = subprocess.Popen(command, env={**os.environ, "AWS_EC2_METADATA_DISABLED": "true", **env}, stdout=out, stderr=out)
    until = time.monotonic() + SECONDS
    try:
        while True:
            assert started.poll() is None and time.monotonic() < until, log.read_text()
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        started.kill()
        started.wait()


@contextlib.contextmanager
def moto(folder):
    """Signatures are verified by botocore's signer, and what a user may do by policies."""
    port, log = free_port(), folder / "log"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with process(command, log, port, INITIAL_NO_AUTH_ACTION_COUNT=str(SET_UP)) as url:
        iam = client("iam", url, "x", "y")
        iam.create_user(UserName="u")
        keys = iam.create_access_key(UserName="u")["AccessKey"]
        allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
        iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=json.dumps(allow))
        client("s3", url, "x", "y").create_bucket(Bucket="bucket")
        yield Service(url, keys["AccessKeyId"], keys["SecretAccessKey"], log)


@contextlib.contextmanager
def s3proxy(folder):
    """Objects are files; signatures are verified, and checksums compared."""
    jars = SOURCE / "build/s3proxy"
    assert (jars / "jars.sha256").exists(), "S3Proxy is not there: run tools/setup.sh test-slow"
    port, log, data = free_port(), folder / "log", folder / "data"
    data.mkdir()
    settings = folder / "settings"
    settings.write_text(f"s3proxy.endpoint=http://127.0.0.1:{port}\ns3proxy.authorization=aws-v2-or-v4\ns3proxy.identity={KEY_ID}\n"
                        f"s3proxy.credential={SECRET}\njclouds.provider=filesystem-nio2\njclouds.filesystem.basedir={data}\n")
    command = ["java", f"-Dlogback.configurationFile={SOURCE}/tools/s3proxy/logback.xml", "-cp", f"{jars}/*", "org.gaul.s3proxy.Main",
               "--properties", str(settings)]
    with process(command, log, port) as url:
        client("s3", url, KEY_ID, SECRET).create_bucket(Bucket="bucket")
        yield Service(url, KEY_ID, SECRET, log)
