# shellcheck shell=bash
# Places, guests and words that every other file of the lab uses. Sourced, never run.

LAB_DIR=${KDUMPNFS_LAB_DIR:-$(dirname "$LAB_SOURCE")/out/lab}
mkdir -p "$LAB_DIR"
LAB_DIR=$(cd "$LAB_DIR" && pwd)
readonly LAB_DIR

# Two labs on one machine need two prefixes: the guests' addresses are this and the last byte below.
readonly LAB_LOOPBACK=${KDUMPNFS_LAB_LOOPBACK:-127.122.0}
readonly LAB_PRIVATE=192.168.122
readonly LAB_SSH_PORT=2222
readonly LAB_CONSOLE_PORT=2301
readonly LAB_PASSWORD=kdump-lab
readonly LAB_BOOT_LIMIT=${KDUMPNFS_LAB_BOOT_LIMIT:-300}

# Guests in the order in which they are started: the store first, so that the nodes find it.
readonly LAB_GUESTS=(storage node1 node2)
# A guest's last address byte, on loopback (SSH, console) and on the private segment.
declare -rA LAB_BYTE=([storage]=1 [node1]=101 [node2]=102)
declare -rA LAB_MEMORY=([storage]=512 [node1]=512 [node2]=512)
# Kernel arguments of one guest only. Where kexec loads nothing, panic=10 on the common line (guest.sh) restarts the guest.
declare -rA LAB_APPEND=([storage]="" [node1]="crashkernel=192M" [node2]="crashkernel=192M")

say() { printf 'lab: %s\n' "$*"; }
complain() { printf 'lab: %s\n' "$*" >&2; }
die() {
    complain "$@"
    exit 1
}

guest_host() { printf '%s.%s' "$LAB_LOOPBACK" "${LAB_BYTE[$1]}"; }
guest_private() { printf '%s.%s' "$LAB_PRIVATE" "${LAB_BYTE[$1]}"; }

# Prints the guests named, in starting order; all of them when none is named.
select_guests() {
    local name known
    for name in "$@"; do
        [[ -n ${LAB_BYTE[$name]-} ]] || die "no guest is called '$name' (there are: ${LAB_GUESTS[*]})"
    done
    for known in "${LAB_GUESTS[@]}"; do
        if [[ $# -eq 0 || " $* " == *" $known "* ]]; then
            printf '%s\n' "$known"
        fi
    done
}

# interruptible COMMAND...: runs it in a process group of its own and waits. bash acts on a signal only between commands;
# waiting for a job it acts at once, and stop_child ends all that the command started.
CHILD=
interruptible() {
    local status=0
    set -m
    "$@" 9>&- &
    CHILD=$!
    set +m
    wait "$CHILD" || status=$?
    CHILD=
    return "$status"
}
stop_child() {
    [[ -n $CHILD ]] || return 0
    kill -TERM -- "-$CHILD" 2>/dev/null || true
    wait "$CHILD" 2>/dev/null || true
    CHILD=
}

# One lab at a time changes LAB_DIR. The descriptor is closed for everything that is started (9>&-).
take_lock() {
    exec 9>"$LAB_DIR/lock"
    if ! flock -n 9; then
        say "another lab command is at work in $LAB_DIR, waiting for it"
        flock 9
    fi
}
drop_lock() { exec 9>&-; }

print_env() {
    local guest upper
    local -a names=()
    print_variable KDUMPNFS_LAB_DIR "$LAB_DIR"
    print_variable KDUMPNFS_LAB_KEY_FILE "$LAB_DIR/ssh/id_ed25519"
    print_variable KDUMPNFS_LAB_KNOWN_HOSTS "$LAB_DIR/ssh/known_hosts"
    print_variable KDUMPNFS_LAB_SSH_CONFIG "$LAB_DIR/ssh/config"
    print_variable KDUMPNFS_LAB_USER root
    print_variable KDUMPNFS_LAB_SUDO_USER admin
    print_variable KDUMPNFS_LAB_PLAIN_USER plain
    print_variable KDUMPNFS_LAB_PASSWORD_USER pw
    print_variable KDUMPNFS_LAB_PASSWORD "$LAB_PASSWORD"
    print_variable KDUMPNFS_LAB_PORT "$LAB_SSH_PORT"
    print_variable KDUMPNFS_LAB_CONSOLE_PORT "$LAB_CONSOLE_PORT"
    print_variable KDUMPNFS_LAB_SUBNET "$LAB_PRIVATE.0/24"
    print_variable KDUMPNFS_LAB_COMMAND "$LAB_SOURCE/lab"
    for guest in "${LAB_GUESTS[@]}"; do
        upper=${guest^^}
        print_variable "KDUMPNFS_LAB_${upper}_HOST" "$(guest_host "$guest")"
        print_variable "KDUMPNFS_LAB_${upper}_PRIVATE" "$(guest_private "$guest")"
        print_variable "KDUMPNFS_LAB_${upper}_CONSOLE" "$LAB_DIR/log/$guest.console"
        print_variable "KDUMPNFS_LAB_${upper}_QMP" "$LAB_DIR/run/$guest.qmp"
        guest_is_running "$guest" && names+=("$guest")
    done
    print_variable KDUMPNFS_LAB_RUNNING "${names[*]-}"
}
print_variable() { printf 'export %s=%q\n' "$1" "$2"; }
