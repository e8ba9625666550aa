# The job of Disable-Kdump: the service goes first from the next boot, then now; nothing stays loaded.
# Variables: unit, disable, stop, unload (1: do it)
# shellcheck shell=sh disable=SC2154
if [ "$disable" = 1 ]; then
  step "Disabling $unit"
  words=$(systemctl disable "$unit" 2>&1) || fail ActivationFailed "$words"
  result disabled "$unit"
fi
if [ "$stop" = 1 ]; then
  step "Stopping $unit"
  words=$(systemctl stop "$unit" 2>&1) || fail ActivationFailed "$words
$(words_of "$unit")"
  result stopped "$unit"
fi
if [ "$unload" = 1 ] && [ "$(cat /sys/kernel/kexec_crash_loaded 2>/dev/null)" = 1 ]; then
  step "Unloading the crash kernel"
  # -a: the system call that the kernel allows, as with Secure Boot; old kexec knows only the first.
  words=$(kexec -a -p -u 2>&1 || kexec -p -u 2>&1)
fi
[ "$(cat /sys/kernel/kexec_crash_loaded 2>/dev/null)" != 1 ] || fail ActivationFailed "The crash kernel is still loaded. $words"
step "Done"
