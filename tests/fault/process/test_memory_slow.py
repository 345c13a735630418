"""A short command, each of whose allocations fails once: the very same is printed, or there is an error."""

from rig import CASES, fault_run


def test_every_allocation(rig):
    (case,) = [c for c in CASES if c.name == "schema why"]
    n = rig.calls(case, "malloc")
    assert n > 50
    wrong = [w for w in (fault_run(rig, case, f"call=malloc at={i} errno=12", False) for i in range(1, n + 1)) if w]
    assert not wrong, f"{len(wrong)} of {n} allocations:\n" + "\n".join(wrong[:40])
