# What facts.sh tells of a running host, of an image tree on a build host: the same records as far as a tree has them. Reads only.
# Variable: image_root
# shellcheck shell=sh disable=SC2154
root=$image_root
kv image.root "$root"
kv uid "$(id -u)"
kv now "$(date +%s)"
[ -d "$root/etc" ] && kv image.tree 1
# The newest kernel of the tree is the one that its hosts will boot, unless somebody arranged it otherwise.
release=$(for d in "$root"/lib/modules/*; do [ -d "$d/kernel" ] && printf '%s\n' "${d##*/}"; done | sort -V | tail -n 1)
kvline nodename "$root/etc/hostname"
kv release "$release"
kv machine "$(uname -m)"
kv os.release "$(cat "$root/etc/os-release" 2>/dev/null)"
kv boot.id ''
kvline machine.id "$root/etc/machine-id"
kv mounts "$(grep -v '^[[:space:]]*#' "$root/etc/fstab" 2>/dev/null | awk 'NF >= 3 { print $1, $2, $3 }')"
for name in kdumpctl kdump-config kdumptool makedumpfile; do
  found=
  for dir in /usr/bin /usr/sbin /sbin /bin; do
    if [ -x "$root$dir/$name" ]; then
      found=$dir/$name
      break
    fi
  done
  kv "tool.$name" "$found"
  [ "$name.$found" = "makedumpfile." ] || [ "$name" != makedumpfile ] || version=$(chroot "$root" "$found" -v 2>&1 | head -n 12)
done
case ${version:-} in *'version '*) kv makedumpfile.version "$version" ;; esac
for file in /etc/kdump.conf /etc/default/kdump-tools /etc/sysconfig/kdump; do
  # The family's own file; a RHEL tree has /etc/sysconfig/kdump too, for other things.
  case $file in
    /etc/kdump.conf) [ -x "$root/usr/bin/kdumpctl" ] || [ -x "$root/usr/sbin/kdumpctl" ] || continue ;;
    /etc/default/kdump-tools) [ -x "$root/usr/sbin/kdump-config" ] || continue ;;
  esac
  kvfile config "$root$file"
  break
done
for dir in /usr/bin /usr/sbin; do
  [ -f "$root$dir/kdumpctl" ] && kv kdumpctl.failure_action "$(grep -c failure_action "$root$dir/kdumpctl")"
done
for image in "$root/var/lib/kdump/initramfs-${release}kdump.img" "$root/boot/initramfs-${release}kdump.img" "$root/var/lib/kdump/initrd" "$root/boot/initrd-$release-kdump"; do
  if [ -f "$image" ]; then
    kv image "$image"
    kv image.time "$(stat -L -c %Y -- "$image")"
    kv image.size "$(stat -L -c %s -- "$image")"
    break
  fi
done
