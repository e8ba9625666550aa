# The job of Set-CrashKernelReservation: the boot loader's configuration gets other crashkernel= words; nothing restarts and nothing
# is reserved before the next boot.
# Variables: root (an image tree on a build host; empty for the host itself), method (grubby, reset, ostree, kdumptool, grub; files: nothing but
# them), words (crashkernel=… with blanks between; empty to have none),
# files (how many), file_N, sha_N, old_N, new_N, stamp, make (the program that writes grub_cfg), grub_cfg,
# entries (grubby: a line for each, INDEX WORDS as they were)
# shellcheck shell=sh disable=SC2154

each_file() {
  number=1
  while [ "$number" -le "$files" ]; do
    eval "path=\$file_$number hash=\$sha_$number before=\$old_$number after=\$new_$number"
    "$1" || return 1
    number=$((number + 1))
  done
}

write_one() {
  step "Writing $path"
  [ -z "$root" ] || (inside_tree "$root" "$path") || return 1
  mkdir -p -- "${path%/*}"
  # In a shell of its own: a failure there has told why, and what is written already has to come back.
  (replace_file "$path" "$hash" "$after" "$stamp")
}

bring_back() {
  if [ -n "$hash" ]; then
    put_file "$path" "$before"
    [ "$(sha "$path")" = "$hash" ]
  else
    rm -f -- "$path"
  fi
}

# What an image has to run runs in it, with the devices of this host: grub-probe looks for the one that the tree lies on.
in_root() {
  if [ -z "$root" ]; then
    "$@"
    return
  fi
  unshare -m -- /bin/sh -c '
    tree=$1
    shift
    for name in dev proc sys; do
      mkdir -p "$tree/$name" && mount --rbind "/$name" "$tree/$name" || exit 1
    done
    exec chroot "$tree" /usr/bin/env PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"' sh "$root" "$@"
}

make_grub() {
  step "Running $make${root:+ in the image}"
  case $make in
    update-grub) in_root update-grub 2>&1 ;;
    *) in_root "$make" -o "${grub_cfg#"$root"}" 2>&1 ;;
  esac
}

# The words of the first kernel in the menu that is not for recovery.
menu_words() {
  grep -E '^[[:space:]]*linux(16|efi)?[[:space:]]' "$grub_cfg" | grep -vE '[[:space:]](single|recovery)([[:space:]]|$)' | head -n 1 |
    grep -o 'crashkernel=[^[:space:]]*' | tr '\n' ' ' | sed 's/ $//'
}

grubby_words() {
  grubby --info="$1" 2>/dev/null | sed -n 's/^args=//p' | head -n 1 | grep -o 'crashkernel=[^ "]*' | tr '\n' ' ' | sed 's/ $//'
}

# One key with several values survives --args of every version only when the old ones went first.
grubby_set() {
  grubby --update-kernel="$1" --remove-args=crashkernel 2>&1 || return 1
  [ -z "$2" ] || grubby --update-kernel="$1" --args="$2" 2>&1
}

all_entries() {
  while read -r index was; do
    [ -n "$index" ] || continue
    "$1" || return 1
  done <<LIST
$entries
LIST
}
entry_back() { grubby_set "$index" "$was" >/dev/null; }
entry_is_set() { [ "$(grubby_words "$index")" = "$words" ] || { printf '%s\n' "entry $index has '$(grubby_words "$index")'"; return 1; }; }
entry_has_some() { [ -n "$(grubby_words "$index")" ] || { printf '%s\n' "entry $index has no crashkernel="; return 1; }; }

run_zipl() {
  [ -f /etc/zipl.conf ] || return 0
  step "Running zipl"
  zipl 2>&1
}

apply() {
  case $method in
    files) ;;
    grubby)
      step "Setting the arguments of every kernel"
      grubby_set ALL "$words" && all_entries entry_is_set && run_zipl
      ;;
    reset)
      step "Running kdumpctl reset-crashkernel"
      kdumpctl reset-crashkernel --kernel=ALL 2>&1 && all_entries entry_has_some
      ;;
    ostree)
      step "Running rpm-ostree kargs"
      arguments=
      for word in $(rpm-ostree kargs | grep -o 'crashkernel=[^ ]*'); do
        arguments="$arguments --delete=$word"
      done
      for word in $words; do
        arguments="$arguments --append=$word"
      done
      # shellcheck disable=SC2086
      [ -z "$arguments" ] || rpm-ostree kargs $arguments 2>&1
      ;;
    kdumptool)
      step "Running kdumptool commandline"
      if [ -n "$words" ]; then
        kdumptool commandline -u 2>&1
      else
        kdumptool commandline -d 2>&1
      fi
      ;;
    grub)
      make_grub || return 1
      [ "$(menu_words)" = "$words" ] || {
        printf '%s\n' "$grub_cfg says '$(menu_words)' instead of '$words': something else sets the kernel's command line."
        return 1
      }
      ;;
  esac
}

if ! each_file write_one; then
  last=$number
  number=1
  while [ "$number" -lt "$last" ]; do
    eval "path=\$file_$number hash=\$sha_$number before=\$old_$number"
    bring_back
    number=$((number + 1))
  done
  exit 1
fi

if said=$(apply); then
  printf '%s\n' "$said"
  result said "$said"
  [ "$method" = grub ] && result words "$(menu_words)"
  step "Done"
  exit 0
fi

step "Bringing the configuration back"
back=1
each_file bring_back || back=0
case $method in
  grubby | reset) all_entries entry_back || back=0 ;;
  grub) more=$(make_grub) || back=0 ;;
  kdumptool) [ "$files" = 0 ] || more=$(kdumptool commandline -u 2>&1) || back=0 ;;
esac
[ $back = 1 ] || fail RollbackFailed "$said
-- and bringing the configuration back:
${more:-failed}"
fail BootLoaderFailed "$said"
