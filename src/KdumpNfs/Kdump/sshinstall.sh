# Lets a host's dump key in on the store. Run again it changes nothing. Root.
# Variables: user, create_user (1), dir, create_dir (1), receiver, receiver_data (base64; empty: none), keys_path (empty: below the home of
# an account that is made), line (for authorized_keys), blob (the public key in it), mark (the comment: whose key it is)
# shellcheck shell=sh disable=SC2154
problem() {
  kv fail.said "$1"
  exit 0
}
if ! getent passwd "$user" >/dev/null; then
  [ "$create_user" = 1 ] || problem "There is no account $user."
  words=$(useradd --system --user-group --no-create-home --home-dir "/var/lib/kdumpnfs-$user" --shell /bin/sh --comment "receives kernel crash dumps" "$user" 2>&1) || problem "$words"
  # The home is root's: whoever has a dump key must not be able to change what it may do.
  mkdir -p -m 755 "/var/lib/kdumpnfs-$user"
  # No password, and yet not locked, which some servers take as a closed account.
  usermod -p '*' "$user"
fi
home=$(getent passwd "$user" | cut -d : -f 6)
[ -n "$keys_path" ] || keys_path=$home/.ssh/authorized_keys
group=$(id -gn "$user")
if [ "$create_dir" = 1 ] && ! [ -d "$dir" ]; then
  if ! { mkdir -p -- "${dir%/*}" && mkdir -m 700 -- "$dir" && chown "$user:$group" -- "$dir"; }; then
    problem "$dir cannot be made."
  fi
fi
if [ -n "$receiver_data" ] && [ "$(base64 -w0 2>/dev/null <"$receiver")" != "$receiver_data" ]; then
  mkdir -p -- "${receiver%/*}"
  new=$(mktemp "$receiver.XXXXXX") || problem "$receiver cannot be written."
  if ! printf '%s' "$receiver_data" | base64 -d >"$new" || ! chmod 755 "$new" || ! mv -f -- "$new" "$receiver"; then
    rm -f -- "$new"
    problem "$receiver cannot be written."
  fi
fi
directory=${keys_path%/*}
# The account reads its keys and does not own them, unless it had some before.
if ! [ -d "$directory" ] && ! { mkdir -m 750 -- "$directory" && chown "root:$group" -- "$directory"; }; then
  problem "$directory cannot be made."
fi
# Many hosts, perhaps of several controllers, come at once.
exec 9<"$directory"
flock -w 60 9 2>/dev/null
if ! [ -e "$keys_path" ] && ! { (umask 077 && : >"$keys_path") && chmod 640 "$keys_path" && chown "root:$group" "$keys_path"; }; then
  problem "$keys_path cannot be written."
fi
if ! grep -qaxF -e "$line" "$keys_path" || [ "$(grep -acF -e " $blob" -e " $mark" "$keys_path")" != 1 ]; then
  new=$(mktemp "$keys_path.XXXXXX") || problem "$keys_path cannot be written."
  cp -a -- "$keys_path" "$new"
  # What the host had before goes: another line with its key, and another key with its mark.
  { grep -avF -e " $blob" "$keys_path" | grep -av -e " $mark\$"; printf '%s\n' "$line"; } >"$new"
  sync "$new" 2>/dev/null || sync
  mv -f -- "$new" "$keys_path" || problem "$keys_path cannot be written."
  ! command -v restorecon >/dev/null 2>&1 || restorecon -RF "$directory" >/dev/null 2>&1
fi
kv installed 1
