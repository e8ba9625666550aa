#!/usr/bin/env bash
# customize.sh ROOT OUT SSH <TABLE: makes the lab's guests of the packages in ROOT.
#
# ROOT  a directory with the packages installed (rootfs.sh); it is changed
# OUT   gets base.img (every guest's root file system), data.img (the store's data disk), vmlinuz and initrd
# SSH   id_ed25519.pub and hostkeys/GUEST/
# TABLE one line a guest: NAME PRIVATE-ADDRESS LAST-BYTE
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$1 out=$2 ssh=$3
password=kdump-lab
PATH=$PATH:/usr/sbin:/sbin

# Mounts of the steps below live and die with this mount namespace: nothing is left mounted, whatever happens.
if [[ ${LAB_UNSHARED-} != yes ]]; then
    exec env LAB_UNSHARED=yes unshare --mount --propagation private "$0" "$@"
fi

release=$(cd "$root/lib/modules" && echo *)
lab=$root/usr/lib/lab
mapfile -t table
step() { printf '%(%T)T %s\n' -1 "$*"; }
in_root() { chroot "$root" "$@"; }

# A tree of ours into the image: owned by root, directories and files readable by all.
copy_tree() {
    mkdir -p "$2"
    cp -rT --no-preserve=ownership,timestamps "$1" "$2"
}

# --- Files of every guest ------------------------------------------------------------------------------------------
step "common files"
tar -C "$here/common" --owner=root --group=root --mode='u=rwX,go=rX' -cf - . | tar -C "$root" -xf - --no-overwrite-dir
chmod 0440 "$root/etc/sudoers.d/lab"
rm -rf "$root"/etc/ssh/ssh_host_* "$root"/etc/apt/sources.list* "$root"/var/log/journal "$root"/etc/update-motd.d
# The only package source: in the image itself. Its lists are not fetched yet, as on a host that nobody has updated for long.
printf 'deb [trusted=yes] file:/usr/lib/lab/repository ./\n' >"$root/etc/apt/sources.list"
: >"$root/etc/resolv.conf"
printf '127.0.0.1 localhost\n' >"$root/etc/hosts"
for line in "${table[@]}"; do
    read -r name address _ <<<"$line"
    printf '%s %s\n' "$address" "$name"
done >>"$root/etc/hosts"

step "accounts"
for account in admin plain pw; do
    in_root useradd --create-home --shell /bin/bash "$account"
done
printf 'pw:%s\n' "$password" | in_root chpasswd
for home in root home/admin home/plain; do
    install -d -m 0700 "$root/$home/.ssh"
    install -m 0600 "$ssh/id_ed25519.pub" "$root/$home/.ssh/authorized_keys"
done
in_root chown -R admin:admin /home/admin/.ssh
in_root chown -R plain:plain /home/plain/.ssh

# --- What no guest needs, so that a boot without KVM stays short ---------------------------------------------------
step "trimming"
units=$root/etc/systemd/system
while read -r unit; do
    [[ -z $unit || $unit == \#* ]] || ln -sfn /dev/null "$units/$unit"
done <"$here/masked-units"
mkdir -p "$root/etc/systemd/system-generators"
for generator in cryptsetup debug getty gpt-auto hibernate-resume integritysetup rc-local run system-update sysv veritysetup; do
    ln -sfn /dev/null "$root/etc/systemd/system-generators/systemd-$generator-generator"
done
# Device rules: what names the disks and tells systemd of devices. The rest asks every device questions in vain, and
# 80-drivers loads a module for everything that the chipset pretends to have: the initial ram disks load what is used.
for rule in "$root"/lib/udev/rules.d/*.rules; do
    case ${rule##*/} in
    50-kdump-tools.rules | 50-udev-default.rules | 60-block.rules | 60-nfs.rules | 99-nfs.rules | 99-systemd.rules) ;;
    *) rm "$rule" ;;
    esac
done
# (The hook would miss its rules.)
rm "$root/usr/share/initramfs-tools/hooks/dmsetup"
rm -rf "$root"/lib/udev/hwdb.bin "$root"/lib/udev/hwdb.d
in_root systemctl --quiet set-default multi-user.target
in_root systemctl --quiet enable networking.service
# The store begins without a server: that is for Enable-NfsExport to do. (nfs-client.target serves Kerberos mounts alone.)
in_root systemctl --quiet disable nfs-server.service nfs-client.target rpcbind.service rpcbind.socket nfs-blkmap.service

# --- Roles ---------------------------------------------------------------------------------------------------------
step "roles"
for line in "${table[@]}"; do
    read -r name address byte <<<"$line"
    role=$lab/roles/$name
    mkdir -p "$role/etc/ssh" "$role/etc/lab"
    printf '%s\n' "$name" >"$role/etc/hostname"
    printf 'kdumpnfs lab %s' "$name" | md5sum | cut -c1-32 >"$role/etc/machine-id"
    printf 'LAB_NAME=%s\nLAB_ADDRESS=%s\nLAB_BYTE=%s\n' "$name" "$address" "$byte" >"$role/etc/lab/role"
    install -m 0600 "$ssh/hostkeys/$name"/ssh_host_*_key "$role/etc/ssh/"
    install -m 0644 "$ssh/hostkeys/$name"/ssh_host_*_key.pub "$role/etc/ssh/"
