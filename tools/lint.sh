#!/usr/bin/env bash
# Everything that can be said of the sources without running them.  Needs a finished release build (make lint makes it).
set -uo pipefail
cd "$(dirname "$0")/.."

jobs=$(nproc)
failed=0
log=build/lint
mkdir -p "$log"

# step NAME COMMAND...: one line if the command is content, else what it said.
step() {
    local name=$1 started=$SECONDS
    shift
    if "$@" >"$log/$name.log" 2>&1; then
        echo "lint: $name: ok ($((SECONDS - started)) s)"
    else
        echo "lint: $name: FAILED ($((SECONDS - started)) s); the whole text is $log/$name.log"
        grep -vE '^[0-9]+ warnings? generated|^Error while processing' "$log/$name.log" | head -n 150
        failed=1
    fi
}

for tool in clang clang-format clang-tidy cppcheck gcc nm; do
    if ! command -v "$tool" >/dev/null; then
        echo "lint: $tool is not installed; run: tools/setup.sh lint" >&2
        exit 1
    fi
done
if [ ! -f build/release/compile_commands.json ]; then
    echo "lint: there is no release build to look at; run: make build" >&2
    exit 1
fi

c_files() { find src plugins python include tests fuzz bench examples \( -name '*.c' -o -name '*.h' \) ! -name pow5_table.h | sort; }
library_files() { find src plugins examples -name '*.c' | sort; }
# what is the same for every CPU, for the analysers have no model of vector intrinsics, and not another system's
portable_files() { library_files | grep -vE '/(avx2|avx512|neon|pmull)/|_(darwin|windows)\.c$|^src/windows/'; }
# so that no processor waits for a long one that began last
largest_first() { xargs ls -S; }

# What the build gives every file; the analysers see src/ as a whole, tools/check_layers.py watches who includes whom.
flags=(-std=c17 -D_GNU_SOURCE '-DDN_VERSION="lint"' -Iinclude -Isrc -Iplugins
    -isystem "$(pkg-config --variable=includedir libpq)")
# clang and gcc analyse one file at a time; this tells them what dn_error_set() returns.
model=$PWD/tools/lint_model.h

check_format() { c_files | xargs -P "$jobs" -n 40 clang-format --dry-run --Werror; }

check_clang() {
    portable_files | xargs -P "$jobs" -n 16 clang "${flags[@]}" -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror \
        -Wno-gnu-zero-variadic-macro-arguments -fsyntax-only
}

# One file per process: over several, clang 14's analyser mistakes every va_list after the first file for uninitialised.
# Of a function it looks at a third of the states that it would by itself, which takes less than half the time.
# Each file as it is compiled first: clang-tidy would look at one that several programs hold as often as it is compiled.
check_tidy() {
    python3 -c 'import json, sys
commands = json.load(open(sys.argv[1]))
json.dump(list({c["file"]: c for c in reversed(commands)}.values()), open(sys.argv[2], "w"))' \
        build/release/compile_commands.json "$log/compile_commands.json" || return 1
    portable_files | grep -v '^src/base/error.c$' | largest_first | xargs -P "$jobs" -n 1 clang-tidy --quiet -p "$log" \
        --extra-arg="-I$PWD/src" --extra-arg=-include --extra-arg="$model" \
        --extra-arg=-Xclang --extra-arg=-analyzer-config --extra-arg=-Xclang --extra-arg=max-nodes=75000
}

# gcc and clang shift signed values arithmetically; we rely on that.  A text that one argument of a call fills and another one reads
# is uninitialised for cppcheck 2.17: the compilers and their analysers watch that.
check_cppcheck() {
    portable_files | xargs cppcheck -j "$jobs" --quiet --error-exitcode=1 --inline-suppr --std=c11 '-DDN_VERSION="lint"' \
        --max-configs=12 -Iinclude -Isrc -Iplugins --enable=warning,performance,portability \
        --suppress=uninitvar --suppress=normalCheckLevelMaxBranches \
        --suppress=missingInclude --suppress=missingIncludeSystem --suppress=shiftNegativeLHS --suppress=shiftTooManyBitsSigned
}

# gcc 14 takes a loop through a table of bytes for endless, and does not know that atomic_load() sets what it returns; the compilers
# and clang's analyser watch what is uninitialised.
check_analyzer() {
    portable_files | grep -v '^src/base/error.c$' | largest_first | xargs -P "$jobs" -I '{}' \
        gcc "${flags[@]}" -include "$model" -O1 -fanalyzer -Wno-analyzer-infinite-loop \
        -Wno-analyzer-use-of-uninitialized-value -fdiagnostics-path-format=separate-events -Werror -S '{}' -o /dev/null
}

step format check_format
step layers tools/check_layers.py
step style tools/check_style.py
step symbols tools/check_symbols.sh
step clang check_clang
step cppcheck check_cppcheck
step gcc-analyzer check_analyzer
step clang-tidy check_tidy
exit $failed
