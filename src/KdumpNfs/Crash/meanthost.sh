# Functions of scripts that touch the kernel of a host that was looked at before.
# Variables: machine_id, boot_id (the host that was meant; empty: not checked), sync_limit (seconds)
# shellcheck shell=sh disable=SC2154

# meant: whether this is root on the host that was meant; says the state where it is not.
meant() {
  if [ "$(id -u)" != 0 ]; then
    kv state not-root
  elif [ -n "$machine_id" ] && [ "$(cat /etc/machine-id 2>/dev/null)" != "$machine_id" ]; then
    kv state other-machine
  elif [ -n "$boot_id" ] && [ "$(cat /proc/sys/kernel/random/boot_id)" != "$boot_id" ]; then
    kv state rebooted
  else
    return 0
  fi
  return 1
}

# timed_sync: a sick host may hang in sync, and a process in that state cannot be killed: wait for it, but not for ever.
timed_sync() {
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
}
