"""Against moto, another implementation of S3's answers, which verifies signatures with botocore's signer."""

import pytest

import services
from service_tests import *  # noqa: F401,F403: the tests themselves


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with services.moto(tmp_path_factory.mktemp("moto")) as started:
        yield started


def test_tags(tool, service):
    tool.file("f", 6_000_000)
    tool.ok("upload", "f", "s3://bucket/tagged", 5 << 20, 2, options=["--tag=a b:c"])
    assert service.other.get_object_tagging(Bucket="bucket", Key="tagged")["TagSet"] == [{"Key": "a b", "Value": "c"}]
