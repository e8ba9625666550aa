# Proves to whoever listens to this host's serial console that it is this host's: a word that nobody else knows goes to the kernel's log.
# After meanthost.sh and with its variables (sync_limit 0: no sync), and proof (the word; empty: only look).
# shellcheck shell=sh disable=SC2154
kvline boot.id /proc/sys/kernel/random/boot_id
kvline machine.id /etc/machine-id
kv printk "$(cat /proc/sys/kernel/printk 2>/dev/null)"
kv sysrq "$(cat /proc/sys/kernel/sysrq 2>/dev/null)"
kv consoles "$(cat /sys/class/tty/console/active 2>/dev/null)"
meant || exit 0
[ "$sync_limit" = 0 ] || timed_sync
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
