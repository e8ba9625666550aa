#!/bin/sh
# sshd's ForceCommand: which host a session belongs to is told by the address that it came in on.
# usage: enter.sh FLEET
address=${SSH_CONNECTION% *}
address=${address##* }
pid=$(cat "$1/$address/pid" 2>/dev/null) || exit 255
if [ -n "$SSH_ORIGINAL_COMMAND" ]; then
  exec nsenter -t "$pid" -m -u -r -w -- /bin/sh -c "$SSH_ORIGINAL_COMMAND"
fi
exec nsenter -t "$pid" -m -u -r -w -- /bin/sh
