# All that is in some crash directories: what Receive-Vmcore fetches and what Remove-Vmcore will find again or leave alone.
# Variable: NAMES, a directory name a line.
# shellcheck shell=sh disable=SC2154
enter_root || exit 0
kv now "$(date +%s.%N)"
printf '%s\n' "$NAMES" | while IFS= read -r name; do
  [ -n "$name" ] || continue
  kv name "$name"
  if ! enter "$name"; then
    if at_root && [ ! -e "./$name" ] && [ ! -L "./$name" ]; then kv "$name.error" missing; else kv "$name.error" notplain; fi
    continue
  fi
  kv "$name.id" "$(stat -c %d:%i .)"
  held && kv "$name.held" 1
  # So many files are no crash directory.
  if [ "$(printf 'x%.0s' ./* ./.[!.]* ./..?* | head -c 5000 | wc -c)" -ge 5000 ]; then
    kv "$name.error" crowded
    continue
  fi
  kv "$name.entries" "$(entries | base64 -w0)"
  kv "$name.print" "$(entries | sha256sum | cut -d ' ' -f 1)"
done
exit 0
