"""source.incremental of jobs: what is left out, what the state file says, and when it is written."""

import datetime
import fcntl
import json
import os
import signal
import subprocess
import time

import pyarrow.parquet as pq
import pytest

from conftest import BIN

JOB = """
tenant_id: acme
source_connector: csv
target_connector: local
asset_path: asset.yaml
source:
  files:
    - {path: ./in//a.csv, object: orders}
    - {path: in/b.csv, id: second}
  incremental: {strategy: file_modified_time, lookback_days: 0}
target:
  connection: {path: out}
schema_validation_mode: strict
"""
ASSET = "name: t\nschema: [{name: a, type: integer, required: true}]\n"
OUT = "out/default/default/t"
STATE = ".local/state/acme/csv.orders.state.json"


def stamp(path):
    """As the Python host writes it."""
    return datetime.datetime.fromtimestamp(os.stat(path).st_mtime).isoformat()


@pytest.fixture
def job(tool, write):
    def make(text=JOB):
        (tool.cwd / "in").mkdir(exist_ok=True)
        write("in/a.csv", "a\n1\n2\n")
        write("in/b.csv", "a\n3\n")
        write("asset.yaml", ASSET)
        write("job.yaml", text)
        os.utime(tool.cwd / "in/a.csv", ns=(0, 1_700_000_000_123_456_789))
        os.utime(tool.cwd / "in/b.csv", ns=(0, 1_700_000_000_000_000_000))
        return tool

    return make


def values(tool, pattern="*"):
    return sorted(v for f in sorted((tool.cwd / OUT).glob(pattern)) for v in pq.read_table(f).column("a").to_pylist())


def expected(tool):
    return json.dumps({f"file_{name}": {"last_modified": stamp(tool.cwd / path), "file_id": name}
                       for name, path in (("in/a.csv", "in/a.csv"), ("second", "in/b.csv"))}, indent=2)


@pytest.mark.parametrize("zone", ["UTC", "America/St_Johns", "Pacific/Chatham"])
def test_the_state_is_the_hosts(job, zone, monkeypatch):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    tool = job()
    for nanoseconds in (1, 499, 500, 999_999_500, 999_999_999, 123_456_500, 120_000_000):
        os.utime(tool.cwd / "in/b.csv", ns=(0, 1_600_000_000_000_000_000 + nanoseconds))
        (tool.cwd / STATE).unlink(missing_ok=True)
        tool.ok("run", "job.yaml", env={"TZ": zone})
        assert (tool.cwd / STATE).read_text() == expected(tool)
    monkeypatch.undo()
    time.tzset()


def test_what_has_not_changed_is_left_out(job):
    tool = job()
    tool.ok("run", "job.yaml")
    assert values(tool) == [1, 2, 3] and [f.name for f in (tool.cwd / OUT).iterdir()] == ["t_000000.parquet"]
    before = (tool.cwd / OUT / "t_000000.parquet").stat()
    state = (tool.cwd / STATE).stat()
    text = tool.ok("run", "job.yaml").stderr.decode()
    assert "no file has changed since it was read: nothing is written" in text and "->" not in text
    after = (tool.cwd / OUT / "t_000000.parquet").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert (tool.cwd / STATE).stat().st_ino == state.st_ino
    end = json.loads(tool.ok("run", "--log-format", "json", "job.yaml").stderr.decode().splitlines()[-1])
    assert (end["event_type"], end["rows_in"], end["files_out"]) == ("job_finished", 0, 0)
    os.utime(tool.cwd / "in/a.csv", ns=(0, 1_600_000_000_000_000_000))  # older than what was read, as the host has it
    assert "nothing is written" in tool.ok("run", "job.yaml").stderr.decode()


def test_rows_of_files_that_are_left_out_stay(job, write):
    tool = job()
    tool.ok("run", "job.yaml")
    write("in/b.csv", "a\n3\n4\n")
    tool.ok("run", "job.yaml")
    assert values(tool, "t_000000.parquet") == [1, 2, 3]
    assert values(tool, "t_2*_000000.parquet") == [3, 4]
    assert json.loads((tool.cwd / STATE).read_text())["file_second"]["last_modified"] == stamp(tool.cwd / "in/b.csv")
    (tool.cwd / STATE).unlink()  # a run that reads everything replaces its own file
    tool.ok("run", "job.yaml")
    assert values(tool, "t_000000.parquet") == [1, 2, 3, 4]


