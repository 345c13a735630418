#!/usr/bin/env bash
# Build and run the C tests under AddressSanitizer + UndefinedBehaviorSanitizer, then under ThreadSanitizer.
#
#   tools/sanitize.sh [asan|tsan ...]   default: both
set -uo pipefail
cd "$(dirname "$0")/.."
export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1

# Left to the release build: suites that are Python around the same code (interop, cli) and compiler runs (abi.header_*).
# Left to asan: what has no threads of its own that other suites do not have, too, and is slow under tsan.
run_preset() {
    local preset=$1 started=$SECONDS left_out='^abi\.header_'
    [ "$preset" != tsan ] || left_out+='|^kernels\.|^unit\.test_text_|^fault\.test_parquet_read_damage|^(moto\.|store\.test_(abandoned|bad_input|certificates|convert$|host_jobs|jobs|lists|memory_faults|names|redirects|secrets)|pg\.test_(catalog|connect|cursor|types))'
    if ! cmake --preset "$preset" >"build/configure-$preset.log" 2>&1; then
        cat "build/configure-$preset.log"
        return 1
    fi
    cmake --build --preset "$preset" -- --quiet | sed '/^ninja: no work to do/d' || return 1
    echo "sanitize: $preset: built in $((SECONDS - started)) s"
    ctest --test-dir "build/$preset" --output-on-failure --no-tests=error --timeout 900 -j "$(nproc)" \
        -LE 'interop|cli' -E "$left_out"
}

failed=0
mkdir -p build
[ $# -gt 0 ] || set -- asan tsan
for preset; do
    echo "sanitize: $preset"
    if ! run_preset "$preset"; then
        echo "sanitize: $preset FAILED" >&2
        failed=1
    fi
done
exit $failed
