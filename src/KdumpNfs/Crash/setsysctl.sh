# The job that changes kernel parameters: what was there before is remembered first, then the values are given to the running kernel
# and read back, then our drop-in is written. Only our keys: `sysctl --system` would undo what was tuned at run time. What fails undoes the rest.
# Variables: root (empty but in tests), values (lines of: path below /proc/sys, value before, value after), file, write (0, 1, delete),
# old_sha, new_data, stamp, record (a file), record_write (0, 1, delete), record_data, record_old (base64)
# shellcheck shell=sh disable=SC2154
file=$root$file
record=$root$record

# give PATH VALUE
give() {
  words=$( (printf '%s\n' "$2" >"$root/proc/sys/$1") 2>&1) || return 1
  now=$(cat "$root/proc/sys/$1" 2>/dev/null)
  [ "$now" = "$2" ] || {
    words="it reads back as $now"
    return 1
  }
}

# remember BASE64: the record, whole or not at all; an empty one is none.
remember() {
  if [ -z "$1" ]; then
    rm -f -- "$record"
    rmdir -- "${record%/*}" 2>/dev/null
    return 0
  fi
  mkdir -p -- "${record%/*}" && chmod 700 -- "${record%/*}" || return 1
  (umask 077 && printf '%s' "$1" | base64 -d >"$record.new") && { sync "$record.new" 2>/dev/null || sync; } &&
    [ "$(base64 -w0 <"$record.new")" = "$1" ] && mv -f -- "$record.new" "$record"
}

# undo LINES: values back to what they were before this job.
undo() {
  while read -r path before _; do
    if [ -n "$path" ] && [ "$(cat "$root/proc/sys/$path" 2>/dev/null)" != "$before" ]; then
      give "$path" "$before" || result undo.failed "$path: $words"
    fi
  done <<EOT
$1
EOT
  [ "$record_write" = 0 ] || remember "$record_old"
}

if [ "$record_write" = 1 ]; then
  step "Remembering what was there before"
  words=$(remember "$record_data" 2>&1) || fail WriteFailed "$record could not be written: $words"
fi

given=
while read -r path before after; do
  [ -n "$path" ] || continue
  step "Setting $path from $before to $after"
  if ! give "$path" "$after"; then
    said="$path does not take $after: $words"
    undo "$given
$path $before $after"
    fail KernelSettingRefused "$said"
  fi
  given="$given
$path $before $after"
done <<EOT
$values
EOT

case $write in
  1)
    step "Writing $file"
    (
      mkdir -p -- "${file%/*}"
      replace_file "$file" "$old_sha" "$new_data" "$stamp"
    ) || {
      undo "$given"
      exit 1
    } ;;
  delete)
    step "Removing $file"
    (
      [ "$(sha "$file")" = "$old_sha" ] || fail FileChanged "$file was changed by somebody else since it was read."
      words=$(back_up "$file" "$stamp" 2>&1 3>&3) || fail WriteFailed "No backup of $file could be made: $words"
      words=$(rm -f -- "$file" 2>&1) || fail WriteFailed "$file could not be removed: $words"
    ) || {
      undo "$given"
      exit 1
    } ;;
esac
[ "$record_write" != delete ] || remember ""
exit 0
