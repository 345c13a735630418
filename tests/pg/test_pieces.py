"""plan, task, commit, abort of a table: one snapshot for tasks in other processes, whatever happens to the table, the tasks and the holder."""

import concurrent.futures
import io
import json
import signal
import subprocess
import sys
import threading
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

import jobs
from command import BIN, environment
from conftest import NOWHERE, wait_for
from pieces import Folder, kill_at_random
from postgres_server import PASSWORD

N_ROWS = 1600
ASSET = {"name": "t", "schema": [{"name": "id", "type": "integer"}, {"name": "balance", "type": "integer"}, {"name": "note", "type": "string"},
                                 {"name": "n", "type": "decimal(40,5)"}]}
CHANGES = """
UPDATE accounts SET balance = balance + 1, note = note || 'z' WHERE id % 7 = {k} % 7;
DELETE FROM accounts WHERE id % 100 = {k};
INSERT INTO accounts SELECT 1000000 + {k} * 100 + i, -5, repeat('y', 700), 1 FROM generate_series(1, 100) i;
VACUUM accounts;
"""


@pytest.fixture
def accounts(server):
    server.sql(f"""DROP TABLE IF EXISTS accounts CASCADE;
    CREATE TABLE accounts (id int, balance int, note text, n numeric) WITH (fillfactor = 70);
    INSERT INTO accounts SELECT i, 100, repeat('x', 700), i / 100000.0 FROM generate_series(1, {N_ROWS}) i""")
    return server


