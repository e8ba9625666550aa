# makedumpfile's own count of pages, after facts.sh. It reads the running kernel's memory map: root only, seconds on big hosts.
# Variables: coarse (1: the kernel's own counters are enough)
# shellcheck shell=sh disable=SC2154
kv meminfo.all "$(cat /proc/meminfo 2>/dev/null)"
# For anybody but root the addresses are zero.
kv iomem "$(grep -E ' : (Crash kernel|System RAM)$' /proc/iomem 2>/dev/null)"
kv page.size "$(getconf PAGESIZE 2>/dev/null || echo 4096)"
if [ "$coarse" != 1 ] && command -v makedumpfile >/dev/null 2>&1; then
  kv memusage "$(makedumpfile --mem-usage /proc/kcore 2>&1 || echo "makedumpfile ended with exit status $?.")"
fi
