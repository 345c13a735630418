"""The binary that is tested, the environment that it runs in, and when it listens to signals."""

import os
import pathlib
import re
import signal
import time

BIN = pathlib.Path(os.environ["DN_BIN"]) / "dativo-native"
PLUGINS = pathlib.Path(os.environ["DN_PLUGINS"])
# what a sanitizer is told, for commands whose environment has nothing else of ours
SANITIZER = {name: os.environ[name] for name in ("TSAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ}
SECONDS = 60  # no run takes one, but the machine may be slow and busy

signal.signal(signal.SIGINT, signal.default_int_handler)  # a program started with it ignored leaves it ignored


def environment(**extra):
    env = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    env["DATIVO_PLUGIN_PATH"] = str(PLUGINS)
    env.update(extra)
    return env


def wait_until_it_listens(process, number):
    """Until then the signal would end it as it ends every command, without a word."""
    deadline = time.monotonic() + SECONDS
    while True:
        caught = re.search(r"^SigCgt:\s*(\w+)$", pathlib.Path(f"/proc/{process.pid}/status").read_text(), re.M)
        if caught and int(caught.group(1), 16) >> (number - 1) & 1:
            return
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.005)
