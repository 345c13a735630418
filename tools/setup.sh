#!/usr/bin/env bash
# Install what building and testing need, quietly and only what is missing.
#
#   tools/setup.sh build       compilers and libraries (Debian packages)
#   tools/setup.sh test        the above, and the pinned Python environment in .venv
#   tools/setup.sh test-slow   the above, a Java runtime, Maven, zsh, fish, and S3Proxy in build/s3proxy
#   tools/setup.sh test-full   the above, and what tests with an engine of their own need: pyiceberg in build/iceberg, Spark, Dask and
#                              Ray in build/spark, Spark 3.4 in build/spark3, on x86-64 also what aarch64, macos and windows install
#   tools/setup.sh aarch64     the packages of build, a compiler for arm64, qemu-user, and the libraries in build/sysroot/arm64
#   tools/setup.sh macos       the packages of build, and zig in build/zig, whose compiler knows macOS (450 MB)
#   tools/setup.sh windows     the packages of build, mingw-w64, wine, and the libraries that are built with it in build/sysroot/windows
#   tools/setup.sh lint        the packages of test without Python's environment, and the linters
#   tools/setup.sh deb         the packages of build, and what packages are made, checked and tried out with
#   tools/setup.sh wheel       what builds the Python package
#   tools/setup.sh bench       as test: the peers that are measured are in that environment
#
# What is missing is found by looking for the commands, headers and libraries themselves, not for packages: who has them from
# elsewhere needs neither apt-get nor these packages.
set -euo pipefail
cd "$(dirname "$0")/.."

build_packages=(gcc libc6-dev make cmake ninja-build pkg-config libzstd-dev liblz4-dev libbrotli-dev
    libdeflate-dev zlib1g-dev libbz2-dev liblzma-dev libyaml-dev libjansson-dev libcurl4-openssl-dev libssl-dev libexpat1-dev libpq-dev)
test_packages=(g++ binutils ca-certificates libcmocka-dev libsnappy-dev python3 python3-venv python3-dev
    postgresql openssl)
full_packages=(default-jre-headless maven zsh fish)
lint_packages=(clang clang-format clang-tidy cppcheck clang-runtime llvm)
aarch64_packages=(gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static)
windows_packages=(gcc-mingw-w64-x86-64 wine tar xz-utils bzip2)
deb_packages=(debhelper lintian debootstrap)

has_command() { command -v "$1" >/dev/null; }
has_library() { has_command pkg-config && pkg-config --exists "$@"; }
has_header() { has_command gcc && echo "#include <$1>" | gcc -E -o /dev/null -x c - 2>/dev/null; }

has_server() { has_command initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; } # Debian's is not in PATH

# Is what this package brings there, whoever put it there?
is_there() {
    case $1 in
    lintian | debootstrap | zsh | fish) has_command "$1" ;;
    debhelper) has_command dh && has_command dpkg-buildpackage ;;
    gcc | make | cmake | pkg-config | g++ | openssl | python3 | clang | clang-format | clang-tidy | cppcheck) has_command "$1" ;;
    gcc-aarch64-linux-gnu) has_command aarch64-linux-gnu-gcc ;;
    libc6-dev-arm64-cross) [ -e /usr/aarch64-linux-gnu/include/stdio.h ] ;;
    gcc-mingw-w64-x86-64) has_command x86_64-w64-mingw32-gcc-posix ;;
    wine | tar | bzip2) has_command "$1" ;;
    xz-utils) has_command xz ;;
    qemu-user-static) has_command qemu-aarch64-static ;;
    default-jre-headless) has_command java ;;
    maven) has_command mvn ;;
    ninja-build) has_command ninja ;;
    binutils) has_command nm && has_command readelf && has_command strip ;;
    libc6-dev) has_header stdio.h ;;
    libzstd-dev) has_library libzstd ;;
    liblz4-dev) has_library liblz4 ;;
    libbrotli-dev) has_library libbrotlienc libbrotlidec ;;
    libdeflate-dev) has_library libdeflate ;;
    zlib1g-dev) has_library zlib ;;
    libbz2-dev) has_header bzlib.h ;;
    liblzma-dev) has_library liblzma ;;
    libyaml-dev) has_library yaml-0.1 ;;
    libjansson-dev) has_library jansson ;;
    libcurl4-openssl-dev) has_library libcurl ;;
    libssl-dev) has_library libcrypto ;;
    libexpat1-dev) has_library expat ;;
    libpq-dev) has_library libpq ;;
    postgresql) has_server ;;
    openssl) has_command openssl ;;
    libcmocka-dev) has_library cmocka ;;
    libsnappy-dev) has_header snappy-c.h ;;
    ca-certificates) [ -n "$(ls /etc/ssl/certs 2>/dev/null)" ] ;;
    llvm) has_command llvm-cov && has_command llvm-profdata ;; # of the same version as clang, whose counters they read
    python3-venv) has_command python3 && "$(python)" -c 'import ensurepip, venv' 2>/dev/null ;;
    python3-dev) has_command python3 && [ -e "$("$(python)" -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" ] ;;
    clang-runtime) # what sanitizers and libFuzzer link with
        has_command clang && echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' |
            clang -fsanitize=fuzzer,address -x c -o /dev/null - 2>/dev/null
        ;;
    *) return 1 ;;
    esac
}

