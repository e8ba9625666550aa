# shellcheck shell=bash
# One guest: start, stop, wait, talk. Sourced, never run.
#
# Sockets have short names relative to run/, in which QEMU is started: a socket's path may have 107 bytes only, a clone's
# path may have more.

LAB_RUN=$LAB_DIR/run
LAB_LOG=$LAB_DIR/log

# The process id of a guest's QEMU, and nothing (status 1) when it does not run. A pid file alone proves nothing: the
# process must be QEMU, with this guest's name and this pid file's directory.
guest_pid() {
    local pid
    [[ -s $LAB_RUN/$1.pid ]] || return 1
    pid=$(<"$LAB_RUN/$1.pid")
    [[ $pid =~ ^[0-9]+$ && -r /proc/$pid/cmdline ]] || return 1
    [[ $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null) == *qemu-system*" -name kdumpnfs-lab-$1 "* ]] || return 1
    [[ $(readlink "/proc/$pid/cwd") == "$LAB_RUN" ]] || return 1
    printf '%s\n' "$pid"
}
guest_is_running() { guest_pid "$1" >/dev/null; }

# The private segment. Every node has a cable to the store, whose hub joins them: datagrams between two unix sockets, so
# that either end may stop and come back at any time; no host port, no address of the host's.
network_arguments() {
    local guest=$1 node
    printf '%s\n' -device "virtio-net-pci,netdev=lan,addr=0x5,romfile=,mac=52:54:00:7a:01:$(printf %02x "${LAB_BYTE[$guest]}")"
    if [[ $guest != storage ]]; then
        printf '%s\n' -netdev "dgram,id=lan,local.type=unix,local.path=$guest.lan,remote.type=unix,remote.path=storage.$guest.lan"
        return
    fi
    printf '%s\n' -netdev "hubport,id=lan,hubid=0"
    for node in "${LAB_GUESTS[@]}"; do
        [[ $node != storage ]] || continue
        printf '%s\n' -netdev "dgram,id=cable-$node,local.type=unix,local.path=storage.$node.lan,remote.type=unix,remote.path=$node.lan"
        printf '%s\n' -netdev "hubport,id=port-$node,hubid=0,netdev=cable-$node"
    done
}

# Before others for a processor, where we may: as a process, and as a session where the kernel shares processors among those.
readonly LAB_FIRST='{ renice -n -4 -p $$ >/dev/null; echo -4 >/proc/self/autogroup; } 2>/dev/null; exec "$@"'

