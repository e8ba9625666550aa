# What a host remembers of its boots and of how they ended. Reads only. Variable: max (boots to look into, the newest)
# shellcheck shell=sh disable=SC2154
PANIC='Kernel panic - not syncing|BUG: |Oops|Unable to handle kernel|general protection fault|[Ss]ys[Rr]q ?: Trigger a crash|kernel BUG at|LOCKUP|lockup|hung_task|blocked for more than|Out of memory|Hardware Error'
TZ=UTC
export TZ
now=$(date +%s)
kv now "$now"
kvline boot.id /proc/sys/kernel/random/boot_id
current=$(tr -d '-' </proc/sys/kernel/random/boot_id)
kv uptime "$(cut -d ' ' -f 1 /proc/uptime)"

journal() {
  journalctl -q --no-pager "$@" 2>/dev/null
}
if command -v journalctl >/dev/null 2>&1; then
  kv journal 1
  # systemd 254 gives objects, older ones ignore -o here and give lines.
  boots=$(journal --list-boots -o json)
  kv boots "$boots"
  [ -d /var/log/journal ] && kv journal.persistent 1
  for id in $(printf '%s' "$boots" | grep -oE '[0-9a-f]{32}' | tail -n $((max + 1))); do
    [ "$id" != "$current" ] || continue
    kv b.id "$id"
    kv b.head "$(journal -o cat -k -b "$id" | grep -a -m 2 -E 'Linux version |Command line: ')"
    kv b.end "$(journal -o short-iso -b "$id" -n 40)"
    kv b.panic "$(journal -o short-iso -k -b "$id" -n 1000 | grep -a -E "$PANIC" | tail -n 20)"
  done
fi
if command -v last >/dev/null 2>&1; then
  kv wtmp "$(last -x -F -n $((max * 3)) reboot shutdown 2>/dev/null)"
fi
find /sys/fs/pstore /var/lib/systemd/pstore -type f -name '*dmesg*' 2>/dev/null | head -n 40 | while read -r file; do
  kv p.file "$file"
  kv p.time "$(stat -c %Y -- "$file")"
  kv p.head "$(head -c 200 -- "$file" | tr -d '\000' | head -n 1)"
  kv p.text "$(head -c 1048576 -- "$file" | tr -d '\000' | grep -a -E "$PANIC" | tail -n 10)"
done
exit 0
