# The address by which a store sees this host. Variable: store (name or address).
# shellcheck shell=sh disable=SC2154
address=$(getent ahosts "$store" 2>/dev/null | sed -n '1s/[[:space:]].*//p')
kv store.address "$address"
kv source "$(ip -o route get "${address:-$store}" 2>/dev/null | sed -n 's/.* src \([^ ]*\).*/\1/p' | head -n 1)"
