#!/usr/bin/env bash
# Runs inside `lab/lab run`: the guests are up and KDUMPNFS_LAB_* tells how to reach them. Argument: full, or nothing.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root" || exit 1
out=$root/out
config=Release
sshnet=$(cat "$out/built-with")
. "$root/tools/build/steps.sh"
rm -f "$out"/test/Lab*.trx "$out"/test/pester-lab.count*
status=0
filter=() exclude=()
if [ "${1:-}" != full ]; then
  filter=(--filter "Category!=Long")
  exclude=(-ExcludeTag Long)
fi
dotnet test tests/Lab -c "$config" --no-build --nologo -v q -p:WithSshNet="$sshnet" "${filter[@]}" \
  --logger "trx;LogFileName=$out/test/Lab.trx" --logger "console;verbosity=normal" --results-directory "$out/test" || status=1
if pester_here; then
  NO_COLOR=1 pwsh -NoProfile -NonInteractive -File tools/build/pester.ps1 -Path tests/Lab -Module "$out/module/KdumpNfs" -CountFile "$out/test/pester-lab.count" "${exclude[@]}" || status=1
fi
exit $status
