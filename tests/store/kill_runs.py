"""Uploads that are killed, and run again: at any request, before it is done, after it, or a while later."""

import random
import signal
import threading
import time

from convert_runs import finish, no_secret_in, serving, start

REQUESTS = 22  # more than an upload of the largest input makes


def kill_and_run_again(runs, seed, folder):
    """Whether it was killed before it was over, and how many uploads it left."""
    draw = random.Random(seed)
    rows, target = 9000, draw.choice(["parquet", "csv", "csv"])
    at, later = draw.randrange(REQUESTS), draw.choice([None, 0, 0, draw.random() / 50])
    wanted, key = runs.wanted(target, rows), f"out.{target}"
    reached, over = threading.Event(), threading.Event()

    def stop_at(request):
        if request.number == at:
            reached.set()
            if later is None:  # killed before this one is done
                over.wait(60)
        return None

    with serving() as server:
        server.fault = stop_at
        args = ["-q", "-f", f"{runs.home}/{rows}.csv", f"s3://bucket/{key}"]
        process = start(folder, server, *args)
        while not reached.wait(0.005) and process.poll() is None:
            pass
        time.sleep(later or 0)
        process.send_signal(signal.SIGKILL)
        said = b"".join(process.communicate())
        over.set()
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
