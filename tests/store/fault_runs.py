"""Uploads and downloads with faults that a number decides on: exact, or an error with nothing left behind."""

import random

import s3_server
from conftest import CANCELLED, OK, contents

KINDS = ["500", "503", "503-html", "reset-before", "reset-body", "reset-answer", "lost", "truncate", "short", "slow", "wrong-etag",
         "error-in-200", "done-error-in-200", "500-done", "expired", "skew", "full"]


def run_with_faults(tool, server, seeds):
    results = {"exact": 0, "error": 0}
    for seed in seeds:
        draw = random.Random(seed)
        share = draw.choice([0.02, 0.1, 0.3, 0.6])
        size = draw.choice([0, 1, 999, 1000, 1001, 4500, 20_000])
        data = contents(size, seed)
        upload = draw.random() < 0.6
        server.buckets["bucket"].clear()
        server.uploads["bucket"].clear()
        server.seen.clear()
        # aborting gets through in the end: what cannot be aborted is for the next run
        server.fault = lambda request: (draw.choice(KINDS) if draw.random() < share and
                                        request.operation not in ("abort", "uploads") else None)
        if upload:
            (tool.home / "f").write_bytes(data)
            command = ["write", "f", "s3://bucket/k", draw.choice([100, 1000, 30_000])]
            done = tool(*command, options=[f"--overwrite={draw.choice(['yes', 'no'])}", "--tries=6", "--part=1000",
                                           f"--at-once={draw.choice([1, 3])}", f"--memory={draw.choice([1000, 4000])}"])
        else:
            server.buckets["bucket"]["k"] = s3_server.Object(data, '"e"', {})
            (tool.home / "back").unlink(missing_ok=True)
            done = tool("get", "s3://bucket/k", "back", 1000, draw.choice([1, 3]), options=["--tries=6"])
        what = (seed, command if upload else "get", done.err, server.seen)
        assert len(server.seen) < 400, what
        assert done.code not in (CANCELLED, -6, -11), what
        if done.code == OK:
            results["exact"] += 1
            kept = server.buckets["bucket"]["k"].data if upload else (tool.home / "back").read_bytes()
            assert kept == data, what
        else:
            results["error"] += 1
            assert "s3://bucket/k" in done.err, what
            assert not (tool.home / "back").exists() or upload, what
            if upload and "k" in server.buckets["bucket"]:
                # an answer that never came: the object is there and exact, never in part
                assert server.buckets["bucket"]["k"].data == data, what
        assert server.uploads["bucket"] == {}, what
    assert results["exact"] > 0 and results["error"] > 0, results
    return results
