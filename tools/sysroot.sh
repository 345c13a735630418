#!/usr/bin/env bash
# The libraries of another architecture, as Debian has them, unpacked below build/sysroot/ARCH: nothing is installed, and the machine's
# own packages do not change.  What is there already stays, until the list of packages below changes.
#
#   tools/sysroot.sh arm64
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(libc6-dev libzstd-dev liblz4-dev libbrotli-dev libdeflate-dev zlib1g-dev libbz2-dev liblzma-dev libyaml-dev libjansson-dev
    libcurl4-openssl-dev libssl-dev libexpat1-dev libpq-dev libcmocka-dev libsnappy-dev)

[ $# -eq 1 ] || { echo "usage: tools/sysroot.sh ARCH, as Debian names it" >&2; exit 2; }
arch=$1
root=$PWD/build/sysroot/$arch
stamp=$root/packages
log=build/sysroot-$arch.log
[ "$(cat "$stamp" 2>/dev/null)" != "${packages[*]}" ] || exit 0

echo "sysroot: unpacking ${#packages[@]} packages for $arch, and what they need, into build/sysroot/$arch"
rm -rf "$root"
work=$root/apt
mkdir -p "$work"/{state/lists/partial,cache/archives/partial} "$root/usr/lib"
: >"$work/status" # nothing is installed there: apt fetches all that the packages need
ln -s usr/lib "$root/lib"
apt=(apt-get --option APT::Architecture="$arch" --option APT::Architectures="$arch" --option Dir::State="$work/state"
    --option Dir::State::status="$work/status" --option Dir::Cache="$work/cache" --option Debug::NoLocking=1
    --option APT::Sandbox::User= --option Acquire::Languages=none --option APT::Update::Post-Invoke= --quiet)
{
    "${apt[@]}" update || true # a source that is none of Debian's may lack the architecture
    "${apt[@]}" install --yes --download-only --no-install-recommends "${packages[@]}"
} >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    echo "sysroot: apt-get could not fetch the packages above; the whole log is $log" >&2
    exit 1
}
for package in "$work"/cache/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar --extract --keep-directory-symlink --no-same-owner --directory "$root" \
        --exclude ./usr/share
done
find "$root" -type l -lname '/*' -printf '%p\t%l\n' | while IFS=$'\t' read -r link target; do
    ln -snfr "$root$target" "$link" # the linker would follow it to the machine's own
done
rm -rf "$work"
echo "${packages[*]}" >"$stamp"
