# What a running firewalld lets in where the clients come from, after nfsfacts.sh. Reads only.
# Variables: client_address (may be empty: the default zone)
# shellcheck shell=sh disable=SC2154
if command -v firewall-cmd >/dev/null 2>&1 && [ "$(firewall-cmd --state 2>/dev/null)" = running ]; then
  zone=
  if [ -n "$client_address" ] && command -v ip >/dev/null 2>&1; then
    device=$(ip -o route get "$client_address" 2>/dev/null | sed -n 's/.* dev \([^ ]*\).*/\1/p')
    [ -z "$device" ] || zone=$(firewall-cmd --get-zone-of-interface="$device" 2>/dev/null)
  fi
  [ -n "$zone" ] || zone=$(firewall-cmd --get-default-zone 2>/dev/null)
  kv firewall.zone "$zone"
  kv firewall.services "$(firewall-cmd --zone="$zone" --list-services 2>/dev/null)"
  kv firewall.permanent "$(firewall-cmd --permanent --zone="$zone" --list-services 2>/dev/null)"
fi
