# What a drill wants to know of a host that answers again. Variable: since (seconds since 1970: older files of pstore are of other crashes).
# shellcheck shell=sh disable=SC2154
kv boot.id "$(cat /proc/sys/kernel/random/boot_id)"
# Some capture kernels let logins in: that host is not back yet.
[ ! -e /proc/vmcore ] || kv capturing 1
kv sysrq "$(cat /proc/sys/kernel/sysrq 2>/dev/null)"
# systemd moves what is in pstore away at boot.
kv pstore "$(for file in /sys/fs/pstore/dmesg-* /var/lib/systemd/pstore/*/dmesg* /var/lib/systemd/pstore/dmesg*; do
  [ -f "$file" ] && [ ! -L "$file" ] && [ -r "$file" ] && [ "$(stat -c %Y "$file")" -ge "$since" ] && head -c 65536 "$file"
done 2>/dev/null | head -c 131072 | tr -d '\000')"
exit 0