# The package's name in Debian: clang's runtime is that of the clang that is there.
package_name() {
    case $1 in
    clang-runtime)
        if has_command clang; then
            echo "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"
        else
            echo libclang-rt-dev
        fi
        ;;
    *) echo "$1" ;;
    esac
}

install_packages() {
    local missing=() package sudo=() line log=build/setup.log
    for package in "$@"; do
        is_there "$package" || missing+=("$(package_name "$package")")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    line="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
    if ! has_command apt-get; then
        echo "setup: these are missing; the names are those of Debian's packages: ${missing[*]}" >&2
        exit 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        if ! has_command sudo || ! sudo -n true 2>/dev/null; then
            echo "setup: these packages are missing. Run this line, then the command again:" >&2
            echo "    ${line//apt-get/sudo apt-get}" >&2
            exit 1
        fi
        sudo=(sudo)
    fi
    echo "setup: installing ${missing[*]}"
    mkdir -p build
    "${sudo[@]}" apt-get update >"$log" 2>&1 || true
    if ! "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "setup: apt-get could not install the packages above; the whole log is $log" >&2
        exit 1
    fi
}

# The system's Python, which python3-venv belongs to; where there is none, whichever is found.
python() {
    if [ -x /usr/bin/python3 ]; then
        echo /usr/bin/python3
    else
        command -v python3
    fi
}

# An environment in a folder, made again whenever its pinned list changes.
python_environment() {
    local folder=$1 requirements=$2 stamp=$1/requirements.installed
    cmp -s "$requirements" "$stamp" && return 0
    echo "setup: making the Python environment $folder ($(grep -c '==' "$requirements") pinned packages)"
    if ! "$(python)" -m venv --clear "$folder" ||
        ! "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements"; then
        echo "setup: the Python environment could not be made; it needs the network once, for the packages of" \
            "$requirements" >&2
        exit 1
    fi
    cp "$requirements" "$stamp"
}

# The jars that tools/s3proxy/pom.xml names, each with the checksum that it had when it was chosen.
s3proxy() {
    local sums=tools/s3proxy/jars.sha256 folder=build/s3proxy log=build/s3proxy.log
    cmp -s "$sums" "$folder/jars.sha256" && return 0
    echo "setup: copying S3Proxy to $folder ($(wc -l <"$sums") pinned jars)"
    rm -rf "$folder"
    mkdir -p "$folder"
    if ! mvn -B -f tools/s3proxy/pom.xml dependency:copy-dependencies -DoutputDirectory="$PWD/$folder" >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "setup: Maven could not fetch S3Proxy; it needs the network once, or a mirror in settings.xml; the whole log is $log" >&2
        exit 1
    fi
    if ! (cd "$folder" && sha256sum --check --strict --quiet "$OLDPWD/$sums") >&2; then
        echo "setup: these jars are not the ones that were chosen" >&2
        exit 1
    fi
    cp "$sums" "$folder"
}

case "${1:-}" in
build) install_packages "${build_packages[@]}" ;;
test | bench)
    install_packages "${build_packages[@]}" "${test_packages[@]}"
    python_environment .venv tools/requirements.txt
    ;;
test-slow | test-full)
    install_packages "${build_packages[@]}" "${test_packages[@]}" "${full_packages[@]}"
    python_environment .venv tools/requirements.txt
    s3proxy
    if [ "$1" = test-full ]; then
        python_environment build/iceberg tools/iceberg-requirements.txt
        python_environment build/spark tools/spark-requirements.txt # some 700 MB
        if "$(python)" -c 'import sys; sys.exit(sys.version_info >= (3, 12))'; then # Spark 3.4 knows none that is newer
            python_environment build/spark3 tools/spark3-requirements.txt
        fi
        [ "$(uname -m)" != x86_64 ] || { "$0" aarch64 && "$0" macos && "$0" windows; }
    fi
    ;;
aarch64)
    install_packages "${build_packages[@]}" "${aarch64_packages[@]}"
    tools/sysroot.sh arm64
    ;;
macos)
    install_packages "${build_packages[@]}" python3 python3-venv
    python_environment build/zig tools/macos-requirements.txt
    ;;
windows)
    install_packages "${build_packages[@]}" "${windows_packages[@]}"
    tools/sysroot_windows.sh
    ;;
deb) install_packages "${build_packages[@]}" "${deb_packages[@]}" ;;
wheel) install_packages "${build_packages[@]}" python3 python3-venv python3-dev ;;
lint)
    install_packages "${build_packages[@]}" "${test_packages[@]}" "${lint_packages[@]}"
    ;;
*)
    echo "usage: tools/setup.sh build|test|test-slow|test-full|aarch64|macos|windows|lint|deb|wheel|bench" >&2
    exit 2
    ;;
esac
