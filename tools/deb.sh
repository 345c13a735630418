#!/usr/bin/env bash
# Build the packages of Debian into build/deb, from a copy of the tree, and hold them against lintian.  They fit the release that they
# are built on and later ones.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -n 's/^project(dativo_native VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
if [ "$(dpkg-parsechangelog -l debian/changelog -S Version)" != "$version" ]; then
    echo "deb: debian/changelog begins with another version than CMakeLists.txt has, $version" >&2
    exit 1
fi
tree=build/deb/dativo-native-$version
log=build/deb/build.log
rm -rf build/deb
mkdir -p "$tree"
tar -c --exclude=./build --exclude=./.venv --exclude=./.git --exclude=__pycache__ . | tar -x -C "$tree"
echo "deb: dpkg-buildpackage in $tree"
if ! (cd "$tree" && env -u DN_WERROR dpkg-buildpackage -b -us -uc) >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    echo "deb: the whole text is $log" >&2
    exit 1
fi
lintian --allow-root --fail-on error,warning,info build/deb/*.changes
rm -rf "$tree"
for package in build/deb/*.deb; do
    echo "deb: $package"
done
