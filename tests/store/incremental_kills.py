"""Incremental jobs to a bucket that are killed at any request, or at their state: nothing is skipped, nothing stays open."""

import csv
import datetime
import io
import json
import os
import random
import subprocess
import threading
import time

from command import BIN
from convert_runs import KEY_ID, PART, SECRET, TOKEN, left_files, no_secret_in, serving

PRELOAD = os.environ["DN_PRELOAD"]
JOB = """
tenant_id: acme
source_connector: csv
target_connector: s3
asset_path: asset.yaml
source:
  files:
    - {path: a.csv, object: orders}
    - {path: b.csv}
  incremental: {strategy: file_modified_time, state_path: state.json}
target:
  file_format: csv
  connection: {bucket: bucket}
"""
ASSET = "name: t\nschema: [{name: id, type: integer, required: true}, {name: name, type: string}]\n"
ROWS = 4000  # some parts of 16,000 bytes


def write(folder, name, first):
    (folder / name).write_text("id,name\n" + "".join(f"{i},name {i * 7919 % 10007}\n" for i in range(first, first + ROWS)))
    return set(range(first, first + ROWS))


def start(folder, server, **more):
    (folder / "tmp").mkdir(exist_ok=True)
    env = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "TMPDIR": str(folder / "tmp"), "AWS_ENDPOINT_URL_S3": server.url,
           "AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": TOKEN, "AWS_EC2_METADATA_DISABLED": "true",
           "AWS_REGION": "us-east-1", "DN_S3_PART_BYTES": str(PART)}
    return subprocess.Popen([str(BIN), "run", "job.yaml"], cwd=folder, env={**env, **more}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def ok(folder, server):
    process = start(folder, server)
    said = process.communicate(timeout=300)[0]
    no_secret_in(folder, said)
    assert process.returncode == 0, said


def rows(server):
    """The ids in the bucket, each object whole."""
    found = set()
    for key, item in server.buckets["bucket"].items():
        lines = list(csv.reader(io.StringIO(item.data.decode())))
        assert lines[0] == ["id", "name"] and len(lines) in (ROWS + 1, 2 * ROWS + 1), (key, len(lines))
        found |= {int(line[0]) for line in lines[1:]}
    return found


def stamp(path):
    return datetime.datetime.fromtimestamp(os.stat(path).st_mtime).isoformat()


def recorded(folder):
    """Which files are done as they are now, by the state."""
    path = folder / "state.json"
    state = json.loads(path.read_text()) if path.exists() else {}
    return {name for name in ("a.csv", "b.csv") if state.get(f"file_{name}", {}).get("last_modified") == stamp(folder / name)}


def kill_at(draw, folder, server):
    """A request, before or after it is done, or the state, before or after it is renamed; whether there was one to kill."""
    if draw.random() < 0.3:
        when = draw.choice(["signal=9", "after=9"])
        process = start(folder, server, LD_PRELOAD=PRELOAD, DN_FAULT=f"call=rename at=1 path=state.json {when}")
    else:
        at, done = draw.randrange(8), draw.choice([None, None, "reset-before"])
        reached, over = threading.Event(), threading.Event()
        begun = len(server.seen)

        def hold(request):
            if request.number != begun + at:
                return None
            reached.set()
            over.wait(60)
            return done

        server.fault = hold
        process = start(folder, server)
        while not reached.wait(0.005) and process.poll() is None:
            pass
        time.sleep(draw.choice([0, 0, draw.random() / 50]))
        process.kill()
        over.set()
    said = process.communicate()[0]
    server.wait_until_idle()
    server.fault = lambda request: None
    no_secret_in(folder, said)
    return process.returncode == -9, said


def kill_and_run_again(runs, seed, folder):
    """Whether the runs were killed, and how many uploads they left."""
    draw = random.Random(seed)
    (folder / "job.yaml").write_text(JOB)
    (folder / "asset.yaml").write_text(ASSET)
    ids = {"a.csv": write(folder, "a.csv", 0), "b.csv": write(folder, "b.csv", 10**6)}
    wanted, n_killed, left = set(), 0, 0
    with serving() as server:
        for turn in range(2):  # all files, then those that have changed: an object beside the first one
            if turn == 1:
                time.sleep(0.01)
                ids["b.csv"] = write(folder, "b.csv", 2 * 10**6)
            wanted = wanted | ids["a.csv"] | ids["b.csv"]
            killed, said = kill_at(draw, folder, server)
            n_killed += killed
            left += len(server.uploads["bucket"])
            there = rows(server)
            for name in recorded(folder):
                assert ids[name] <= there, (seed, turn, name, "is in the state, and not in the bucket")
            ok(folder, server)
            what = (seed, turn, said, server.seen)
            assert rows(server) == wanted, what
            assert recorded(folder) == {"a.csv", "b.csv"}, what
            assert server.uploads["bucket"] == {} and server.problems == [], what
        ok(folder, server)
        assert all(not path.name.endswith(".tmp") for path in folder.iterdir())
        assert len(left_files(folder)) <= 1  # of a request that never came
    return n_killed, left