class Tool:
    """The commands, in a folder with a job of the table."""

    def __init__(self, cwd, server, target=None, asset=ASSET, **source):
        self.cwd, self.server = cwd, server
        self.place = Folder(cwd / "out/default/default/t")
        self.env = environment(**NOWHERE, AWS_EC2_METADATA_DISABLED="true")
        connection = {"host": str(server.folder), "port": server.port, "user": "postgres", "database": "postgres"}
        self.job = {"tenant_id": "acme", "source_connector": "postgres", "target_connector": "local", "asset_path": "asset.yaml",
                    "source": {"connection": connection, **(source or {"tables": [{"name": "accounts"}]})},
                    "target": {"connection": {"path": "out"}}, **(target or {})}
        (cwd / "asset.yaml").write_text(yaml.safe_dump(asset))
        self.write_job()
        self.holder = None
        self.rows = None

    def write_job(self):
        (self.cwd / "job.yaml").write_text(yaml.safe_dump(self.job))

    def start(self, *args):
        return subprocess.Popen([str(BIN), *map(str, args)], cwd=self.cwd, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def __call__(self, *args):
        process = self.start(*args)
        out, err = process.communicate(timeout=120)
        assert PASSWORD.encode() not in out + err and b"Sanitizer" not in err, err
        return subprocess.CompletedProcess(args, process.returncode, out, err)

    def ok(self, *args):
        done = self(*args)
        assert done.returncode == 0, done.stderr.decode()
        return done.stderr.decode()

    def fails(self, *args, says, code=2):
        done = self(*args)
        text = done.stderr.decode()
        assert done.returncode == code, (done.returncode, text)
        for word in [says] if isinstance(says, str) else says:
            assert word in text, text
        return text

    def read_plan(self):
        return json.loads((self.cwd / "plan.json").read_text())

    def hold(self, split="80kB", rows="SELECT id, balance, note, n FROM accounts ORDER BY ctid", of=("job.yaml",)):
        """The plan, and what the table has at that moment."""
        self.rows = rows and self.server.sql(rows)
        self.holder = self.start("plan", "--hold", *of, "-o", "plan.json", "--split-size", split)
        wait_for(lambda: (self.cwd / "plan.json").exists() or self.holder.poll() is not None, "no plan")
        assert self.holder.poll() is None, self.holder.communicate()[1].decode()
        return self.read_plan()

    def released(self, code=0):
        said = self.holder.communicate(timeout=60)[1].decode()
        assert self.holder.returncode == code, (self.holder.returncode, said)
        self.server.gone()
        return said

    def write_all(self, plan, processes=4):
        with concurrent.futures.ThreadPoolExecutor(processes) as pool:
            list(pool.map(lambda i: self.ok("task", "-q", "plan.json", "--index", i), range(len(plan["pieces"]))))

    def must_be_whole(self, plan):
        """Every row of the moment of the plan once and in order, and nothing else."""
        files = self.place.files()
        names = [f"part-{i:05}-{plan['id']}.parquet" for i in range(len(plan["pieces"]))]
        assert sorted(files) == sorted([*names, "_manifest.json", "_SUCCESS"])
        table = pa.concat_tables(pq.read_table(io.BytesIO(files[name])) for name in names)
        ours = ["|".join(jobs.as_text(v) for v in row.values()) for row in table.to_pylist()]
        theirs = ["|".join(line.split("|")[:-1] + [line.split("|")[-1]]) for line in self.rows.splitlines()]
        assert [line.rpartition("|")[0] for line in ours] == [line.rpartition("|")[0] for line in theirs]
        assert [float(line.rpartition("|")[2]) for line in ours] == [float(line.rpartition("|")[2]) for line in theirs]
        assert json.loads(files["_manifest.json"])["rows"] == len(theirs)
        return {name: files[name] for name in names}


@pytest.fixture
def tool(tmp_path, accounts):
    made = Tool(tmp_path, accounts)
    yield made
    if made.holder is not None and made.holder.poll() is None:
        made.holder.kill()
        made.holder.communicate()


def test_the_union_is_the_table_as_it_was(tool, accounts):
    """16 pieces and four processes, while rows are updated, deleted, inserted, and the table is vacuumed."""
    plan = tool.hold()
    assert len(plan["pieces"]) >= 16 and plan["rows"] is None and plan["files"] == [] and "needs_job" not in plan
    assert accounts.sql(f"SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'") == "1"
    stop, k = threading.Event(), 0
    accounts.sql(CHANGES.format(k=0))

    def change():
        nonlocal k
        while not stop.is_set():
            k += 1
            accounts.sql(CHANGES.format(k=k))

    thread = threading.Thread(target=change)
    thread.start()
    try:
        tool.write_all(plan)
    finally:
        stop.set()
        thread.join()
    first = f"_staging-{plan['id']}/part-00003-{plan['id']}.parquet"
    before = tool.place.files()[first]
    tool.ok("task", "-q", "-t", 1, "plan.json", "--index", 3)  # again, behind the changes
    assert k >= 1 and tool.place.files()[first] == before
    assert f"{N_ROWS:,} rows" in tool.ok("commit", "plan.json")
    said = tool.released()
    assert plan["snapshot"] in said and "is held until" in said and "is committed" in said
    tool.must_be_whole(plan)
    assert accounts.sql("SELECT count(*) FROM accounts WHERE balance = 100") != str(N_ROWS)


def test_whatever_is_killed_every_row_is_there_once(tool, accounts):
    plan = tool.hold()
    accounts.sql(CHANGES.format(k=3))
    kill_at_random(tool, plan, seed=3, kills=8, whole=lambda tool, plan: tool.must_be_whole(plan))
    tool.released()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_without_its_holder_nothing_can_be_read(tool, accounts, how):
    plan = tool.hold()
    tool.ok("task", "-q", "plan.json", "--index", 0)
    time.sleep(0.2)  # it holds on
    tool.holder.send_signal(how)
    said = tool.released(-how if how == signal.SIGKILL else 128 + how)
    assert how == signal.SIGKILL or "tasks that have not begun cannot read it any more" in said
    tool.fails("task", "plan.json", "--index", 1, says=[f"the snapshot {plan['snapshot']} is gone", "make a new one"])
    tool.fails("commit", "plan.json", says="pieces are not written")
    assert all("/" in name for name in tool.place.files())
    tool.ok("abort", "plan.json")
    assert tool.place.files() == {}


def test_a_holder_that_loses_its_session_says_so(tool, accounts):
    plan = tool.hold()
    tool.write_all({"pieces": plan["pieces"][:2]})
    accounts.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'")
    said = tool.released(2)
    assert f"the snapshot {plan['snapshot']} is lost" in said
    # the server's own word does not come through where it ends between a question and its answer
    assert "terminating connection" in said or "server closed the connection unexpectedly" in said


def test_abort_lets_go(tool, accounts):
    tool.hold()
    tool.ok("task", "-q", "plan.json", "--index", 2)
    tool.ok("abort", "plan.json")
    assert "is aborted" in tool.released() and tool.place.files() == {}


def test_nobody_rewrites_what_is_held(tool, accounts):
    plan = tool.hold()
    with pytest.raises(RuntimeError, match="lock timeout"):
        accounts.sql("SET lock_timeout = '200ms'; TRUNCATE accounts")
    with pytest.raises(RuntimeError, match="lock timeout"):
        accounts.sql("SET lock_timeout = '200ms'; ALTER TABLE accounts ADD COLUMN more int")
    tool.write_all({"pieces": plan["pieces"][:1]})
    tool.ok("abort", "plan.json")
    tool.released()


def digest(value):
    out = 14695981039346656037
    for byte in json.dumps(value, sort_keys=True, separators=(",", ":")).encode():
        out = (out ^ byte) * 1099511628211 % (1 << 64)
    return f"{out:016x}"


def forge(plan, **changes):
    """The plan with other tokens, as if it had been made so."""
    for piece in plan["pieces"]:
        token = {k: v for k, v in {**json.loads(piece["token"]), **changes}.items() if k != "check"}
        piece["token"] = json.dumps({**token, "check": changes.get("check", digest(token))}, separators=(",", ":"))
    plan = {k: v for k, v in plan.items() if k != "id"}
    return {**plan, "id": digest(plan)}


@pytest.mark.parametrize("changes, says", [
    ({}, None),
    ({"moment": "0123456789abcdef"}, "is gone"),  # names of snapshots begin anew behind a crash of the server
    ({"server": "1.5"}, "started again since"),
    ({"oid": 1}, "is another table"),
    ({"options": "0123456789abcdef"}, "with other options"),
    ({"check": "0123456789abcdef"}, "is damaged"),
    ({"snapshot": "00000009-0000FFFF-1"}, "is gone"),
])
def test_a_snapshot_is_what_it_was(tool, accounts, changes, says):
    plan = forge(tool.hold(rows=None), **changes)
    (tool.cwd / "other.json").write_text(json.dumps(plan))
    if says:
        tool.fails("task", "other.json", "--index", 0, says=says)
    else:
        tool.ok("task", "other.json", "--index", 0)


def test_without_a_snapshot_only_where_it_is_asked_for(tool, accounts):
    text = tool.fails("plan", "job.yaml", "-o", "plan.json", says=["--hold", "--snapshot-per-task", "may be missing or be there twice"])
    assert text.count("\n") == 1 and not (tool.cwd / "plan.json").exists()
    tool.fails("plan", "--hold", "--snapshot-per-task", "job.yaml", "-o", "plan.json", says="leave one out")
    assert "or be there twice" in tool.ok("plan", "--snapshot-per-task", "job.yaml", "-o", "plan.json", "--split-size", "800kB")
    accounts.gone()
    plan = tool.read_plan()
    assert plan["snapshot"] is None and len(plan["pieces"]) > 1
    tool.rows = accounts.sql("SELECT id, balance, note, n FROM accounts ORDER BY ctid")
    tool.write_all(plan)
    tool.ok("commit", "-q", "plan.json")
    tool.must_be_whole(plan)


def test_a_plan_that_cannot_be_written_leaves_nothing(tool, accounts):
    (tool.cwd / "plan.json").write_text("mine")
    tool.fails("plan", "--hold", "job.yaml", "-o", "plan.json", says="exists")
    assert tool.place.files() == {} and (tool.cwd / "plan.json").read_text() == "mine"
    accounts.gone()


def test_views_queries_partitions_and_what_is_refused(tmp_path, accounts):
    accounts.sql("""CREATE VIEW rich AS SELECT * FROM accounts WHERE id > 100; DROP TABLE IF EXISTS nothing, parted;
        CREATE TABLE nothing (LIKE accounts); CREATE TABLE parted (LIKE accounts) PARTITION BY RANGE (id);
        CREATE TABLE p1 PARTITION OF parted FOR VALUES FROM (0) TO (900); CREATE TABLE p2 PARTITION OF parted FOR VALUES FROM (900) TO (9000);
        INSERT INTO parted SELECT * FROM accounts""")
    named = {"view": {"tables": [{"name": "rich"}]}, "query": {"query": "SELECT * FROM accounts WHERE id > 100"},
             "parted": {"tables": [{"name": "parted", "where": "id > 100"}]}}
    for name, source in named.items():
        (tmp_path / name).mkdir()
        tool = Tool(tmp_path / name, accounts, **source)
        plan = tool.hold("300kB", "SELECT id, balance, note, n FROM accounts WHERE id > 100 ORDER BY id")
        assert (len(plan["pieces"]) > 2) == (name == "parted")
        tool.write_all(plan)
        tool.ok("commit", "-q", "plan.json")
        said = tool.released()
        assert name == "parted" or "is one piece: it is a " + name in said, said
        tool.must_be_whole(plan)
    tool = Tool(tmp_path, accounts, tables=[{"name": "nothing"}])
    plan = tool.hold(rows=None)
    tool.write_all(plan)
    tool.fails("commit", "plan.json", says=["the source has no rows", "--allow-empty"])
    tool.ok("abort", "-q", "plan.json")
    tool.released()
    tool.job["source"]["tables"] = [{"name": "accounts"}, {"name": "nothing"}]
    tool.write_job()
    tool.fails("plan", "--hold", "job.yaml", "-o", "2.json", says="a plan is of one table")


def test_no_password_is_in_the_plan(tmp_path, accounts):
    """It is the job's, in the environment of each task."""
    tool = Tool(tmp_path, accounts)
    tool.job["source"]["connection"].update(host="127.0.0.1", password="${SHOP_PASSWORD}")
    tool.write_job()
    tool.env["SHOP_PASSWORD"] = PASSWORD
    plan = tool.hold("800kB")
    assert PASSWORD not in (tmp_path / "plan.json").read_text() and plan["needs_job"] is True
    tool.write_all(plan)
    del tool.env["SHOP_PASSWORD"]
    tool.fails("task", "plan.json", "--index", 0, says="SHOP_PASSWORD")
    tool.env["SHOP_PASSWORD"] = PASSWORD
    tool.ok("commit", "-q", "plan.json")
    assert PASSWORD not in tool.released()
    tool.must_be_whole(plan)


def test_into_a_bucket(tmp_path, accounts):
    s3 = jobs.s3_server.Server(["lake"]).start()
    try:
        tool = Tool(tmp_path, accounts, target={"target_connector": "s3", "target": {"connection": {"bucket": "lake", "prefix": "p"}}})
        tool.env.update(S3_ENDPOINT=s3.url, AWS_ACCESS_KEY_ID=jobs.KEY_ID, AWS_SECRET_ACCESS_KEY=jobs.SECRET, AWS_REGION="us-east-1")
        prefix = "p/default/default/t/"
        tool.place.files = lambda: {k[len(prefix):]: v.data for k, v in s3.buckets["lake"].items() if k.startswith(prefix)}
        plan = tool.hold("400kB")
        accounts.sql(CHANGES.format(k=1))
        tool.write_all(plan)
        tool.ok("commit", "-q", "plan.json")
        tool.released()
        tool.must_be_whole(plan)
        assert s3.problems == []
    finally:
        s3.shutdown()


def test_an_address_needs_no_job(tool, accounts):
    address = f"postgres://postgres@/postgres?host={accounts.folder}&port={accounts.port}"
    plan = tool.hold("300kB", "SELECT id, balance, note, n FROM accounts WHERE id > 100 ORDER BY ctid",
                     of=(address + "&table=accounts", "parts/", "--where", "id > 100"))
    assert plan["directory"] == "parts" and "needs_job" not in plan and len(plan["pieces"]) > 2
    tool.place.path = tool.cwd / "parts"
    accounts.sql(CHANGES.format(k=1))
    tool.write_all(plan)
    tool.ok("commit", "-q", "plan.json")
    tool.released()
    tool.must_be_whole(plan)
    for args, says in [((address, "out"), "names no table"), ((address + "&table=accounts",), "one folder"),
                       (("job.yaml", "--where", "true"), "a job says them itself"), ((address + "&table=nope", "out"), "nope"),
                       ((address + "&table=accounts", "t.parquet"), "go into a folder"),
                       ((address + "&password=se+cret&table=accounts", "out"), "has a password"),
                       (("postgres://me:se+cret@127.0.0.1/postgres?table=accounts", "out"), "has a password")]:
        assert "se+cret" not in tool.fails("plan", "--hold", *args, "-o", "2.json", says=says)
    accounts.gone()
    assert not (tool.cwd / "2.json").exists()


def test_a_block_of_python_holds_it(tool, accounts):
    package = BIN.parents[1] / "python"
    if not list(package.glob("dativo_native/_native*.so")):
        pytest.skip("the package is not built")
    tool.rows = accounts.sql("SELECT id, balance, note, n FROM accounts ORDER BY ctid")
    tool.env["PYTHONPATH"] = str(package)
    code = """
import subprocess, sys, time, dativo_native as dn
try:
    dn.plan("job.yaml", "plan.json")
except dn.DativoError as e:
    assert "be there twice" in str(e)
with dn.held_plan("job.yaml", "plan.json", split_size="300kB") as plan:
    print(plan.pieces, plan.rows, flush=True)
    sys.stdin.readline()
    for i in range(plan.pieces):
        subprocess.run([sys.executable, "-c", f"import dativo_native as dn; dn.task('plan.json', {i})"], check=True) if i % 2 else dn.task(plan, i)
print(dn.commit(plan).rows)
with dn.held_plan("job2.yaml", "gone.json") as plan:
    pass
until = time.monotonic() + 30
try:
    while time.monotonic() < until:  # until the server has seen that nobody holds it any more
        dn.task(plan, 0)
except dn.DativoError as e:
    assert "is gone" in str(e), e
    print("gone")
"""
    tool.job["target"] = {"connection": {"path": "out2"}}
    (tool.cwd / "job2.yaml").write_text(yaml.safe_dump(tool.job))
    process = subprocess.Popen([sys.executable, "-c", code], cwd=tool.cwd, env=tool.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    pieces, rows = process.stdout.readline().split()
    assert rows == b"None" and int(pieces) > 2
    accounts.sql(CHANGES.format(k=2))
    out, err = process.communicate(b"\n", timeout=60)
    assert process.returncode == 0 and out.split() == [str(N_ROWS).encode(), b"gone"], err.decode()
    accounts.gone()
    tool.must_be_whole(tool.read_plan())
