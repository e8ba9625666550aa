# Crashes this host: echo c > /proc/sysrq-trigger. After meanthost.sh and with its variables. The trigger is never repeated.
# shellcheck shell=sh
meant || exit 0
if ! [ -w /proc/sysrq-trigger ]; then
  kv state no-trigger
  exit 0
fi

timed_sync
kv time "$(date +%s)"
kv state triggering
# A line feed at the very end may be held back on the way, as the beginning of what comes next: so something comes next.
kv over 1
# Time for these words to leave the host; nothing can be said afterwards.
sleep 0.5
echo c >/proc/sysrq-trigger
# Only a kernel that refused comes here (lockdown, no crash support).
kv refused "$(dmesg 2>/dev/null | tail -n 3)"
