# shellcheck shell=bash
# A module that crashes the kernel into which it is loaded. Sourced, never run.

readonly LAB_MODULE_TOOLS="gcc:gcc make:make strip:binutils dpkg-deb:dpkg"

# verb_module RELEASE FILE: for that kernel; kept in the cache.
verb_module() {
    [[ $# -eq 2 && $1 =~ ^[0-9A-Za-z.+~-]+$ ]] || die "usage: lab/lab module KERNEL-RELEASE FILE"
    local release=$1 file=$2 kept log=$LAB_DIR/log/module.log
    take_lock
    mkdir -p "$LAB_DIR/log" "$LAB_DIR/cache"
    kept=$LAB_DIR/cache/module-$release-$(hash_files module).ko
    if [[ ! -f $kept ]]; then
        # shellcheck disable=SC2086
        need_tools $LAB_MODULE_TOOLS
        rm -f "$LAB_DIR"/cache/module-*
        if ! interruptible "$LAB_SOURCE/module/build.sh" "$release" "$kept" </dev/null >"$log" 2>&1; then
            tail -15 "$log" >&2
            die "the module for $release could not be built (log: $log)"
        fi
    fi
    drop_lock
    cp "$kept" "$file"
}
