"""plan, task, commit, abort: one result of many processes, or none."""

import functools
import json
import os
import resource
import shutil

import pyarrow.parquet as pq
import pytest

from conftest import SANITIZED, tree
from pieces import JOB, OUT, expected, kill_at_random, make, must_be_whole, must_not_be_done, write_all


def test_the_union_is_the_whole_in_order(tool, write):
    plan = make(tool, write)
    assert len(plan["pieces"]) >= 16 and plan["rows"] == 1400
    write_all(tool, plan)
    tool.ok("commit", "plan.json")
    must_be_whole(tool, plan)
    whole = [pq.read_schema(p) for p in sorted((tool.cwd / OUT).glob("*.parquet"))]
    shutil.rmtree(tool.cwd / "out")
    tool.ok("run", "-q", "job.yaml")
    run = pq.read_table(tool.cwd / OUT / "t_000000.parquet")
    assert run.to_pydict() == dict(zip("nsx", expected(tool)))
    assert all(schema.equals(run.schema, check_metadata=True) for schema in whole)


@pytest.mark.skipif(SANITIZED, reason="minutes")
def test_whatever_is_killed_every_row_is_there_once(tool, write):
    kill_at_random(tool, make(tool, write), seed=1, kills=30)


def test_a_repeated_task_writes_the_same_bytes(tool, write):
    plan = make(tool, write)
    staging = tool.cwd / OUT / f"_staging-{plan['id']}"
    task = ["task", "-q", "plan.json", "--index", "3"]
    seen = set()
    for more, env in ((["-t", "1"], {}), (["-t", "4"], {}), ([], {"DN_CPU": "scalar"})):
        tool.ok(*task, *more, env=env)
        seen.add(tuple(p.read_bytes() for p in sorted(staging.iterdir())))
    both = [tool.start(*task) for _ in range(4)]
    assert [process.wait(timeout=60) for process in both] == [0] * 4
    for process in both:
        process.communicate()
    seen.add(tuple(p.read_bytes() for p in sorted(staging.iterdir())))
    assert len(seen) == 1 and len(seen.pop()) == 2


