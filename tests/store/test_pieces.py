"""plan, task, commit, abort with objects: nothing counts before _SUCCESS, whatever is killed, and nothing stays that is not wanted."""

import json
import random
import threading
import time

import pytest

import s3_server
from conftest import KEY_ID, SECRET
from piece_runs import JOB, PREFIX, Bucket, Tool
from pieces import kill_at_random, must_be_whole, must_not_be_done


@pytest.fixture
def tool(tmp_path, server):
    made = Tool(tmp_path, server.url, KEY_ID, SECRET, Bucket(server))
    made.make(lambda key, data: server.buckets["bucket"].update({key: s3_server.make_object(data)}))
    return made


def test_the_union_is_the_whole(tool, server):
    plan = tool.plan()
    assert len(plan["pieces"]) >= 5 and "needs_job" not in plan
    assert SECRET not in json.dumps(plan) and KEY_ID not in json.dumps(plan)
    assert [set(f) for f in plan["files"]] == [{"path", "size", "version"}, {"path", "size", "modified_ns"}]
    tool.fails("commit", "plan.json", says="pieces are not written: 0, 1,")
    assert tool.place.files() == {}
    tool.write_all(plan)
    staged = tool.place.files()
    assert all(name.startswith(f"_staging-{plan['id']}/part-") for name in staged)
    tool.ok("task", "-q", "-t", 1, "plan.json", "--index", 1)
    assert tool.place.files() == staged
    assert f"{len(plan['pieces'])} files, 500 rows" in tool.ok("commit", "plan.json")
    parts = must_be_whole(tool, plan)
    assert all(staged[f"_staging-{plan['id']}/{name}"] == data for name, data in parts.items())
    for name in parts:
        headers = tool.place.objects[PREFIX + name].headers
        assert headers["x-amz-storage-class"] == "STANDARD_IA" and headers["x-amz-meta-who"] == "me"
    assert "is committed already" in tool.ok("commit", "plan.json")
    assert "nothing is left to write" in tool.ok("task", "plan.json", "--index", 0)
    assert "its result stays" in tool.ok("abort", "plan.json")
    assert must_be_whole(tool, plan) == parts
    tool.fails("plan", "job.yaml", "-o", "second.json", "--split-size", "9k", says="is there already")


def test_whatever_is_killed_every_row_is_there_once(tool):
    plan = tool.plan()
    tool.env["DN_S3_PART_BYTES"] = "1000"  # so that uploads are left open
    kill_at_random(tool, plan, seed=3, kills=12)
    assert tool.place.server.uploads["bucket"] == {}


class Killer:
    """Ends the process at its n-th request, of that operation, behind what it does."""

    def __init__(self, server, n, operation=None):
        self.server, self.n, self.operation, self.process, self.lock = server, n, operation, None, threading.Lock()
        self.ready = threading.Event()
        server.fault = self

    def __call__(self, request):
        self.ready.wait(60)
        with self.lock:
            self.n -= self.operation in (None, request.operation)
            if self.n == 0 and self.process.poll() is None:
                self.process.kill()
                self.process.wait()
                return "500-done"
        return None

    def run(self, tool, *args):
        self.process = tool.start(*args)
        self.ready.set()
        self.process.communicate()
        self.server.wait_until_idle()
        self.server.fault = lambda request: None
        return self.process.returncode


def test_a_commit_is_killed_at_any_request(tool, server):
    plan = tool.plan(split="6k")
    tool.write_all(plan)
    staged = {PREFIX + name: server.buckets["bucket"][PREFIX + name] for name in tool.place.files()}
    killed, n = 0, 1
    while True:
        code = Killer(server, n).run(tool, "commit", "-q", "plan.json")
        files = tool.place.files()
        assert "_SUCCESS" not in files or sum("/" not in name and name.startswith("part-") for name in files) == len(plan["pieces"])
        if code == 0:
            break
        killed += 1
        if n % 2:
            tool.ok("abort", "-q", "plan.json")
            files = tool.place.files()
            assert files == {} or "_SUCCESS" in files, list(files)
            if files == {}:
                server.buckets["bucket"].update(staged)
        tool.ok("commit", "-q", "plan.json")
        must_be_whole(tool, plan)
        for name in tool.place.files():
            del server.buckets["bucket"][PREFIX + name]
        server.buckets["bucket"].update(staged)
        n += 3
    assert killed > 5
    must_be_whole(tool, plan)


