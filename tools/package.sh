#!/usr/bin/env bash
# Pack the command, the plugins, what a plugin's author needs, and the pages and examples that a user needs into one archive with a
# README of its own.  Needs a finished release build.
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
mkdir -p "$stage/bin" "$stage/plugins" "$stage/include/dativo" "$stage/docs"

install -s build/bin/dativo-native "$stage/bin/"
for plugin in csv_reader csv_writer level0 parquet_reader parquet_writer postgres_reader; do
    install "build/plugins/lib${plugin}_plugin.so" "$stage/plugins/"
done
strip --strip-unneeded "$stage"/plugins/*.so
cp include/dativo/{plugin,arrow,status}.h "$stage/include/dativo/"
cp LICENSE CHANGELOG.md "$stage/"
cp docs/{store,csv-reading,splits,csv-writing,parquet-writing,parquet-reading,verify,jobs,many-machines,host-jobs,plugins,troubleshooting,best-practices,json-records,types,postgres}.md "$stage/docs/"
mkdir "$stage/docs/adr" # the decisions that these pages point at
{ grep -ohE 'adr/[a-z0-9-]+\.md' "$stage"/docs/*.md || true; } | sort -u | while read -r page; do
    cp "docs/$page" "$stage/docs/adr/"
done
mkdir "$stage/examples"
cp -r examples/{assets,connectors,data,jobs,kubernetes,plugins,slurm} "$stage/examples/"
for page in "$stage"/CHANGELOG.md "$stage"/docs/*.md; do # what is not in here is no link
    { grep -oE '\]\([a-z0-9/.-]+\.md' "$page" || true; } | cut -c 3- | sort -u | while read -r link; do
        [ -f "$(dirname "$page")/$link" ] || sed -i "s|\[\([^]]*\)\]($link[^)]*)|\1|g" "$page"
    done
done
# There is no build folder in an archive.
find "$stage/docs" "$stage/examples" \( -name '*.md' -o -name '*.yaml' \) -exec sed -i 's#build/\(bin\|plugins\|out\)#\1#g' {} +

# The package of Debian 12 and 13 that has a library.
package_of() {
    case $1 in
    libzstd.so.1) echo libzstd1 ;;
    liblz4.so.1) echo liblz4-1 ;;
    libbrotlienc.so.1 | libbrotlidec.so.1 | libbrotlicommon.so.1) echo libbrotli1 ;;
    libdeflate.so.0) echo libdeflate0 ;;
    libz.so.1) echo zlib1g ;;
    libbz2.so.1.0) echo libbz2-1.0 ;;
    liblzma.so.5) echo liblzma5 ;;
    libjansson.so.4) echo libjansson4 ;;
    libyaml-0.so.2) echo libyaml-0-2 ;;
    libcurl.so.4) echo libcurl4 ;;
    libcrypto.so.3) echo libssl3 ;;
    libexpat.so.1) echo libexpat1 ;;
    libpq.so.5) echo libpq5 ;;
    *)
        echo "package: $1 is needed, but package_of() of tools/package.sh does not know whose it is" >&2
        return 1
        ;;
    esac
}

binaries=("$stage"/bin/* "$stage"/plugins/*)
# every library but glibc's own; what those need in turn, their packages bring
mapfile -t libraries < <(readelf -dW "${binaries[@]}" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -vE '^(lib(c|m|dl|pthread|rt)|ld-linux.*)\.so' | sort -u)
glibc=$(readelf -VW "${binaries[@]}" | grep -oE 'GLIBC_[0-9.]+' | sed 's/GLIBC_//' | sort -uV | tail -n 1)
# What is loaded with the first s3:// or https://: nothing of it is needed for files.
mapfile -t later < <(sed -n 's/.*\.soname = "\(.*\)".*/\1/p' src/store/http/*.c src/store/s3/*.c | sort -u)

# What is loaded with the first postgres://
mapfile -t database < <(sed -n 's/.*\.soname = "\(.*\)".*/\1/p' src/pg/*.c | sort -u)

rows_of() {
    local library
    for library in "$@"; do
        printf '| `%s` | `%s` |\\n' "$library" "$(package_of "$library")"
    done
}

packages_of() {
    local library
    for library in "$@"; do
        package_of "$library"
    done | sort -u | paste -sd ' '
}

rows=$(rows_of "${libraries[@]}")
rows_later=$(rows_of "${later[@]}")
rows_database=$(rows_of "${database[@]}")
packages=$(packages_of "${libraries[@]}")
packages_later=$(packages_of "${later[@]}")
packages_database=$(packages_of "${database[@]}")
sed -e "s/@VERSION@/$version/; s/@GLIBC@/$glibc/; s/@LIBRARIES@/${rows%\\n}/; s/@PACKAGES@/$packages/" \
    -e "s/@DATABASE@/${rows_database%\\n}/; s/@PACKAGESDATABASE@/$packages_database/" \
    -e "s/@LATER@/${rows_later%\\n}/; s/@PACKAGESLATER@/$packages_later/" \
    tools/package/README.md >"$stage/README.md"

tar -C build/package --sort=name --owner=0 --group=0 --numeric-owner -czf "build/$name.tar.gz" "$name"
echo "package: build/$name.tar.gz"
