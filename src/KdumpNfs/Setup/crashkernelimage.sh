# What Set-CrashKernelReservation needs to know of an image tree on a build host, in one round trip. Reads only; the tree's own tools
# are asked for the distribution's default.
# Variable: root (the tree)
# shellcheck shell=sh disable=SC2154
kv uid "$(id -u)"
[ -d "$root/etc" ] && kv tree 1
kv os.release "$(cat "$root/etc/os-release" 2>/dev/null)"
{ [ -d "$root/ostree" ] || [ -d "$root/sysroot/ostree" ]; } && kv ostree 1
[ -f "$root/etc/zipl.conf" ] && kv zipl 1
for name in kdumpctl kdump-config kdumptool update-grub grub2-mkconfig grub-mkconfig; do
  found=
  for dir in /usr/bin /usr/sbin /sbin /bin; do
    if [ -x "$root$dir/$name" ]; then
      found=$dir/$name
      break
    fi
  done
  kv "tool.$name" "$found"
  case $name.$found in
    kdumpctl.?*)
      if grep -qE '^[[:space:]]*get-default-crashkernel\)' "$root$found" 2>/dev/null; then
        kv default "$(chroot "$root" "$found" get-default-crashkernel 2>/dev/null)"
      fi
      ;;
    kdumptool.?*)
      grep -qE '^[[:space:]]*commandline\)' "$root$found" 2>/dev/null && kv kdumptool.commandline 1
      kvfile sysconfig "$root/etc/sysconfig/kdump"
      ;;
  esac
done
kv default.debian "$(sed -n 's/^[[:space:]]*DEF_PRESET="\([^"]*\)".*/\1/p' "$root/var/lib/dpkg/info/kdump-tools.postinst" 2>/dev/null)"

# What a kernel's command line is made from when the image gets a boot loader or a kernel...
for file in "$root/etc/default/grub" "$root"/etc/default/grub.d/*.cfg; do
  if [ -f "$file" ]; then
    kv grub.file "$file"
    kvfile "grub:$file" "$file"
  fi
done
kvfile cmdline "$root/etc/kernel/cmdline"

# ...and what a boot loader that is there already starts.
for file in "$root"/boot/loader/entries/*.conf; do
  if [ -f "$file" ]; then
    kv bls.file "$file"
    kvfile "bls:$file" "$file"
  fi
done
for file in "$root/boot/grub2/grubenv" "$root/boot/grub/grubenv" "$root"/boot/efi/EFI/*/grubenv; do
  if [ -f "$file" ]; then
    kvfile grubenv "$file"
    break
  fi
done
for file in "$root/boot/grub/grub.cfg" "$root/boot/grub2/grub.cfg" "$root"/boot/efi/EFI/*/grub.cfg; do
  if [ -f "$file" ] && grep -qE '^[[:space:]]*linux(16|efi)?[[:space:]]' "$file"; then
    kvfile grub.cfg "$file"
    break
  fi
done
