# What a host has for dumps over ssh. Appended to facts.sh and route.sh. Reads only. Variable: key_path
# shellcheck shell=sh disable=SC2154
kv ssh.client "$(command -v ssh)"
kv ssh.keygen "$(command -v ssh-keygen)"
if [ -e "$key_path" ]; then
  kv ssh.key 1
  # A key with a passphrase is of no use to a capture kernel; this one gives its public half without asking.
  kv ssh.pub "$(ssh-keygen -y -P '' -f "$key_path" 2>/dev/null </dev/null)"
  kv ssh.key.mode "$(stat -L -c '%a %u' -- "$key_path" 2>/dev/null)"
fi
kvfile ssh.known /root/.ssh/known_hosts
