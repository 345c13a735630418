"""As test_pieces.py, against an S3 by other people."""

import pytest

import services
from piece_runs import PREFIX, Tool
from pieces import kill_at_random, must_be_whole


class Objects:
    def __init__(self, service):
        self.service = service

    def files(self):
        return {key[len(PREFIX):]: self.service.get(key) for key in self.service.keys() if key.startswith(PREFIX)}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with services.moto(tmp_path_factory.mktemp("moto")) as started:
        yield started


def test_killed_committed_and_aborted(tmp_path, service):
    tool = Tool(tmp_path, service.url, service.key_id, service.secret, Objects(service))
    tool.make(lambda key, data: service.other.put_object(Bucket="bucket", Key=key, Body=data), n_rows=250)
    plan = tool.plan("9k")
    kill_at_random(tool, plan, seed=4, kills=3)
    before = must_be_whole(tool, plan)
    tool.ok("commit", "plan.json")
    tool.ok("abort", "plan.json")
    assert must_be_whole(tool, plan) == before
    assert service.other.head_object(Bucket="bucket", Key=PREFIX + min(before))["Metadata"]["who"] == "me"
    for name in tool.place.files():
        service.other.delete_object(Bucket="bucket", Key=PREFIX + name)
    tool.write_all(plan)
    service.other.create_multipart_upload(Bucket="bucket", Key=f"{PREFIX}_staging-{plan['id']}/part-00000-{plan['id']}.parquet")
    tool.ok("abort", "plan.json")
    assert tool.place.files() == {} and service.uploads() == []
