"""Uploads that are killed, and run again: at any request, before it is done, after it, or a while later."""

import functools
import random
import signal
import threading
import time

from convert_runs import finish, no_secret_in, serving, start

ROWS = 9000


@functools.cache
def n_requests(runs, target):
    """Of a run that nobody kills."""
    folder = runs.home / f"whole-{target}-{threading.get_ident()}"
    folder.mkdir()
    with serving() as server:
        code, said = finish(start(folder, server, *arguments(runs, target)), folder)
        assert code == 0, said
        return len(server.seen)


def arguments(runs, target):
    return ["-q", "-f", f"{runs.home}/{ROWS}.csv", f"s3://bucket/out.{target}"]


def kill_and_run_again(runs, seed, folder):
    """Whether it was killed before it was over, and how many uploads it left."""
    draw = random.Random(seed)
    target = draw.choice(["parquet", "csv", "csv"])
    at, later = draw.randrange(n_requests(runs, target)), draw.choice([None, 0, 0, draw.random() / 50])
    wanted, key, args = runs.wanted(target, ROWS), f"out.{target}", arguments(runs, target)
    reached, over = threading.Event(), threading.Event()

    def stop_at(request):
        if request.number == at:
            reached.set()
            if later is None:  # killed before this one is done
                over.wait(60)
        return None

    with serving() as server:
        server.fault = stop_at
        process = start(folder, server, *args)
        while not reached.wait(0.005) and process.poll() is None:
            pass
        time.sleep(later or 0)
        process.send_signal(signal.SIGKILL)
        said = b"".join(process.communicate())
        over.set()
        server.wait_until_idle()  # what it had asked for is done
        no_secret_in(folder, said)
        server.fault = lambda request: None
        kept = server.buckets["bucket"].get(key)
        assert kept is None or kept.data == wanted, (seed, "in part")
        left = len(server.uploads["bucket"])
        code, said = finish(start(folder, server, *args), folder)
        what = (seed, at, later, said, server.seen)
        assert code == 0, what
        assert server.buckets["bucket"][key].data == wanted, what
        assert {u.key for u in server.uploads["bucket"].values()} == set(), what
        assert server.problems == [], what
        return process.returncode == -signal.SIGKILL, left
