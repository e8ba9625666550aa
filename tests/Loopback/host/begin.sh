#!/bin/sh
# A host of the loopback fleet: this machine's files, seen through an overlay of its own, with another name, identity and kdump.
# Runs in mount and UTS namespaces of its own (unshare -m -u); they live as long as this process.
# usage: begin.sh TREE NAME BOOT_ID; TREE/up holds the files that this host has, or will have, besides those of this machine.
set -eu
tree=$1 name=$2 boot=$3
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=/,upperdir=$tree/up,workdir=$tree/work" "$tree/root"
root=$tree/root
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=755 tmpfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=1777 tmpfs "$root/var/tmp"
mkdir -p "$root/sys/kernel" "$root/run/fleet"
printf '%s\n' "$boot" >"$root/run/fleet/boot_id"
printf 'BOOT_IMAGE=/vmlinuz root=/dev/vda1 crashkernel=256M\n' >"$root/run/fleet/cmdline"
mount --bind "$root/run/fleet/boot_id" "$root/proc/sys/kernel/random/boot_id"
mount --bind "$root/run/fleet/cmdline" "$root/proc/cmdline"
echo 268435456 >"$root/sys/kernel/kexec_crash_size"
echo 0 >"$root/sys/kernel/kexec_crash_loaded"
hostname "$name"
# What the boot of such a host does last.
chroot "$root" /usr/bin/systemctl restart kdump.service || echo "kdump does not start" >&2
echo ready
exec chroot "$root" /bin/sleep infinity