def test_a_commit_goes_on_wherever_it_ended(tool, write):
    plan = make(tool, write, split="5k")
    n = len(plan["pieces"])
    out, staging = tool.cwd / OUT, f"_staging-{plan['id']}"
    write_all(tool, plan)
    shutil.copytree(out / staging, tool.cwd / "saved")
    tool.ok("commit", "plan.json")
    manifest = (out / "_manifest.json").read_bytes()
    for n_moved, has_manifest in ((0, False), (1, False), (n // 2, False), (n, False), (n, True)):
        shutil.rmtree(out)
        shutil.copytree(tool.cwd / "saved", out / staging)
        for i in range(n_moved):
            name = f"part-{i:05}-{plan['id']}.parquet"
            (out / staging / name).rename(out / name)
        if n_moved > 0:
            tool.ok("task", "-q", "plan.json", "--index", 0)  # one that was late
        if has_manifest:
            (out / "_manifest.json").write_bytes(manifest)
        (out / "_lock").touch()
        tool.ok("commit", "-q", "plan.json")
        must_be_whole(tool, plan)
    before = tree(out)
    assert b"is committed already" in tool.ok("commit", "plan.json").stderr
    assert b"nothing is left to write" in tool.ok("task", "plan.json", "--index", 0).stderr
    assert b"its result stays" in tool.ok("abort", "plan.json").stderr
    assert tree(out) == before
    shutil.copytree(tool.cwd / "saved", out / staging)  # killed behind _SUCCESS
    tool.ok("commit", "-q", "plan.json")
    must_be_whole(tool, plan)


def test_success_comes_last(tool, write):
    plan = make(tool, write, split="5k")
    write_all(tool, plan)
    name = f"part-{len(plan['pieces']) - 1:05}-{plan['id']}.parquet"
    (tool.cwd / OUT / name).mkdir()  # where the last file cannot go
    done = tool("commit", "plan.json")
    assert done.returncode == 2 and name in done.stderr.decode() and "cannot be given its final name" in done.stderr.decode()
    assert not list((tool.cwd / OUT).glob("_SUCCESS")) and not list((tool.cwd / OUT).glob("_manifest.json"))
    (tool.cwd / OUT / name).rmdir()
    tool.ok("commit", "plan.json")
    must_be_whole(tool, plan)


def test_what_is_missing_is_named(tool, write):
    plan = make(tool, write, split="5k")
    tool.fails("commit", "plan.json", says=f"{len(plan['pieces'])} of {len(plan['pieces'])} pieces are not written: 0, 1,")
    assert not (tool.cwd / "out").exists()
    write_all(tool, plan)
    staging = tool.cwd / OUT / f"_staging-{plan['id']}"
    (staging / f"part-00002-{plan['id']}.json").unlink()
    part = staging / f"part-00004-{plan['id']}.parquet"
    part.write_bytes(part.read_bytes()[:-1])
    tool.fails("commit", "plan.json", says=["1 of", "pieces are not written: 2; 1 are damaged: 4; run", "--index 2"])
    must_not_be_done(tool)
    tool.ok("task", "-q", "plan.json", "--index", 2)
    tool.ok("task", "-q", "plan.json", "--index", 4)
    tool.ok("commit", "plan.json")
    must_be_whole(tool, plan)


def test_counts_have_to_add_up(tool, write):
    plan = make(tool, write, split="5k")
    write_all(tool, plan)
    manifest = tool.cwd / OUT / f"_staging-{plan['id']}" / f"part-00001-{plan['id']}.json"
    said = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**said, "rows": said["rows"] - 1}))
    tool.fails("commit", "plan.json", says=["rows do not add up: piece 1 has", "nothing was committed"])


@pytest.mark.damages
def test_what_is_damaged_is_named(tool, write):
    plan = make(tool, write, split="5k")
    write_all(tool, plan)
    staging = tool.cwd / OUT / f"_staging-{plan['id']}"
    part = staging / f"part-00001-{plan['id']}.parquet"
    part.write_bytes(part.read_bytes()[:-9] + b"?" + part.read_bytes()[-8:])  # as many bytes
    manifests = [staging / f"part-{i:05}-{plan['id']}.json" for i in range(5)]
    manifests[2].write_text(manifests[2].read_text()[:-20])
    said = json.loads(manifests[3].read_text())
    manifests[3].write_text(json.dumps({**said, "plan": "0123456789abcdef"}))
    manifests[4].write_text(json.dumps({k: v for k, v in json.loads(manifests[4].read_text()).items() if k != "crc32c"}))
    tool.fails("commit", "plan.json", says=["4 of", "pieces are damaged: 1, 2, 3, 4; file or manifest is not what the task has written", "--index 1"])
    for i in (1, 2, 3, 4):
        tool.ok("task", "-q", "plan.json", "--index", i)
    tool.ok("commit", "plan.json")
    must_be_whole(tool, plan)


def test_late_tasks_leave_nothing(tool, write):
    """They have begun before the commit, and end behind it."""
    plan = make(tool, write, split="5k")
    write_all(tool, plan)
    late = [tool.start("task", "-q", "-t", 1, "plan.json", "--index", i % 3) for i in range(6)]
    tool.ok("commit", "-q", "plan.json")
    for process in late:
        said = process.communicate(timeout=60)[1]
        assert process.returncode == 0, said.decode()
    must_be_whole(tool, plan)
    assert not (tool.cwd / OUT / f"_staging-{plan['id']}").exists()


