# Keeps the outcome of a drill on the host. Variables: file, data (base64).
# shellcheck shell=sh disable=SC2154
if [ "$(id -u)" != 0 ]; then
  kv failed "This account is not root."
  exit 0
fi
dir=${file%/*}
words=$( (umask 022 && mkdir -p -- "$dir" && printf '%s' "$data" | base64 -d >"$file.new" && sync "$file.new" && mv -f -- "$file.new" "$file" && sync "$dir") 2>&1) || kv failed "$words"
exit 0
