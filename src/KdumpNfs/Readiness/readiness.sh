# What Test-KdumpReadiness looks at beyond the facts and crashkernelfacts.sh, in the same round trip as the latter. Reads only.
# Variables: family (rhel, debian, other), image, watched (paths, a line each), extra_modules, collector (a program), collector_args and
# collector_files (words for makedumpfile --check-params; no args: do not ask it), server (name or address of the store; may be empty)
# shellcheck shell=sh disable=SC2154,SC1091
kv clock "$(date +%s)"
kvline uptime /proc/uptime
kernel=$(uname -r)

# Memory that the capture kernel will need: the sizes of the kernel and of the modules that are loaded now.
kv kernel.iomem "$(grep -E ' : Kernel (code|rodata|data|bss)$' /proc/iomem 2>/dev/null)"
kv modules "$(cut -d ' ' -f 1,2 /proc/modules 2>/dev/null)"
kv builtin "$(sed -n 's,^.*/\([^/]*\)\.ko$,\1,p' "/lib/modules/$kernel/modules.builtin" 2>/dev/null | grep -E '^(nfs|nfsv3|nfsv4|bonding|8021q|bridge|team)$')"

# watch PATH: when it was changed, itself and what it leads to, and whether it can be run.
watch() {
  if [ -e "$1" ]; then
    kv watched "$(stat -c %Y -- "$1") $(stat -L -c %Y -- "$1") $([ -x "$1" ] && echo x || echo -) $1"
  else
    kv watched "- - - $1"
  fi
}
printf '%s\n' "$watched" | while IFS= read -r path; do
  [ -n "$path" ] && watch "$path"
done
program=$(command -v "$collector" 2>/dev/null)
kv collector.path "$program"
if [ "$family" = rhel ]; then
  [ -n "$program" ] && watch "$program"
  for path in /etc/fstab /etc/sysconfig/fence_kdump; do
    [ -e "$path" ] && watch "$path"
  done
  for path in /etc/kdump/pre.d/* /etc/kdump/post.d/* /etc/kdump/emergency.d/*; do
    [ -f "$path" ] && [ -x "$path" ] && watch "$path"
  done
  if [ -n "$extra_modules" ]; then
    [ -e "/lib/modules/$kernel/modules.dep" ] && watch "/lib/modules/$kernel/modules.dep"
    for name in $extra_modules; do
      path=$(modinfo -k "$kernel" -n "$name" 2>/dev/null)
      case $path in
        /*) watch "$path" ;;
        '') kv module.missing "$name" ;;
      esac
    done
  fi
elif [ "$family" = debian ]; then
  kv debian.initrd "$(readlink -f -- "$image" 2>/dev/null)"
  kv debian.kernel "$(. /etc/default/kdump-tools >/dev/null 2>&1 </dev/null; readlink -f -- "${KDUMP_KERNEL:-/boot/vmlinuz-$kernel}" 2>/dev/null)"
  for path in /lib/modules/*/; do
    path=${path%/}
    kv debian.modules "${path##*/}"
  done
  # kdump-config builds its image anew when these differ.
  if [ -e /etc/kdump/sysctl.conf ] && [ -e "/var/lib/kdump/latest_sysctls-$kernel" ] && ! cmp -s /etc/kdump/sysctl.conf "/var/lib/kdump/latest_sysctls-$kernel"; then
    kv debian.sysctl changed
  fi
fi
if [ -n "$collector_args" ] && [ -n "$program" ]; then
  # The words are split as kdump's own scripts split them.
  set -f
  # shellcheck disable=SC2086
  words=$("$program" --check-params $collector_args $collector_files 2>&1)
  kv params.status "$?"
  kv params "$words"
  set +f
fi

