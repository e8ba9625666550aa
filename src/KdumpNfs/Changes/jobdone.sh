# The result of a job was read: nothing of it stays on the host.
# shellcheck shell=sh disable=SC2154
clear='rm -rf /run/kdumpnfs/job
  for old in /run/kdumpnfs/new.*; do
    # What was cut on its way here before.
    [ ! -d "$old" ] || [ -d "/proc/${old##*.}" ] || rm -rf "$old"
  done
  rmdir /run/kdumpnfs 2>/dev/null'
if [ "$(cat /run/kdumpnfs/job/id 2>/dev/null)" = "$job_id" ]; then
  # In a session of its own: a connection that breaks now must not leave half of it.
  if command -v setsid >/dev/null 2>&1; then
    setsid /bin/sh -c "$clear" </dev/null >/dev/null 2>&1
  else
    eval "$clear"
  fi
fi
exit 0
