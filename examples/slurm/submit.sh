#!/bin/sh
# submit.sh JOB.yaml: a job in pieces, as an array of tasks and a commit that waits for them.
set -eu
here=$(dirname "$0")

dativo-native plan -f "$1" -o plan.json --split-size "${SPLIT_SIZE:-128MB}"
pieces=$(python3 -c 'import json; print(len(json.load(open("plan.json"))["pieces"]))')

array=$(sbatch --parsable --requeue --array="0-$((pieces - 1))%64" "$here/task.sh" "$PWD/plan.json")
sbatch --dependency="afterany:$array" --wrap="dativo-native commit '$PWD/plan.json'"
