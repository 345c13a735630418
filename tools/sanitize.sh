#!/usr/bin/env bash
# Build and run the C tests under AddressSanitizer + UndefinedBehaviorSanitizer, then under ThreadSanitizer.
#
#   tools/sanitize.sh [asan|tsan ...]   default: both
set -uo pipefail
cd "$(dirname "$0")/.."
export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1
# A process that ends with threads waits a second for races by itself: in thousands of short ones that is most of the time.
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:atexit_sleep_ms=20

# Left to the release build: suites that are Python around the same code (interop, cli) and compiler runs (abi.header_*).
# Left to asan: what the build with tsan does not have, see cmake/tests.cmake.
run_preset() {
    local preset=$1 started=$SECONDS
    if ! cmake --preset "$preset" >"build/configure-$preset.log" 2>&1; then
        cat "build/configure-$preset.log"
        return 1
    fi
    cmake --build --preset "$preset" -- --quiet | sed '/^ninja: no work to do/d' || return 1
    echo "sanitize: $preset: built in $((SECONDS - started)) s"
    ctest --test-dir "build/$preset" --output-on-failure --no-tests=error --timeout 900 -j "$(($(nproc) + 1))" \
        -LE 'interop|cli' -E '^abi\.header_'
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
