#!/usr/bin/env bash
# build.sh RELEASE FILE: makes the module lab_crash for a kernel of this machine's release, into FILE.
#
# The kernel's headers come from the machine's package sources; they are taken apart and not installed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
release=$1 file=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

package=linux-headers-$release
# The lists of this machine may be older than the guests' kernel.
apt-cache show "$package" >/dev/null 2>&1 || apt-get -q update
mapfile -t needs < <(apt-cache depends --no-recommends --no-suggests "$package" | sed -n 's/^ *Depends: \(linux-\(headers\|kbuild\)-.*\)/\1/p')
(cd "$work" && apt-get -q -o APT::Sandbox::User=root download "$package" "${needs[@]}")
for archive in "$work"/*.deb; do
    dpkg-deb -x "$archive" "$work/root"
done

# Its makefile names the place where it would be installed.
headers=$work/root/usr/src/$package
sed -i "s#/usr/src/#$work/root/usr/src/#" "$headers/Makefile"
mkdir "$work/module"
cp "$here/lab_crash.c" "$work/module/"
echo 'obj-m := lab_crash.o' >"$work/module/Makefile"
# No BTF: that takes the kernel's uncompressed image. The C compiler need not have the name that Debian's had.
make -C "$headers" M="$work/module" CC=gcc CONFIG_DEBUG_INFO_BTF_MODULES= modules
strip --strip-debug "$work/module/lab_crash.ko"
mv "$work/module/lab_crash.ko" "$file"
