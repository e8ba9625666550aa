# Does a disk of this host take a dump? Runs under `unshare -m`, as checkexport.sh does.
# Environment: device (empty: the mounted file systems) fstype inside (directory to write to, from the root of the device or of the
# host) create_dir (not empty: make it) probe (name of the file to write) mnt (an empty directory)
# Exit status: 91 not mountable, 92 the directory is missing, 93 not writable, 94 cannot be created.
# shellcheck shell=sh disable=SC2154
mount --make-rprivate / 2>/dev/null
at=
if [ -n "$device" ]; then
  mount -t "$fstype" -- "$device" "$mnt" || exit 91
  at=$mnt
fi
rc=0
if ! [ -d "$at/$inside" ] && [ -n "$create_dir" ]; then
  (umask 077 && mkdir -p -- "$at/$inside") && echo created || rc=94
fi
if [ $rc != 0 ]; then
  :
elif ! [ -d "$at/$inside" ]; then
  echo "no directory $inside${device:+ on $device}"
  rc=92
elif ! (umask 077 && echo "kdumpnfs probe" >"$at/$inside/$probe" && sync "$at/$inside/$probe"); then
  rc=93
fi
rm -f -- "$at/$inside/$probe"
[ -z "$device" ] || umount "$mnt" || { sleep 1 && umount "$mnt"; } || umount -l "$mnt"
exit $rc
