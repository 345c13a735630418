#!/usr/bin/env bash
# What strangers install, in bare chroots of Debian 12 and 13 (build/chroots, made once by debootstrap): the packages of build/deb and the archive
# of build, each in a fresh copy.  Root and the network are needed; DEBIAN_MIRROR is another mirror than debootstrap's own.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "$(id -u)" -ne 0 ]; then
    echo "test-install: debootstrap and chroot need root" >&2
    exit 1
fi
version=$(sed -n 's/^project(dativo_native VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
archive=dativo-native-$version-linux-$(uname -m)
. /etc/os-release
passed=0
failed=0

# in_chroot SUITE NAME FILE...: run the commands on standard input, in a fresh copy of the chroot, beside copies of the files.
in_chroot() {
    local suite=$1 name=$2 place=build/chroots/fresh log=build/chroots/$1-$2.log
    shift 2
    rm -rf --one-file-system "$place"
    cp -a "build/chroots/$suite" "$place"
    cp /etc/resolv.conf "$place/etc/"
    mkdir "$place/given"
    cp -r "$@" "$place/given/"
    cat >"$place/given/commands"
    if env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive ${http_proxy:+http_proxy="$http_proxy"} \
        unshare --mount --pid --fork --mount-proc="$place/proc" chroot "$place" sh -euxc 'cd /given; . ./commands' >"$log" 2>&1; then
        echo "test-install: $suite: $name: ok"
        passed=$((passed + 1))
    else
        tail -n 20 "$log" >&2
        echo "test-install: $suite: $name: FAILED; the whole text is $log" >&2
        failed=$((failed + 1))
    fi
    rm -rf --one-file-system "$place"
}

mkdir -p build/chroots
for suite in bookworm trixie; do
    if [ "$suite" = bookworm ] && [ "${VERSION_CODENAME:-}" != bookworm ]; then
        echo "test-install: bookworm: left out: what is built on ${PRETTY_NAME:-this system} needs its libraries, which are newer"
        continue
    fi
    if [ ! -d "build/chroots/$suite" ]; then
        echo "test-install: debootstrap $suite into build/chroots"
        rm -rf --one-file-system build/chroots/new
        if ! debootstrap --variant=minbase "$suite" build/chroots/new ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >build/chroots/debootstrap.log 2>&1; then
            tail -n 20 build/chroots/debootstrap.log >&2
            exit 1
        fi
        mv build/chroots/new "build/chroots/$suite"
    fi
    in_chroot "$suite" packages build/deb/dativo-native_*.deb build/deb/libdativo0_*.deb build/deb/libdativo-dev_*.deb examples <<'EOF'
apt-get update -q
apt-get install -y -q --no-install-recommends ./dativo-native_*.deb
dativo-native convert examples/data/orders.csv orders.parquet
dativo-native verify orders.parquet
dativo-native convert orders.parquet back.csv
bash -c '. /usr/share/bash-completion/completions/dativo-native && complete -p dativo-native'
test -s /usr/share/zsh/vendor-completions/_dativo-native && test -s /usr/share/fish/vendor_completions.d/dativo-native.fish
dativo-native plugin check /usr/lib/*/dativo/plugins/libcsv_reader_plugin.so
! dativo-native inspect s3://bucket/key 2>message # what is recommended was left out, which is said
grep libcurl message
apt-get install -y -q --no-install-recommends ./libdativo0_*.deb ./libdativo-dev_*.deb gcc libc6-dev pkg-config
cc -o read_csv examples/c/read_csv.c $(pkg-config --cflags --libs dativo)
./read_csv examples/data/orders.csv order_id customer | grep '3000 rows, 0 without order_id; the largest is 103000'
cc -o write_parquet examples/c/write_parquet.c $(pkg-config --cflags --libs dativo)
./write_parquet cities.parquet
dativo-native verify cities.parquet
umount /proc # what a bare chroot lacks
./write_parquet again.parquet
cmp cities.parquet again.parquet
mount -t proc proc /proc
apt-get install -y -q ./dativo-native_*.deb ca-certificates libcurl4 libssl3 libexpat1 # the names of Debian 12, which 13 provides
apt-get purge -y -q dativo-native libdativo0 libdativo-dev
test ! -e /usr/bin/dativo-native && test -z "$(find /usr -iname '*dativo*')"
EOF
    in_chroot "$suite" archive "build/$archive.tar.gz" <<'EOF'
tar -xzf *.tar.gz
cd dativo-native-*-linux-*
sh -e -c "$(grep -m 1 -o 'apt-get update .*' README.md)"
bin/dativo-native convert examples/data/orders.csv orders.parquet
bin/dativo-native verify orders.parquet
bin/dativo-native run examples/jobs/csv_to_parquet.yaml --preview 5
EOF
done
echo "test-install: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