done
# A storage server has no kdump of its own.
printf '#!/bin/sh\n# A storage server arms no kdump of its own here.\nrm -f /etc/systemd/system/basic.target.wants/kdump-tools.service\n' >"$lab/setup-storage"
chmod 0755 "$lab/setup-storage"
# The store's data disk is its own mount, as on a real one.
mkdir -p "$lab/roles/storage/data"
printf '/dev/vdb /data ext4 noatime 0 0\n' >"$lab/roles/storage/etc/fstab"
tar -C "$here/node2" --owner=root --group=root --mode='u=rwX,go=rX' -cf - . | tar -C "$lab/roles/node2" -xf - --no-overwrite-dir
wants=$lab/roles/node2/etc/systemd/system/multi-user.target.wants
mkdir -p "$wants"
ln -s /usr/lib/systemd/system/kdump.service "$wants/kdump.service"
# dpkg's list as setup-node2 leaves that guest: without kdump-tools.
mkdir -p "$lab/roles/node2/var/lib/dpkg"
awk -v RS= -v ORS='\n\n' '!/^Package: kdump-tools\n/' "$root/var/lib/dpkg/status" >"$lab/roles/node2/var/lib/dpkg/status"
# A value, so that systemd does not take this for a first boot; role-setup gives every guest its own.
printf 'kdumpnfs lab' | md5sum | cut -c1-32 >"$root/etc/machine-id"

# --- Initial ram disks ---------------------------------------------------------------------------------------------
mount -t proc proc "$root/proc"

step "initial ram disk of kdump-tools"
# Its own kernel hook makes it, as on any Debian host. MODULES=list: in a chroot it cannot find out what this host has.
printf '%s\n' virtio_pci virtio_rng virtio_blk virtio_net ext4 crc32c >>"$root/etc/initramfs-tools/modules"
in_root /etc/kernel/postinst.d/kdump-tools "$release"
# Without this copy kdump-config thinks that its sysctl settings changed, and builds the ram disk anew at the first boot.
cp "$root/etc/kdump/sysctl.conf" "$root/var/lib/kdump/latest_sysctls-$release"

# tree_with_programs TREE PROGRAM...: busybox and the programs, with the libraries that they are linked to.
tree_with_programs() {
    local tree=$1 file
    shift
    mkdir -p "$tree"/{bin,sbin,dev,proc,sys,run,tmp,etc,lib,usr}
    ln -s ../bin "$tree/usr/bin"
    ln -s ../sbin "$tree/usr/sbin"
    ln -s lib "$tree/lib64"
    ln -s ../lib "$tree/usr/lib"
    ln -sf /proc/self/mounts "$tree/etc/mtab"
    for file in /bin/busybox "$@"; do
        cp -L "$root$file" "$tree/bin/"
    done
    in_root ldd /bin/busybox "$@" | awk '$2 == "=>" { print $3 } $1 ~ /^\// && NF == 2 { print $1 }' | sort -u |
        while read -r file; do
            case $file in
            /lib64/*) cp -L "$root$file" "$tree/lib/" ;;
            *)
                mkdir -p "$tree/lib/x86_64-linux-gnu"
                cp -L "$root$file" "$tree/lib/x86_64-linux-gnu/"
                ;;
            esac
        done
    in_root busybox --list | while read -r file; do
        [[ -e $tree/bin/$file ]] || ln -s busybox "$tree/bin/$file"
    done
}
# modules_into TREE MODULE...: with all that they need, and lib/modules/order to load them in.
modules_into() {
    local tree=$1 name file
    shift
    mkdir -p "$tree/lib/modules"
    for name in "$@"; do
        in_root modprobe --show-depends -S "$release" "$name"
    done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r file; do
        cp "$root$file" "$tree/lib/modules/"
        printf '%s\n' "${file##*/}"
    done >"$tree/lib/modules/order"
}
# The guest's own cpio: the machine that builds need not have one.
pack() {
    mount --bind "$1" "$root/mnt"
    in_root sh -c 'cd /mnt && find . | LC_ALL=C sort | cpio --quiet --reproducible -o -H newc -R 0:0' >"$2"
    umount "$root/mnt"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

step "initial ram disk of the guests"
tree_with_programs "$work/boot"
modules_into "$work/boot" virtio_pci virtio_rng virtio_blk virtio_net
install -m 0755 "$here/initrd/init" "$work/boot/init"
pack "$work/boot" "$out/initrd"

step "capture initial ram disk of the kdumpctl stand-in"
tree_with_programs "$work/capture" /usr/bin/makedumpfile /usr/sbin/vmcore-dmesg /sbin/mount.nfs
mv "$work/capture/bin/mount.nfs" "$work/capture/sbin/"
modules_into "$work/capture" virtio_pci virtio_rng virtio_net virtio_blk nfsv4 nfsv3
cp "$root/etc/netconfig" "$root/etc/protocols" "$root/etc/services" "$work/capture/etc/" 2>/dev/null || true
install -m 0755 "$here/capture/init" "$work/capture/init"
sed 's/\.ko$//; s/-/_/g' "$work/capture/lib/modules/order" >"$lab/roles/node2/usr/lib/lab/capture-base-$release.modules"
pack "$work/capture" "$lab/roles/node2/usr/lib/lab/capture-base-$release.cpio"

umount "$root/proc"

# --- Images --------------------------------------------------------------------------------------------------------
step "disk images"
cp "$root/boot/vmlinuz-$release" "$out/vmlinuz"
# With a journal: guests crash by profession, and power cuts are one of the lab's commands.
mke2fs -q -t ext4 -L lab -O ^metadata_csum -J size=16 -m 0 -N 40000 -E lazy_itable_init=0,lazy_journal_init=0,nodiscard -d "$root" "$out/base.img" 1500M
mke2fs -q -t ext4 -L data -m 0 -E lazy_itable_init=0,lazy_journal_init=0,nodiscard "$out/data.img" 2G
step "done"
