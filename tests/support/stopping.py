"""Within a second of being asked to stop: by the clock of a machine that may have other things to do."""

import functools
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


class TooLate(AssertionError):
    pass


def within_a_second(seconds):
    allowed = LONGEST + no_op_seconds()
    if seconds >= allowed:
        raise TooLate(f"{seconds} s, and {allowed} s are allowed")


def patient(test):
    """For a test that needs nothing but tmp_path: anything may be late once on a busy machine; late three times in a row is a fault."""
    @functools.wraps(test)
    def tried(tmp_path, **others):
        for number in range(3):
            folder = tmp_path / str(number)
            folder.mkdir()
            try:
                return test(tmp_path=folder, **others)
            except TooLate:
                if number == 2:
                    raise

    return tried
