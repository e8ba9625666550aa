# Makes the dump key of a host and pins the store's host keys. Both are harmless as long as no configuration names them.
# Variables: key_path, new_key (1: make it), known_old (sha256 of known_hosts as it was read; empty: none), known_data (base64; empty: leave it)
# shellcheck shell=sh disable=SC2154
known=/root/.ssh/known_hosts
problem() {
  kv fail.said "$1"
  exit 0
}
[ -d /root/.ssh ] || mkdir -m 700 /root/.ssh || problem "/root/.ssh cannot be made."
if [ "$new_key" = 1 ] && [ ! -e "$key_path" ]; then
  directory=${key_path%/*}
  [ -d "$directory" ] || (umask 077 && mkdir -p -- "$directory") || problem "$directory cannot be made."
  type=ed25519
  # Not among the algorithms that FIPS 140 mode allows.
  [ "$(cat /proc/sys/crypto/fips_enabled 2>/dev/null)" != 1 ] || type=ecdsa
  words=$(umask 077 && ssh-keygen -q -t "$type" -N '' -C "kdump@$(uname -n)" -f "$key_path" 2>&1 </dev/null) || problem "$words"
  sync
fi
if [ -n "$known_data" ]; then
  old=
  [ -f "$known" ] && old=$(sha256sum <"$known" | cut -d ' ' -f 1)
  [ "$old" = "$known_old" ] || problem "$known was changed by somebody else since it was read."
  new=$(umask 077 && mktemp "$known.XXXXXX") || problem "$known cannot be written."
  [ ! -f "$known" ] || cp -a -- "$known" "$new"
  if ! printf '%s' "$known_data" | base64 -d >"$new" || ! mv -f -- "$new" "$known"; then
    rm -f -- "$new"
    problem "$known cannot be written."
  fi
  sync
fi
kv ssh.pub "$(ssh-keygen -y -P '' -f "$key_path" 2>&1 </dev/null)"
