#!/bin/sh
# run.sh JOB.yaml IMAGE: a job whose source and target are in buckets, one pod a piece.
set -eu
job=$1 image=$2
here=$(dirname "$0")
name=dativo-$(basename "$job" .yaml | tr -c 'a-z0-9\n' -)

dativo-native plan -f "$job" -o plan.json --split-size "${SPLIT_SIZE:-128MB}"
pieces=$(python3 -c 'import json; print(len(json.load(open("plan.json"))["pieces"]))')

kubectl create configmap "$name-plan" --from-file=plan.json --from-file="job.yaml=$job"
sed -e "s|{NAME}|$name|" -e "s|{PIECES}|$pieces|" -e "s|{IMAGE}|$image|" "$here/job.yaml" | kubectl apply -f -

# Whichever comes first.
while :; do
    if kubectl wait --for=condition=complete --timeout=5s "job/$name" 2>/dev/null; then
        dativo-native commit plan.json
        status=0
        break
    fi
    if kubectl wait --for=condition=failed --timeout=1s "job/$name" 2>/dev/null; then
        dativo-native abort plan.json
        status=1
        break
    fi
done
kubectl delete job "$name"
kubectl delete configmap "$name-plan"
exit $status
