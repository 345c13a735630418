#!/usr/bin/env bash
# The libraries that the build for Windows links, static, below build/sysroot/windows: the sources that Debian has, built with its
# mingw-w64, and the headers of those that are loaded on first use.  Nothing is installed.  What is there already stays, until this
# script changes.
set -euo pipefail
cd "$(dirname "$0")/.."

sources=(zlib libdeflate libzstd lz4 brotli bzip2 xz-utils jansson libyaml tre cmocka)
root=$PWD/build/sysroot/windows
stamp=$root/script
log=build/sysroot-windows.log
! cmp -s "tools/sysroot_windows.sh" "$stamp" || exit 0

echo "sysroot: building ${#sources[@]} libraries for Windows into build/sysroot/windows"
rm -rf "$root"
work=$root/work
mkdir -p "$work"/apt/{state/lists/partial,cache/archives/partial} "$root"/{include,lib/pkgconfig}

fetch() {
    # shellcheck source=/dev/null
    suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")
    : >"$work/apt/status"
    echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $suite main" >"$work/apt/sources"
    local apt=(apt-get --option Dir::State="$work/apt/state" --option Dir::State::status="$work/apt/status"
        --option Dir::Cache="$work/apt/cache" --option Dir::Etc::sourcelist="$work/apt/sources" --option Dir::Etc::sourceparts=/dev/null
        --option Debug::NoLocking=1 --option APT::Sandbox::User= --option Acquire::Languages=none
        --option APT::Update::Post-Invoke= --quiet)
    "${apt[@]}" update
    (cd "$work" && "${apt[@]}" source --download-only "${sources[@]}")
}

unpack() {
    local source
    for source in "${sources[@]}"; do
        mkdir "$work/$source"
        tar --extract --file "$(compgen -G "$work/${source}_*.orig.tar.*[z2]")" --strip-components 1 --directory "$work/$source"
    done
}

# by_cmake SOURCE TARGET [OPTION...]
by_cmake() {
    local source=$1 target=$2
    shift 2
    cmake -S "$work/$source" -B "$work/$source/made" -G Ninja -DCMAKE_TOOLCHAIN_FILE="$PWD/cmake/x86_64-w64-mingw32.cmake" \
        -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$root" -DBUILD_SHARED_LIBS=OFF -DCMAKE_POLICY_VERSION_MINIMUM=3.5 "$@"
    cmake --build "$work/$source/made" --target "$target"
}