def test_disks_that_are_full_and_folders_that_are_closed(tool, write):
    plan = make(tool, write, split="5k")
    write_all(tool, plan)
    limit = functools.partial(resource.setrlimit, resource.RLIMIT_FSIZE, (200, 200))
    staging = tool.cwd / OUT / f"_staging-{plan['id']}"
    before = tree(tool.cwd)
    for command, says in ((["task", "-q", "plan.json", "--index", "0"], "part-00000"), (["commit", "plan.json"], "_manifest.json")):
        done = tool(*command, preexec_fn=limit)
        assert done.returncode == 2 and says in done.stderr.decode() and "File too large" in done.stderr.decode(), done.stderr.decode()
        assert "_SUCCESS" not in [p.name for p in (tool.cwd / OUT).iterdir()]
    assert len(tree(tool.cwd)) == len(before)
    tool.ok("commit", "-q", "plan.json")
    must_be_whole(tool, plan)
    shutil.rmtree(tool.cwd / "out")
    staging.parent.mkdir(parents=True)
    staging.write_text("a file in the way")
    tool.fails("task", "-q", "plan.json", "--index", 0, says=f"_staging-{plan['id']}")
    tool.fails("commit", "plan.json", says=f"_staging-{plan['id']}")


@pytest.mark.parametrize("change", ["bytes", "time", "gone"])
def test_a_source_that_changed_is_refused(tool, write, change):
    plan = make(tool, write, split="5k")
    path = tool.cwd / "in/b.csv"
    write_all(tool, plan)
    if change == "bytes":
        path.write_text(path.read_text() + '1,"",1\n')
    elif change == "time":
        os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
    else:
        path.unlink()
    last = len(plan["pieces"]) - 1
    tool.fails("task", "-q", "plan.json", "--index", last, says="in/b.csv")
    tool.fails("commit", "plan.json", says="in/b.csv: " + ("the source cannot" if change == "gone" else "was written to since"))
    assert not (tool.cwd / OUT / "_SUCCESS").exists()


def test_abort_leaves_nothing(tool, write):
    plan = make(tool, write, split="5k")
    before = tree(tool.cwd)
    tool.ok("abort", "plan.json")
    write_all(tool, plan)
    name = f"part-00000-{plan['id']}.parquet"
    (tool.cwd / OUT / f"_staging-{plan['id']}" / name).rename(tool.cwd / OUT / name)
    write(f"{OUT}/_manifest.json", json.dumps({"plan": plan["id"]}))
    tool.ok("abort", "plan.json")
    assert tree(tool.cwd) == before
    write_all(tool, plan)
    tool.ok("commit", "plan.json")
    must_be_whole(tool, plan)


def test_rows_of_two_results_never_meet(tool, write):
    plan = make(tool, write, split="5k")
    write_all(tool, plan)
    tool.ok("run", "-q", "job.yaml")
    tool.fails("commit", "plan.json", says=["t_000000.parquet is there already", "earlier run"])
    (tool.cwd / OUT / "t_000000.parquet").unlink()
    tool.ok("commit", "plan.json")
    tool.fails("plan", "job.yaml", "-o", "second.json", "--split-size", "9k", says="is there already")
    must_be_whole(tool, plan)


def test_a_plan_is_a_function_of_the_job(tool, write):
    plan = make(tool, write)
    tool.ok("plan", "-q", "-t", 3, "job.yaml", "-o", "again.json", "--split-size", "2200")
    assert json.loads((tool.cwd / "again.json").read_text()) == plan
    tool.fails("plan", "job.yaml", "-o", "plan.json", says=["plan.json", "exists"])
    plan["rows"] += 1
    write("edited.json", json.dumps(plan))
    tool.fails("task", "edited.json", "--index", 0, says=["edited.json", "was changed since it was made"])
    write("other.json", json.dumps({**plan, "version": "9.9"}))
    tool.fails("task", "other.json", "--index", 0, says="is a plan of version 9.9")
    write("none.json", "[1]")
    tool.fails("commit", "none.json", says="none.json: is not a plan of dativo-native: it holds no JSON object")
    write("none.json", '{"format": 1,\n]')
    tool.fails("commit", "none.json", says="none.json:2:1: is not a plan")
    write("none.json", '{"format": 1}')
    tool.fails("abort", "none.json", says="none.json: is not a plan of dativo-native of this form")
    tool.fails("abort", "nowhere.json", says="nowhere.json")