# guest_start GUEST fresh|keep
guest_start() {
    local guest=$1 disks=$2 host byte
    host=$(guest_host "$guest")
    byte=${LAB_BYTE[$guest]}
    mkdir -p "$LAB_RUN" "$LAB_LOG"

    local disk base
    local -a drives=() wanted=("base.img:$guest.qcow2")
    [[ $guest == storage ]] && wanted+=("data.img:$guest-data.qcow2")
    for disk in "${wanted[@]}"; do
        base=$LAB_IMAGE/${disk%%:*}
        disk=${disk#*:}
        if [[ $disks == fresh || ! -f $LAB_RUN/$disk ]]; then
            rm -f "$LAB_RUN/$disk"
            qemu-img create -q -f qcow2 -F raw -b "$base" "$LAB_RUN/$disk" 9>&-
        fi
        drives+=(-drive "file=$disk,if=none,id=disk${#drives[@]},format=qcow2,cache=unsafe,discard=unmap"
            -device "virtio-blk-pci,drive=disk${#drives[@]}")
    done

    local -a accelerator=(-accel "tcg,thread=multi" -cpu "qemu64,-svm")
    [[ ${LAB_ACCEL:-tcg} != kvm ]] || accelerator=(-accel kvm -cpu host)

    local -a network
    mapfile -t network < <(network_arguments "$guest")
    rm -f "$LAB_RUN/$guest".{pid,qmp} "$LAB_RUN/$guest"*.lan
    [[ ! -f $LAB_LOG/$guest.console ]] || mv "$LAB_LOG/$guest.console" "$LAB_LOG/$guest.console.old"

    # setsid: Ctrl-C at the terminal is for the lab command, which stops the guests itself.
    # LAB_FIRST: what a guest misses of a processor every scenario waits for; what runs beside the lab has time.
    # The console: a telnet server, as a console server wants it, and all of it in a file whether or not anyone is there.
    (
        cd "$LAB_RUN" && exec setsid sh -c "$LAB_FIRST" sh qemu-system-x86_64 -name "kdumpnfs-lab-$guest" \
            -machine q35,hpet=off "${accelerator[@]}" -smp 1 -m "${LAB_MEMORY[$guest]}" \
            -nodefaults -no-user-config -display none -pidfile "$guest.pid" \
            -kernel "$LAB_IMAGE/vmlinuz" -initrd "$LAB_IMAGE/initrd" \
            -append "root=/dev/vda rw console=ttyS0,115200 net.ifnames=0 mitigations=off tsc=reliable quiet panic=10 lab.role=$guest ${LAB_APPEND[$guest]}" \
            "${drives[@]}" \
            -object rng-random,id=rng,filename=/dev/urandom -device virtio-rng-pci,rng=rng \
            -netdev "user,id=ssh,restrict=on,ipv6=off,net=10.122.$byte.0/24,dhcpstart=10.122.$byte.15,hostfwd=tcp:$host:$LAB_SSH_PORT-:22" \
            -device "virtio-net-pci,netdev=ssh,addr=0x4,romfile=,mac=52:54:00:7a:00:$(printf %02x "$byte")" \
            "${network[@]}" \
            -chardev "socket,id=console,host=$host,port=$LAB_CONSOLE_PORT,server=on,wait=off,telnet=on,logfile=$LAB_LOG/$guest.console" \
            -serial chardev:console \
            -qmp "unix:$guest.qmp,server=on,wait=off"
    ) </dev/null >"$LAB_LOG/$guest.qemu" 2>&1 9>&- &
    local child=$! tries
    for ((tries = 0; tries < 100; tries++)); do
        guest_is_running "$guest" && return 0
        kill -0 "$child" 2>/dev/null || break
        sleep 0.1
    done
    complain "$guest: QEMU does not start:"
    cat "$LAB_LOG/$guest.qemu" >&2
    ! grep -q 'Address already in use' "$LAB_LOG/$guest.qemu" ||
        complain "another lab has these addresses; set KDUMPNFS_LAB_LOOPBACK (now $LAB_LOOPBACK) to other ones"
    kill "$child" 2>/dev/null || true
    return 1
}

# Stops the guests named and waits until they are gone.
guests_stop() {
    local guest pid tries
    local -a pids=()
    for guest in "$@"; do
        if pid=$(guest_pid "$guest"); then
            kill "$pid" 2>/dev/null || true
            pids+=("$pid")
        fi
    done
    for pid in "${pids[@]}"; do
        for ((tries = 0; tries < 100; tries++)); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
        # The identity was checked above, and a process that ignored SIGTERM has kept its number since.
        kill -9 "$pid" 2>/dev/null || true
    done
    for guest in "$@"; do
        rm -f "$LAB_RUN/$guest".{pid,qmp} "$LAB_RUN/$guest"*.lan
    done
}

# True when the guest's SSH server greets. That the port opens says nothing: QEMU itself answers there.
guest_greets() {
    local line=
    { exec 8<>"/dev/tcp/$(guest_host "$1")/$LAB_SSH_PORT"; } 2>/dev/null || return 1
    IFS= read -r -t 3 -u 8 line || true
    exec 8>&-
    [[ $line == SSH-* ]]
}

guest_ssh() {
    local guest=$1
    shift
    ssh -F "$LAB_DIR/ssh/config" "$guest" "$@" 9>&-
}

# guest_wait GUEST SECONDS: until systemd has finished booting, of which kdump's service is a part; status 1 when that
# does not happen in time or QEMU died.
guest_wait() {
    local guest=$1 deadline=$((SECONDS + $2)) verdict
    while ((SECONDS < deadline)); do
        guest_is_running "$guest" || return 1
        if guest_greets "$guest"; then
            interruptible timeout "$((deadline - SECONDS + 1))" ssh -F "$LAB_DIR/ssh/config" "$guest" \
                'systemctl is-system-running --wait || true' </dev/null >"$LAB_RUN/$guest.verdict" 2>/dev/null || true
            verdict=$(<"$LAB_RUN/$guest.verdict")
            rm -f "$LAB_RUN/$guest.verdict"
            case $verdict in
            running) return 0 ;;
            degraded)
                complain "$guest: some units failed: $(guest_ssh "$guest" 'systemctl --failed --plain --no-legend' </dev/null | cut -d' ' -f1 | paste -sd' ')"
                return 0
                ;;
            esac
        fi
        sleep 1
    done
    return 1
}
