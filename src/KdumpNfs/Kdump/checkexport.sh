# Does the export take a dump from this host? Runs under `unshare -m`: the probe mount is in a namespace of its own, so nobody
# else sees it and it goes with this process, even after kill -9. The mount is soft and timed: a dead server must not hang the host.
# Environment: mount_source inside (directory to write to, relative to the mount, may be empty) create_source create_dir (empty: do
# not create) nfs_options probe (name of the file to write) mnt (an empty directory)
# report (not empty: say how it is mounted and how much room there is, lines "mount: SOURCE TYPE OPTIONS" and "space: KIB-TOTAL KIB-FREE")
# Exit status: 91 not mountable, 92 the directory is missing, 93 not writable, 94 cannot be created.
# shellcheck shell=sh disable=SC2154
mount --make-rprivate / 2>/dev/null

unmount() {
  umount "$mnt" || { sleep 1 && umount "$mnt"; } || umount -f -l "$mnt"
}

if [ -n "$create_dir" ]; then
  timeout 90 mount -t nfs -o "$nfs_options" -- "$create_source" "$mnt" || exit 91
  rc=0
  if ! [ -d "$mnt/$create_dir" ]; then
    # Dumps hold the host's memory: directories on the store are for root only.
    (umask 077 && mkdir -p -- "$mnt/$create_dir") && echo created || rc=94
  fi
  unmount
  [ $rc = 0 ] || exit $rc
fi

timeout 90 mount -t nfs -o "$nfs_options" -- "$mount_source" "$mnt" || exit 91
if [ -n "${report:-}" ]; then
  grep -F " $mnt " /proc/self/mounts | tail -n 1 | sed 's/^\([^ ]*\) [^ ]* \([^ ]*\) \([^ ]*\).*/mount: \1 \2 \3/'
  df -Pk -- "$mnt" | tail -n 1 | sed 's/^.* \([0-9][0-9]*\)  *[0-9][0-9]*  *\([0-9][0-9]*\)  *[0-9]*%.*/space: \1 \2/'
fi
rc=0
if ! [ -d "$mnt/$inside" ]; then
  # A root that is squashed does not even see what is in a directory for root only.
  why=$(stat -- "$mnt/$inside" 2>&1)
  case $why in
    *'Permission denied'*)
      echo "Permission denied: $inside in $mount_source"
      rc=93
      ;;
    *)
      echo "no directory $inside in $mount_source"
      rc=92
      ;;
  esac
elif ! (umask 077 && echo "kdumpnfs probe" >"$mnt/$inside/$probe" && sync "$mnt/$inside/$probe"); then
  rc=93
fi
rm -f -- "$mnt/$inside/$probe"
unmount
exit $rc