def test_a_task_works_from_any_folder(tool, write, tmp_path_factory):
    plan = make(tool, write, split="20k")
    elsewhere = type(tool)(tmp_path_factory.mktemp("elsewhere"))
    for i in range(len(plan["pieces"])):
        elsewhere.ok("task", "-q", tool.cwd / "plan.json", "--index", i)
    elsewhere.ok("commit", tool.cwd / "plan.json")
    assert tree(elsewhere.cwd) == []
    must_be_whole(tool, plan)


def test_a_wrong_value_ends_its_task_with_its_place(tool, write):
    make(tool, write, plan=False)
    write("in/b.csv", '"n","s","x"\n1,"\n",2\nfour,"",3\n')
    tool.ok("plan", "-q", "job.yaml", "-o", "plan.json")
    tool.fails("task", "plan.json", "--index", 1, says=["in/b.csv", "line 4", '"n"', "four"])
    assert not [p for p in tool.cwd.glob(f"{OUT}/**/*") if not p.is_dir()]


def test_files_without_rows(tool, write):
    make(tool, write, plan=False)
    write("in/b.csv", '"n","s","x"\n')
    tool.ok("plan", "-q", "job.yaml", "-o", "plan.json", "--split-size", "20k")
    plan = json.loads((tool.cwd / "plan.json").read_text())
    write_all(tool, plan)
    tool.ok("commit", "-q", "plan.json")
    must_be_whole(tool, plan)
    shutil.rmtree(tool.cwd / "out")
    write("in/a.csv", '"n","s","x"\n')
    tool.fails("plan", "job.yaml", "-o", "p.json", says=["has no rows", "--allow-empty"])
    tool.ok("plan", "-qf", "job.yaml", "-o", "plan.json", "--allow-empty")
    plan = json.loads((tool.cwd / "plan.json").read_text())
    assert plan["rows"] == 0
    write_all(tool, plan)
    tool.ok("commit", "-q", "plan.json")
    must_be_whole(tool, plan)


@pytest.mark.parametrize("old, new, says", [
    ("{path: in/b.csv}", "{path: 'https://host/b.csv?token=x'}", "the query of a source's address may be a secret"),
    ("source:\n", "source:\n  incremental: {strategy: file_modified_time}\n", "source.incremental"),
    ("target:\n", "schema_validation_mode: warn\ntarget:\n", "schema_validation_mode: warn"),
    ("target:\n", "target:\n  file_format: csv\n", "as Parquet"),
    ("source:\n", "source:\n  engine: {options: {on_error: reject, rejects: r.csv}}\n", "rejects"),
])
def test_what_cannot_be_cut_is_refused_beforehand(tool, write, old, new, says):
    make(tool, write, job=JOB.replace(old, new), plan=False)
    (tool.cwd / "in/a.csv").unlink()  # it is refused before anything is read
    tool.fails("plan", "job.yaml", "-o", "plan.json", says=says)


def test_wrong_command_lines(tool, write):
    n = len(make(tool, write, split="20k")["pieces"])
    tool.fails("plan", "job.yaml", says="-o plan.json")
    tool.fails("plan", "job.yaml", "-o", "p.json", "--split-size", "big", says="--split-size is a size like 128MB, not big")
    tool.fails("task", "plan.json", says="--index 0")
    tool.fails("task", "plan.json", "--index", "", says="--index is empty")
    tool.fails("task", "plan.json", "--index", "-1", says="--index")
    tool.fails("task", "plan.json", "--index", "x", says="--index is a number, not x")
    tool.fails("task", "plan.json", "--index", n, says=f"--index {n}: the plan has the pieces 0 to {n - 1}")
    tool.fails("commit", says="commit needs one plan")
