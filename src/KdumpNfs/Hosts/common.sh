# Functions that every script of KdumpNfs starts with. POSIX sh and coreutils only.
# shellcheck shell=sh
LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/sbin:/sbin:/usr/local/sbin

# kv KEY VALUE: one record of the reply; the length makes every value safe to carry. Between kvhold and kvgive records are kept, and then
# given at once: what a script gives piece by piece is a packet each, which the controller pays for. Not where kv runs in a subshell.
kv_held=
kv_holds=
kv() {
  if [ -n "$kv_holds" ]; then
    kv_held="$kv_held$1 ${#2}
$2
"
  else
    printf '%s %d\n%s\n' "$1" "${#2}" "$2"
  fi
}
kvhold() { kv_holds=1; }
kvgive() {
  printf %s "$kv_held"
  kv_held=
  kv_holds=
}

# kvline KEY PATH: the first line of a file, read by the shell itself: a process for each would cost more than all the rest.
# Not for numbers below /proc/sys, which give all of themselves to the first read, and sh reads byte by byte.
kvline() {
  line=
  [ -r "$2" ] && IFS= read -r line <"$2"
  kv "$1" "$line"
}

# redhat_image KERNEL: the capture image where kdumpctl keeps it (prepare_kdump_bootinfo in kdump-lib.sh): beside a boot loader
# specification's kernel, on an ostree, or in the usual places. Nothing when there is none.
redhat_image() {
  machine_id=
  [ -r /etc/machine-id ] && IFS= read -r machine_id </etc/machine-id
  for image in "/var/lib/kdump/initramfs-${1}kdump.img" "/boot/initramfs-${1}kdump.img" \
    "/boot/$machine_id/$1/initrdkdump" "/boot/efi/$machine_id/$1/initrdkdump" /boot/ostree/*/initramfs-"${1}"kdump.img; do
    if [ -f "$image" ]; then
      printf '%s' "$image"
      return
    fi
  done
}

# kvfile KEY PATH: mode, owner, times and content (base64) of a regular file; no record when there is none.
kvfile() {
  [ -f "$2" ] || return 0
  kv "$1.path" "$2"
  [ -r "$2" ] || kv "$1.denied" 1
  kv "$1.stat" "$(stat -L -c '%a %u %g %Y %s' -- "$2" 2>&1)"
  kv "$1.data" "$(base64 -w0 <"$2" 2>/dev/null)"
}

# suse_image KERNEL: the capture image where mkdumprd keeps it: one for all kernels since kdump 2, before that one a kernel.
suse_image() {
  for image in /var/lib/kdump/initrd "/boot/initrd-$1-kdump"; do
    if [ -f "$image" ]; then
      printf '%s' "$image"
      return
    fi
  done
}
