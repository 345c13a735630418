"""A job's sessions are ended at 50 moments, and a table of several pieces while all its connections read."""

import pytest

import job_kills
import jobs


@pytest.fixture
def s3():
    started = jobs.s3_server.Server(["my-data-lake"]).start()
    yield started
    started.shutdown()


@pytest.mark.parametrize("connections", [1, 4])
def test_sessions_are_ended(tmp_path, server, s3, connections):
    if server.sql("SELECT to_regclass('killed') IS NULL") == "t":
        job_kills.make(server)
    job = job_kills.make_job(tmp_path, server, s3).change(("  tables:", f"  engine: {{options: {{connections: {connections}}}}}\n  tables:"))
    job_kills.kill_and_run_again(job, 25, connections)