# What needs no configuration: by_hand SOURCE LIBRARY PC "OPTION..." FILE...
by_hand() {
    local source=$1 library=$2 pc=$3 options=$4 file
    shift 4
    mkdir "$work/$source/made"
    for file in "$@"; do
        # shellcheck disable=SC2086 # words of options
        (cd "$work/$source" && x86_64-w64-mingw32-gcc-posix -O2 -DNDEBUG -D_FILE_OFFSET_BITS=64 $options -c \
            -o "made/${file//\//-}.o" "$file")
    done
    x86_64-w64-mingw32-ar rcs "$root/lib/lib$library.a" "$work/$source"/made/*.o
    describe "$pc" "-l$library"
}

# describe PC LIBRARIES [OPTION...]
describe() {
    local pc=$1 libraries=$2
    shift 2
    printf 'Name: %s\nDescription: %s\nVersion: 99\nLibs: -L%s %s\nCflags: -I%s %s\n' "$pc" "$pc" "$root/lib" "$libraries" "$root/include" "$*" \
        >"$root/lib/pkgconfig/$pc.pc"
}

# in_source SOURCE PATTERN...
in_source() {
    local pattern
    cd "$work/$1" # for what runs in $( ) or <( ) alone
    shift
    for pattern in "$@"; do
        compgen -G "$pattern"
    done
}

build() {
    local files
    by_hand zlib z zlib "" {adler32,compress,crc32,deflate,infback,inffast,inflate,inftrees,trees,uncompr,zutil}.c
    by_hand bzip2 bz2 bzip2 "" {blocksort,huffman,crctable,randtable,compress,decompress,bzlib}.c
    mapfile -t files < <(in_source libzstd 'lib/common/*.c' 'lib/compress/*.c' 'lib/decompress/*.c')
    by_hand libzstd zstd libzstd "-DZSTD_DISABLE_ASM=1 -DZSTD_MULTITHREAD" "${files[@]}"
    by_hand lz4 lz4 liblz4 "-DXXH_NAMESPACE=LZ4_" lib/{lz4,lz4hc,lz4frame,xxhash}.c
    mapfile -t files < <(in_source brotli 'c/common/*.c' 'c/dec/*.c' 'c/enc/*.c')
    by_hand brotli brotli libbrotlienc "-Ic/include" "${files[@]}"
    describe libbrotlidec -lbrotli
    mapfile -t files < <(in_source libdeflate 'lib/*.c' 'lib/x86/*.c')
    by_hand libdeflate deflate libdeflate "-I." "${files[@]}"
    mapfile -t files < <(in_source libyaml 'src/*.c')
    by_hand libyaml yaml yaml-0.1 '-Iinclude -DYAML_DECLARE_STATIC -DYAML_VERSION_MAJOR=0 -DYAML_VERSION_MINOR=2 -DYAML_VERSION_PATCH=5
        -DYAML_VERSION_STRING="0.2.5"' "${files[@]}"
    describe yaml-0.1 -lyaml -DYAML_DECLARE_STATIC
    mapfile -t files < <(in_source tre 'lib/*.c')
    by_hand tre tre tre "-DHAVE_CONFIG_H -Iwin32 -Ilib" "${files[@]}"
    mkdir "$root/include/tre"
    cp "$work"/tre/{lib/tre.h,win32/tre-config.h} "$root/include/tre/"
    (cd "$work" && cp -r zlib/{zlib,zconf}.h bzip2/bzlib.h libzstd/lib/{zstd,zstd_errors}.h lz4/lib/lz4.h brotli/c/include/brotli \
        libdeflate/libdeflate.h libyaml/include/yaml.h "$root/include/")
    by_cmake xz-utils liblzma
    cp "$work"/xz-utils/made/liblzma.a "$root/lib/"
    cp -r "$work"/xz-utils/src/liblzma/api/{lzma.h,lzma} "$root/include/"
    describe liblzma -llzma -DLZMA_API_STATIC
    by_cmake jansson install -DJANSSON_BUILD_DOCS=OFF -DJANSSON_WITHOUT_TESTS=ON -DJANSSON_EXAMPLES=OFF
    by_cmake cmocka cmocka-static -DWITH_STATIC_LIB=ON -DWITH_EXAMPLES=OFF -DUNIT_TESTING=OFF
    cp "$work"/cmocka/made/src/libcmocka-static.a "$root/lib/"
    cp "$work"/cmocka/include/cmocka.h "$root/include/"
    describe cmocka -lcmocka-static
}

# Of libraries that are loaded on first use the headers are enough; they say the same for every system.
headers() {
    local header
    for header in curl openssl expat.h expat_external.h expat_config.h postgresql/libpq-fe.h postgresql/postgres_ext.h postgresql/pg_config_ext.h \
        "$(gcc -print-multiarch)"/{curl,openssl,expat_config.h}; do
        if [ -e "/usr/include/$header" ]; then
            cp -r "/usr/include/$header" "$root/include/"
        fi
    done
    for header in libcurl libcrypto expat libpq; do
        describe "$header" ""
    done
}

set +e
(set -e; fetch; unpack; build; headers) >"$log" 2>&1
made=$?
set -e
if [ "$made" -ne 0 ]; then
    tail -n 20 "$log" >&2
    echo "sysroot: the libraries above could not be fetched or built; the whole log is $log" >&2
    exit 1
fi
rm -rf "$work"
cp tools/sysroot_windows.sh "$stamp"
