# The job of Update-KdumpInitramfs: the capture image is built again while the old crash kernel stays loaded, then loaded. When the
# new one cannot be loaded, the old image comes back.
# Variables: family (rhel, debian, suse), file (its configuration), rebuild (1: kdumpctl can rebuild by itself), unit
# shellcheck shell=sh disable=SC2154,SC1090,SC2015
release=$(uname -r)

loaded() {
  [ "$(cat /sys/kernel/kexec_crash_loaded 2>/dev/null)" = 1 ]
}

image_path() {
  case $family in
    rhel) redhat_image "$release" ;;
    suse) readlink -f /var/lib/kdump/initrd ;;
    *) readlink -f "$( (. "$file" >/dev/null 2>&1 </dev/null; printf '%s' "${KDUMP_INITRD:-/boot/initrd.img-$release}"))" ;;
  esac
}

build() {
  case $family in
    rhel)
      # Tools that compare whole seconds take an image of this second for current.
      touch -- "$file"
      [ "$rebuild" != 1 ] || kdumpctl rebuild
      ;;
    suse) mkdumprd -f ;;
    *)
      case $image in
        /var/lib/kdump/* | '')
          # As for a new kernel; the name must be that of this kernel's own image.
          env -u DEB_MAINT_PARAMS -u INITRD /etc/kernel/postinst.d/kdump-tools "$release"
          ;;
        *) update-initramfs -u -k "$release" ;;
      esac
      ;;
  esac
}

load() {
  # With force_rebuild a restart builds once more, with nothing loaded meanwhile; a reload only loads.
  if [ "$family" = rhel ] && systemctl is-active -q "$unit" && grep -qE '^[[:space:]]*force_rebuild[[:space:]]+"?1' "$file"; then
    systemctl reload "$unit"
  else
    systemctl restart "$unit"
  fi
}

image=$(image_path)
saved=
if [ -n "$image" ] && [ -f "$image" ]; then
  result image.before "$(stat -c %Y -- "$image")"
  saved=$(mktemp -d /var/tmp/kdumpnfs.XXXXXX) && cp -a -- "$image" "$saved/image" || { rm -rf -- "$saved"; saved=; }
fi
[ -z "$saved" ] || trap 'rm -rf -- "$saved"' EXIT

put_back() {
  [ -n "$saved" ] || return 1
  cmp -s "$saved/image" "$image" && return 0
  cp -a -- "$saved/image" "$image.kdumpnfs-new" && mv -f -- "$image.kdumpnfs-new" "$image"
}

started=$(date +%s)
step "Building the capture image"
if ! words=$(build 2>&1); then
  put_back || fail RollbackFailed "$words"
  # An image older than its configuration would be built again at the next start.
  touch -- "$image"
  loaded || { systemctl restart "$unit"; loaded; } || fail RollbackFailed "$words
$(words_of "$unit")"
  fail ChangeRolledBack "$words"
fi
printf '%s\n' "$words"

step "Loading the crash kernel"
if load && systemctl is-active -q "$unit" && loaded; then
  image=$(image_path)
  time=$(stat -L -c %Y -- "$image" 2>/dev/null || echo 0)
  [ "$time" -ge "$started" ] || fail ActivationFailed "$image was not built: its time is before the command's start.
$words"
  result image "$image"
  result image.time "$time"
  result image.size "$(stat -L -c %s -- "$image")"
  step "Done"
  exit 0
fi
why=$(words_of "$unit")
step "Bringing the old image back"
if put_back && touch -- "$image" && load && loaded; then
  fail ChangeRolledBack "$why"
fi
fail RollbackFailed "$why
-- and with the old image:
$(words_of "$unit")"
