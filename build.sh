#!/usr/bin/env bash
# The tasks of this repository without PowerShell: build | test [full] | package | demo | bench. build.ps1 offers the same.
# Needs the .NET 10 SDK; test and demo install what else they need (Debian packages, as root).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$root"
out=$root/out
config=Release
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 POWERSHELL_TELEMETRY_OPTOUT=1

. "$root/tools/build/steps.sh"

usage() {
  cat <<'EOF'
usage: ./build.sh TASK
  build       module folder at out/module/KdumpNfs, command at out/cli/kdumpnfs
  test        all tests but the long ones, one real crash in the virtual lab included
  test full   the long scenarios as well
  package     the module for the PowerShell Gallery and the command as a .NET tool, into out/package/
  demo        the main job on virtual hosts: export, configure, estimate, crash, collect
  bench       measurements, side by side, into out/bench/; bench engine|import|vmcore|fleet: one part of them
  bench long  a million damaged dumps, a change cut at 500 places and a fleet full of faults first (hours)
  clean       removes out/ and the build's folders
EOF
}

case "${1:-}" in
  build) build ;;
  test) run_tests "${2:-}" ;;
  package)
    # Two commands: on the left of && a build that fails would not end the script.
    build KdumpNfs.Packages.slnf
    package
    ;;
  demo) run_demo ;;
  bench) run_bench "${@:2}" ;;
  clean) rm -rf "$out" src/*/bin src/*/obj tests/*/bin tests/*/obj tools/*/bin tools/*/obj bench/bin bench/obj bench/*/bin bench/*/obj ;;
  *)
    usage >&2
    exit 2
    ;;
esac
