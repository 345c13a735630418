#!/usr/bin/env bash
# Everything that can be said of the sources without running them.  Needs a finished release build.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=0
step() {
    local name=$1
    shift
    local out
    if out=$("$@" 2>&1); then
        echo "lint: $name: ok"
    else
        echo "lint: $name: FAILED"
        printf '%s\n' "$out" | tail -n 60
        failed=1
    fi
}

c_files() { git ls-files -co --exclude-standard '*.c' '*.h' | grep -v '/pow5_table.h$'; }
library_files() { git ls-files -co --exclude-standard 'src/*.c' 'plugins/*.c'; }

check_format() { c_files | xargs clang-format --dry-run --Werror; }
check_cppcheck() {
    library_files | grep -vE '/(avx2|avx512)/' |
        xargs cppcheck --quiet --error-exitcode=1 --inline-suppr --enable=warning,performance,portability \
            --suppress=missingInclude --suppress=missingIncludeSystem --std=c11 -Iinclude -Isrc -j 2
}
# every file on its own with gcc's analyser, as warnings that fail
check_analyzer() {
    library_files | grep -vE '/(avx2|avx512)/' |
        xargs -P 2 -n 8 sh -c 'for f; do
            gcc -std=c17 -D_GNU_SOURCE -DDN_VERSION=\"lint\" -O1 -fanalyzer -Werror -Iinclude -Isrc -Iplugins -c "$f" -o /dev/null || exit 255
        done' sh
}
check_tidy() {
    library_files | grep -vE '/(avx2|avx512)/' | xargs -P 2 -n 8 clang-tidy --quiet -p build/release
}
check_clang() {
    library_files | grep -vE '/(avx2|avx512)/' |
        xargs -P 2 -n 8 clang -std=c17 -D_GNU_SOURCE '-DDN_VERSION="lint"' -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror \
            -Wno-gnu-zero-variadic-macro-arguments -fsyntax-only -Iinclude -Isrc -Iplugins
}

step "format" check_format
step "layers" tools/check_layers.py
step "style" tools/check_style.py
step "exported symbols" tools/check_symbols.sh
step "clang" check_clang
step "cppcheck" check_cppcheck
step "clang-tidy" check_tidy
step "gcc -fanalyzer" check_analyzer
exit $failed
