# Everything that status and the plans need to know about a host, in one round trip. Reads only.
# shellcheck shell=sh
kvhold
release=$(uname -r)
kv uid "$(id -u)"
kv now "$(date +%s)"
kvline nodename /proc/sys/kernel/hostname
kv release "$release"
kv machine "$(uname -m)"
kv os.release "$(cat /etc/os-release 2>/dev/null)"
kvline boot.id /proc/sys/kernel/random/boot_id
kvline machine.id /etc/machine-id
kvline cmdline /proc/cmdline
kvline meminfo /proc/meminfo
kv mounts "$(cat /proc/self/mounts 2>/dev/null)"
kv fstab "$(grep -E '[[:space:]]nfs4?[[:space:]]' /etc/fstab 2>/dev/null)"
kvline crash.size /sys/kernel/kexec_crash_size
kvline crash.loaded /sys/kernel/kexec_crash_loaded
for dir in /sys/kernel/fadump/ /sys/kernel/fadump_; do
  if [ -f "${dir}enabled" ]; then
    kvline fadump.enabled "${dir}enabled"
    kvline fadump.registered "${dir}registered"
  fi
done
kvline ipl.type /sys/firmware/ipl/ipl_type
# Not by the shell: it reads byte by byte, and a number below /proc/sys gives all of itself to the first read only.
kv sysrq "$(cat /proc/sys/kernel/sysrq 2>/dev/null)"
for name in kdumpctl kdump-config kdumptool makedumpfile systemctl systemd-run; do
  kv "tool.$name" "$(command -v "$name" 2>/dev/null)"
done
# A host is known to its store by any of its addresses; without the ip program hostname lists them.
kv addresses "$(if command -v ip >/dev/null 2>&1; then
  ip -o addr show | grep -v '^[0-9]*: lo ' | sed -n 's/.* inet6\{0,1\} \([^ /]*\).*/\1/p'
else
  hostname -I 2>/dev/null
fi)"
kv fqdn "$(hostname -f 2>/dev/null)"
# The proof of the last drill; there only where one was made.
[ -f /var/lib/kdumpnfs/drill.json ] && kv drill "$(head -c 8192 /var/lib/kdumpnfs/drill.json 2>/dev/null)"

if command -v makedumpfile >/dev/null 2>&1; then
  kv makedumpfile.version "$(makedumpfile -v 2>&1 | head -n 12)"
fi

# What a family's own tools read, and the image that they load.
unit=
if command -v kdumpctl >/dev/null 2>&1; then
  unit=kdump.service
  kvfile config /etc/kdump.conf
  # kdumpctl that cannot rebuild on its own (EL7) disarms the host for the length of a rebuild.
  kv kdumpctl.rebuild "$(grep -cE '^[[:space:]]*rebuild\)' "$(command -v kdumpctl)" 2>/dev/null)"
  # failure_action was called default before EL8.
  kv kdumpctl.failure_action "$(grep -c failure_action "$(command -v kdumpctl)" 2>/dev/null)"
  image=$(redhat_image "$release")
  [ -n "$image" ] && kv image "$image"
  for kernel in "/boot/vmlinuz-$release" "/lib/modules/$release/vmlinuz"; do
    if [ -f "$kernel" ]; then
      kv kernel.image "$kernel"
      kv kernel.time "$(stat -L -c %Y -- "$kernel")"
      break
    fi
  done
elif command -v kdump-config >/dev/null 2>&1; then
  unit=kdump-tools.service
  kvfile config /etc/default/kdump-tools
  image=$(. /etc/default/kdump-tools >/dev/null 2>&1; printf %s "${KDUMP_INITRD:-/boot/initrd.img-$release}")
  [ -f "$image" ] && kv image "$image"
elif command -v kdumptool >/dev/null 2>&1; then
  unit=kdump.service
  kvfile config /etc/sysconfig/kdump
  image=$(suse_image "$release")
  [ -n "$image" ] && kv image "$image"
  # What the capture boots; 2.x has it as a link beside the image.
  for kernel in /var/lib/kdump/kernel "/boot/vmlinuz-$release" "/lib/modules/$release/vmlinuz"; do
    if [ -f "$kernel" ]; then
      kv kernel.image "$kernel"
      kv kernel.time "$(stat -L -c %Y -- "$kernel")"
      break
    fi
  done
fi
if [ -n "${image:-}" ] && [ -f "${image:-}" ]; then
  kv image.time "$(stat -L -c %Y -- "$image")"
  kv image.size "$(stat -L -c %s -- "$image")"
fi

if [ -n "$unit" ] && command -v systemctl >/dev/null 2>&1; then
  kv service.name "$unit"
  kv service.show "$(systemctl show -p LoadState -p ActiveState -p SubState -p UnitFileState -p Result -p ConditionResult "$unit" 2>/dev/null)"
  # The last words cost a look into the journal: only where something is wrong.
  if ! systemctl is-active -q "$unit" 2>/dev/null; then
    kv service.words "$(systemctl status -l --no-pager -n 12 "$unit" 2>&1 | head -c 6000)"
  fi
fi

# What an interrupted change left (see detach.sh).
if [ -d /run/kdumpnfs/job ]; then
  kv job.id "$(cat /run/kdumpnfs/job/id 2>/dev/null)"
  kv job.step "$(cat /run/kdumpnfs/job/step 2>/dev/null)"
  [ -f /run/kdumpnfs/job/result ] && kv job.result "$(cat /run/kdumpnfs/job/result)"
  kv job.alive "$(pid=$(cat /run/kdumpnfs/job/pid 2>/dev/null) && [ -n "$pid" ] && [ -d "/proc/$pid" ] && echo 1)"
fi
kvgive
