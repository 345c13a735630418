"""The examples for schedulers, which are simulated: every task is killed once before it is done."""

import json
import os
import subprocess

import pytest

from conftest import BIN, SOURCE, environment
from pieces import make, must_be_whole

KUBECTL = r"""#!/bin/sh
# apply runs the container's line for each index, as the job controller would
case "$1 $2" in
"create configmap") [ "$4 $5" = "--from-file=plan.json --from-file=job.yaml=job.yaml" ] ;;
"apply -f")
    cat > applied.yaml
    grep -q '^  completionMode: Indexed$' applied.yaml
    line=$(sed -n 's/^            - \(exec dativo-native .*\)/\1/p' applied.yaml | sed "s|/plan/|$PWD/|")
    n=$(sed -n 's/^  completions: //p' applied.yaml)
    i=0
    while [ $i -lt "$n" ]; do
        JOB_COMPLETION_INDEX=$i timeout -s KILL 0.01 sh -c "$line"
        JOB_COMPLETION_INDEX=$i sh -c "$line" || touch failed
        i=$((i + 1))
    done ;;
"wait --for=condition=complete") [ ! -e failed ] ;;
"wait --for=condition=failed") [ -e failed ] ;;
esac
"""
SBATCH = r"""#!/bin/sh
for word in "$@"; do
    case $word in
    --array=*) range=${word#--array=0-}; last=${range%%%*} ;;
    --wrap=*) exec sh -c "${word#--wrap=}" ;;
    -*) ;;
    *) [ -n "$script" ] || script=$word; plan=$word ;;
    esac
done
i=0
while [ $i -le "$last" ]; do
    SLURM_ARRAY_TASK_ID=$i timeout -s KILL 0.01 "$script" "$plan"
    SLURM_ARRAY_TASK_ID=$i "$script" "$plan" 1>&2
    i=$((i + 1))
done
echo 17
"""


def run(tool, script, simulated, text, *args):
    bin_folder = tool.cwd / "bin"
    bin_folder.mkdir()
    (bin_folder / simulated).write_text(text)
    (bin_folder / simulated).chmod(0o755)
    (bin_folder / "dativo-native").symlink_to(BIN)
    env = environment(PATH=f"{bin_folder}:{os.environ['PATH']}", SPLIT_SIZE="6k")
    return subprocess.run([str(SOURCE / "examples" / script), "job.yaml", *args], cwd=tool.cwd, env=env, capture_output=True, timeout=120)


@pytest.mark.parametrize("script, simulated, text, args", [
    ("kubernetes/run.sh", "kubectl", KUBECTL, ["image"]),
    ("slurm/submit.sh", "sbatch", SBATCH, []),
])
def test_the_example_gives_the_whole(tool, write, script, simulated, text, args):
    make(tool, write, plan=False)
    done = run(tool, script, simulated, text, *args)
    assert done.returncode == 0, done.stderr.decode()
    must_be_whole(tool, json.loads((tool.cwd / "plan.json").read_text()))


def test_a_piece_that_fails_leaves_nothing(tool, write):
    make(tool, write, plan=False)
    write("in/b.csv", '"n","s","x"\nfour,"",3\n')
    done = run(tool, "kubernetes/run.sh", "kubectl", KUBECTL, "image")
    assert done.returncode == 1 and "four" in done.stderr.decode(), done.stderr.decode()
    assert not [p for p in (tool.cwd / "out").rglob("*") if p.is_file()]