def test_abort_leaves_nothing(tool, server):
    plan = tool.plan()
    tool.ok("abort", "plan.json")
    tool.write_all(plan)
    tool.env["DN_S3_PART_BYTES"] = "1000"
    assert Killer(server, 1, "part").run(tool, "task", "-q", "plan.json", "--index", "0") != 0
    server.buckets["bucket"][PREFIX + f"part-00000-{plan['id']}.parquet"] = s3_server.make_object(b"x")
    server.buckets["bucket"][PREFIX + "notes.txt"] = s3_server.make_object(b"x")
    assert server.uploads["bucket"] != {}
    tool.ok("abort", "plan.json")
    assert list(tool.place.files()) == ["notes.txt"] and server.uploads["bucket"] == {}
    del server.buckets["bucket"][PREFIX + "notes.txt"]
    tool.write_all(plan)
    tool.ok("commit", "plan.json")
    must_be_whole(tool, plan)


def test_what_is_damaged_is_named(tool, server):
    plan = tool.plan()
    tool.write_all(plan)
    staging = f"{PREFIX}_staging-{plan['id']}/part-"
    objects = server.buckets["bucket"]
    part = objects[f"{staging}00001-{plan['id']}.parquet"]
    part.data = part.data[:-1] + b"?"  # as many bytes
    part.etag = s3_server.make_object(part.data).etag
    objects[f"{staging}00002-{plan['id']}.json"].data = b"{"
    del objects[f"{staging}00003-{plan['id']}.parquet"]
    tool.fails("commit", "plan.json", says=["1 of", "pieces are not written: 3; 2 are damaged: 1, 2;", "--index 1"])
    must_not_be_done(tool)
    for i in (1, 2, 3):
        tool.ok("task", "-q", "plan.json", "--index", i)
    tool.ok("commit", "plan.json")
    must_be_whole(tool, plan)


def test_an_object_that_changed_is_refused(tool, server):
    plan = tool.plan()
    tool.write_all(plan)
    source = server.buckets["bucket"]["in/a.csv"]
    server.buckets["bucket"]["in/a.csv"] = s3_server.make_object(source.data[:-2] + b"0\n")
    tool.fails("task", "-q", "plan.json", "--index", 0, says="s3://bucket/in/a.csv")
    tool.fails("commit", "plan.json", says="s3://bucket/in/a.csv: was written to since the plan was made")
    del server.buckets["bucket"]["in/a.csv"]
    tool.fails("commit", "plan.json", says="s3://bucket/in/a.csv")
    assert all("/" in name for name in tool.place.files())


def test_plans_in_one_place_do_not_mix(tool, server):
    plan = tool.plan()
    tool.write_all(plan)
    (tool.cwd / "plan.json").rename(tool.cwd / "first.json")
    other = tool.plan(split="6k")
    tool.write_all(other)
    assert Killer(server, 2, "copy").run(tool, "commit", "-q", "first.json") != 0
    assert "_committing" in tool.place.files()
    tool.fails("commit", "plan.json", says=["_committing: another plan is being committed there", "commit or abort that one first"])
    tool.ok("commit", "-q", "first.json")
    tool.fails("commit", "plan.json", says="is there already")
    tool.ok("abort", "-q", "plan.json")
    must_be_whole(tool, plan)


def test_keys_of_the_job(tool):
    """Keys that stand in the job, and that the environment has under other names: the plan has none, and tasks look there."""
    keys = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
    job = JOB.replace("prefix: lake", 'prefix: lake, access_key_id: "${MY_ID}", secret_access_key: "${MY_SECRET}"')
    job = job.replace("source:\n", 'source:\n  connection: {access_key_id: "${MY_ID}", secret_access_key: "${MY_SECRET}"}\n')
    (tool.cwd / "job.yaml").write_text(job)
    tool.env = {k: v for k, v in tool.env.items() if k not in keys} | {"MY_ID": KEY_ID, "MY_SECRET": SECRET}
    plan = tool.plan()
    assert plan["needs_job"] is True and SECRET not in json.dumps(plan)
    tool.fails("task", "plan.json", "--index", 0, MY_SECRET=None, says="MY_SECRET")
    tool.write_all(plan)
    tool.ok("commit", "plan.json")
    must_be_whole(tool, plan)


