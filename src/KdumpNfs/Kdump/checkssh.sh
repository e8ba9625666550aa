# Does the server take a dump through the dump key? Writes, renames and removes a file with the commands that the capture uses.
# Environment: ssh_key ssh_target (user@server) inside (directory on the server) probe (name of the file to write)
# Exit status: 91 the key or the server refuses, 93 not writable, 94 the directory cannot be made.
# shellcheck shell=sh disable=SC2154
# Nothing is read from ssh_config's other identities: the capture kernel has this key alone.
on_store() {
  ssh -i "$ssh_key" -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=30 "$ssh_target" "$1"
}
on_store "mkdir -p $inside" </dev/null
rc=$?
[ $rc != 255 ] || exit 91
[ $rc = 0 ] || exit 94
echo "kdumpnfs probe" | on_store "umask 0077 && dd bs=512 of='$inside/$probe-incomplete'" || exit 93
on_store "mv '$inside/$probe-incomplete' '$inside/$probe'" </dev/null || exit 93
on_store "rm -f $inside/$probe" </dev/null || exit 93
