"""Within a second of being asked to stop: by the clock of a machine that may have other things to do."""

import os
import subprocess
import time

from command import BIN

LONGEST = 60 if os.environ.get("DN_SANITIZED") else 1  # seconds; sanitizers look around at the end of a process, for one


def no_op_seconds():
    """What this machine takes just now for a child that does nothing."""
    longest = 0
    for _ in range(3):
        begun = time.monotonic()
        subprocess.run([BIN, "version"], check=True, capture_output=True)
        longest = max(longest, time.monotonic() - begun)
    return longest


def within_a_second(seconds):
    assert seconds < LONGEST + no_op_seconds(), seconds
