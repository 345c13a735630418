#!/usr/bin/env bash
# Run every libFuzzer target for the given number of seconds.  New inputs go to build/fuzz/corpus, crashes to build/fuzz/crashes.
set -uo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
seed=${FUZZ_SEED:-0} # 0: another one every time
crashes=build/fuzz/crashes
log=build/fuzz/log
mkdir -p "$crashes" "$log"
if ! command -v clang >/dev/null; then
    echo "fuzz: clang is not installed; run: tools/setup.sh lint" >&2
    exit 1
fi
if ! cmake --preset fuzz >build/configure-fuzz.log 2>&1; then
    cat build/configure-fuzz.log >&2
    exit 1
fi
mapfile -t targets < <(find fuzz -maxdepth 1 -name 'fuzz_*.c' -exec basename {} .c \; | sort)
cmake --build --preset fuzz --target "${targets[@]}" -- --quiet | sed '/^ninja: no work to do/d' || exit 1

# One line about a target; as many at a time as there are processors.
run_target() {
    local target=$1 name=${1#fuzz_}
    mkdir -p "build/fuzz/corpus/$name"
    if "build/fuzz/fuzz/$target" -max_total_time="$seconds" -seed="$seed" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$crashes/$name-" "build/fuzz/corpus/$name" "fuzz/corpus/$name" >"$log/$name.log" 2>&1; then
        echo "fuzz: $name: ok, $(awk '/number_of_executed_units/ {print $2}' "$log/$name.log") inputs in $seconds s"
    else
        echo "fuzz: $name: FAILED; the input is in $crashes, the whole text is $log/$name.log"
        tail -n 40 "$log/$name.log"
        return 1
    fi
}
export -f run_target
export seconds seed crashes log
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I '{}' bash -c 'run_target {}'
