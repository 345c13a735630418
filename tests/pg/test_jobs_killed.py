"""A few of the moments of test_jobs_killed_more.py, and rows that change while they are read."""

import threading

import pytest

import job_kills
import jobs
from jobs import Job


@pytest.fixture
def s3():
    started = jobs.s3_server.Server(["my-data-lake"]).start()
    yield started
    started.shutdown()


def test_sessions_are_ended(tmp_path, server, s3):
    job_kills.make(server)
    job_kills.kill_and_run_again(job_kills.make_job(tmp_path, server, s3), 2, 20240131)


def test_a_run_is_of_one_moment(tmp_path, server):
    """All rows change together, again and again, while jobs read them: every output has one version of all of them."""
    server.sql("CREATE TABLE moving (id int PRIMARY KEY, version int); INSERT INTO moving SELECT g, 0 FROM generate_series(1, 30000) g")
    over = threading.Event()

    def change():
        while not over.is_set():
            server.sql("BEGIN; UPDATE moving SET version = version + 1; INSERT INTO moving SELECT max(id) + 1, max(version) FROM moving; COMMIT")

    changing = threading.Thread(target=change)
    changing.start()
    try:
        versions = []
        job = Job(tmp_path, server, "moving", asset=["id integer!", "version integer!"], engine={"options": {"connections": 4}})
        for _ in range(4):
            job.ok()
            table = job.table().to_pydict()
            (version,) = set(table["version"])
            assert sorted(table["id"]) == list(range(1, 30001 + version))
            versions.append(version)
        assert versions == sorted(versions) and versions[-1] > versions[0]
    finally:
        over.set()
        changing.join()
