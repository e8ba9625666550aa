# Functions that every script of KdumpNfs starts with. POSIX sh and coreutils only.
# shellcheck shell=sh
LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/sbin:/sbin:/usr/local/sbin

# kv KEY VALUE: one record of the reply; the length makes every value safe to carry.
kv() {
  printf '%s %d\n%s\n' "$1" "${#2}" "$2"
}

# kvline KEY PATH: the first line of a file, read by the shell itself: a process for each would cost more than all the rest.
# Not for numbers below /proc/sys, which give all of themselves to the first read, and sh reads byte by byte.
kvline() {
  line=
  [ -r "$2" ] && IFS= read -r line <"$2"
  kv "$1" "$line"
}

# kvfile KEY PATH: mode, owner, times and content (base64) of a regular file; no record when there is none.
kvfile() {
  [ -f "$2" ] || return 0
  kv "$1.path" "$2"
  [ -r "$2" ] || kv "$1.denied" 1
  kv "$1.stat" "$(stat -L -c '%a %u %g %Y %s' -- "$2" 2>&1)"
  kv "$1.data" "$(base64 -w0 <"$2" 2>/dev/null)"
}
