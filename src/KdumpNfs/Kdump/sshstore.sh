# What a store has for dumps over ssh. Reads only. Variables: user, dir, receiver (path of kdumpnfs-receive)
# shellcheck shell=sh disable=SC2154
kv uid "$(id -u)"
entry=$(getent passwd "$user")
kv user "$entry"
home=$(printf %s "$entry" | cut -d : -f 6)
sshd=$(command -v sshd || echo /usr/sbin/sshd)
settings=$("$sshd" -T -C "user=$user,host=localhost,addr=127.0.0.1" 2>/dev/null)
# Where this server looks for the keys of the account: tokens as in sshd_config(5), AuthorizedKeysFile.
keys=$(printf '%s\n' "$settings" | sed -n 's/^authorizedkeysfile //p' | cut -d ' ' -f 1)
[ -n "$keys" ] || keys=.ssh/authorized_keys
keys=$(printf %s "$keys" | sed "s,%h,$home,g; s,%u,$user,g; s,%%,%,g")
case $keys in /*) ;; none) ;; *) keys=$home/$keys ;; esac
kv keysfile "$keys"
[ -z "$entry" ] || kvfile keys "$keys"
hostkeys=$(printf '%s\n' "$settings" | sed -n 's/^hostkey //p')
for key in ${hostkeys:-/etc/ssh/ssh_host_*_key}; do
  [ -f "$key.pub" ] && kv hostkey "$(cat "$key.pub")"
done
kv receiver.sha "$(sha256sum <"$receiver" 2>/dev/null | cut -d ' ' -f 1)"
kv dir.stat "$(stat -L -c '%F:%U' -- "$dir" 2>/dev/null)"
