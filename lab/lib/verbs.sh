# shellcheck shell=bash
# What the commands of lab/lab do. Sourced, never run.

verb_build() {
    take_lock
    build_image
    drop_lock
}

# Arguments of up and run: sets DISKS and GUESTS, and REST to what follows --.
parse_guests() {
    DISKS=fresh GUESTS=() REST=()
    local -a named=()
    while [[ $# -gt 0 ]]; do
        case $1 in
        --keep) DISKS=keep ;;
        --)
            shift
            REST=("$@")
            break
            ;;
        -*) die "unknown option $1" ;;
        *) named+=("$1") ;;
        esac
        shift
    done
    local chosen
    chosen=$(select_guests "${named[@]}")
    mapfile -t GUESTS <<<"$chosen"
}

# The guests that this very command started: what it must stop when it fails.
STARTED=()
stop_started() {
    trap '' INT TERM HUP
    stop_child
    [[ ${#STARTED[@]} -eq 0 ]] || guests_stop "${STARTED[@]}"
    STARTED=()
}

stop_on_exit() {
    trap 'stop_started' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}

show_consoles() {
    local guest
    for guest in "$@"; do
        [[ -f $LAB_LOG/$guest.console ]] || continue
        printf -- '--- the end of the console of %s ---\n' "$guest"
        tail -n 40 "$LAB_LOG/$guest.console" | tr -d '\r\000'
        printf '\n'
    done >&2
}

# Boots GUESTS with DISKS; with "all-fresh", refuses when one of them runs already. On failure, or when interrupted, what
# it started is stopped.
bring_up() {
    local guest begin=$SECONDS again left
    local -A since=()
    local -a waiting=()
    take_lock
    # shellcheck disable=SC2086
    need_tools $LAB_BOOT_TOOLS
    build_image
    LAB_ACCEL=$(choose_accelerator "$LAB_IMAGE/vmlinuz")

    for guest in "${GUESTS[@]}"; do
        if guest_is_running "$guest"; then
            [[ ${1-} != all-fresh ]] ||
                die "$guest runs already: lab/lab down first, or set KDUMPNFS_LAB_REUSE=1 to use it as it is"
            say "$guest runs already"
        else
            STARTED+=("$guest")
            guest_start "$guest" "$DISKS" || { bring_up_failed; return 1; }
            since[$guest]=$SECONDS
        fi
        waiting+=("$guest")
    done
    [[ ${#STARTED[@]} -eq 0 ]] || say "booting ${STARTED[*]} (${LAB_ACCEL})"

    for guest in "${waiting[@]}"; do
        left=$((${since[$guest]:-$SECONDS} + LAB_BOOT_LIMIT - SECONDS))
        if ! guest_wait "$guest" "$((left > 0 ? left : 1))"; then
            say "$guest did not boot within $LAB_BOOT_LIMIT s; restarting it once"
            guests_stop "$guest"
            again=$SECONDS
            [[ " ${STARTED[*]} " == *" $guest "* ]] || STARTED+=("$guest")
            if ! guest_start "$guest" "$DISKS" || ! guest_wait "$guest" "$LAB_BOOT_LIMIT"; then
                bring_up_failed
                return 1
            fi
            since[$guest]=$again
        fi
        say "$guest is up after $((SECONDS - ${since[$guest]:-$SECONDS})) s ($(guest_host "$guest"))"
    done
    drop_lock
    say "${GUESTS[*]} up after $((SECONDS - begin)) s"
}
bring_up_failed() {
    complain "the lab does not come up"
    show_consoles "${GUESTS[@]}"
    stop_started
}

verb_up() {
    parse_guests "$@"
    [[ ${#REST[@]} -eq 0 ]] || die "up runs no command; lab/lab run does"
    stop_on_exit
    bring_up || exit 1
    trap - EXIT INT TERM HUP
}

# With KDUMPNFS_LAB_REUSE=1 guests that run already are used as they are, and left running.
verb_run() {
    parse_guests "$@"
    [[ ${#REST[@]} -gt 0 ]] || die "nothing to run: lab/lab run [GUEST ...] -- COMMAND"
    local status=0
    stop_on_exit
    if [[ ${KDUMPNFS_LAB_REUSE-} == 1 ]]; then
        bring_up || exit 1
    else
        bring_up all-fresh || exit 1
    fi
    eval "$(print_env)"
    # Someone at a terminal may want to type into the command, which a process group of its own may not read. Ctrl-C
    # reaches it there without our help.
    if [[ -t 0 ]]; then
        "${REST[@]}" || status=$?
    else
        interruptible "${REST[@]}" || status=$?
    fi
    exit "$status"
}

verb_down() {
    local chosen
    local -a guests=() running=()
    chosen=$(select_guests "$@")
    mapfile -t guests <<<"$chosen"
    local guest
    for guest in "${guests[@]}"; do
        ! guest_is_running "$guest" || running+=("$guest")
    done
    # No lock: down must work while up hangs. up then fails and says so.
    guests_stop "${guests[@]}"
    say "stopped: ${running[*]:-nothing ran}"
}

verb_reset() {
    verb_down "$@"
    local chosen guest
    chosen=$(select_guests "$@")
    while read -r guest; do
        rm -f "$LAB_RUN/$guest.qcow2" "$LAB_RUN/$guest-data.qcow2"
    done <<<"$chosen"
}

verb_restart() {
    [[ $# -gt 0 ]] || die "which guest?"
    verb_down "$@"
    verb_up --keep "$@"
}

# verb_ssh [USER@]GUEST [COMMAND...]
verb_ssh() {
    [[ $# -gt 0 ]] || die "which guest?"
    local name=${1##*@}
    [[ -n ${LAB_BYTE[$name]-} ]] || die "no guest is called '$name'"
    exec ssh -F "$LAB_DIR/ssh/config" "$@"
}

verb_console() {
    local lines=
    if [[ ${1-} == --tail ]]; then
        lines=${2-}
        [[ $lines =~ ^[0-9]+$ ]] || die "--tail wants a number"
        shift 2
    fi
    [[ -n ${LAB_BYTE[${1-none}]-} ]] || die "which guest? (${LAB_GUESTS[*]})"
    [[ -f $LAB_LOG/$1.console ]] || die "$1 has no console log: it never ran"
    if [[ -n $lines ]]; then
        tail -n "$lines" "$LAB_LOG/$1.console" | tr -d '\r\000'
    else
        exec tail -n 50 -F "$LAB_LOG/$1.console"
    fi
}

# As a console server does it: IAC BREAK of the telnet protocol, which QEMU turns into a break on the line.
verb_break() {
    [[ -n ${LAB_BYTE[${1-none}]-} && ${#2} -eq 1 ]] || die "usage: lab/lab break GUEST KEY"
    { exec 8<>"/dev/tcp/$(guest_host "$1")/$LAB_CONSOLE_PORT"; } 2>/dev/null || die "$1 does not run"
    printf '\377\363' >&8
    sleep 0.3
    printf '%s' "$2" >&8
    sleep 0.3
    exec 8>&-
}

verb_status() {
    local guest pid
    for guest in "${LAB_GUESTS[@]}"; do
        if pid=$(guest_pid "$guest"); then
            printf '%-8s running  pid %-8s %s:%s  %s  console %s:%s\n' "$guest" "$pid" \
                "$(guest_host "$guest")" "$LAB_SSH_PORT" "$(guest_private "$guest")" "$(guest_host "$guest")" "$LAB_CONSOLE_PORT"
        else
            printf '%-8s down\n' "$guest"
        fi
    done
}
