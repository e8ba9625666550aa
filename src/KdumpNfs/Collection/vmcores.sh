# Lists the crash directories right under ROOT with what is needed to judge them: one reply, bounded, reads nothing but regular files.
# NEWER: directories that changed before this time (seconds since 1970) are left out. MAX: at most so many, the newest ones.
# CONTENT: 1 to look into the files, 0 for names, sizes and times only. DEEP: one directory whose compressed dump is unpacked to see its end.
# Directory names come from crashed hosts: only names made of harmless characters are crash directories,
# all others are counted; file names travel between NULs.
PANIC='Kernel panic - not syncing|BUG: |Oops|Unable to handle kernel|general protection fault|[Ss]ys[Rr]q ?: Trigger a crash|kernel BUG at|LOCKUP|lockup|divide error|invalid opcode|hung_task'
FAULT='fail|error|cannot|can.t|refused|denied|unreachable|no route|no space|out of memory|oom|timed out|timeout|not mounted|unable|read-only|stale'

[ -e "$ROOT" ] || { kv error missing; exit 0; }
[ -d "$ROOT" ] || { kv error notdirectory; exit 0; }
[ -r "$ROOT" ] && cd "$ROOT" 2>/dev/null || { kv error denied; exit 0; }
stat --printf '' . 2>/dev/null || { kv error notools; exit 0; }
kv now "$(date +%s.%N)"

# Names of these characters can go through lines and words as they are.
harmless() {
  case $1 in
    -* | *[!A-Za-z0-9._:%-]*) return 1 ;;
    *[0-9] | kdump-test-*) return 0 ;;
  esac
  return 1
}

list=$(
  for d in *; do
    harmless "$d" && [ -d "$d" ] && [ ! -L "$d" ] && printf './%s\n' "$d"
  done | xargs -r stat --printf '%Y %n\n' 2>/dev/null | sort -rn | {
    n=0
    while read -r changed d; do
      [ "$changed" -ge "$NEWER" ] || break
      n=$((n + 1))
      [ "$n" -le "$MAX" ] || { echo ...; break; }
      printf '%s\n' "$d"
    done
  }
)
case $list in *...) kv truncated 1 ;; esac
list=${list%...}

n=0
for d in *; do
  [ -d "$d" ] || continue
  harmless "$d" && [ ! -L "$d" ] && continue
  n=$((n + 1))
  [ "$n" -gt 20 ] || kv ignored "$(printf %s "$d" | base64 -w0)"
done
kv ignoredcount "$n"

# mode (hex), size, time of change, inode and name of each directory and of what is in it. A directory stuffed with files shows its known ones.
entries() {
  for d in $list; do
    printf '%s\0' "$d"
    set -- "$d"/*
    [ "$#" -le 200 ] || set -- "$d"/vmcore "$d"/vmcore[.-]* "$d"/dump[.-]* "$d"/dmesg* "$d"/kexec-dmesg.log "$d"/README.txt
    [ "$#" -le 200 ] || set -- "$d"/vmcore "$d"/vmcore-incomplete "$d"/dump-incomplete
    printf '%s\0' "$@"
  done
}
kv entries "$(entries | xargs -0 -r stat --printf '%f %s %.9Y %i %n\0' 2>/dev/null | base64 -w0)"
[ "$CONTENT" = 1 ] || exit 0

regular() {
  [ -f "$1" ] && [ ! -L "$1" ]
}

# bytes FILE OFFSET COUNT
bytes() {
  dd if="$1" bs=1 skip="$2" count="$3" 2>/dev/null | base64 -w0
}

# number TEXT: whether it is one that sh can calculate with
number() {
  case $1 in '' | *[!0-9]*) return 1 ;; esac
  [ "${#1}" -le 15 ]
}

# excerpt KEY FILE DEEP: head and tail of a dump; of a kdump-compressed one also its first and last page descriptors, when its numbers
# are in this machine's byte order (the positions are those of 64-bit machines: makedumpfile's diskdump_mod.h).
excerpt() {
  kv "$1.file" "${2##*/}"
  [ -r "$2" ] || { kv "$1.denied" 1; return 0; }
  magic=$(od -An -tx1 -N 6 "$2" | tr -d ' \n')
  case $magic in 7f454c46*) head=65536 ;; *) head=8192 ;; esac
  kv "$1.head" "$(head -c "$head" "$2" | base64 -w0)"
  kv "$1.tail" "$(tail -c 64 "$2" | base64 -w0)"
  kv "$1.size" "$(stat --printf %s "$2")"
  case $magic in
    4b44554d* | 4449534b*) descriptors "$1" "$2" ;;
    1f8b08*) unpacked "$1" "$2" gzip "$3" ;;
    fd377a585a00) unpacked "$1" "$2" xz "$3" ;;
    04224d18*) unpacked "$1" "$2" lz4 "$3" ;;
    425a68*) unpacked "$1" "$2" bzip2 "$3" ;;
  esac
}

