# Proves to whoever listens to this host's serial console that it is this host's: a word that nobody else knows goes to the kernel's log.
# Variables: machine_id, boot_id (the host that was meant; empty: not checked), proof (the word), sync_limit (seconds; 0: no sync)
# shellcheck shell=sh disable=SC2154
kvline boot.id /proc/sys/kernel/random/boot_id
kvline machine.id /etc/machine-id
kv printk "$(cat /proc/sys/kernel/printk 2>/dev/null)"
kv sysrq "$(cat /proc/sys/kernel/sysrq 2>/dev/null)"
kv consoles "$(cat /sys/class/tty/console/active 2>/dev/null)"
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
if [ "$sync_limit" -gt 0 ]; then
  # A sick host may hang in sync: wait for it, but not for ever.
  sync &
  sync_pid=$!
  ticks=0
  while kill -0 $sync_pid 2>/dev/null && [ $ticks -lt $((sync_limit * 5)) ]; do
    ticks=$((ticks + 1))
    sleep 0.2
  done
  if kill -0 $sync_pid 2>/dev/null; then kv synced 0; else kv synced 1; fi
fi
if [ -n "$proof" ]; then
  # The console shows what is more urgent than its level; the most urgent of all would be shown to every user who is logged in.
  read -r level _ 2>/dev/null <<EOT
$(cat /proc/sys/kernel/printk 2>/dev/null)
EOT
  priority=3
  case $level in
    1 | 0) priority=0 ;;
    2 | 3) priority=$((level - 1)) ;;
  esac
  if (printf '<%s>kdumpnfs: this console is checked: %s\n' "$priority" "$proof" >/dev/kmsg) 2>/dev/null ||
    (printf '\r\nkdumpnfs: this console is checked: %s\r\n' "$proof" >/dev/console) 2>/dev/null; then
    :
  else
    kv state no-log
    exit 0
  fi
fi
kv state proved
