"""As test_pieces.py, for longer: 64 pieces, and 200 kills."""

import pytest

import s3_server
from conftest import KEY_ID, SECRET
from piece_runs import Bucket, Tool
from pieces import kill_at_random, must_be_whole


@pytest.mark.parametrize("part_bytes", ["1000", "5000000"])
def test_whatever_is_killed_every_row_is_there_once(tmp_path, part_bytes):
    server = s3_server.Server(min_part=1000).start()
    tool = Tool(tmp_path, server.url, KEY_ID, SECRET, Bucket(server))
    tool.env["DN_S3_PART_BYTES"] = part_bytes
    tool.make(lambda key, data: server.buckets["bucket"].update({key: s3_server.make_object(data)}), n_rows=4300)
    plan = tool.plan("2300")
    assert len(plan["pieces"]) >= 64
    tool.write_all(plan)
    tool.ok("commit", "-q", "plan.json")
    quiet = must_be_whole(tool, plan)
    for key in [key for key in server.buckets["bucket"] if not key.startswith("in/")]:
        del server.buckets["bucket"][key]
    assert kill_at_random(tool, plan, seed=100, kills=200) == quiet
    assert server.uploads["bucket"] == {} and server.problems == []
    server.shutdown()
