#!/usr/bin/env bash
# rootfs.sh DIRECTORY: the packages of ./packages, unpacked and configured, from the package sources of this machine.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
target=$1

# shellcheck source=/dev/null
suite=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:?this machine has no VERSION_CODENAME}")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The sources of this machine that serve its own release; third parties' suites stay out.
sources=()
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [[ -f $file ]] || continue
    copy=$work/${#sources[@]}.list
    # "deb [options] URI SUITE components": options may hold spaces.
    awk -v suite="$suite" '
        $1 == "deb" {
            line = $0; rest = $0
            sub(/^[ \t]*deb[ \t]+/, "", rest); sub(/^\[[^]]*\][ \t]*/, "", rest)
            split(rest, field, /[ \t]+/)
            if (field[2] == suite || index(field[2], suite "-") == 1 || index(field[2], suite "/") == 1) print line
        }' "$file" >"$copy"
    [[ -s $copy ]] && sources+=("$copy")
done
for file in /etc/apt/sources.list.d/*.sources; do
    [[ -f $file ]] || continue
    copy=$work/${#sources[@]}.sources
    # Comments first: one may separate or join stanzas as it likes.
    grep -v '^#' "$file" | awk -v suite="$suite" -v RS= -v ORS='\n\n' '
        /(^|\n)Types:[^\n]*deb([ \t\n]|$)/ && $0 !~ /(^|\n)Enabled:[ \t]*no/ {
            keep = 0
            if (match($0, /(^|\n)Suites:[^\n]*/)) {
                count = split(substr($0, RSTART, RLENGTH), word, /[ \t\n]+/)
                for (i = 1; i <= count; i++)
                    if (word[i] == suite || index(word[i], suite "-") == 1 || index(word[i], suite "/") == 1) keep = 1
            }
            if (keep) print
        }' >"$copy"
    [[ -s $copy ]] && sources+=("$copy")
done
[[ ${#sources[@]} -gt 0 ]] || { echo "no package source of this machine serves $suite" >&2; exit 1; }

# The machine's proxy and validity settings, which mmdebstrap does not take over by itself.
options=()
while IFS= read -r line; do
    options+=("--aptopt=$line")
done < <(apt-config dump | grep -E '^Acquire::(http|https|ftp)::(Proxy|Proxy-Auto-Detect|CaInfo|Verify-Peer)[: ]|^Acquire::Check-Valid-Until' | grep -v ' "";$' || true)

# nfs-common wants python3 and makedumpfile wants perl for helper scripts that the lab never runs.
for name in python3 perl; do
    mkdir -p "$work/$name/DEBIAN"
    printf '%s\n' "Package: $name" "Version: 99" "Architecture: amd64" "Multi-Arch: allowed" \
        "Maintainer: lab <lab@localhost>" "Description: empty placeholder of the lab" >"$work/$name/DEBIAN/control"
    dpkg-deb --build "$work/$name" "$work/placeholder-$name.deb" >/dev/null
done
export LAB_PLACEHOLDERS=$work

include=$(grep -v '^#' "$here/packages" | paste -sd,)
merged=()
[[ -d /usr/share/mmdebstrap/hooks/merged-usr ]] && merged=(--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr)

# Packages that a guest can install without a network: two that it has (tests remove and install them), and GRUB's menu maker.
repository=usr/lib/lab/repository
export LAB_REPOSITORY=$repository

# INITRD=No: the kernel's hooks build no initial ram disk now; customize.sh makes the one that kdump-tools needs, once.
# The hooks below are run by mmdebstrap with the new root as their $1.
# shellcheck disable=SC2016
INITRD=No mmdebstrap --variant=minbase "${merged[@]}" --include="$include" --aptopt='APT::Install-Recommends "false"' \
    "${options[@]}" \
    --setup-hook='mkdir -p "$1/etc/initramfs-tools/conf.d" && echo MODULES=list >"$1/etc/initramfs-tools/conf.d/lab"' \
    --essential-hook='printf "path-exclude=/usr/share/%s/*\n" doc man locale info >"$1/etc/dpkg/dpkg.cfg.d/lab"' \
    --essential-hook='cp "$LAB_PLACEHOLDERS"/placeholder-*.deb "$1/" && chroot "$1" sh -c "dpkg -i /placeholder-*.deb && rm /placeholder-*.deb"' \
    --customize-hook='mkdir -p "$1/$LAB_REPOSITORY" && cd "$1/$LAB_REPOSITORY" && export APT_CONFIG=$MMDEBSTRAP_APT_CONFIG &&
        apt-get -q download kdump-tools nfs-kernel-server &&
        apt-get -q -y --no-install-recommends --download-only install grub2-common && mv "$1"/var/cache/apt/archives/*.deb .' \
    "$suite" "$target" "${sources[@]}"

# The index, as dpkg-scanpackages writes it (the machine that builds need not have that).
(
    cd "$target/$repository"
    chmod 0644 ./*.deb
    for file in *.deb; do
        dpkg-deb -f "$file"
        printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$file" "$(stat -c %s "$file")" "$(sha256sum <"$file" | cut -d' ' -f1)"
    done >Packages
)
