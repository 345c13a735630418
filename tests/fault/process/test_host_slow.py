"""A Python host while calls of the C library fail under the plugins it has loaded."""

import os
import pathlib
import subprocess
import sys

import pytest

from rig import environment


@pytest.mark.parametrize("role", ["reader", "writer"])
@pytest.mark.parametrize("seed", range(2))
def test_conversations(tmp_path, role, seed):
    done = subprocess.run([sys.executable, str(pathlib.Path(__file__).parent / "host.py"), role, str(seed), "100"],
                          env=environment(LD_PRELOAD=os.environ["DN_PRELOAD"], TMPDIR=str(tmp_path)),
                          capture_output=True, timeout=1500)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()[-2000:]
    assert list(tmp_path.iterdir()) == []