def test_a_plan_of_objects_works_in_any_folder(tool, tmp_path_factory):
    (tool.cwd / "job.yaml").write_text(JOB.replace("    - {path: in/b.csv}\n", ""))
    plan = tool.plan()
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "plan.json").write_text((tool.cwd / "plan.json").read_text())
    (tool.cwd / "in/b.csv").write_text("n,s,x\n")
    tool.cwd.rename(tool.cwd.with_name("gone"))
    home, tool.cwd = tool.cwd.with_name("gone"), elsewhere
    tool.write_all(plan)
    tool.ok("commit", "plan.json")
    tool.cwd = home
    must_be_whole(tool, plan)


def test_keys_with_letters_that_are_encoded(tool, server):
    (tool.cwd / "job.yaml").write_text(JOB.replace("prefix: lake", 'prefix: "la ke/ü+%41&="'))
    plan = tool.plan(split="9k")
    tool.write_all(plan)
    tool.ok("commit", "plan.json")
    folder = "la ke/ü+%41&=/default/default/t/"
    names = [f"part-{i:05}-{plan['id']}.parquet" for i in range(len(plan["pieces"]))]
    assert sorted(server.buckets["bucket"]) == sorted(["in/a.csv", *(folder + name for name in ["_SUCCESS", "_manifest.json", *names])])


@pytest.mark.parametrize("seed", range(2))
def test_a_commit_through_faults(tool, server, seed):
    """It succeeds or says what failed, and the one behind it does the rest."""
    plan = tool.plan(split="9k")
    tool.write_all(plan)
    draw, lock = random.Random(seed), threading.Lock()
    kinds = ["500", "503", "reset-before", "reset-answer", "lost", "truncate", "error-in-200", "500-done", "done-error-in-200"]

    def fault(request):
        with lock:
            return draw.choice(kinds) if draw.random() < 0.15 else None

    server.fault = fault
    done = tool("commit", "plan.json")
    server.fault = lambda request: None
    assert done.returncode in (0, 2), done.stderr.decode()
    if done.returncode == 0:
        must_be_whole(tool, plan)
    tool.ok("commit", "plan.json")
    must_be_whole(tool, plan)


def test_what_one_request_does_not_copy_is_copied_in_parts(tool, server):
    """5 GiB, made 1000 bytes here; with what the tasks gave the objects, whatever of the commits is killed."""
    server.most_copied = 1000
    (tool.cwd / "job.yaml").write_text(JOB.replace("{who: me}", "{who: me, n: 7}, tags: {team: a b}"))
    plan = tool.plan("9k")
    tool.write_all(plan)
    staged = {name.rpartition("/")[2]: data for name, data in tool.place.files().items() if name.endswith(".parquet")}
    assert min(len(data) for data in staged.values()) > 2000
    headers = {name.rpartition("/")[2]: made.headers for name, made in tool.place.objects.items() if "_staging-" in name}
    tool.fails("commit", "plan.json", says="larger than the maximum")
    tool.env["DN_S3_COPY_BYTES"] = "1000"
    n = 0

    def fault(request):
        nonlocal n
        n += request.operation == "part"
        return "reset-answer" if n % 5 == 3 and request.operation == "part" else "error-in-200" if n % 7 == 4 else None

    server.fault = fault
    for _ in range(3):
        process = tool.start("commit", "-q", "plan.json")
        seen = n
        while n < seen + 2 and process.poll() is None:
            time.sleep(0.001)
        process.kill()
        process.communicate()
        if "_SUCCESS" in tool.place.files():
            break
    tool.ok("commit", "-q", "plan.json")
    parts = must_be_whole(tool, plan)
    assert parts == staged and server.uploads["bucket"] == {}
    copies = [operation for operation, *_ in server.seen if operation in ("copy", "create")]
    assert copies.count("create") >= len(parts)
    for name in parts:
        assert tool.place.objects[PREFIX + name].headers == headers[name]
        assert headers[name]["x-amz-meta-n"] == "7" and headers[name]["x-amz-tagging"]


def test_what_is_replaced_while_it_is_copied_in_parts(tool, server):
    plan = tool.plan("9k")
    tool.write_all(plan)
    tool.env["DN_S3_COPY_BYTES"] = "1000"
    victim = f"{PREFIX}_staging-{plan['id']}/part-00000-{plan['id']}.parquet"

    def fault(request):
        if request.operation == "part" and request.query["partNumber"] == "2" and "part-00000" in request.path:
            tool.place.objects[victim] = s3_server.make_object(tool.place.objects[victim].data[:-1] + b"x")

    server.fault = fault
    tool.fails("commit", "plan.json", says="was replaced before it could be copied")
    assert server.uploads["bucket"] == {} and "_SUCCESS" not in tool.place.files()
