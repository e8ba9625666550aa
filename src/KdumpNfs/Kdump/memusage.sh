# makedumpfile's own count of pages, after facts.sh. It reads the running kernel's memory map: root only, seconds on big hosts.
# shellcheck shell=sh
if command -v makedumpfile >/dev/null 2>&1; then
  kv memusage "$(makedumpfile --mem-usage /proc/kcore 2>&1 || echo "makedumpfile ended with exit status $?.")"
fi
