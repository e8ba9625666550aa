# What Get-CrashKernelReservation and Set-CrashKernelReservation need to know, in one round trip. Reads only, but for estimate=1:
# kdumpctl estimate builds the capture image first where that is stale.
# Variables: tree (empty; a directory in tests), estimate (1: run kdumpctl estimate, which takes a while)
# shellcheck shell=sh disable=SC2154,SC1090,SC1091
kv uid "$(id -u)"
kv release "$(uname -r)"
kv machine "$(uname -m)"
kv os.release "$(cat "$tree/etc/os-release" 2>/dev/null)"
kvline machine.id "$tree/etc/machine-id"
kvline cmdline "$tree/proc/cmdline"
kvline meminfo "$tree/proc/meminfo"
kv mounts "$(cat "$tree/proc/self/mounts" 2>/dev/null)"
kvline crash.size "$tree/sys/kernel/kexec_crash_size"
kvline crash.loaded "$tree/sys/kernel/kexec_crash_loaded"
# Both regions have this name; for anybody but root the addresses are zero.
kv iomem "$(grep -E ' : (Crash kernel|System RAM)$' "$tree/proc/iomem" 2>/dev/null)"
for name in kdumpctl kdump-config kdumptool grubby update-grub grub-mkconfig grub2-mkconfig rpm-ostree zipl; do
  kv "tool.$name" "$(command -v "$name" 2>/dev/null)"
done
[ -e "$tree/run/ostree-booted" ] && kv ostree 1
[ -f "$tree/etc/zipl.conf" ] && kv zipl 1

# The distribution's own idea of a good size.
if tool=$(command -v kdumpctl 2>/dev/null); then
  kv kdumpctl.can "$(grep -oE '^[[:space:]]*(reset-crashkernel|get-default-crashkernel)\)' "$tool" 2>/dev/null)"
  if grep -qE '^[[:space:]]*get-default-crashkernel\)' "$tool" 2>/dev/null; then
    kv default "$(kdumpctl get-default-crashkernel 2>/dev/null)"
  fi
  if [ "$estimate" = 1 ] && grep -qE '^[[:space:]]*estimate\)' "$tool" 2>/dev/null; then
    kv estimate "$(kdumpctl estimate 2>&1)"
  fi
elif tool=$(command -v kdumptool 2>/dev/null); then
  grep -qE '^[[:space:]]*commandline\)' "$tool" 2>/dev/null && kv kdumptool.commandline 1
  kv calibrate "$(kdumptool calibrate 2>/dev/null)"
  kvfile sysconfig "$tree/etc/sysconfig/kdump"
else
  # kdump-tools has its preset in the script that runs after installing.
  kv default.debian "$(sed -n 's/^[[:space:]]*DEF_PRESET="\([^"]*\)".*/\1/p' "$tree/var/lib/dpkg/info/kdump-tools.postinst" 2>/dev/null)"
fi

# What the next boot takes.
if command -v grubby >/dev/null 2>&1; then
  kv grubby.info "$(grubby --info=ALL 2>/dev/null)"
  kv grubby.default "$(grubby --default-index 2>/dev/null)"
fi
for file in "$tree/boot/grub/grub.cfg" "$tree/boot/grub2/grub.cfg" "$tree"/boot/efi/EFI/*/grub.cfg; do
  if [ -f "$file" ] && { [ ! -r "$file" ] || grep -qE '^[[:space:]]*linux(16|efi)?[[:space:]]' "$file"; }; then
    kvfile grub.cfg "$file"
    break
  fi
done
for file in "$tree/boot/grub/grubenv" "$tree/boot/grub2/grubenv" "$tree"/boot/efi/EFI/*/grubenv; do
  if [ -f "$file" ]; then
    kv grubenv "$(tr -d '\0' <"$file" 2>/dev/null)"
    break
  fi
done
for file in "$tree"/boot/loader/entries/*.conf; do
  if [ -f "$file" ]; then
    kv bls.name "${file##*/}"
    kv bls.text "$(cat "$file" 2>/dev/null)"
  fi
done

# What that is made from.
for file in "$tree/etc/default/grub" "$tree"/etc/default/grub.d/*.cfg; do
  if [ -f "$file" ]; then
    kv grub.file "$file"
    kvfile "grub:$file" "$file"
  fi
done
