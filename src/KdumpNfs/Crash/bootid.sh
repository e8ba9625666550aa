# Which boot this is.
# shellcheck shell=sh
kv boot.id "$(cat /proc/sys/kernel/random/boot_id)"
