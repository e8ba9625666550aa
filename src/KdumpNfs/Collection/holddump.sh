# Puts or takes away the marker that keeps a crash directory. Variables: NAME, HOLD (1 or 0), WORDS (who and why).
# shellcheck shell=sh disable=SC2015,SC2153,SC2154
enter_root || exit 0
if ! enter "$NAME"; then
  if at_root && [ ! -e "./$NAME" ] && [ ! -L "./$NAME" ]; then kv error nodump; else kv error notplain; fi
  exit 0
fi
before=0
held && before=1
kv before "$before"
if [ "$HOLD" = 1 ] && [ "$before" = 0 ]; then
  # A new file or nothing: a link of that name is not written through.
  words=$( (umask 077 && set -C && printf '%s\n' "$WORDS" >./.hold) 2>&1) || kv failed "$words"
elif [ "$HOLD" = 0 ] && [ "$before" = 1 ]; then
  words=$(rm -f -- ./.hold 2>&1) || kv failed "$words"
fi
exit 0
