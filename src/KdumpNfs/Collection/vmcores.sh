# Lists the crash directories right under ROOT with what is needed to judge them: one reply, bounded, reads nothing but regular files.
# NEWER: directories that changed before this time (seconds since 1970) are left out. MAX: at most so many, the newest ones.
# CONTENT: 1 to look into the files, 0 for names, sizes and times only. DEEP: one directory whose compressed dump is unpacked to see its end.
# ONLY: the name of the one directory to list; empty for all.
# Directory names come from crashed hosts: only names made of harmless characters are crash directories,
# all others are counted; file names travel between NULs.
PANIC='Kernel panic - not syncing|BUG: |Oops|Unable to handle kernel|general protection fault|[Ss]ys[Rr]q ?: Trigger a crash|kernel BUG at|LOCKUP|lockup|divide error|invalid opcode|hung_task'
FAULT='fail|error|cannot|can.t|refused|denied|unreachable|no route|no space|out of memory|oom|timed out|timeout|not mounted|unable|read-only|stale'
# What every capture says, also one that succeeds. CaptureFailure.cs knows the same words.
NOISE='unable to calibrate|kernel read-only data|timeout[ =:]+[0-9]|_timeo?u?t|heartbeat|failed to load plugin|failed to open .*/ifstate|correctable errors collector'

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
    [ -z "$ONLY" ] || d=$ONLY
    harmless "$d" && [ -d "$d" ] && [ ! -L "$d" ] && printf './%s\n' "$d"
    [ -z "$ONLY" ] || break
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

# part FILE OFFSET COUNT
part() {
  dd if="$1" bs=65536 iflag=skip_bytes,count_bytes skip="$2" count="$3" 2>/dev/null
}

# number TEXT: whether it is one that sh can calculate with
number() {
  case $1 in '' | *[!0-9]*) return 1 ;; esac
  [ "${#1}" -le 15 ]
}

# excerpt KEY FILE DEEP: size and a line feed, the last 64 bytes, the first ones. Few processes: a store can have thousands of dumps.
# The file's words are read as numbers in this machine's byte order; in the other order nothing is recognized and only this much is sent.
excerpt() {
  kv "$1.file" "${2##*/}"
  [ -r "$2" ] || { kv "$1.denied" 1; return 0; }
  key=$1 file=$2 deep=$3
  set -- $(od -An -v -tu4 -N 440 "$file")
  magic=${1:-0}
  # 0x7f E L F
  case $magic in 1179403647) head=65536 ;; *) head=8192 ;; esac
  kv "$key.bytes" "$({ stat --printf '%s\n' "$file"; tail -c 64 "$file"; head -c "$head" "$file"; } | base64 -w0)"
  # K D U M, D I S K; xz, lz4; gzip and bzip2 have three bytes
  case $magic in
    1297433675 | 1263749444) [ "$#" -lt 110 ] || { shift 107; descriptors "$key" "$file" "$1" "$2" "$3"; } ;;
    1484404733) unpacked "$key" "$file" xz "$deep" ;;
    407708164) unpacked "$key" "$file" lz4 "$deep" ;;
    *) case $((magic & 16777215)) in
      559903) unpacked "$key" "$file" gzip "$deep" ;;
      6838850) unpacked "$key" "$file" bzip2 "$deep" ;;
    esac ;;
  esac
}

# descriptors KEY FILE BLOCKSIZE SUBHEADERBLOCKS BITMAPBLOCKS (at the positions of 64-bit machines: makedumpfile's diskdump_mod.h):
# the first page descriptor, and the last ones at both places where their table can end.
descriptors() {
  [ "$3" -ge 4096 ] && [ "$3" -le 262144 ] && [ "$4" -ge 1 ] && [ "$4" -le 1048576 ] || return 0
  first=$(($3 + $3 * $4 + $3 * $5))
  data=$(od -An -tu8 -j "$first" -N 8 "$2" 2>/dev/null)
  data=${data##* }
  number "$data" && [ "$data" -gt $((first + $3)) ] || return 0
  start=$((data - 960))
  [ "$start" -ge "$first" ] || start=$first
  start2=$((data - $3 - 960))
  [ "$start2" -ge "$first" ] || start2=$first
  kv "$1.descriptors.at" "$first $start $((data - start)) $start2 $((data - $3 - start2))"
  kv "$1.descriptors" "$({ part "$2" "$first" 24; part "$2" "$start" $((data - start)); part "$2" "$start2" $((data - $3 - start2)); } | base64 -w0)"
}

unpacked() {
  command -v "$3" >/dev/null || { kv "$1.notool" "$3"; return 0; }
  kv "$1.inhead" "$("$3" -dc <"$2" 2>/dev/null | head -c 8192 | base64 -w0)"
  [ "$4" = 1 ] || return 0
  kv "$1.intail" "$("$3" -dc <"$2" 2>/dev/null | tail -c 64 | base64 -w0)"
}

# Of every dmesg file the lines that may tell the panic: "./DIRECTORY/FILE", a NUL, the line. A file too large for a kernel log is not searched.
panics() {
  for d in $list; do
    for f in "$d"/vmcore-dmesg.txt "$d"/dmesg.[0-9]* "$d"/dmesg "$d"/vmcore-dmesg-incomplete.txt; do
      case ${f##*/} in *[!A-Za-z0-9._-]*) continue ;; esac
      regular "$f" && [ -r "$f" ] || continue
      printf '%s\n' "$f"
      break
    done
  done | xargs -r stat --printf '%s %n\n' 2>/dev/null | while read -r size f; do
    [ "$size" -gt 33554432 ] || printf '%s\0' "$f"
  done | xargs -0 -r grep -a -H --null -m 400 -E "$PANIC" | cut -b1-500 | head -c 33554432
}
kv panics "$(panics 2>/dev/null | base64 -w0)"

i=0
for d in $list; do
  i=$((i + 1))
  kv "$i.name" "${d#./}"
  # The marker that keeps a directory, and the words in it.
  if [ -e "$d/.hold" ] || [ -L "$d/.hold" ]; then
    kv "$i.held" "$(if regular "$d/.hold" && [ -r "$d/.hold" ]; then head -c 400 "$d/.hold" | tr -d '\000'; fi)"
  fi
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
  f=$d/kexec-dmesg.log
  if regular "$f" && [ -r "$f" ]; then
    kv "$i.captureover" 1
    [ -n "$final" ] || kv "$i.log" "$(tail -c 1048576 "$f" | tr -d '\000' | grep -a -i -E "$FAULT" | grep -a -i -v -E "$NOISE" | tail -n 40 | cut -c1-400)"
    [ -n "$final" ] || kv "$i.logend" "$(tail -c 4096 "$f" | tr -d '\000' | tail -n 1 | cut -c1-400)"
  fi
  f=$d/README.txt
  if regular "$f" && [ -r "$f" ]; then
    kv "$i.readme" "$(head -c 2048 "$f" | tr -d '\000')"
  fi
done
exit 0