descriptors() {
  set -- "$1" "$2" $(od -An -tu4 -j 428 -N 12 "$2")
  [ "$#" = 5 ] && [ "$3" -ge 4096 ] && [ "$3" -le 262144 ] && [ "$4" -ge 1 ] && [ "$4" -le 1048576 ] || return 0
  first=$((($3 + $3 * $4) + $3 * $5))
  kv "$1.first.at" "$first"
  kv "$1.first" "$(bytes "$2" "$first" 24)"
  data=$(od -An -tu8 -j "$first" -N 8 "$2" 2>/dev/null | tr -d ' \n')
  number "$data" || return 0
  for end in "$data" $((data - $3)); do
    start=$((end - 960))
    [ "$start" -ge "$first" ] || start=$first
    [ "$end" -gt "$start" ] || continue
    kv "$1.last$([ "$end" = "$data" ] || echo 2).at" "$start"
    kv "$1.last$([ "$end" = "$data" ] || echo 2)" "$(bytes "$2" "$start" $((end - start)))"
  done
}

unpacked() {
  command -v "$3" >/dev/null || { kv "$1.notool" "$3"; return 0; }
  kv "$1.inhead" "$("$3" -dc <"$2" 2>/dev/null | head -c 8192 | base64 -w0)"
  [ "$4" = 1 ] || return 0
  kv "$1.intail" "$("$3" -dc <"$2" 2>/dev/null | tail -c 64 | base64 -w0)"
}

# lines FILE PATTERN COUNT: the last lines that match, of bounded length
lines() {
  head -c 33554432 "$1" | tr -d '\000' | grep -a -E "$2" | tail -n "$3" | cut -c1-400
}

i=0
for d in $list; do
  i=$((i + 1))
  kv "$i.name" "${d#./}"
  deep=0
  [ "${d#./}" != "$DEEP" ] || deep=1
  j=0
  final=
  for f in "$d"/vmcore "$d"/vmcore.flat "$d"/dump.[0-9]* "$d"/vmcore.[0-9]* "$d"/vmcore-incomplete "$d"/dump-incomplete*; do
    regular "$f" || continue
    case ${f##*/} in *[!A-Za-z0-9._-]*) continue ;; *-incomplete*) ;; *) final=1 ;; esac
    j=$((j + 1))
    [ "$j" -le 4 ] || break
    excerpt "$i.$j" "$f" "$deep"
  done
  for f in "$d"/vmcore-dmesg.txt "$d"/dmesg.[0-9]* "$d"/dmesg "$d"/vmcore-dmesg-incomplete.txt; do
    regular "$f" && [ -r "$f" ] || continue
    kv "$i.dmesg" "$(lines "$f" "$PANIC" 60)"
    break
  done
  f=$d/kexec-dmesg.log
  if regular "$f" && [ -r "$f" ]; then
    kv "$i.captureover" 1
    [ -n "$final" ] || kv "$i.log" "$(tail -c 1048576 "$f" | tr -d '\000' | grep -a -i -E "$FAULT" | tail -n 40 | cut -c1-400)"
    [ -n "$final" ] || kv "$i.logend" "$(tail -c 4096 "$f" | tr -d '\000' | tail -n 1 | cut -c1-400)"
  fi
  f=$d/README.txt
  if regular "$f" && [ -r "$f" ]; then
    kv "$i.readme" "$(head -c 2048 "$f" | tr -d '\000')"
  fi
done
exit 0
