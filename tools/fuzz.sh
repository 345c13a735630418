#!/usr/bin/env bash
# Run every libFuzzer target for the given number of seconds; new inputs go to build/fuzz/corpus, crashes to build/fuzz.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
mkdir -p build
cmake --preset fuzz >build/configure-fuzz.log || { cat build/configure-fuzz.log; exit 1; }
cmake --build --preset fuzz | tail -n 1
for target in build/fuzz/bin/fuzz_*; do
    name=$(basename "$target")
    name=${name#fuzz_}
    case $name in replay_*) continue ;; esac
    mkdir -p "build/fuzz/corpus/$name"
    echo "fuzz: $name for $seconds s"
    "$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=0 -verbosity=0 \
        -artifact_prefix="build/fuzz/crash-$name-" "build/fuzz/corpus/$name" "fuzz/corpus/$name"
done
echo "fuzz: no crash"
