# The job of Install-Kdump. After packages.sh.
# Variables: missing (packages, blanks between), refresh, unit, enable, start (1: do it), write, file, old_sha, new_data, stamp
# shellcheck shell=sh disable=SC2154,SC2086
if [ -n "$missing" ]; then
  if command -v debconf-set-selections >/dev/null 2>&1; then
    # Nobody is there to ask: kdump-tools is to be on; kexec-tools is not to take over reboots, as its default would.
    case " $missing " in *" kdump-tools "*) echo 'kdump-tools kdump-tools/use_kdump boolean true' | debconf-set-selections ;; esac
    [ -n "$(has_package kexec-tools)" ] || echo 'kexec-tools kexec-tools/load_kexec boolean false' | debconf-set-selections
  fi
  install_missing $missing
fi
if [ "$write" = 1 ]; then
  step "Writing $file"
  replace_file "$file" "$old_sha" "$new_data" "$stamp"
fi
# A package's own scripts may have enabled it.
if [ "$enable" = 1 ]; then
  if [ "$(systemctl is-enabled "$unit" 2>/dev/null)" != enabled ]; then
    step "Enabling $unit"
    words=$(systemctl enable "$unit" 2>&1) || fail ActivationFailed "$words"
  fi
  result enabled "$unit"
fi
if [ "$start" = 1 ] && ! { systemctl is-active -q "$unit" && [ "$(cat /sys/kernel/kexec_crash_loaded 2>/dev/null)" = 1 ]; }; then
  step "Starting $unit"
  systemctl restart "$unit" || fail ActivationFailed "$(words_of "$unit")"
  [ "$(cat /sys/kernel/kexec_crash_loaded 2>/dev/null)" = 1 ] || fail ActivationFailed "$(words_of "$unit")"
  result started "$unit"
fi
result loaded "$(cat /sys/kernel/kexec_crash_loaded 2>/dev/null)"
step "Done"
