#!/usr/bin/env bash
# Install what building and testing need, quietly and only what is missing.
#
#   tools/setup.sh build   compilers and libraries (Debian packages)
#   tools/setup.sh test    the above, and the pinned Python environment in .venv
#   tools/setup.sh lint    the above, and the linters
#   tools/setup.sh bench   the above, and the peers that are measured
set -euo pipefail
cd "$(dirname "$0")/.."

build_packages=(gcc libc6-dev make cmake ninja-build pkg-config libzstd-dev liblz4-dev libbrotli-dev
    libdeflate-dev libyaml-dev libjansson-dev)
test_packages=(g++ binutils ca-certificates libcmocka-dev libsnappy-dev python3 python3-venv)
lint_packages=(clang clang-format clang-tidy cppcheck libclang-rt-14-dev)

install_packages() {
    local missing=() package
    for package in "$@"; do
        if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
            missing+=("$package")
        fi
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    local sudo=()
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
            echo "setup: these packages are missing. Run this line, then the command again:" >&2
            echo "    sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}" >&2
            exit 1
        fi
        sudo=(sudo)
    fi
    echo "setup: installing ${missing[*]}"
    local log=build/setup.log
    mkdir -p build
    "${sudo[@]}" apt-get update >"$log" 2>&1 || true
    if ! "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "setup: apt-get could not install the packages above; the whole log is $log" >&2
        exit 1
    fi
}

# One environment, made again whenever the pinned list changes.
python_environment() {
    local requirements=tools/requirements.txt stamp=.venv/requirements.installed
    cmp -s "$requirements" "$stamp" && return 0
    echo "setup: making the Python environment .venv ($(grep -c '==' "$requirements") pinned packages)"
    # the system's Python: it fits the python3-venv package installed above
    if ! /usr/bin/python3 -m venv --clear .venv ||
        ! .venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement "$requirements"; then
        echo "setup: the Python environment could not be made; it needs the network once, for the packages of" \
            "$requirements" >&2
        exit 1
    fi
    cp "$requirements" "$stamp"
}

case "${1:-}" in
build) install_packages "${build_packages[@]}" ;;
test | bench)
    install_packages "${build_packages[@]}" "${test_packages[@]}"
    python_environment
    ;;
lint)
    install_packages "${build_packages[@]}" "${test_packages[@]}" "${lint_packages[@]}"
    ;;
*)
    echo "usage: tools/setup.sh build|test|lint|bench" >&2
    exit 2
    ;;
esac
