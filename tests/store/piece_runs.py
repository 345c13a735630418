"""Jobs in pieces with a bucket as source and target: running the commands, and what is in the bucket."""

import json
import random
import subprocess

from command import BIN, environment
from pieces import ASSET, text

JOB = """
tenant_id: acme
source_connector: csv
target_connector: s3
asset_path: asset.yaml
source:
  files:
    - {path: "s3://bucket/in/a.csv"}
    - {path: in/b.csv}
target:
  engine: {options: {storage_class: STANDARD_IA, metadata: {who: me}}}
  connection: {bucket: bucket, prefix: lake}
"""
PREFIX = "lake/default/default/t/"


class Bucket:
    """The result, of a server of tests/store."""

    def __init__(self, server):
        self.server = server

    @property
    def objects(self):
        return self.server.buckets["bucket"]

    def files(self):
        with self.server.lock:
            return {name[len(PREFIX):]: found.data for name, found in self.objects.items() if name.startswith(PREFIX)}


class Tool:
    """The commands, in a folder that has the job; objects of the source are there as files as well, for those who compare."""

    def __init__(self, cwd, url, key_id, secret, place):
        self.cwd, self.place, self.secret = cwd, place, secret
        self.env = environment(S3_ENDPOINT=url, AWS_ACCESS_KEY_ID=key_id, AWS_SECRET_ACCESS_KEY=secret, AWS_REGION="us-east-1",
                               AWS_EC2_METADATA_DISABLED="true", HOME=str(cwd))

    def start(self, *args, **env):
        return subprocess.Popen([str(BIN), *map(str, args)], cwd=self.cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env={k: v for k, v in {**self.env, **env}.items() if v is not None})

    def __call__(self, *args, **env):
        process = self.start(*args, **env)
        process.stdout_text, process.stderr_text = (said.decode() for said in process.communicate(timeout=120))
        assert self.secret not in process.stdout_text + process.stderr_text
        return subprocess.CompletedProcess(args, process.returncode, process.stdout_text.encode(), process.stderr_text.encode())

    def ok(self, *args, **env):
        done = self(*args, **env)
        assert done.returncode == 0, done.stderr.decode()
        return done.stderr.decode()

    def fails(self, *args, says, **env):
        done = self(*args, **env)
        assert done.returncode == 2, (done.returncode, done.stderr.decode())
        for word in [says] if isinstance(says, str) else says:
            assert word in done.stderr.decode(), done.stderr.decode()

    def make(self, put, job=JOB, n_rows=400):
        rng = random.Random(7)
        (self.cwd / "in").mkdir(exist_ok=True)
        for name, first, n in (("a", 0, n_rows), ("b", n_rows, n_rows // 4)):
            (self.cwd / f"in/{name}.csv").write_text(text(rng, first, n), newline="")
        put("in/a.csv", (self.cwd / "in/a.csv").read_bytes())
        (self.cwd / "asset.yaml").write_text(ASSET)
        (self.cwd / "job.yaml").write_text(job)

    def plan(self, split="2500"):
        self.ok("plan", "-qf", "job.yaml", "-o", "plan.json", "--split-size", split)
        return json.loads((self.cwd / "plan.json").read_text())

    def write_all(self, plan):
        for i in range(len(plan["pieces"])):
            self.ok("task", "-q", "plan.json", "--index", i)
