# Functions of jobs that change a host. Records of the result go to file descriptor 3, talk goes to the log.
# shellcheck shell=sh disable=SC2154
job=/run/kdumpnfs/job

step() {
  printf '%s\n' "$1" >"$job/step"
  printf '== %s\n' "$1"
}

result() {
  kv "$1" "$2" >&3
}

# fail ID WORDS...: the change ends here; nothing is left half done by those who call it.
fail() {
  result fail.id "$1"
  shift
  result fail.said "$*"
  exit 1
}

sha() {
  sha256sum <"$1" 2>/dev/null | cut -d ' ' -f 1
}

# put_file PATH BASE64: new content under a temporary name in the same directory, synced, then renamed.
# Mode, owner, label and extended attributes are those of the file before; a link is followed, not replaced.
put_file() {
  put_real=$(readlink -f -- "$1") || put_real=$1
  put_new="${put_real%/*}/.${put_real##*/}.kdumpnfs-new"
  rm -f -- "$put_new"
  if [ -e "$put_real" ]; then
    cp -a -- "$put_real" "$put_new" || return 1
  else
    (umask 022 && : >"$put_new") || return 1
  fi
  if ! printf '%s' "$2" | base64 -d >"$put_new"; then
    rm -f -- "$put_new"
    return 1
  fi
  # cp -a keeps the time as well; the tools of kdump decide by time stamps whether to rebuild.
  touch -- "$put_new"
  sync "$put_new" 2>/dev/null || sync
  if ! mv -f -- "$put_new" "$put_real"; then
    rm -f -- "$put_new"
    return 1
  fi
  sync "${put_real%/*}" 2>/dev/null || sync
}

# back_up PATH STAMP: a copy beside the file, named so that no glob for *.conf or *.exports takes it. The newest five stay:
# the job's end removes the older ones, once the change has succeeded.
back_up() {
  [ -e "$1" ] || return 0
  back_real=$(readlink -f -- "$1") || back_real=$1
  backup="$back_real.kdumpnfs-$2.bak"
  cp -a -- "$back_real" "$backup" || return 1
  sync "$backup" 2>/dev/null || sync
  result backup "$backup"
  back_count=0
  # The names sort by their time.
  for old in "$back_real".kdumpnfs-*.bak; do
    back_count=$((back_count + 1))
  done
  for old in "$back_real".kdumpnfs-*.bak; do
    [ "$back_count" -gt 5 ] || break
    printf '%s\n' "$old" >>"$job/outdated"
    back_count=$((back_count - 1))
  done
}

# replace_file PATH OLDSHA BASE64 STAMP: only if the file is still the one that the plan was made from.
replace_file() {
  if [ -n "$2" ]; then
    [ -f "$1" ] || fail FileChanged "$1 is gone since it was read."
    [ "$(sha "$1")" = "$2" ] || fail FileChanged "$1 was changed by somebody else since it was read."
  elif [ -e "$1" ]; then
    fail FileChanged "$1 exists now; it did not when the host was read."
  fi
  backup=
  words=$(back_up "$1" "$4" 2>&1 3>&3) || fail WriteFailed "No backup of $1 could be made: $words"
  backup=$([ -n "$2" ] && printf '%s' "$(readlink -f -- "$1").kdumpnfs-$4.bak")
  words=$(put_file "$1" "$3" 2>&1)
  if [ "$(base64 -w0 <"$1" 2>/dev/null)" != "$3" ]; then
    fail WriteFailed "$1 could not be written: $words"
  fi
}

# inside_tree ROOT PATH: an absolute link in an image tree means a place in the tree when its hosts follow it, and one of this host here.
inside_tree() {
  # Its directory may be missing.
  tree_real=$(readlink -m -- "$2")
  case $tree_real in
    "$(readlink -f -- "$1")"/*) ;;
    *) fail WriteFailed "$2 leads to ${tree_real:-nowhere}, outside of the tree." ;;
  esac
}

# words_of UNIT: the service's own words.
words_of() {
  systemctl status -l --no-pager -n 25 "$1" 2>&1 | tail -c 6000
}