def test_a_run_that_fails_leaves_the_state(job, write):
    tool = job()
    write("in/b.csv", "a\nx\n")
    done = tool("run", "job.yaml")
    assert done.returncode == 2 and b"in/b.csv" in done.stderr
    assert not (tool.cwd / STATE).exists() and values(tool) == []
    write("in/b.csv", "a\n3\n")
    tool.ok("run", "job.yaml")
    saved = (tool.cwd / STATE).read_text()
    write("in/a.csv", "a\n\"\n")
    assert tool("run", "job.yaml").returncode == 2
    assert (tool.cwd / STATE).read_text() == saved


def test_rows_that_deviate_are_read_once(job, write):
    tool = job(JOB.replace("mode: strict", "mode: warn"))
    write("in/b.csv", "a\nx\n")
    assert tool("run", "job.yaml").returncode == 1
    assert tool("run", "job.yaml").returncode == 0


@pytest.mark.parametrize("keys, state", [
    ("strategy: file_modified_time, state_path: my.json", "my.json"),
    ("lookback_days: null", STATE),
    ("strategy: file_modified_time, state_path: deep/er/my.json", "deep/er/my.json"),
])
def test_where_the_state_is(job, keys, state):
    tool = job(JOB.replace("strategy: file_modified_time, lookback_days: 0", keys))
    tool.ok("run", "job.yaml")
    assert (tool.cwd / state).read_text() == expected(tool)


def test_the_default_place(job):
    tool = job(JOB.replace("source:\n", "source:\n  objects: [first]\n"))
    tool.ok("run", "job.yaml", env={"STATE_DIR": "states"})
    assert (tool.cwd / "states/acme/csv.first.state.json").exists()
    tool = job(JOB.replace(", object: orders", ""))
    tool.ok("run", "job.yaml", env={"STATE_DIR": ""})
    assert (tool.cwd / ".local/state/acme/csv.default.state.json").exists()


def test_recipe_and_lookback(job, write):
    write("csv.yaml", "type: csv\nincremental: {strategy: file_modified_time, state_path: of-recipe.json}\n")
    tool = job(JOB.replace("source_connector: csv", "source_connector_path: csv.yaml")
               .replace("strategy: file_modified_time, lookback_days: 0", "lookback_days: 1"))
    tool.ok("run", "job.yaml")
    tool.ok("run", "job.yaml")  # with days to look back nothing is left out
    assert (tool.cwd / "of-recipe.json").read_text() == expected(tool)
    assert values(tool) == [1, 2, 3]
    tool = job(JOB.replace("source_connector: csv", "source_connector_path: csv.yaml").replace(
        "{strategy: file_modified_time, lookback_days: 0}", "{}").replace("path: out", "path: out2"))
    (tool.cwd / "of-recipe.json").unlink()
    tool.ok("run", "job.yaml")  # a recipe alone does not switch it on
    assert not (tool.cwd / "of-recipe.json").exists()


@pytest.mark.parametrize("old, new, says", [
    ("strategy: file_modified_time", "strategy: updated_at", ["updated_at", "file_modified_time"]),
    ("strategy:", "strategie:", ["unknown key", '"strategy"']),
    ("lookback_days: 0", "lookback_days: -1", "lookback_days"),
    ("tenant_id: acme", "tenant_id: ../acme", "state_path"),
    ("object: orders", "object: ../../x", "state_path"),
    ("{path: ./in//a.csv, object: orders}\n    - {path: in/b.csv, id: second}", "{path: 'in/*.csv', id: first}",
     ["same", "a pattern cannot have one"]),
    ("{path: in/b.csv, id: second}", "{path: 's3://bucket/b.csv'}", "files of this machine"),
])
def test_what_cannot_be(job, old, new, says):
    job(JOB.replace(old, new, 1)).fails("run", "job.yaml", says=says)


