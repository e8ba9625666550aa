# Crashes this host: echo c > /proc/sysrq-trigger. Variables: machine_id, boot_id (the host that was meant; empty: not checked),
# sync_limit (seconds). The trigger is never repeated.
# shellcheck shell=sh disable=SC2154
if [ "$(id -u)" != 0 ]; then
  kv state not-root
  exit 0
fi
if [ -n "$machine_id" ] && [ "$(cat /etc/machine-id 2>/dev/null)" != "$machine_id" ]; then
  kv state other-machine
  exit 0
fi
if [ -n "$boot_id" ] && [ "$(cat /proc/sys/kernel/random/boot_id)" != "$boot_id" ]; then
  kv state rebooted
  exit 0
fi
if ! [ -w /proc/sysrq-trigger ]; then
  kv state no-trigger
  exit 0
fi

# A sick host may hang in sync, and a process in that state cannot be killed: wait for it, but not for ever.
sync &
sync_pid=$!
ticks=0
while kill -0 $sync_pid 2>/dev/null && [ $ticks -lt $((sync_limit * 5)) ]; do
  ticks=$((ticks + 1))
  sleep 0.2
done
if kill -0 $sync_pid 2>/dev/null; then
  kv synced 0
else
  kv synced 1
fi
kv time "$(date +%s)"
kv state triggering
# A line feed at the very end may be held back on the way, as the beginning of what comes next: so something comes next.
kv over 1
# Time for these words to leave the host; nothing can be said afterwards.
sleep 0.5
echo c >/proc/sysrq-trigger
# Only a kernel that refused comes here (lockdown, no crash support).
kv refused "$(dmesg 2>/dev/null | tail -n 3)"
