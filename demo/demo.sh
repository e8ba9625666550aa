#!/usr/bin/env bash
# The main job on virtual hosts, by the command line: what demo.ps1 does, where there is no PowerShell. Argument: the kdumpnfs command.
# Run it by ./build.sh demo, or within lab/lab run storage node1 node2 -- demo/demo.sh out/cli/kdumpnfs
set -euo pipefail
kdumpnfs=${1:?usage: demo.sh KDUMPNFS}
: "${KDUMPNFS_LAB_KEY_FILE:?There is no lab here: run ./build.sh demo}"
export NO_COLOR=1
login=(--user "$KDUMPNFS_LAB_USER" --port "$KDUMPNFS_LAB_PORT" --key "$KDUMPNFS_LAB_KEY_FILE" --known-hosts "$KDUMPNFS_LAB_KNOWN_HOSTS"
  --connect-timeout 90) # emulated machines on a busy computer take their time
storage=$KDUMPNFS_LAB_STORAGE_HOST
nodes=("$KDUMPNFS_LAB_NODE1_HOST" "$KDUMPNFS_LAB_NODE2_HOST")
export_path=/data/nfs_share dump_path=/var/crash
target=(--nfs-server "$KDUMPNFS_LAB_STORAGE_PRIVATE" --export "$export_path" --dump-path "$dump_path")
place=$KDUMPNFS_LAB_STORAGE_PRIVATE:$export_path$dump_path
objects=$(mktemp)
trap 'rm -f "$objects"' EXIT

fail() {
  echo "The demo failed: $*" >&2
  exit 1
}

# step TITLE COMMAND...: shows the command, what it gives and how long it took. With --json the objects stay in $objects as well.
step() {
  local title=$1 started=$SECONDS
  shift
  printf '\n== %s\n$ kdumpnfs %s\n' "$title" "$*"
  "$kdumpnfs" "$@" "${login[@]}" | tee "$objects"
  printf '   %s s\n' "$((SECONDS - started))"
}

# count TEXT: how many of the objects have it.
count() { grep -c -F -- "$1" "$objects" || true; }

# field NAME: a text field of a JSON line on stdin.
field() { sed -n "s/.*\"$1\":\"\(\([^\"\\\\]\|\\\\.\)*\)\".*/\1/p"; }

step 'The storage server exports a directory to the nodes' \
  enable-export "$storage" --export "$export_path" --dump-path "$dump_path" --client "$KDUMPNFS_LAB_SUBNET" --create-directory --yes
step 'What it exports now' exports "$storage"
step 'Would a crash of the nodes leave a vmcore there?' status "${nodes[@]}" --expected-target "$place"
[ "$(count TargetNotExpected)" = 2 ] || fail 'a node dumps to the share before it was told to'
step 'What would change' set-nfs-target "${nodes[@]}" "${target[@]}" --what-if
step 'The nodes send their dumps there' set-nfs-target "${nodes[@]}" "${target[@]}" --yes --json
[ "$(count '"Changed":true')" = 2 ] || fail 'not both nodes were changed'
step 'A second time there is nothing to do' set-nfs-target "${nodes[@]}" "${target[@]}" --yes --json
[ "$(count '"Changed":false')" = 2 ] || fail 'the second run changed something'
step 'And now?' status "${nodes[@]}" --expected-target "$place"
[ "$(count Configured)" = 2 ] || fail 'not both nodes are ready'
step 'How large will the dumps be?' estimate "${nodes[@]}"
step 'Sysrq is allowed' enable-sysrq "${nodes[@]}" --yes
step 'Both nodes crash, and their dumps are waited for' \
  crash "${nodes[@]}" --max-down 2 --wait --yes --json --collect "$storage:$export_path$dump_path" --collect-timeout 900
[ "$(count '"State":"Complete"')" = 2 ] || fail 'there are not two complete dumps'
[ "$(grep -c '"BootIdAfter":"' "$objects" || true)" = 2 ] || fail 'a node did not come back'
crashes=$(grep '"BootIdAfter":"' "$objects")
step 'What is on the store' vmcores --store "$storage" --export "$export_path" --dump-path "$dump_path"
[ "$(count Complete)" = 2 ] || fail 'there are not two complete dumps on the store'
echo
while read -r crash; do
  host=$(field CrashedHost <<<"$crash") address=$(field SourceAddress <<<"$crash")
  # A crash directory may carry any name or address of the host.
  mapfile -t names < <(sed 's/.*"Identities":\[\([^]]*\)\].*/\1/' <<<"$crash" | tr -d '"' | tr ',' '\n')
  dump=$("$kdumpnfs" vmcores "$address" "${names[@]}" --store "$storage" --export "$export_path" --dump-path "$dump_path" --json "${login[@]}")
  reason=$(field PanicReason <<<"$dump")
  case "$reason" in
    *sysrq*) echo "$host ($address): $reason" ;;
    *) fail "the dump of $host does not tell why: $reason" ;;
  esac
  echo "    $(field Path <<<"$dump")"
done <<<"$crashes"
printf '\nThe demo took %s s.\n' "$SECONDS"
