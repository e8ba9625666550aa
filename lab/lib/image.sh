# shellcheck shell=bash
# Building and caching the image. Sourced, never run.
#
# Two layers, each remembered by a hash of what it is made from, never by dates: the packages (slow, needs the network;
# cache/rootfs-HASH) and the lab's own files on top of them (seconds; image/).

LAB_IMAGE=$LAB_DIR/image

# Hash of the names, modes and contents of the files given; of nothing else.
hash_files() {
    (cd "$LAB_SOURCE" && find "$@" -type f -printf '%m %p\n' | LC_ALL=C sort -k2 |
        while read -r mode path; do
            printf '%s %s %s\n' "$mode" "$path" "$(sha256sum <"$path")"
        done) | sha256sum | cut -c1-16
}

# The machine's release belongs to the packages' hash, its package sources do not: a mirror may move.
rootfs_key() {
    local release
    # shellcheck source=/dev/null
    release=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME-}")
    printf '%s-%s' "$release" "$(hash_files image/packages image/rootfs.sh)"
}
image_key() { printf '%s-%s-%s' "$(rootfs_key)" "$(hash_files image)" "$(keys_hash)"; }
keys_hash() { cat "$LAB_DIR"/ssh/id_ed25519.pub "$LAB_DIR"/ssh/hostkeys/*/*.pub 2>/dev/null | sha256sum | cut -c1-8; }

# The client key and every guest's host keys, made once per LAB_DIR, so that known_hosts outlives image builds.
make_keys() {
    local guest type
    mkdir -p "$LAB_DIR/ssh"
    chmod 700 "$LAB_DIR/ssh"
    [[ -f $LAB_DIR/ssh/id_ed25519 ]] ||
        ssh-keygen -q -t ed25519 -N '' -C kdumpnfs-lab -f "$LAB_DIR/ssh/id_ed25519"
    for guest in "${LAB_GUESTS[@]}"; do
        mkdir -p "$LAB_DIR/ssh/hostkeys/$guest"
        for type in ed25519 ecdsa rsa; do
            [[ -f $LAB_DIR/ssh/hostkeys/$guest/ssh_host_${type}_key ]] ||
                ssh-keygen -q -t "$type" -N '' -C "$guest" -f "$LAB_DIR/ssh/hostkeys/$guest/ssh_host_${type}_key"
        done
    done
}

# What a client needs: known_hosts as OpenSSH keeps it, and a configuration in which the guests have their names.
write_client_files() {
    local guest type
    for guest in "${LAB_GUESTS[@]}"; do
        for type in ed25519 ecdsa rsa; do
            printf '[%s]:%s ' "$(guest_host "$guest")" "$LAB_SSH_PORT"
            cut -d' ' -f1,2 "$LAB_DIR/ssh/hostkeys/$guest/ssh_host_${type}_key.pub"
        done
    done >"$LAB_DIR/ssh/known_hosts.new"
    mv "$LAB_DIR/ssh/known_hosts.new" "$LAB_DIR/ssh/known_hosts"
    {
        for guest in "${LAB_GUESTS[@]}"; do
            printf 'Host %s %s\n    HostName %s\n' "$guest" "$(guest_host "$guest")" "$(guest_host "$guest")"
        done
        printf 'Host *\n'
        printf '    %s\n' "Port $LAB_SSH_PORT" "User root" "IdentityFile \"$LAB_DIR/ssh/id_ed25519\"" "IdentitiesOnly yes" \
            "UserKnownHostsFile \"$LAB_DIR/ssh/known_hosts\"" "GlobalKnownHostsFile /dev/null" "StrictHostKeyChecking yes" \
            "BatchMode yes" "ConnectTimeout 20" "ServerAliveInterval 15" "LogLevel ERROR"
    } >"$LAB_DIR/ssh/config.new"
    mv "$LAB_DIR/ssh/config.new" "$LAB_DIR/ssh/config"
}

# What customize.sh needs to know of each guest, one a line.
guest_table() {
    local guest
    for guest in "${LAB_GUESTS[@]}"; do
        printf '%s %s %s\n' "$guest" "$(guest_private "$guest")" "${LAB_BYTE[$guest]}"
    done
}

image_is_current() { [[ -f $LAB_IMAGE/key && $(<"$LAB_IMAGE/key") == "$(image_key)" ]]; }

# Leaves image/{base.img,data.img,vmlinuz,initrd,key}.
build_image() {
    local started=$SECONDS
    # shellcheck disable=SC2086
    need_tools $LAB_BUILD_TOOLS $LAB_READ_TOOLS
    make_keys
    write_client_files
    image_is_current && return 0
    [[ $(id -u) -eq 0 ]] || die "building the image takes root (ownership of the files in it); run 'lab/lab build' once as root"

    mkdir -p "$LAB_DIR/log" "$LAB_DIR/cache"
    local rootfs log=$LAB_DIR/log/build.log
    rootfs=$LAB_DIR/cache/rootfs-$(rootfs_key)
    : >"$log"
    if [[ ! -d $rootfs ]]; then
        say "building the base system from this machine's package sources"
        discard "$LAB_DIR"/cache/rootfs-*
        if ! interruptible "$LAB_SOURCE/image/rootfs.sh" "$rootfs.new" </dev/null >>"$log" 2>&1; then
            discard "$rootfs.new"
            tail -25 "$log" >&2
            die "the base system could not be built (log: $log)"
        fi
        mv "$rootfs.new" "$rootfs"
        say "base system built in $((SECONDS - started)) s"
    fi

    local work=$LAB_DIR/cache/work started_image=$SECONDS
    discard "$work" "$LAB_IMAGE"
    mkdir -p "$work/out"
    cp -a --reflink=auto "$rootfs" "$work/root"
    guest_table >"$work/guests"
    if ! interruptible "$LAB_SOURCE/image/customize.sh" "$work/root" "$work/out" "$LAB_DIR/ssh" <"$work/guests" >>"$log" 2>&1; then
        tail -25 "$log" >&2
        die "the image could not be built (log: $log)"
    fi
    image_key >"$work/out/key"
    mv "$work/out" "$LAB_IMAGE"
    discard "$work"
    say "image built in $((SECONDS - started_image)) s"
}

# rm -rf for trees that may have something mounted in them, which must never be followed.
discard() { rm -rf --one-file-system -- "$@"; }
