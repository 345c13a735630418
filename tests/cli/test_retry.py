"""retry_config of jobs: which failures start a run over, how often, and after which time."""

import json
import signal
import time

import pytest

from conftest import FAKES

JOB = f"""
tenant_id: acme
source_connector: csv
target_connector: local
asset_path: asset.yaml
source:
  custom_reader: "{FAKES}/libfake_plugin.so:create_reader"
  files: [{{path: in.csv}}]
  engine: {{options: {{rows: 10, busy: BUSY}}}}
target:
  custom_writer: "{FAKES}/libfake_plugin.so:create_reader"
  connection: {{path: out}}
schema_validation_mode: warn
retry_config: {{CONFIG}}
"""
OUT = "out/default/default/t/t_000000.parquet"


@pytest.fixture
def job(tool, write):
    def make(busy, config, text=JOB):
        write("in.csv", "a\n1\n")
        write("asset.yaml", "name: t\nschema: [{name: a, type: integer}]\n")
        write("job.yaml", text.replace("BUSY", str(busy)).replace("CONFIG", config))
        return tool

    return make


def said(done):
    return [json.loads(line) for line in done.stderr.decode().splitlines()]


def runs(tool):
    return (tool.cwd / "busy").stat().st_size


def test_a_run_starts_over(job):
    tool = job(2, "max_retries: 3, initial_delay_seconds: 0.1, backoff_multiplier: 3")
    lines = said(tool.ok("run", "--log-format", "json", "job.yaml"))
    again = [line for line in lines if line["event_type"] == "retry_attempt"]
    assert [(line["level"], line["retry_attempt"], line["max_retries"]) for line in again] == [("WARNING", 1, 3), ("WARNING", 2, 3)]
    assert [round(line["delay_seconds"], 6) for line in again] == [0.1, 0.3]
    assert "the service is busy; trying again in 0.1 s (1 of 3)" in again[0]["message"]
    assert (lines[-1]["event_type"], lines[-1]["rows_in"], lines[-1]["rows_out"]) == ("job_finished", 10, 10)
    assert (tool.cwd / OUT).read_text().startswith("rows=10 ") and runs(tool) == 3


def test_it_gives_up(job):
    tool = job(9, "max_retries: 2, initial_delay_seconds: 0")
    done = tool("run", "job.yaml")
    assert done.returncode == 2 and "the service is busy; given up after 3 runs" in done.stderr.decode()
    assert runs(tool) == 3 and not (tool.cwd / OUT).exists()


@pytest.mark.parametrize("config, n_runs", [
    ("", 4), ("max_attempts: 2", 2), ("max_attempts: 2, max_retries: 2", 3), ("max_retries: 0", 1),
    ("retryable_exit_codes: [1]", 1), ("retryable_exit_codes: [2]", 4), ("retryable_errors: [ConnectionError]", 4),
    ("max_retries: '2', retryable_error_patterns: ['no such', 'SERVICE is \\\\w+']", 3),
    ("retryable_error_patterns: ['timed? ?out']", 1), ("retryable_error_patterns: ['(?:error )?\\\\d+']", 1),
])
def test_how_often(job, config, n_runs):
    tool = job(9, f"initial_delay_seconds: 0{', ' if config else ''}" + config.replace("\\\\", "\\"))
    assert tool("run", "job.yaml").returncode == 2
    assert runs(tool) == n_runs


def test_without_a_config_nothing_starts_over(job):
    tool = job(1, "", JOB.replace("retry_config: {CONFIG}\n", ""))
    assert tool("run", "job.yaml").returncode == 2 and runs(tool) == 1


def test_other_failures_stay(job):
    tool = job("0, fail_at: 3", "initial_delay_seconds: 0")
    done = tool("run", "job.yaml")
    assert done.returncode == 2 and b"trying again" not in done.stderr and b"given up" not in done.stderr


@pytest.mark.parametrize("config, says", [
    ("max_retries: -1", "job.yaml:14:29: max_retries"), ("max_retries: 1.5", "whole number"), ("max_retries: many", "max_retries"),
    ("max_delay_seconds: nan", "max_delay_seconds"), ("backoff_multiplier: 0.5", "backoff_multiplier"),
    ("retryable_exit_codes: [two]", "retryable_exit_codes"), ("retryable_error_patterns: ['(']", "no regular expression"),
    ("retryable_error_patterns: x", "must be a list"), ("max_retires: 1", 'did you mean "max_retries"?'),
])
def test_what_cannot_be(job, config, says):
    job(0, config).fails("run", "job.yaml", says=says)


def test_the_wait_ends_at_once(job):
    tool = job(9, "initial_delay_seconds: 600")
    run = tool.start("run", "job.yaml")
    while b"trying again in 300 s" not in run.stderr.readline():
        pass
    began = time.monotonic()
    run.send_signal(signal.SIGTERM)
    text = run.communicate(timeout=60)[1].decode()
    assert run.returncode == 143 and "waiting to try again; nothing was written" in text
    assert time.monotonic() - began < 1.5 and runs(tool) == 1


def test_an_incremental_job_starts_over(job):
    text = JOB.replace("  engine:", "  incremental: {state_path: state.json}\n  engine:")
    tool = job(1, "initial_delay_seconds: 0", text)
    tool.ok("run", "job.yaml")
    assert runs(tool) == 2 and "file_in.csv" in json.loads((tool.cwd / "state.json").read_text())
    tool = job(9, "initial_delay_seconds: 0, max_retries: 1", text.replace("state.json", "other.json"))
    assert tool("run", "job.yaml").returncode == 2
    assert not (tool.cwd / "other.json").exists()
