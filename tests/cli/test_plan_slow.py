"""As test_plan.py, for longer."""

import shutil

from pieces import OUT, kill_at_random, make, must_be_whole, write_all


def test_whatever_is_killed_every_row_is_there_once(tool, write):
    """64 pieces by four processes at a time, and 200 kills: the same files as without any."""
    plan = make(tool, write, n_rows=4300, split="2200")
    assert len(plan["pieces"]) >= 64
    write_all(tool, plan)
    tool.ok("commit", "-q", "plan.json")
    quiet = must_be_whole(tool, plan)
    shutil.rmtree(tool.cwd / OUT)
    assert kill_at_random(tool, plan, seed=100, kills=200) == quiet
