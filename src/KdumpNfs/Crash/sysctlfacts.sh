# sysctl drop-ins in the order in which they matter, and the value in force. Variables: drop_in (our file), key_path (below /proc/sys)
# shellcheck shell=sh disable=SC2154
kv uid "$(id -u)"
kv value "$(cat "/proc/sys/$key_path" 2>/dev/null)"
kvfile dropin "$drop_in"
for file in /etc/sysctl.d/*.conf /run/sysctl.d/*.conf /usr/local/lib/sysctl.d/*.conf /usr/lib/sysctl.d/*.conf /lib/sysctl.d/*.conf /etc/sysctl.conf; do
  [ -f "$file" ] && [ -r "$file" ] || continue
  kv file "$file"
  kv file.real "$(readlink -f -- "$file")"
  kv file.data "$(base64 -w0 <"$file")"
done
kv root "$(grep ' / ' /proc/self/mounts | tail -n 1)"
