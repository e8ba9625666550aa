# What Test-KdumpReadiness -Probe does: mounts the export in a mount namespace of its own and writes a file there, as a change of the
# target does, and looks whether the NFS mounts of the host answer. Nothing stays.
# Variables: mount_source inside nfs_options probe check_text (checkexport.sh; empty: no export) key user server dump_path (ssh targets; user
# empty: none) nfs_mounts (mount points, a line each)
# shellcheck shell=sh disable=SC2154
folder=$(mktemp -d) || exit 1
if [ -n "$check_text" ]; then
  mnt=$folder/mnt
  mkdir "$mnt"
  create_dir='' create_source=''
  report=1
  export mount_source inside create_source create_dir nfs_options probe mnt report
  words=$(timeout -k 10 240 unshare -m -- /bin/sh -c "$check_text" 2>&1)
  kv probe.status "$?"
  kv probe.words "$words"
  rmdir "$mnt"
elif [ -n "$user" ]; then
  # The commands that kdump itself sends when it builds its image.
  ask() {
    timeout -k 5 60 ssh -q -n -i "$key" -o BatchMode=yes -o StrictHostKeyChecking=yes "$user@$server" "$@" 2>&1
  }
  words=$(ask mkdir -p "$dump_path")
  kv ssh.status "$?"
  kv ssh.words "$words"
  words=$(ask mktemp -dqp "$dump_path")
  kv ssh.write "$?"
  case $words in "$dump_path"/*) ask rmdir "$words" >/dev/null ;; esac
  kv ssh.df "$(ask df --output=avail "$dump_path" | tail -n 1)"
fi

# A mount whose server is gone holds a process for good: each is asked by a process of its own, all at once.
count=0
printf '%s\n' "$nfs_mounts" | head -n 16 >"$folder/mounts"
while IFS= read -r path; do
  [ -n "$path" ] || continue
  count=$((count + 1))
  {
    timeout -k 1 8 stat -f -- "$path" && : >"$folder/ok.$count"
    : >"$folder/done.$count"
  } </dev/null >/dev/null 2>&1 &
done <"$folder/mounts"
# One that not even SIGKILL ends must not be waited for.
ticks=0
while [ $ticks -lt 60 ] && [ "$(find "$folder" -name 'done.*' | wc -l)" -lt "$count" ]; do
  sleep 0.2
  ticks=$((ticks + 1))
done
kv nfs.asked "$count"
count=0
while IFS= read -r path; do
  [ -n "$path" ] || continue
  count=$((count + 1))
  [ -f "$folder/ok.$count" ] || kv nfs.hung "$path"
done <"$folder/mounts"
rm -rf -- "$folder"
