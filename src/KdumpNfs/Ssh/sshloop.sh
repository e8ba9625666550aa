# The far end of a connection: reads scripts from stdin and runs them, one after the other. POSIX sh and head.
# ScriptLoop (C#) is the near end and describes the protocol. _kn_n (nonce) and _kn_sudo are set before this.
# shellcheck shell=sh disable=SC2154
unset s
_kn_say() {
  printf '\n%s %s\n' "$_kn_n" "$1"
  printf '\n%s %s\n' "$_kn_n" "$1" >&2
}

# When the connection dies, what the script runs in the foreground dies too, before it can take a cut input for a
# whole one. Only a process group that is surely this session's is killed: a server that starts no session for
# its commands would be killed itself.
_kn_kill=0
{ read -r _kn_a _kn_b _kn_c _kn_p _kn_g _kn_r <"/proc/$$/stat"; } 2>/dev/null
if [ "$_kn_g" = "$$" ] || { [ "$_kn_sudo" = 1 ] && [ "$_kn_g" = "$_kn_p" ]; }; then
  _kn_kill=1
fi

# Copies length-framed input to stdout; "0" is its end. Then waits for "next": the client has read the result.
_kn_feed() {
  while read -r _kn_c; do
    case $_kn_c in
      0) exec >/dev/null ;;
      next) return 0 ;;
      *) head -c "$_kn_c" ;;
    esac
  done
  [ "$_kn_kill" = 1 ] && kill -9 0
  exit 98
}

_kn_say ready
while read -r _kn_id _kn_len _kn_in; do
  _kn_s=$(head -c "$_kn_len"; echo x)
  _kn_s=${_kn_s%x}
  [ "${#_kn_s}" -eq "$_kn_len" ] || exit 97
  _kn_say "begin $_kn_id"
  # The right side reads what the script did not, so that the feeder never blocks and framing is never lost.
  _kn_feed | (
    if [ "$_kn_in" = 1 ]; then
      (eval "$_kn_s")
      _kn_rc=$?
      cat >/dev/null
    else
      (eval "$_kn_s") </dev/null
      _kn_rc=$?
    fi
    _kn_say "end $_kn_id $_kn_rc"
  ) || exit 98
done
