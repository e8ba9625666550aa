# The job of every change of the target, restores included. Order: look whether the target takes a dump, write, rebuild while the old
# crash kernel stays loaded, load, look; if the host would not be armed, bring the old content back and rebuild that.
# Variables: family (rhel, debian, suse), file, old_sha, old_data, new_data, write (1: the content changes), check (nfs, local, ssh; empty:
# nothing can be checked), only_check (1: nothing else is to be done), what (the target, for people), check_text (checkexport.sh and the like) and what it reads, rebuild (1:
# kdumpctl can rebuild by itself), stamp
# shellcheck shell=sh disable=SC2154

loaded() {
  [ "$(cat /sys/kernel/kexec_crash_loaded 2>/dev/null)" = 1 ]
}

image_path() {
  if [ "$family" = rhel ]; then
    redhat_image "$(uname -r)"
  elif [ "$family" = suse ]; then
    suse_image "$(uname -r)"
  else
    (. "$file" >/dev/null 2>&1 </dev/null; printf '%s' "${KDUMP_INITRD:-/boot/initrd.img-$(uname -r)}")
  fi
}

unit=kdump-tools.service
[ "$family" = debian ] || unit=kdump.service

# Which image there is, to see whether a rebuild that failed has touched it.
image_stamp() {
  stat -L -c '%i %Y' -- "$(image_path)" 2>/dev/null
}

restarted=0
activate() {
  if [ "$family" = suse ]; then
    touch -- "$file"
    step "$1 the capture image"
    # mkdumprd compares with "older than": in the second of the file's time the service would build once more, with nothing loaded.
    sleep 1
    mkdumprd -f >"$job/rebuild" 2>&1 || return 1
    cat "$job/rebuild"
  fi
  if [ "$family" = rhel ]; then
    # The tools compare whole seconds: content written in the second of the last image would pass for older.
    touch -- "$file"
    if [ "$rebuild" = 1 ]; then
      step "$1 the capture image"
      kdumpctl rebuild >"$job/rebuild" 2>&1 || return 1
      cat "$job/rebuild"
    fi
  fi
  step "Loading the crash kernel"
  restarted=1
  # A restart is what the next boot does, so it is the proof; but with force_rebuild it builds again, for minutes and with nothing
  # loaded. There a reload has to do: it only loads.
  if [ "$family" = rhel ] && systemctl is-active -q "$unit" && grep -qE '^[[:space:]]*force_rebuild[[:space:]]+"?1' "$file"; then
    systemctl reload "$unit" || return 1
  else
    systemctl restart "$unit" || return 1
  fi
  systemctl is-active -q "$unit" && loaded
}

say_why() {
  [ -f "$job/rebuild" ] && tail -c 3000 "$job/rebuild"
  # A service that was not reached has nothing to say but old words.
  [ $restarted = 0 ] || words_of "$unit"
}

if [ -n "$check" ]; then
  step "Checking $what"
  mnt=$job/mnt
  mkdir -p "$mnt"
  export mount_source inside create_source create_dir nfs_options probe mnt device fstype ssh_key ssh_target
  words=$(unshare -m -- /bin/sh -c "$check_text" 2>&1)
  rc=$?
  rmdir "$mnt" 2>/dev/null
  refused=ExportNotMountable
  [ "$check" != local ] || refused=DumpDeviceNotUsable
  [ "$check" != ssh ] || refused=SshTargetRefused
  case $rc in
    0) ;;
    92) fail DumpPathMissing "$words" ;;
    93 | 94) fail DumpPathNotWritable "$words" ;;
    *) fail "$refused" "${words:-exit status $rc}" ;;
  esac
  case $words in *created*) result created 1 ;; esac
fi

if [ "$only_check" = 1 ]; then
  step "Done"
  exit 0
fi

image_before=$(image_stamp)
file_time=$(stat -L -c %Y -- "$file" 2>/dev/null)
armed_before=0
loaded && systemctl is-active -q "$unit" && armed_before=1
started=$(date +%s)

if [ "$write" = 1 ]; then
  step "Writing $file"
  replace_file "$file" "$old_sha" "$new_data" "$stamp"
fi

if activate Rebuilding; then
  image=$(image_path)
  result image "$image"
  result image.time "$(stat -L -c %Y -- "$image" 2>/dev/null)"
  result rebuilt "$([ "$(stat -L -c %Y -- "$image" 2>/dev/null || echo 0)" -ge "$started" ] && echo 1)"
  step "Done"
  exit 0
fi

why=$(say_why)
if [ "$write" != 1 ]; then
  fail ActivationFailed "$why"
fi

step "Bringing $file back"
if [ -n "$old_sha" ]; then
  # put_file gives it a new time, so the tools see that the image has to follow.
  words=$(put_file "$file" "$old_data" 2>&1)
  [ "$(sha "$file")" = "$old_sha" ] || fail RollbackFailed "$words
$why"
  # A copy of what is there now is no state to go back to.
  rm -f -- "$(readlink -f -- "$file").kdumpnfs-$stamp.bak"
else
  rm -f -- "$file"
fi
if [ "$restarted$armed_before" = 01 ] && loaded && [ -n "$file_time" ] && [ "$(image_stamp)" = "$image_before" ]; then
  # Only the rebuild failed: image and loaded kernel are those of the old content, so with its old time everything is as it was.
  touch -d "@$file_time" -- "$file"
  result image "$(image_path)"
  result image.time "$(stat -L -c %Y -- "$(image_path)" 2>/dev/null)"
  fail ChangeRolledBack "$why"
fi
rm -f "$job/rebuild"
# An image as old as the file's new time, to the second, would pass for current.
sleep 1
if activate "Rebuilding (back)"; then
  image=$(image_path)
  result image "$image"
  result image.time "$(stat -L -c %Y -- "$image" 2>/dev/null)"
  fail ChangeRolledBack "$why"
fi
fail RollbackFailed "$why
-- and with the old content:
$(say_why)"
