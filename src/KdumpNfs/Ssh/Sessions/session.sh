# Whom a session is connected to, and that it still answers.
# shellcheck shell=sh
kvline boot.id /proc/sys/kernel/random/boot_id
kvline machine.id /etc/machine-id
kv user "${SUDO_USER:-$(id -un 2>/dev/null)}"
