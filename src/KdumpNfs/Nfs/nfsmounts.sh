# Which hosts have something mounted, after nfsfacts.sh. Reads only.
# shellcheck shell=sh
kv rmtab "$(cat /var/lib/nfs/rmtab 2>/dev/null)"
if [ -d /proc/fs/nfsd/clients ]; then
  kv clients.known 1
  for info in /proc/fs/nfsd/clients/*/info; do
    if [ -r "$info" ]; then
      kv client "$(sed -n 's/^address: *//p' "$info")"
    fi
  done
fi
