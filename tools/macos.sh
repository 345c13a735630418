#!/usr/bin/env bash
# Compile every source for macOS, on arm64 and on x86-64, with the clang and the headers of macOS that zig brings along.  Objects alone:
# nothing is linked and nothing runs, for there are no libraries for macOS and no macOS here.  What was compiled is printed, and kept in
# build/macos/ran.txt.
#
#   tools/macos.sh [FILE...]       for example src/base/*.c; all of src and plugins
set -euo pipefail
cd "$(dirname "$0")/.."
tools/setup.sh macos

zig=$PWD/build/zig/bin/python
folder=build/macos
mkdir -p "$folder/include"

# The headers of the libraries say the same for every system; those of this machine's C library must not be seen.
for header in zstd.h zstd_errors.h lz4.h brotli libdeflate.h zlib.h zconf.h bzlib.h lzma.h lzma yaml.h jansson.h jansson_config.h curl \
    openssl expat.h expat_external.h expat_config.h libpq-fe.h postgres_ext.h pg_config_ext.h; do
    for place in /usr/include /usr/include/postgresql "/usr/include/$(gcc -print-multiarch)"; do
        if [ -e "$place/$header" ]; then
            cp -r "$place/$header" "$folder/include/"
        fi
    done
done

# As cmake/layers.cmake chooses them.
sources() {
    local other=$1 file
    shift
    if [ $# -eq 0 ]; then
        mapfile -t set < <(find src plugins -name '*.c' ! -path 'src/windows/*' ! -name '*_windows.c' | sort)
    else
        mapfile -t set < <(printf '%s\n' "$@" | sort -u)
    fi
    for file in "${set[@]}"; do
        [[ ! $file =~ /simd/($other)/ && ! -e ${file%.c}_darwin.c ]] && echo "$file"
    done
    return 0
}

# One file; what it is compiled with is that of cmake/flags.cmake.
compile() {
    local target=$1 file=$2 tier=()
    case $file in
    src/simd/avx2/*) tier=(-mavx2 -mbmi -mbmi2 -mlzcnt -mpopcnt -mpclmul) ;;
    src/simd/avx512/*) tier=(-mavx2 -mbmi -mbmi2 -mlzcnt -mpopcnt -mpclmul -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vbmi2) ;;
    esac
    "$zig" -m ziglang cc -target "$target" -std=c17 -O1 -c -D_GNU_SOURCE '-DDN_VERSION="0"' -Iinclude -Isrc -Iplugins \
        -isystem "$folder/include" -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef -Wcast-qual \
        -Wformat=2 -Wno-enum-float-conversion -Wno-unterminated-string-initialization -Werror -fno-strict-aliasing "${tier[@]}" \
        -o "$folder/$target/${file//\//-}.o" "$file"
}
export -f compile
export zig folder

: >"$folder/ran.txt"
failed=0
for target in aarch64-macos x86_64-macos; do
    rm -rf "${folder:?}/$target"
    mkdir -p "$folder/$target"
    case $target in
    aarch64-*) other='avx2|avx512' ;;
    *) other='neon|pmull' ;;
    esac
    n=$(sources "$other" "$@" | wc -l)
    sources "$other" "$@" | xargs -P "$(nproc)" -I FILE bash -c "compile $target FILE" || failed=1
    echo "$target: $(find "$folder/$target" -name '*.o' -size +0 | wc -l) of $n files compiled" >>"$folder/ran.txt"
done
echo "compiler: zig $("$zig" -m ziglang version), nothing linked, nothing run" >>"$folder/ran.txt"
cat "$folder/ran.txt"
exit "$failed"
