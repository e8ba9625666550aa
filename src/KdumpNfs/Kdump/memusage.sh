# makedumpfile's own estimate. It reads the running kernel's memory map: root only, seconds on big hosts.
# shellcheck shell=sh
kv uid "$(id -u)"
kv tool "$(command -v makedumpfile 2>/dev/null)"
kv meminfo "$(head -n 1 /proc/meminfo)"
kv crash.size "$(cat /sys/kernel/kexec_crash_size 2>/dev/null)"
if command -v makedumpfile >/dev/null 2>&1; then
  out=$(makedumpfile --mem-usage /proc/kcore 2>&1)
  kv status $?
  kv output "$out"
fi
