#!/bin/sh
# Answers ssh's question for the passphrase of a key from a pipe beside this file; no other question gets an answer. Not for hosts:
# ssh starts it on the controller (SSH_ASKPASS). A jump on the way may ask for the same key, so a few answers are there.
case $1 in
  "Enter passphrase for key '"*) ;;
  *) exit 1 ;;
esac
for n in 1 2 3 4; do
  if mkdir "${0%/*}/asked$n" 2>/dev/null; then
    # By the shell itself: nothing secret becomes an argument of a program.
    IFS= read -r line <"${0%/*}/pipe" || exit 1
    printf '%s\n' "$line"
    exit 0
  fi
done
exit 1
