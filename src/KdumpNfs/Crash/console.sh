# Opens a serial console, sends keys of sysrq behind serial breaks, and hands on what the console says, as it comes.
# Variables: kind (conman, ipmitool), command (opens the console; its words are quoted), password_file, keys (single characters, a word each),
# proof (text that has to appear on the console before anything is sent; empty: none), proof_limit, open_limit, first_word, quiet, limit (tenths
# of a second), until (an extended regular expression; empty: none), maximum (bytes, from the first break on)
# Records: state WORD, text BYTES (what the console said since the record before), key CHARACTER (sent now), keyend WHY.
# shellcheck shell=sh disable=SC2154
for tool in "$kind" script; do
  command -v "$tool" >/dev/null 2>&1 || {
    kv state no-tool
    kv tool "$tool"
    exit 0
  }
done
if [ "$kind" = ipmitool ]; then
  if [ -n "$password_file" ] && [ ! -r "$password_file" ]; then
    kv state no-password
    exit 0
  fi
  if [ -z "$password_file" ] && [ -z "${IPMI_PASSWORD:-}${IPMITOOL_PASSWORD:-}" ]; then
    kv state no-password
    exit 0
  fi
fi

# Both programs want a terminal; script gives them one. Its files have no names while it runs, so that nothing stays behind.
dir=$(mktemp -d) || exit 71
mkfifo -m 600 "$dir/in" || exit 71
exec 4<>"$dir/in"
exec 6<"$dir/in"
exec 7>"$dir/out"
exec 5<"$dir/out"
rm -rf -- "$dir"
SHELL=/bin/sh TERM=dumb script -qfec "$command" /dev/null <&6 >&7 2>&1 4>&- 5<&- &
pid=$!
exec 6<&- 7>&-

# tell KEY VALUE: a record that has to arrive now. A line feed at the very end may be held back on the way, as the beginning of what comes next:
# so something comes next.
tell() {
  kv "$1" "$2"
  kv over ''
}

total=0
new=
window=
# listen: what came since the last time.
listen() {
  new=$(tr -d '\000' <&5; echo x)
  new=${new%x}
  [ -n "$new" ] || return 1
  tell text "$new"
  total=$((total + ${#new}))
  window=$window$new
  # Enough to find a word that came in two pieces.
  [ ${#window} -lt 65536 ] || window=$(printf '%s' "$window" | tail -c 8192)
}

alive() {
  kill -0 "$pid" 2>/dev/null
}

# leave: conman knows its escape anywhere, ipmitool only after a line feed.
leave() {
  if alive; then
    case $kind in
      conman) printf '&.' >&4 ;;
      *) printf '\r~.' >&4 ;;
    esac
    ticks=0
    while alive && [ $ticks -lt 30 ]; do
      ticks=$((ticks + 1))
      sleep 0.1
    done
    kill "$pid" 2>/dev/null
  fi
  tell state "$1"
  exit 0
}

# await LIMIT TEXT...: until one of the texts is there; status 1 when the time is up, 2 when the program ended.
await() {
  ticks=$1
  shift
  while :; do
    listen
    for text in "$@"; do
      case $window in *"$text"*) return 0 ;; esac
    done
    if ! alive; then
      listen
      return 2
    fi
    [ "$ticks" -gt 0 ] || return 1
    ticks=$((ticks - 2))
    sleep 0.2
  done
}

case $kind in
  conman) await "$open_limit" '] opened.' ;;
  *) await "$open_limit" 'SOL Session operational' ;;
esac || leave failed
if [ "$kind" = conman ]; then
  # conmand says at once when it has no connection to the device (it may make one only now), and again when it has it.
  await 10 ' is currently disconnected' && { await 100 '] connected to' || leave disconnected; }
fi
alive || leave failed
tell state opened
if [ -n "$proof" ]; then
  await "$proof_limit" "$proof" || leave unproven
fi

over=
first=1
for key in $keys; do
  listen
  # What a console said before anything was asked takes nothing of the answers' room.
  [ -z "$first" ] || total=0
  window=
  over=
  heard=
  idle=0
  ticks=0
  tell key "$key"
  case $kind in
    conman) printf '&B' >&4 ;;
    *) [ -n "$first" ] || printf '\r' >&4
      printf '~B' >&4 ;;
  esac
  first=
  # The kernel waits five seconds for the key.
  sleep 0.3
  printf '%s' "$key" >&4
  while [ -z "$over" ]; do
    sleep 0.2
    ticks=$((ticks + 2))
    if listen; then
      # What ipmitool itself says about the break is no answer.
      case $new in *'[send break]'*) ;; *) heard=1 ;; esac
      idle=0
      # The break went nowhere.
      case $kind$new in conman*'] is currently disconnected'*) over=lost ;; esac
      if [ -n "$until" ] && printf '%s' "$window" | grep -aqE -e "$until"; then
        over=until
      fi
    else
      idle=$((idle + 2))
      if [ -n "$heard" ] && [ $idle -ge "$quiet" ]; then
        over=quiet
      elif [ -z "$heard" ] && [ $idle -ge "$first_word" ]; then
        over=silent
      fi
    fi
    [ $ticks -lt "$limit" ] || over=${over:-limit}
    [ $total -lt "$maximum" ] || over=full
    if ! alive; then
      listen
      over=${over:-lost}
    fi
  done
  tell keyend "$over"
  case $over in full | lost) leave "$over" ;; esac
done
leave finished