@pytest.mark.parametrize("text", ["", "{", "[]", "\xff"])
def test_a_state_that_is_none(job, write, text):
    tool = job()
    (tool.cwd / STATE).parent.mkdir(parents=True)
    (tool.cwd / STATE).write_bytes(text.encode("latin-1"))
    (tool.cwd / (STATE + ".lock")).touch()
    (tool.cwd / OUT).mkdir(parents=True)
    tool.fails("run", "job.yaml", says=[STATE, "is not the state"])
    assert (tool.cwd / STATE).read_bytes() == text.encode("latin-1")


def test_a_state_that_is_a_folder(job):
    done = job(JOB.replace("lookback_days: 0", "state_path: in"))("run", "job.yaml")
    assert done.returncode == 2 and b"in: the state of this incremental job cannot be read" in done.stderr


def test_what_others_wrote_stays(job):
    tool = job()
    (tool.cwd / STATE).parent.mkdir(parents=True)
    (tool.cwd / STATE).write_text(json.dumps({"file_other": {"last_modified": "2020-01-01T00:00:00", "file_id": "other"},
                                              "file_second": {"file_id": "second"}, "n\u00e4me": [1.5]}))
    tool.ok("run", "job.yaml")
    state = json.loads((tool.cwd / STATE).read_text())
    assert list(state) == ["file_other", "file_second", "n\u00e4me", "file_in/a.csv"]
    assert state["n\u00e4me"] == [1.5] and state["file_second"]["last_modified"] == stamp(tool.cwd / "in/b.csv")


def start(tool, *args):
    return subprocess.Popen([BIN, "run", *args, "job.yaml"], cwd=tool.cwd, stderr=subprocess.PIPE)


def lock(tool):
    (tool.cwd / STATE).parent.mkdir(parents=True, exist_ok=True)
    held = open(tool.cwd / (STATE + ".lock"), "w")
    fcntl.flock(held, fcntl.LOCK_EX)
    return held


def test_two_runs_follow_each_other(job):
    tool = job()
    held = lock(tool)
    waiting = start(tool)
    assert b"waits for its end" in waiting.stderr.readline()
    (tool.cwd / STATE).write_text(expected(tool))  # what the other run did
    held.close()
    said = waiting.communicate(timeout=60)[1]
    assert waiting.returncode == 0 and b"nothing is written" in said


def test_waiting_ends_at_once(job):
    tool = job()
    held = lock(tool)
    waiting = start(tool)
    waiting.stderr.readline()
    began = time.monotonic()
    waiting.send_signal(signal.SIGTERM)
    said = waiting.communicate(timeout=60)[1]
    assert waiting.returncode == 143 and b"nothing was written" in said and time.monotonic() - began < 1.5
    held.close()


def test_many_runs_at_once(job):
    tool = job()
    runs = [start(tool, "--threads", "1") for _ in range(6)]
    said = [run.communicate(timeout=120)[1] for run in runs]
    assert [run.returncode for run in runs] == [0] * 6, said
    assert sum(b"nothing is written" in text for text in said) == 5
    assert (tool.cwd / STATE).read_text() == expected(tool) and values(tool) == [1, 2, 3]


def test_a_state_that_cannot_be_written_does_not_deny_the_rows(job):
    tool = job(JOB.replace("lookback_days: 0", "state_path: states/s.json"))
    tool.ok("run", "job.yaml")
    (tool.cwd / "in/a.csv").touch()
    folder = tool.cwd / "states"
    (folder / "s.json").unlink()
    (folder / "s.json").symlink_to("/proc/nowhere/s.json")
    done = tool("run", "job.yaml")
    assert done.returncode == 2 and b"t_000000.parquet is complete, but the next run will read" in done.stderr


def test_a_killed_run_leaves_the_old_state_or_the_new_one(job):
    tool = job()
    states = set()
    for delay in range(0, 60, 4):
        (tool.cwd / "in/a.csv").touch()
        wanted = expected(tool)
        run = start(tool)
        time.sleep(delay / 1000)
        run.kill()
        run.communicate()
        if (tool.cwd / STATE).exists():
            state = (tool.cwd / STATE).read_text()
            assert json.loads(state)
            states.add(state == wanted)
    tool.ok("run", "job.yaml")
    assert (tool.cwd / STATE).read_text() == expected(tool)
    assert set(os.listdir((tool.cwd / STATE).parent)) == {"csv.orders.state.json", "csv.orders.state.json.lock"}
