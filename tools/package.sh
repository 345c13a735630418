#!/usr/bin/env bash
# Pack the command, the plugins, the public headers and the licence into one archive.  Needs a finished release build.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ ! -x build/bin/dativo-native ]; then
    echo "package: there is no build/bin/dativo-native; run: make build" >&2
    exit 1
fi
version=$(build/bin/dativo-native --version | awk 'NR == 1 {print $2}')
name=dativo-native-$version-linux-$(uname -m)
stage=build/package/$name
rm -rf build/package
mkdir -p "$stage/bin" "$stage/plugins" "$stage/include"
install -s build/bin/dativo-native "$stage/bin/"
for plugin in csv_reader parquet_writer; do
    install "build/plugins/lib${plugin}_plugin.so" "$stage/plugins/"
done
strip --strip-unneeded "$stage"/plugins/*.so
cp -r include/dativo "$stage/include/"
cp LICENSE README.md CHANGELOG.md CONTRIBUTING.md "$stage/"
cp -r docs examples "$stage/" # what these pages link to
tar -C build/package --sort=name --owner=0 --group=0 --numeric-owner -czf "build/$name.tar.gz" "$name"
echo "package: build/$name.tar.gz"
