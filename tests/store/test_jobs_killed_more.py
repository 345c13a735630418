"""kill -9 at a hundred moments of a job that writes to a bucket, each followed by a run that has to make it good."""
import random
import time

import pytest

import incremental_kills
import s3_server
from job_runs import KEY, Job, kill_and_run_again, make_large


@pytest.fixture
def job(tmp_path):
    server = s3_server.Server(["my-data-lake"]).start()
    yield Job(tmp_path, server)
    server.shutdown()


def test_killed_a_hundred_times(job):
    make_large(job)
    job.key = KEY.replace(".parquet", ".csv")
    begun = time.monotonic()
    job.ok()
    seconds = time.monotonic() - begun
    job.wanted = job.bucket[job.key].data
    job.bucket.clear()
    draw = random.Random(8)
    left_open = kill_and_run_again(job, [draw.uniform(0, 1.1) for _ in range(100)], seconds)
    assert left_open > 0  # else nothing was shown


def test_incremental_jobs(runs):
    found = runs.each(incremental_kills.kill_and_run_again, range(1000, 1100))
    assert sum(killed for killed, _ in found) > 100 and sum(left for _, left in found) > 15
