"""Runs of the command, each with one call that fails, is interrupted or moves less than it was asked for."""

from rig import CASES, sweep


def test_faults(rig):
    sweep(rig, [c for c in CASES if c.name in ("replaced", "csv", "widened", "job", "schema", "schema why", "warned", "pipe")], "everyday", 30)
