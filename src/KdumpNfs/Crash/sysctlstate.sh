# Kernel parameters: in force, in every file that gives them at boot, and what was remembered of before us. Reads only.
# Variables: root (put before every path; empty but in tests), drop_in (our file), keys (paths below /proc/sys), record (a file)
# shellcheck shell=sh disable=SC2154
kv uid "$(id -u)"
[ -d "$root/etc" ] && kv tree 1
kv now "$(date +%s)"
kvline boot.id /proc/sys/kernel/random/boot_id
for key in $keys; do
  [ -e "$root/proc/sys/$key" ] && kv "value.$key" "$(cat "$root/proc/sys/$key" 2>/dev/null)"
done
kv mounts "$(cat "$root/proc/self/mounts" 2>/dev/null)"
kvfile dropin "$root$drop_in"
for file in "$root"/etc/sysctl.d/*.conf "$root"/run/sysctl.d/*.conf "$root"/usr/local/lib/sysctl.d/*.conf "$root"/usr/lib/sysctl.d/*.conf "$root"/lib/sysctl.d/*.conf "$root/etc/sysctl.conf"; do
  if [ -f "$file" ] && [ -r "$file" ]; then
    kv file "${file#"$root"}"
    kv file.data "$(base64 -w0 <"$file")"
  fi
done
[ -f "$root$record" ] && [ -r "$root$record" ] && kv record "$(cat "$root$record")"
exit 0
