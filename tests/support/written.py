"""What tests leave behind: every Parquet file of ours keeps every rule of `verify`."""

import json
import os
import pathlib
import subprocess


def ours(path):
    """Is this a Parquet file of ours, whole and not too large to read again in every test?"""
    if not path.is_file() or not 12 < path.stat().st_size < 64 << 20:
        return False
    with open(path, "rb") as file:
        head = file.read(4)
        file.seek(-8, os.SEEK_END)
        length, tail = int.from_bytes(file.read(4), "little"), file.read(4)
        file.seek(-min(8 + length, path.stat().st_size), os.SEEK_END)
        return head == tail == b"PAR1" and b"dativo-native version" in file.read(length)


def must_verify(folder):
    files = [pathlib.Path(parent, name) for parent, _, names in os.walk(folder) for name in names
             if name.endswith(".parquet")]
    files = [path for path in files if ours(path)]
    if files:
        tool = pathlib.Path(os.environ["DN_BIN"]) / "dativo-native"
        done = subprocess.run([tool, "verify", "--json", "--", *files], capture_output=True, timeout=300,
                              env=os.environ | {"DATIVO_PLUGIN_PATH": os.environ["DN_PLUGINS"]})
        assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
        assert [file["findings"] for file in json.loads(done.stdout)] == [[]] * len(files)
