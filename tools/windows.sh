#!/usr/bin/env bash
# Build for x86-64 of Windows with Debian's mingw-w64, run the C tests under wine, compare what the command writes with what the one of
# this machine (make build) writes, run the example job, check the plugins, and build and run a program with the library's DLL.  What ran
# is printed, and kept in build/windows/ran.txt.
#
#   tools/windows.sh [arguments of ctest]       for example -R kernels, -j 4
set -euo pipefail
cd "$(dirname "$0")/.."
tools/setup.sh windows

mkdir -p build
log=build/windows.log
if ! { cmake --preset windows && cmake --build --preset windows; } >"$log" 2>&1; then
    grep -E -A 5 '^FAILED|error:' "$log" >&2 || tail -n 20 "$log" >&2
    exit 1
fi

export WINEDEBUG=-all WINEPREFIX=$PWD/build/windows/wine WINEDLLOVERRIDES="mscoree=;mshtml=" LC_ALL=C.UTF-8
failed=0
ran=build/windows/ran.txt
tmp=build/windows/tmp
mkdir -p "$tmp" "$WINEPREFIX"
run() { wine build/windows/bin/dativo-native.exe "$@"; }
# What wine prepares it prepares once: its server stays, and need not start with every program.
wineserver --persistent
trap 'wineserver --kill || true' EXIT
run --version >/dev/null

ctest --test-dir build/windows --output-on-failure --no-tests=error --timeout 900 -j "$(nproc)" --output-junit ran.xml "$@" || failed=1

# The bytes of a file depend on rows and options alone, not on the system.
same=()
for options in "" "-c zstd" "-c gzip" "-c none"; do
    # shellcheck disable=SC2086 # words of options
    if run convert -q -f $options examples/data/orders.csv "$tmp/there.parquet" &&
        build/bin/dativo-native convert -q -f $options examples/data/orders.csv "$tmp/here.parquet" &&
        cmp "$tmp/there.parquet" "$tmp/here.parquet"; then
        same+=("${options:-default}")
    else
        failed=1
    fi
done

# A name that is not ASCII, and a file that is replaced.
odd=no
mkdir -p "$tmp/größe-数"
if run convert -q examples/data/orders.csv "$tmp/größe-数/b.parquet" && run convert -q -f examples/data/orders.csv "$tmp/größe-数/b.parquet" &&
    cmp "$tmp/größe-数/b.parquet" <(build/bin/dativo-native convert -q -f examples/data/orders.csv "$tmp/here.parquet" && cat "$tmp/here.parquet") &&
    [ "$(find "$tmp/größe-数" -type f | wc -l)" -eq 1 ]; then
    odd=yes
else
    failed=1
fi
rm -rf "$tmp/größe-数"

# The example job, which says libname.so where libname.dll is.
job=no
place=$tmp/job
rm -rf "$place"
mkdir -p "$place/build/plugins"
ln -s "$PWD/examples" "$place/examples"
cp build/windows/plugins/*.dll "$place/build/plugins/"
command=$PWD/build/windows/bin/dativo-native.exe
if (cd "$place" && wine "$command" run examples/jobs/csv_to_parquet.yaml) >"$tmp/job.log" 2>&1 &&
    build/bin/dativo-native inspect --rows 1 "$(find "$place/build/out" -name '*.parquet')" | grep -q '3,000 rows'; then
    job=yes
else
    cat "$tmp/job.log" >&2
    failed=1
fi

# The plugins keep their contract.
checked=()
for plugin in csv_reader csv_writer parquet_reader parquet_writer; do
    if run plugin check --timeout 300 "build/windows/plugins/lib${plugin}_plugin.dll" >"$tmp/check.log"; then
        checked+=("$plugin, $(tail -n 1 "$tmp/check.log" | tr -d '\r')")
    else
        cat "$tmp/check.log" >&2
        failed=1
    fi
done

# One that does not is told so, whatever it does to its process.
found=0
while IFS='|' read -r defect says; do
    if BROKEN=$defect run plugin check --timeout 5 build/windows/tests/libbroken_plugin.dll </dev/null >"$tmp/check.log"; then
        says="an exit code"
    fi
    if grep -q "^FAIL .*$says" "$tmp/check.log"; then
        found=$((found + 1))
    else
        echo "plugin check, $defect: no finding that has: $says" >&2
        failed=1
    fi
done <<'EOF'
NULL handle|crashed
endless|did not end within 5 seconds
exit|ended the process, with code 0
stdout|printed on standard output
directory|changed the working directory
loses a row|3 rows expected, got 2
error is JSON|the error text is JSON
EOF

# A program of others, that has nothing of this repository but the headers and the DLL.
library=no
rm -rf "$tmp/library"
mkdir -p "$tmp/library"
cp build/windows/bin/libdativo.dll "$tmp/library/"
if x86_64-w64-mingw32-gcc-posix -O2 -Iinclude -o "$tmp/library/csv_to_parquet.exe" examples/c/csv_to_parquet.c build/windows/lib/libdativo.dll.a &&
    wine "$tmp/library/csv_to_parquet.exe" examples/data/orders.csv "$tmp/there.parquet" &&
    build/release/examples/csv_to_parquet examples/data/orders.csv "$tmp/here.parquet" && cmp "$tmp/there.parquet" "$tmp/here.parquet"; then
    library=yes
else
    failed=1
fi

tools/ran.py build/windows/ran.xml >"$ran"
{
    echo "orders.csv to Parquet, the same bytes as on $(uname -s): ${same[*]:-none}"
    echo "names that are not ASCII, files that are replaced: $odd"
    echo "examples/jobs/csv_to_parquet.yaml: $job"
    printf 'plugin check: %s\n' "${checked[@]:-none}"
    echo "plugin check of plugins with a defect: $found of 7 found"
    echo "examples/c/csv_to_parquet.c with libdativo.dll, the same bytes as on $(uname -s): $library"
    run --version
    wine --version
} >>"$ran"
cat "$ran"
exit "$failed"
