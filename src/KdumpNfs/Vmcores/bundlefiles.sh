# The small files beside a dump: logs and accounts of the capture. Variables: DIRECTORY, MAX (bytes of a file, at most).
# Crashed hosts can write to the share: links are not followed, pipes are not opened.
# shellcheck shell=sh disable=SC2015,SC2153,SC2154
cd -P -- "$DIRECTORY" 2>/dev/null || { kv error denied; exit 0; }
for f in README.txt dmesg dmesg.[0-9]* kexec-dmesg.log vmcore-dmesg.txt vmcore-dmesg-incomplete.txt; do
  case $f in *[!A-Za-z0-9._-]*) continue ;; esac
  [ -f "./$f" ] && [ ! -L "./$f" ] || continue
  size=$(stat -c %s "./$f") || continue
  if [ ! -r "./$f" ]; then
    kv left "$f cannot be read by this account."
  elif [ "$size" -gt "$MAX" ]; then
    kv left "$f has $size bytes, too many for a log."
  else
    kv name "$f"
    kv "$f.bytes" "$(dd if="./$f" bs=65536 iflag=nofollow,nonblock status=none | base64 -w0)"
  fi
done
exit 0
