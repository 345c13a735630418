#!/usr/bin/env bash
# Build and run the C tests under AddressSanitizer + UndefinedBehaviorSanitizer, then under ThreadSanitizer.
set -euo pipefail
cd "$(dirname "$0")/.."
export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=halt_on_error=1
for preset in asan tsan; do
    echo "sanitize: $preset"
    mkdir -p build
    cmake --preset $preset >build/configure-$preset.log || { cat build/configure-$preset.log; exit 1; }
    cmake --build --preset $preset | tail -n 1
    ctest --test-dir build/$preset --output-on-failure --no-tests=error -LE "interop|cli|python|bench"
done
