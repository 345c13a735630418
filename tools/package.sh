#!/usr/bin/env bash
# Pack the command, the plugins, the public headers and the licence into one archive.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(build/bin/dativo-native --version | awk '{print $2}')
name=dativo-native-$version-linux-$(uname -m)
stage=build/package/$name
rm -rf build/package
mkdir -p "$stage/bin" "$stage/plugins" "$stage/include"
install -s build/bin/dativo-native "$stage/bin/"
install build/plugins/*.so "$stage/plugins/"
strip --strip-unneeded "$stage"/plugins/*.so
cp -r include/dativo "$stage/include/"
cp LICENSE README.md CHANGELOG.md "$stage/"
tar -C build/package --owner=0 --group=0 --numeric-owner -czf "build/$name.tar.gz" "$name"
echo "package: build/$name.tar.gz"
