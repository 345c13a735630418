"""Runs of jobs with faults that a number decides on: exact, or exit 2 and nothing under the final name."""

import json
import os
import subprocess
import time

import s3_server
from command import BIN
from convert_faults import DONE, MOST_OF_A_KIND, MOST_TRIES, Plan, add_faults
from convert_runs import KEY_ID, PART, SECRET, TOKEN, finish, left_files, serving

MOST_SECONDS = 300  # two requests in a row that are tried for two minutes, and what comes at the end
ASSET = "name: t\nschema: [{name: id, type: integer}, {name: name, type: string}, {name: price, type: double}]\n"


def write_job(folder, plan, source):
    target = {"file_format": plan.target, "connection": {"bucket": "bucket"} if plan.to_bucket else {"path": "out"}}
    job = {"tenant_id": "acme", "source_connector": "csv" if plan.source == "csv" else "parquet",
           "target_connector": "s3" if plan.to_bucket else "local", "asset_path": "asset.yaml", "source": {"files": [{"path": source}]}, "target": target}
    (folder / "job.yaml").write_text(json.dumps(job))  # which is YAML, too
    (folder / "asset.yaml").write_text(ASSET)


def start(folder, server):
    (folder / "tmp").mkdir(exist_ok=True)
    env = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "TMPDIR": str(folder / "tmp"), "S3_ENDPOINT": server.url, "AWS_ENDPOINT_URL_S3": server.url,
           "AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": TOKEN, "AWS_EC2_METADATA_DISABLED": "true",
           "AWS_REGION": "us-east-1", "DN_S3_PART_BYTES": str(PART)}
    return subprocess.Popen([str(BIN), "run", "-q", "job.yaml"], cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def wanted_of(runs, plan):
    """What the job writes without faults; kept in the home of all runs."""
    path = runs.home / f"wanted-{plan.source}-{plan.target}-{plan.rows}-{plan.to_bucket}"
    if not path.exists():
        folder = runs.home / f"{path.name}-{os.urandom(4).hex()}"
        folder.mkdir()
        with serving() as server:
            (folder / f"in.{plan.source}").write_bytes(runs.wanted(plan.source, plan.rows))
            write_job(folder, plan, f"in.{plan.source}")
            code, said = finish(start(folder, server), folder)
            assert code == 0, said
            data = found(folder, server, plan)
            assert data is not None
            temporary = folder / "made"
            temporary.write_bytes(data)
            temporary.rename(path)
    return path.read_bytes()


def name_of(plan):
    return f"default/default/t/t_000000.{plan.target}"


def found(folder, server, plan):
    if plan.to_bucket:
        item = server.buckets["bucket"].get(name_of(plan))
        return item.data if item else None
    path = folder / "out" / name_of(plan)
    return path.read_bytes() if path.exists() else None


def run_with_faults(runs, seed, folder):
    """How many faults there were, and whether it was exact."""
    plan = Plan(seed)
    wanted = wanted_of(runs, plan)
    with serving(region=plan.region) as server:
        number = add_faults(server, plan, seed)
        bucket, before = server.buckets["bucket"], {}
        old = None
        if plan.there:
            old = wanted if plan.there == "same" else b"an older object"
            before[name_of(plan)] = bucket[name_of(plan)] = s3_server.make_object(old)
        source = f"in.{plan.source}"
        if plan.from_bucket:
            before[source] = bucket[source] = s3_server.make_object(runs.wanted(plan.source, plan.rows))
            source = "s3://bucket/" + source
        else:
            (folder / source).write_bytes(runs.wanted(plan.source, plan.rows))
        write_job(folder, plan, source)
        begun = time.monotonic()
        code, said = finish(start(folder, server), folder)
        seconds = time.monotonic() - begun
        server.wait_until_idle()
        faults = [(operation, word) for operation, _, word in server.seen if word]
        what = (seed, vars(plan), code, said, server.seen)
        assert code in (0, 2), what
        assert seconds < MOST_SECONDS, (seconds, what)
        assert server.problems == [], (server.problems, what)
        assert server.uploads["bucket"] == {}, what
        assert all(n <= MOST_OF_A_KIND.get(key[0], MOST_TRIES + 4) for key, n in number.count.items()), (number.count, what)
        data = found(folder, server, plan)
        if code == 0:
            assert data == wanted, what
        else:
            assert said.count("error: ") == 1 and "s3://bucket/" in said, what
            # when every answer of the last request gets lost, the object is there nevertheless, and that is said
            unsure = plan.to_bucket and any(o in ("put", "complete") and word in DONE for o, word in faults)
            assert data == old or (unsure and data == wanted and "may be there" in said), what
        assert left_files(folder) == [], (left_files(folder), what)
        assert set(bucket) - {name_of(plan)} == set(before) - {name_of(plan)}, what
        return len(faults), code == 0
