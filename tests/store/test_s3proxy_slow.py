"""Against S3Proxy, in Java, which keeps objects as files and computes checksums itself."""

import pytest

import services
from service_tests import *  # noqa: F401,F403: the tests themselves


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with services.s3proxy(tmp_path_factory.mktemp("s3proxy")) as started:
        yield started


def test_checksums_are_kept(tool, service):
    tool.file("f", 6_000_000)
    tool.ok("put", "f", "s3://bucket/sum")
    tool.ok("upload", "f", "s3://bucket/sums", 5 << 20, 2)
    head = {key: service.other.head_object(Bucket="bucket", Key=key, ChecksumMode="ENABLED") for key in ("sum", "sums")}
    assert head["sum"].get("ChecksumCRC32C"), head
    assert head["sums"].get("ChecksumCRC32C", "").endswith("-2"), head
