"""A job in pieces: what is cut, what must come out, and killing what works on it."""

import csv
import io
import json
import random
import signal
import time

import pyarrow as pa
import pyarrow.parquet as pq

JOB = """
tenant_id: acme
source_connector: csv
target_connector: local
asset_path: asset.yaml
source:
  files:
    - {path: in/a.csv}
    - {path: in/b.csv}
target:
  connection: {path: out}
"""
ASSET = "name: t\nschema: [{name: n, type: integer, required: true}, {name: s, type: string}, {name: x, type: float}]\n"
OUT = "out/default/default/t"


def text(rng, first, n):
    """Rows whose texts look like rows, and go over lines, so that a cut in a wrong place would not go unnoticed."""
    out = io.StringIO()
    rows = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    rows.writerow(["n", "s", "x"])
    for i in range(first, first + n):
        said = "".join(rng.choice(['7,"a",1.5\n', "\n", '"', ",", "b", "é", '"\n']) for _ in range(rng.randrange(12)))
        rows.writerow([i, said + ".", i / 4])
    return out.getvalue()


def make(tool, write, n_rows=1050, split="2200", job=JOB, plan=True):
    """Two files, job and asset, cut.  The plan, as it is written."""
    rng = random.Random(5)
    write("in/a.csv", text(rng, 0, n_rows))
    write("in/b.csv", text(rng, n_rows, n_rows // 3))
    write("asset.yaml", ASSET)
    write("job.yaml", job)
    if not plan:
        return None
    tool.ok("plan", "-q", "job.yaml", "-o", "plan.json", "--split-size", split)
    return json.loads((tool.cwd / "plan.json").read_text())


def expected(tool):
    """By Python's reader."""
    rows = []
    for name in ("a", "b"):
        with open(tool.cwd / "in" / f"{name}.csv", newline="", encoding="utf-8") as file:
            rows += list(csv.reader(file))[1:]
    return [[int(n) for n, _, _ in rows], [s for _, s, _ in rows], [float(x) for _, _, x in rows]]


class Folder:
    """Where the result stands: what is in it, by names."""

    def __init__(self, path):
        self.path = path

    def files(self):
        return {str(p.relative_to(self.path)): p.read_bytes() for p in self.path.rglob("*") if p.is_file()}


def place(tool):
    return getattr(tool, "place", None) or Folder(tool.cwd / OUT)


def must_be_whole(tool, plan):
    """Every row once and in order, files as the manifest says, and nothing else."""
    files = place(tool).files()
    names = [f"part-{i:05}-{plan['id']}.parquet" for i in range(len(plan["pieces"]))]
    assert sorted(files) == sorted([*names, "_manifest.json", "_SUCCESS"])
    tables = [pq.read_table(io.BytesIO(files[name])) for name in names]
    assert pa.concat_tables(tables).to_pydict() == dict(zip("nsx", expected(tool)))
    manifest = json.loads(files["_manifest.json"])
    assert manifest["plan"] == plan["id"] and manifest["rows"] == plan["rows"]
    assert [(f["file"], f["rows"], f["bytes"]) for f in manifest["files"]] == [
        (name, table.num_rows, len(files[name])) for name, table in zip(names, tables)]
    return {name: files[name] for name in names}


def write_all(tool, plan):
    for i in range(len(plan["pieces"])):
        tool.ok("task", "-q", "plan.json", "--index", i)


def must_not_be_done(tool):
    """A commit in the middle of the work is refused, and changes nothing that counts."""
    done = tool("commit", "plan.json")
    assert done.returncode == 2 and "pieces are" in done.stderr.decode(), done.stderr.decode()
    assert not [name for name in place(tool).files() if "/" not in name and name not in ("_lock", "_committing")]


def must_be_complete_if_it_says_so(tool, plan):
    files = place(tool).files()
    if "_SUCCESS" in files:
        assert sum(name.startswith("part-") for name in files) == len(plan["pieces"])


def kill_at_random(tool, plan, seed, kills, whole=must_be_whole):
    """Four tasks at a time, some of one piece twice, and each of `kills` ends in the middle; then a commit that is killed as well."""
    rng = random.Random(seed)
    waiting = list(range(len(plan["pieces"])))
    rng.shuffle(waiting)
    running = []
    left = kills
    killed = 0

    while waiting or running:
        while waiting and len(running) < 4:
            index = waiting.pop()
            for _ in range(1 + (rng.random() < 0.1)):
                running.append((index, tool.start("task", "-q", "-t", 1, "plan.json", "--index", index)))
        if left > 0:
            time.sleep(rng.random() * 0.02)
            index, process = running.pop(rng.randrange(len(running)))
            process.send_signal(signal.SIGKILL)
            process.communicate()
            killed += process.returncode == -signal.SIGKILL
            waiting.insert(rng.randrange(len(waiting) + 1), index)  # killed or done: it is run again
            left -= 1
            if left % 10 == 5:
                must_not_be_done(tool)
            continue
        index, process = running.pop(0)
        said = process.communicate()[1]
        assert process.returncode == 0, said.decode()
    assert killed > 0  # not all were done already
    for _ in range(max(kills // 5, 3)):
        process = tool.start("commit", "-q", "plan.json")
        time.sleep(rng.random() * 0.012)
        process.kill()
        process.communicate()
        must_be_complete_if_it_says_so(tool, plan)
    both = [tool.start("commit", "-q", "plan.json") for _ in range(2)]
    for process in both:
        said = process.communicate(timeout=60)[1]
        assert process.returncode == 0, said.decode()
    return whole(tool, plan)
