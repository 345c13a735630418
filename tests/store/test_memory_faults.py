"""Memory runs out at every allocation, in turn: nothing crashes, hangs or leaks, and nothing is left in the bucket."""

import json

import pytest

import s3_server
from conftest import KEYS, Tool, contents
from test_s3_credentials import JSON_KEYS, bare, profile, services  # noqa: F401: two are fixtures

SWEEP = ["--sweep=yes", "--tries=2"]
PARTS = ["--part=1000", "--memory=4000", "--at-once=1"]


def swept(out, least):
    failed, of = out.splitlines()[-1].removeprefix("swept: ").split(" of ")
    assert int(of) >= int(failed) >= least, out


@pytest.mark.parametrize("command, least", [
    (["head", "s3://bucket/there"], 20), (["put", "f", "s3://bucket/k"], 20), (["upload", "f", "s3://bucket/k", 1000, 1], 60),
    (["get", "s3://bucket/there", "back", 1000, 1], 60), (["read", "s3://bucket/there", "back", 999], 40), (["list", "s3://bucket/", "/"], 20),
    (["uploads", "s3://bucket/"], 20), (["delete", "s3://bucket/there"], 20), (["source", "s3://bucket/there", "back", 999], 40),
    (["find", "s3://bucket/**/*[a-z].csv"], 40), (["find", "s3://bucket/d/"], 20)])
def test_of_the_client(tool, server, command, least):
    tool.file("f", 2500)
    for name in ("there", "d/a.csv", "d/b/c.csv"):
        server.buckets["bucket"][name] = s3_server.Object(contents(2500), '"e"', {})
    swept(tool.ok(*command, options=[*SWEEP, "--meta=a:b", "--tag=c:d"]), least)


@pytest.mark.parametrize("command", [["write", "f", "s3://bucket/k", 500], ["sink", "f", "s3://bucket/k", 500]])
@pytest.mark.parametrize("alone", ["yes", "no"])
def test_of_a_writer(tool, server, command, alone):
    tool.file("f", 2500)
    swept(tool.ok(*command, options=[*SWEEP, *PARTS, f"--alone={alone}"], env={**KEYS, "DN_S3_PART_BYTES": "1000"}), 60)
    assert server.buckets["bucket"].pop("k").data == contents(2500) and server.buckets["bucket"] == {}
    assert server.uploads["bucket"] == {}


def test_of_credentials(bare, services):  # noqa: F811
    (bare.home / "token").write_text("identity-token\n")
    (bare.home / "answer").write_text(json.dumps(JSON_KEYS))
    profile(bare, "[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = file-secret\naws_session_token = t\n"
                  "[process]\ncredential_process = cat answer\n[none]\nregion = x\n")
    for env in ({}, {"AWS_PROFILE": "process"},
                {"AWS_PROFILE": "none", "AWS_WEB_IDENTITY_TOKEN_FILE": "token", "AWS_ROLE_ARN": "r",
                 "AWS_ENDPOINT_URL_STS": services.url + "/sts"},
                {"AWS_PROFILE": "none", "AWS_CONTAINER_CREDENTIALS_FULL_URI": services.url + "/container",
                 "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "token"},
                {"AWS_PROFILE": "none", "AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": services.url}):
        swept(bare.ok("keys", env=env, options=SWEEP), 10)


def test_of_the_web(bare, services):
    services.answers[("GET", "/file")] = (200, "a,b\n1,2\n")
    swept(bare.ok("fetch", services.url + "/file", "out", options=SWEEP), 10)
    swept(bare.ok("source", services.url + "/file", "out", 3, options=SWEEP), 10)
    assert (bare.home / "out").read_text() == "a,b\n1,2\n"
