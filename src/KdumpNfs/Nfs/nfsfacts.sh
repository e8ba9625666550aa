# What Enable-NfsExport and Get-NfsExport need to know about a storage server, in one round trip. Reads only.
# Variables: export_path and dump_dir (may be empty: only list).
# shellcheck shell=sh disable=SC2154
kv uid "$(id -u)"
kv os.release "$(cat /etc/os-release 2>/dev/null)"
kv mounts "$(cat /proc/self/mounts 2>/dev/null)"
kv tool.exportfs "$(command -v exportfs 2>/dev/null)"
kvfile exports /etc/exports
for file in /etc/exports.d/*.exports; do
  [ -f "$file" ] && kvfile "exports.d:$file" "$file" && kv exports.d "$file"
done
# -s prints the table in the format of /etc/exports; nfs-utils before 1.3.4 has only -v.
kv live "$(exportfs -s 2>/dev/null || exportfs -v 2>/dev/null)"
if command -v systemctl >/dev/null 2>&1; then
  kv units "$(systemctl show -p Id -p Names -p LoadState -p ActiveState -p UnitFileState rpcbind.service nfs-server.service nfs-kernel-server.service nfs-lock.service nfs-idmap.service nfsserver.service 2>/dev/null)"
fi
if [ -n "$export_path" ]; then
  for what in "$export_path" ${dump_dir:+"$dump_dir"}; do
    if [ -d "$what" ]; then
      kv dir "$(stat -c '%u %g %a' -- "$what") $what"
    elif [ -e "$what" ] || [ -L "$what" ]; then
      kv notdir "$what"
    fi
  done
fi
