#!/usr/bin/env bash
# Build for arm64 of Linux with Debian's cross compiler, run the C tests under qemu-user, and compare what the command writes with
# what the one of this machine (make build) writes.  What ran is printed, and kept in build/aarch64/ran.txt.
#
#   tools/aarch64.sh [arguments of ctest]       for example -R kernels, -j 4
set -euo pipefail
cd "$(dirname "$0")/.."
tools/setup.sh aarch64

mkdir -p build
log=build/aarch64.log
if ! { cmake --preset aarch64 && cmake --build --preset aarch64; } >"$log" 2>&1; then
    grep -E -A 5 '^FAILED|error:' "$log" >&2 || tail -n 20 "$log" >&2
    exit 1
fi

failed=0
ran=build/aarch64/ran.txt
results=build/aarch64/ran.xml
ctest --test-dir build/aarch64 --output-on-failure --no-tests=error --timeout 900 -j "$(nproc)" --output-junit ran.xml "$@" || failed=1

# The bytes of a file depend on rows and options alone, not on the processor.
tmp=build/aarch64/tmp
qemu=(qemu-aarch64-static -L "$PWD/build/sysroot/arm64")
same=()
for options in "" "-c zstd" "-c gzip" "-c none"; do
    # shellcheck disable=SC2086 # words of options
    if "${qemu[@]}" build/aarch64/bin/dativo-native convert -q -f $options examples/data/orders.csv "$tmp/there.parquet" &&
        build/bin/dativo-native convert -q -f $options examples/data/orders.csv "$tmp/here.parquet" &&
        cmp "$tmp/there.parquet" "$tmp/here.parquet"; then
        same+=("${options:-default}")
    else
        failed=1
    fi
done

tools/ran.py "$results" >"$ran"
{
    echo "orders.csv to Parquet, the same bytes as on $(uname -m): ${same[*]:-none}"
    echo "processor: $("${qemu[@]}" build/aarch64/bin/dativo-native --version)"
    "${qemu[@]}" --version | head -n 1
} >>"$ran"
cat "$ran"
exit "$failed"
