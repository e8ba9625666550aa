# shellcheck shell=bash
# A guest of another architecture that crashes once: its dumps, and the text its own makedumpfile reads out of them. Sourced, never run.
# No root file system: an initial ram disk, and a disk for the capture kernel and the dumps (aarch64/build.sh).

readonly LAB_AARCH64_TOOLS="qemu-system-aarch64:qemu-system-arm mke2fs:e2fsprogs debugfs:e2fsprogs dpkg-deb:dpkg"
readonly LAB_AARCH64_LIMIT=${KDUMPNFS_LAB_AARCH64_LIMIT:-420}

aarch64_key() { printf '%s' "$(hash_files aarch64)"; }

# verb_aarch64 DIRECTORY: dumps and their text into a new directory.
verb_aarch64() {
    [[ $# -eq 1 && ! -e $1 ]] || die "usage: lab/lab aarch64 DIRECTORY (which must not exist)"
    local out=$1 begin=$SECONDS cache log=$LAB_DIR/log/aarch64.build
    take_lock
    # shellcheck disable=SC2086
    need_tools $LAB_AARCH64_TOOLS
    mkdir -p "$LAB_DIR/log" "$LAB_DIR/cache" "$LAB_DIR/run"
    cache=$LAB_DIR/cache/aarch64-$(aarch64_key)
    if [[ ! -d $cache ]]; then
        discard "$LAB_DIR"/cache/aarch64-*
        if ! interruptible "$LAB_SOURCE/aarch64/build.sh" "$cache.new" </dev/null >"$log" 2>&1; then
            discard "$cache.new"
            tail -15 "$log" >&2
            die "the aarch64 guest could not be built (log: $log)"
        fi
        mv "$cache.new" "$cache"
        say "aarch64 guest built in $((SECONDS - begin)) s"
    fi
    drop_lock

    local disk=$LAB_DIR/run/aarch64.img console=$LAB_DIR/log/aarch64.console
    cp --sparse=always "$cache/disk.img" "$disk"
    begin=$SECONDS
    # Whatever happens, the guest ends with this command.
    trap 'stop_child; rm -f "$LAB_DIR/run/aarch64.img"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    interruptible timeout "$LAB_AARCH64_LIMIT" qemu-system-aarch64 -name kdumpnfs-lab-aarch64 -M virt -cpu cortex-a72 -accel tcg,thread=multi \
        -smp 1 -m 384 -nodefaults -no-user-config -display none -no-reboot \
        -kernel "$cache/vmlinuz" -initrd "$cache/initrd" -append "console=ttyAMA0 quiet panic=10 crashkernel=160M" \
        -drive "file=$disk,if=none,id=disk,format=raw,cache=unsafe" -device virtio-blk-pci,drive=disk \
        -serial "file:$console" </dev/null || true
    if ! grep -aq '^lab: done' "$console"; then
        tail -n 30 "$console" | tr -d '\r\000' >&2
        die "the aarch64 guest left no dumps (console: $console)"
    fi
    mkdir -p "$out"
    debugfs -R "rdump /out $out" "$disk" >/dev/null 2>"$LAB_DIR/log/aarch64.debugfs"
    mv "$out"/out/* "$out/"
    rmdir "$out/out"
    say "aarch64 guest crashed and its dumps written in $((SECONDS - begin)) s"
}
