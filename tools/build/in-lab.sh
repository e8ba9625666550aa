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
long='' exclude=()
if [ "${1:-}" != full ]; then
  long='&Category!=Long'
  exclude=(-ExcludeTag Long)
fi

# scenarios NAME FILTER: those that the filter takes, in the order of their collections.
scenarios() {
  KDUMPNFS_COMMAND=$out/cli/kdumpnfs dotnet test tests/Lab -c "$config" --no-build --nologo -v q -p:WithSshNet="$sshnet" --filter "$2$long" \
    --logger "trx;LogFileName=$out/test/Lab-$1.trx" --logger "console;verbosity=normal" --results-directory "$out/test"
}

# begin_lane LANE: in the background; end_lane LANE waits for it and shows what it said.
begin_lane() {
  scenarios "$1" "Lane=$1" >"$out/test/lane-$1.log" 2>&1 &
  lane=$!
}
end_lane() {
  wait "$lane" || status=1
  cat "$out/test/lane-$1.log"
}

scenarios both 'Lane!=node1&Lane!=node2&Lane!=after&Lane!=beside' || status=1
# Scenarios of one node leave the other one idle: those of node1 run beside those of node2.
begin_lane node1
scenarios node2 'Lane=node2' || status=1
end_lane node1
# What needs no guest of this lab runs beside a drill that waits for most of its time.
begin_lane beside
scenarios after 'Lane=after' || status=1
end_lane beside
if pester_here; then
  NO_COLOR=1 pwsh -NoProfile -NonInteractive -File tools/build/pester.ps1 -Path tests/Lab -Module "$out/module/KdumpNfs" -CountFile "$out/test/pester-lab.count" "${exclude[@]}" || status=1
fi
exit $status