# What lies inside the image. Profiles of NetworkManager may hold secrets: only the lines that are compared leave the host.
if [ "$family" = rhel ] && [ -f "$image" ] && command -v lsinitrd >/dev/null 2>&1; then
  kv lsinitrd 1
  # Not with commas around the patterns: there are some within.
  list=$(lsinitrd "$image" 2>/dev/null | sed -n -e 's#^-.* \(\./\)\{0,1\}\(etc/cmdline\.d/[^ ]*\.conf\)$#\2#p' \
    -e 's#^-.* \(\./\)\{0,1\}\(etc/NetworkManager/system-connections/.*\)$#\2#p' -e 's#^-.* [^ ]*/\([^ /]*\)\.ko\(\.[a-z0-9]*\)\{0,1\}$#module \1#p')
  kv image.modules "$(printf '%s\n' "$list" | sed -n 's/^module //p')"
  for name in etc/kdump.conf usr/lib/dracut/build-parameter.txt usr/lib/dracut/hostonly-kernel-modules.txt; do
    kv "image:$name" "$(lsinitrd -f "$name" "$image" 2>/dev/null | head -c 60000)"
  done
  names=$(printf '%s\n' "$list" | grep -v '^module ')
  # Each costs a pass over the image: a bond of many cards must not hold the host up.
  kv image.unread "$(printf '%s\n' "$names" | sed -n '33,$p' | grep -c .)"
  printf '%s\n' "$names" | head -n 32 | while IFS= read -r name; do
    case $name in
      etc/cmdline.d/*) kv image.cmdline "$(lsinitrd -f "$name" "$image" 2>/dev/null | head -c 4000)" ;;
      ?*) kv image.profile "$(lsinitrd -f "$name" "$image" 2>/dev/null | grep -E '^(\[|(id|uuid|type|interface-name|mac-address|method|address[0-9]*|parent|mode|master|controller|slave-type|port-type)=)' | head -c 4000)" ;;
    esac
  done
fi

# The way to the store now. nic NAME: the card and what it is made of. A card may have another address than its own (teams, cloned-mac-address);
# the image has its own, as kdump's scripts ask ethtool for it.
nic() {
  sys=/sys/class/net/$1
  kind=card
  [ -d "$sys/bonding" ] && kind=bonding
  [ -d "$sys/bridge" ] && kind=bridge
  [ -f "/proc/net/vlan/$1" ] && kind=8021q
  mac=$(cat "$sys/bonding_slave/perm_hwaddr" 2>/dev/null || cat "$sys/address" 2>/dev/null)
  driver=$(readlink -f -- "$sys/device/driver/module" 2>/dev/null)
  kv nic "$1 $kind ${mac:--} ${driver##*/}"
  own=$(ethtool -P "$1" 2>/dev/null | sed -n 's/^Permanent address: *\([0-9A-Fa-f:]*\)$/\1/p')
  case $own in *[1-9A-Fa-f]*) kv nic.permanent "$1 $own" ;; esac
  case $kind in
    bonding)
      mode=$(cut -d ' ' -f 1 "$sys/bonding/mode" 2>/dev/null)
      kv nic.bond "$1 ${mode:--} $(cat "$sys/bonding/slaves" 2>/dev/null)"
      ;;
    8021q)
      # Only root may read it.
      id=$(sed -n 's/^.*[[:space:]]VID: *\([0-9]*\).*/\1/p' "/proc/net/vlan/$1" 2>/dev/null | head -n 1)
      parent=$(sed -n 's/^Device: *//p' "/proc/net/vlan/$1" 2>/dev/null | head -n 1)
      kv nic.vlan "$1 ${id:--} ${parent:--}"
      ;;
  esac
  for lower in "$sys"/lower_*; do
    [ -e "$lower" ] && nic "${lower##*/lower_}"
  done
}
if [ -n "$server" ]; then
  addresses=$(timeout 20 getent ahosts "$server" 2>/dev/null | sed 's/ .*//' | uniq)
  kv resolved "$addresses"
  address=$(printf '%s\n' "$addresses" | grep -v : | head -n 1)
  [ -n "$address" ] || address=$(printf '%s\n' "$addresses" | head -n 1)
  if [ -n "$address" ] && command -v ip >/dev/null 2>&1; then
    route=$(ip -o route get "$address" 2>&1)
    kv route "$route"
    device=$(printf '%s\n' "$route" | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -n 1)
    [ -n "$device" ] && [ -d "/sys/class/net/$device" ] && nic "$device"
  fi
fi

# What may reset the host in the middle of a dump.
[ -f /etc/corosync/corosync.conf ] && kv cluster.configured 1
if command -v systemctl >/dev/null 2>&1; then
  for name in corosync pacemaker sbd; do
    systemctl is-active -q "$name.service" 2>/dev/null && kv cluster.active "$name"
  done
  kv manager "$(systemctl show -p RuntimeWatchdogUSec 2>/dev/null)"
  unit=kdump.service
  [ "$family" = debian ] && unit=kdump-tools.service
  kv unit "$(systemctl show -p StateChangeTimestampMonotonic -p ActiveEnterTimestampMonotonic "$unit" 2>/dev/null)"
fi
cib=/var/lib/pacemaker/cib/cib.xml
if [ -r "$cib" ]; then
  kv cib.fence_kdump "$(grep -c 'type="fence_kdump"' "$cib")"
  kv cib.stonith "$(grep -o '<nvpair[^>]*name="stonith-enabled"[^>]*>' "$cib" | head -n 1)"
fi
for name in /sys/class/watchdog/*; do
  if [ -f "$name/state" ] || [ -f "$name/timeout" ]; then
    driver=$(readlink -f -- "$name/device/driver" 2>/dev/null)
    kv watchdog "${name##*/} $(cat "$name/state" 2>/dev/null || echo unknown) $(cat "$name/timeout" 2>/dev/null || echo -) ${driver##*/}"
    kv watchdog.identity "$(cat "$name/identity" 2>/dev/null)"
  fi
done

# Not by the shell: a number below /proc/sys gives all of itself to the first read only.
kv sysctl.panic "$(cat /proc/sys/kernel/panic 2>/dev/null)"
kv sysctl.panic_on_oops "$(cat /proc/sys/kernel/panic_on_oops 2>/dev/null)"
if command -v timedatectl >/dev/null 2>&1; then
  kv ntp "$(timeout 15 timedatectl show -p NTPSynchronized 2>/dev/null || timeout 15 timedatectl status 2>/dev/null | grep -i 'synchronized:')"
fi
