"""Runs of `convert` with faults that a number decides on: exact, or exit 2 and nothing there."""

import random

import s3_server
from convert_runs import finish, left_files, serving, start, Draw, ROWS

PASSING = ["500", "503", "503-html", "reset-before", "reset-body", "reset-answer", "lost", "truncate", "slow", "500-done"]
KINDS = PASSING + ["short", "wrong-etag", "wrong-crc", "error-in-200", "done-error-in-200", "expired", "skew", "moved", "full"]
DONE = {"reset-answer", "lost", "truncate", "short", "wrong-crc", "500-done", "done-error-in-200"}  # the server has it, and does not say so
MOST_TRIES = 8
# the same request is made again by somebody else: looking whether the object is there, or is ours; a second look at a source
MOST_OF_A_KIND = {"head": 4 * MOST_TRIES, "get": 4 * MOST_TRIES, "uploads": 4 * MOST_TRIES}


class Plan:
    def __init__(self, seed):
        draw = random.Random(seed)
        self.share = draw.choice([0.02, 0.1, 0.3, 0.6])
        self.rows = draw.choice(ROWS)
        self.source, self.target = draw.choice([("csv", "parquet"), ("parquet", "csv"), ("csv", "csv")])
        self.from_bucket, self.to_bucket = draw.choice([(True, False), (False, True), (False, True), (True, True)])
        self.overwrite = draw.random() < 0.5
        self.there = draw.choice([None, "same", "other"]) if self.overwrite and self.to_bucket else None
        self.region = draw.choice(["us-east-1", "us-east-1", "eu-west-3"])
        self.kinds = draw.choice([KINDS, PASSING, [draw.choice(KINDS)]])


def add_faults(server, plan, seed):
    number = Draw(seed)

    def fault(request):
        chance, _ = number(request)
        if request.operation in ("abort", "uploads"):  # what cannot be aborted for good is for the next run
            return PASSING[int(chance * 1e6) % len(PASSING)] if chance < min(plan.share, 0.1) else None
        return plan.kinds[int(chance * 1e6) % len(plan.kinds)] if chance < plan.share else None

    server.fault = fault
    return number


def run_with_faults(runs, seed, folder):
    """How many faults there were, and whether it was exact."""
    plan = Plan(seed)
    wanted = runs.wanted(plan.target, plan.rows)
    with serving(region=plan.region) as server:
        number = add_faults(server, plan, seed)
        bucket = server.buckets["bucket"]
        source, target = f"in.{plan.source}", f"out.{plan.target}"
        before = {}
        if plan.there:
            before[target] = bucket[target] = s3_server.make_object(wanted if plan.there == "same" else runs.wanted(plan.target, 3 if plan.rows > 3 else 700))
        if plan.from_bucket:
            before[source] = bucket[source] = s3_server.make_object(runs.wanted(plan.source, plan.rows))
            source = "s3://bucket/" + source
        else:
            (folder / source).write_bytes(runs.wanted(plan.source, plan.rows))
        process = start(folder, server, *(["-f"] if plan.overwrite else []), source, f"s3://bucket/{target}" if plan.to_bucket else target)
        code, said = finish(process, folder)
        server.wait_until_idle()
        faults = [(operation, word) for operation, _, word in server.seen if word]
        what = (seed, vars(plan), code, said, server.seen)
        assert code in (0, 2), what
        assert server.problems == [], (server.problems, what)
        assert server.uploads["bucket"] == {}, what
        assert all(n <= MOST_OF_A_KIND.get(key[0], MOST_TRIES + 4) for key, n in number.count.items()), (number.count, what)
        written = bucket.get(target) if plan.to_bucket else None
        data = written.data if written else (folder / target).read_bytes() if (folder / target).exists() else None
        if code == 0:
            assert data == wanted, what
        else:
            assert said.count("dativo-native: error: ") == 1 and "s3://bucket/" in said, what
            # when every answer of the last request gets lost, the object is there nevertheless, and that is said
            unsure = plan.to_bucket and any(o in ("put", "complete") and word in DONE for o, word in faults)
            old = before[target].data if target in before else None
            assert data == old or (unsure and data == wanted and "may be there" in said), what
        names = {p.name for p in folder.iterdir()} - {"tmp", ".local", f"in.{plan.source}", target}
        assert names == set() and left_files(folder) == [], (names, what)
        assert set(bucket) - {target} == set(before) - {target}, what
        return len(faults), code == 0
