"""No secret in anything that any command says or writes, whatever happens to it."""

import subprocess

import pytest

from command import BIN
from convert_runs import KEY_ID, SECRET, TOKEN
from secret_runs import ASSET, LITERAL, QUERY, look, run_all


def test_every_command(tmp_path):
    well, badly = run_all(tmp_path, [None, "token"])
    assert well > 15 and badly > 5


BROKEN = {
    "unclosed": (f'"{SECRET}"', f'"{SECRET}'),
    "tab": (f'"{SECRET}"', f'"{SECRET}"\n\tx: y'),
    "list": (f'"{SECRET}"', f'["{SECRET}", "{TOKEN}"]'),
    "map": (f'"{SECRET}"', f'{{a: "{SECRET}"}}'),
    "block": (f'"{SECRET}"', f"|\n  {SECRET}\n x"),
    "control": (f'"{SECRET}"', f'"{SECRET}\\n\\0"'),
    "escape": (f'"{SECRET}"', f'"\\q{SECRET}"'),
    "alias": (f'"{SECRET}"', f"*{SECRET.replace('/', '').replace('+', '').replace('=', '')}"),
    "tag": (f'"{SECRET}"', f"!x {SECRET}"),
    "open variable": (f'"{SECRET}"', '"${SOME_SECRET"'),
    "two keys": (f'"{SECRET}"', f'"{SECRET}"\n    secret_access_key: "{SECRET}"'),
    "nearly": ("secret_access_key", "secret_acces_key"),
    "as id": (KEY_ID, f'"{SECRET}\\n"'),
    "token of two lines": (f'"{TOKEN}"', f'"{TOKEN}\\r\\nx: y"'),
    "endpoint": ("bucket: bucket", f'bucket: bucket\n    endpoint: "https://me:{SECRET}@host/?{QUERY}"'),
    "not a file": ("SOURCE", f"ftp://host/x?{QUERY}"),
    "no host": ("SOURCE", f"http://?{QUERY}"),
    "port": ("SOURCE", f"http://127.0.0.1:port/x?{QUERY}"),
    "nobody": ("SOURCE", f"http://127.0.0.1:1/x?{QUERY}"),
    "pattern": ("SOURCE", f"http://127.0.0.1:1/*.csv?{QUERY}"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_jobs_that_are_wrong(tmp_path, case):
    folder, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    (folder / "in.csv").write_text("id,name\n1,x\n")
    (folder / "asset.yaml").write_text(ASSET)
    old, new = BROKEN[case]
    assert old in LITERAL
    (elsewhere / "job.yaml").write_text(LITERAL.replace(old, new).replace("SOURCE", "in.csv").replace("asset.yaml", str(folder / "asset.yaml")))
    env = {"HOME": str(folder), "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1", "SOME_SECRET": SECRET}
    for args in (["run", "--dry-run"], ["run", "--dry-run", "--json"], ["check", "--json"], ["run", "--log-format", "json"]):
        if case in ("nobody", "pattern", "port", "no host") and "--dry-run" not in args:
            continue  # eight tries take their time
        done = subprocess.run([BIN, *args, elsewhere / "job.yaml"], cwd=folder, env=env, capture_output=True, timeout=60)
        look(folder, done.stdout + done.stderr, (case, args))
        assert done.returncode in (0, 2)
