#!/usr/bin/env bash
# build.sh DIRECTORY: makes vmlinuz, initrd and disk.img (with room for dumps) of the aarch64 guest.
#
# Its packages come from the machine's package sources, with an apt configuration of their own: nothing is installed, the
# machine's list of architectures stays as it is.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
target=$1
PATH=$PATH:/usr/sbin:/sbin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
packages=$work/packages tree=$work/tree
mkdir -p "$target" "$packages" "$tree"/{bin,sbin,etc,lib/modules,lib/aarch64-linux-gnu} "$work/disk/out"

# --- Packages ------------------------------------------------------------------------------------------------------
# The machine's own lists know only its own architecture.
apt=$work/apt
mkdir -p "$apt"/lists/partial "$apt"/archives/partial
: >"$apt/status"
cat >"$apt/apt.conf" <<CONF
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Sandbox::User "root";
Dir::State "$apt";
Dir::State::lists "$apt/lists";
Dir::State::status "$apt/status";
Dir::Cache "$apt";
CONF
export APT_CONFIG=$apt/apt.conf
# A source that does not serve this architecture is none that we need.
apt-get -q update || true
mapfile -t asked < <(grep -v '^#' "$here/packages")
apt-get -q -s --no-install-recommends install "${asked[@]}" >"$apt/plan"
# Of all that they depend on, what is looked into: libraries, and the kernel behind its meta package.
mapfile -t wanted < <(awk '$1 == "Inst" && $2 ~ /^(lib|zlib|linux-image-[0-9]|busybox-static$|kexec-tools$|makedumpfile$)/ && $2 !~ /^lib(perl|ssl|pam|db|gdbm)/ { print $2 }' "$apt/plan")
(cd "$apt/archives" && apt-get -q download "${wanted[@]}")
for file in "$apt"/archives/*.deb; do
    dpkg-deb -x "$file" "$packages"
done
unset APT_CONFIG

# --- Initial ram disk ----------------------------------------------------------------------------------------------
# The shared libraries that a file names in its string table, and their own; of what is there.
libraries_of() {
    local file name found
    local -a queue=("$@")
    local -A seen=()
    while [[ ${#queue[@]} -gt 0 ]]; do
        file=${queue[0]}
        queue=("${queue[@]:1}")
        while read -r name; do
            [[ -z ${seen[$name]-} ]] || continue
            seen[$name]=yes
            found=$(find "$packages/lib" "$packages/usr/lib" -name "$name" -print -quit)
            [[ -n $found ]] || continue
            printf '%s\n' "$found"
            queue+=("$found")
        done < <(tr '\0' '\n' <"$file" | grep -aE '^(lib[A-Za-z0-9_+-]+|ld-linux-aarch64)\.so(\.[0-9.]+)?$' | sort -u)
    done
}

# Modules with those that they need, innermost first.
modules_of() {
    local name file
    local -a needs
    for name in "$@"; do
        file=$(find "$packages/lib/modules" -name "$name.ko" -print -quit)
        [[ -n $file ]] || { echo "there is no module $name" >&2; return 1; }
        mapfile -t needs < <(tr '\0' '\n' <"$file" | sed -n 's/^depends=//p' | tr ',' '\n' | grep .)
        modules_of "${needs[@]}"
        printf '%s\n' "$file"
    done
}

# newc TREE: a cpio archive of it, owned by root (the machine that builds need not have a cpio).
newc() (
    cd "$1" || exit 1
    LC_ALL=C
    entry() {
        printf '070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\0' "$1" "$2" 0 0 1 0 "$3" 0 0 0 0 "$((${#4} + 1))" 0 "$4"
        pad "$((110 + ${#4} + 1))"
    }
    pad() { head -c "$(((4 - $1 % 4) % 4))" /dev/zero; }
    number=1
    find . -mindepth 1 -printf '%P\n' | sort | while read -r path; do
        number=$((number + 1))
        if [[ -L $path ]]; then
            content=$(readlink "$path")
            entry "$number" "$((0120777))" "${#content}" "$path"
            printf '%s' "$content"
            pad "${#content}"
        elif [[ -d $path ]]; then
            entry "$number" "$((040755))" 0 "$path"
        else
            size=$(stat -c %s "$path")
            entry "$number" "$((0100755))" "$size" "$path"
            cat "$path"
            pad "$size"
        fi
    done
    entry 0 0 0 'TRAILER!!!'
)

cp "$packages/bin/busybox" "$packages/sbin/kexec" "$packages/usr/bin/makedumpfile" "$tree/bin/"
ln -s busybox "$tree/bin/sh"
libraries_of "$tree"/bin/{kexec,makedumpfile} >"$work/libraries"
while read -r file; do
    cp -L "$file" "$tree/lib/aarch64-linux-gnu/"
done <"$work/libraries"
ln -s aarch64-linux-gnu/ld-linux-aarch64.so.1 "$tree/lib/ld-linux-aarch64.so.1"
modules_of virtio_pci virtio_blk >"$work/modules"
awk '!seen[$0]++' "$work/modules" | while read -r file; do
    cp "$file" "$tree/lib/modules/"
    printf '%s\n' "${file##*/}"
done >"$tree/lib/modules/order"
cp "$here/init" "$tree/init"
cp "$here/dumps" "$tree/etc/dumps"
newc "$tree" >"$target/initrd"

# --- Kernel and disk -----------------------------------------------------------------------------------------------
cp "$packages"/boot/vmlinuz-* "$target/vmlinuz"
cp "$target/vmlinuz" "$target/initrd" "$work/disk/"
mke2fs -q -t ext4 -O ^has_journal,^metadata_csum -m 0 -E nodiscard -d "$work/disk" "$target/disk.img" 768M
