"""What README shows is what a reader gets: its shell blocks are typed in, its job is run."""

import os
import pathlib
import re
import subprocess

import pytest

SOURCE = pathlib.Path(os.environ["DN_SOURCE"])
README = (SOURCE / "README.md").read_text(encoding="utf-8")
MARK = "--- exit "


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.S | re.M)


@pytest.fixture
def folder(tmp_path):
    """A clone, as far as README's commands see it."""
    (tmp_path / "examples").symlink_to(SOURCE / "examples")
    (tmp_path / "build").mkdir()
    (tmp_path / "build/plugins").symlink_to(os.environ["DN_PLUGINS"])
    return tmp_path


def environment():
    return os.environ | {"PATH": f"{os.environ['DN_BIN']}:{os.environ['PATH']}", "COLUMNS": "200"}


def dialogue():
    """(command, lines it is said to print) of all blocks, in order."""
    for line in "".join(blocks("sh")).splitlines():
        if line.startswith("$ "):
            yield line[2:], (shown := [])
        else:
            shown.append(line)


def matches(shown, printed):
    """`...` stands for anything, and for any number of lines."""
    pattern = "".join(r"(.*\n)*" if line == "..." else re.escape(line).replace(r"\.\.\.", ".*") + "\n" for line in shown)
    return re.fullmatch(pattern, printed) is not None


def test_shell_blocks(folder):
    commands = list(dialogue())
    script = "".join(f"{command}\nstatus=$?; echo '{MARK}'$status; (exit $status)\n" for command, _ in commands)
    run = subprocess.run(["bash"], input=script.encode(), cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    parts = re.split(rf"^{MARK}(\d+)\n", run.stdout.decode(), flags=re.M)
    assert len(parts) == 2 * len(commands) + 1 and len(commands) > 20
    wrong = []
    for i, (command, shown) in enumerate(commands):
        printed, status = parts[2 * i], int(parts[2 * i + 1])
        asked_for = i + 1 < len(commands) and commands[i + 1][0] == "echo $?"
        if not matches(shown, printed) or (status != 0 and not asked_for):
            wrong.append(f"$ {command}\n{printed}exit code {status}; README shows:\n" + "\n".join(shown))
    assert not wrong, "\n\n".join(wrong)


def test_job(folder):
    (folder / "job.yaml").write_text("".join(blocks("yaml")), encoding="utf-8")
    run = subprocess.run(["dativo-native", "run", "job.yaml"], cwd=folder, env=environment(), capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    assert list((folder / "build/out").rglob("*.parquet"))


def test_links():
    missing = [to for to in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", README) if not (SOURCE / to).exists()]
    assert not missing
