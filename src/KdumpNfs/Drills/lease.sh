# Leases that all controllers on a store share: at most so many hosts are down at once, and one of a group. Variables: DIR (of the leases), OP
# (take, renew, give), ID (of this lease, harmless characters), MAX (hosts that may be down), TTL (seconds), WORDS (who, for which host), GROUP
# (one line in capitals, empty for none), SLOT (renew, give).
#
# A lease is a file slot-K.G, G being the generation: content (id, MAX, TTL, words, group) and name come at once by a hard link, which fails
# where the name is taken. Files are never replaced: whoever finds the newest generation of a slot given back (a file beside it, .done) or
# expired makes the next one, and of two who try, one fails. So nobody can take away a lease that was renewed or is somebody else's.
# Times are the file system's own, of the same clock for all: when the lease was made or renewed is its time of change.
# shellcheck shell=sh disable=SC2153,SC2154
umask 077
case $OP in take) mkdir -p -- "$DIR" 2>/dev/null ;; esac
cd -P -- "$DIR" 2>/dev/null || { kv error "$DIR cannot be made or entered."; exit 0; }

number() {
  case $1 in '' | *[!0-9]*) return 1 ;; esac
  [ "${#1}" -le 12 ]
}

# newest K: the newest generation of a slot, 0 for none.
newest() {
  newest=0
  for file in "slot-$1".[0-9]*; do
    g=${file#"slot-$1".}
    g=${g%.done}
    number "$g" && [ -e "$file" ] && [ "$g" -gt "$newest" ] && newest=$g
  done
}

# live K: whether the newest generation of a slot is held; sets newest, id, limit, words and group of it.
live() {
  newest "$1"
  file=slot-$1.$newest
  [ "$newest" -gt 0 ] && [ -f "$file" ] && [ ! -e "$file.done" ] || return 1
  { read -r id && read -r limit && read -r ttl && read -r words && { read -r group || group=; }; } <"$file" 2>/dev/null || return 1
  number "$ttl" && number "$limit" || return 1
  [ $(($(stat -c %Y "$file" 2>/dev/null || echo 0) + ttl)) -ge "$now" ]
}

# twin: whether another host of the group has a lease.
twin() {
  [ -n "$GROUP" ] || return 1
  for k in $(slots); do
    live "$k" && [ "$group" = "$GROUP" ] && [ "$id" != "$ID" ] && return 0
  done
  return 1
}

slots() {
  for file in slot-*; do
    k=${file#slot-}
    k=${k%%.*}
    number "$k" && [ -e "$file" ] && printf '%s\n' "$k"
  done | sort -un
}

# The clock of the file system, which is not the one of this host where the directory is mounted from elsewhere.
new=new-$ID
rm -f -- "$new"
(set -C && printf '%s\n%s\n%s\n%s\n%s\n' "$ID" "$MAX" "$TTL" "$WORDS" "$GROUP" >"$new") 2>/dev/null || { kv error "$(: 2>&1 >"$new")"; exit 0; }
now=$(stat -c %Y "$new")

case $OP in
  take)
    got=
    # A controller that lost the answer asks again.
    for k in $(slots); do
      if live "$k" && [ "$id" = "$ID" ]; then
        got=$k.$newest
        break
      fi
    done
    if [ -z "$got" ] && ! twin; then
      k=1
      while [ -z "$got" ] && [ "$k" -le "$MAX" ]; do
        if ! live "$k"; then
          if words=$(ln -- "$new" "slot-$k.$((newest + 1))" 2>&1); then
            got=$k.$((newest + 1))
          elif [ ! -e "slot-$k.$((newest + 1))" ]; then
            kv error "$words"
          fi
        fi
        k=$((k + 1))
      done
    fi
    # The smallest limit of all who hold one counts for all; somebody may have cleared away what this one stands on, or taken one for its group beside it.
    if [ -n "$got" ]; then
      count=0
      least=$MAX
      for k in $(slots); do
        live "$k" || continue
        count=$((count + 1))
        [ "$limit" -ge "$least" ] || least=$limit
      done
      newest "${got%.*}"
      if [ "$count" -gt "$least" ] || [ "$newest" != "${got#*.}" ] || twin; then
        : >"slot-$got.done"
        got=
      fi
    fi
    if [ -n "$got" ]; then
      kv slot "$got"
      old=$((${got#*.} - 8))
      for file in "slot-${got%.*}".[0-9]*; do
        g=${file#"slot-${got%.*}".}
        g=${g%.done}
        number "$g" && [ "$g" -le "$old" ] && rm -f -- "$file"
      done
    else
      for k in $(slots); do
        live "$k" && kv holder "$words"
      done
    fi
    ;;
  renew)
    # One that has expired is not revived: somebody may be taking it at this moment.
    if live "${SLOT%.*}" && [ "$newest" = "${SLOT#*.}" ] && [ "$id" = "$ID" ] && touch -c -- "slot-$SLOT"; then kv renewed 1; else kv renewed 0; fi
    ;;
  give)
    { read -r id; } <"slot-$SLOT" 2>/dev/null
    [ "$id" != "$ID" ] || : >"slot-$SLOT.done"
    kv given 1
    ;;
esac
rm -f -- "$new"
exit 0
