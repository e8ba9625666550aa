# shellcheck shell=bash
# What this machine must have, and what it can do. Sourced, never run.

# "command package" pairs: to build the image, and to boot it.
readonly LAB_BUILD_TOOLS="mmdebstrap:mmdebstrap mke2fs:e2fsprogs dpkg-deb:dpkg ssh-keygen:openssh-client"
readonly LAB_BOOT_TOOLS="qemu-system-x86_64:qemu-system-x86 qemu-img:qemu-utils ssh:openssh-client flock:util-linux"
# Not used by the lab itself: the demo and the tests read the dumps with it.
readonly LAB_READ_TOOLS="makedumpfile:makedumpfile"

# need_tools PAIR...: installs the packages whose command is missing, or says what to install.
need_tools() {
    local pair
    local -a missing=()
    PATH=$PATH:/usr/sbin:/sbin
    for pair in "$@"; do
        command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
    done
    [[ ${#missing[@]} -eq 0 ]] && return 0
    if [[ $(id -u) -ne 0 ]] || ! command -v apt-get >/dev/null; then
        die "missing packages; install them with: apt-get install --no-install-recommends ${missing[*]}"
    fi
    say "installing ${missing[*]}"
    local log=$LAB_DIR/log/apt.log
    mkdir -p "$LAB_DIR/log"
    # The lists may be absent or stale: try with what is there, then once more after an update.
    if ! apt_install "${missing[@]}" >"$log" 2>&1; then
        { apt-get -qq update && apt_install "${missing[@]}"; } >>"$log" 2>&1 ||
            { tail -20 "$log" >&2; die "apt-get could not install ${missing[*]} (log: $log)"; }
    fi
}
apt_install() {
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 "$@" </dev/null 9>&-
}

# Prints kvm or tcg. That /dev/kvm opens proves nothing (there are nested hosts on which every guest dies): the kernel is
# booted without a root file system, and KVM counts only if it gets as far as to miss it.
choose_accelerator() {
    local kernel=$1 answer=tcg trial
    if [[ -n ${KDUMPNFS_LAB_ACCEL-} ]]; then
        printf '%s\n' "$KDUMPNFS_LAB_ACCEL"
        return
    fi
    if [[ -r /dev/kvm && -w /dev/kvm ]]; then
        trial=$(mktemp)
        timeout -k 1 8 qemu-system-x86_64 -machine q35 -accel kvm -cpu host -m 256 -nodefaults -no-user-config \
            -display none -no-reboot -serial "file:$trial" -kernel "$kernel" -append "console=ttyS0 panic=-1" \
            </dev/null >/dev/null 2>&1 9>&- || true
        grep -q "Unable to mount root fs" "$trial" && answer=kvm
        rm -f "$trial"
    fi
    printf '%s\n' "$answer"
}
