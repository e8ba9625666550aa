# What build.sh's tasks are made of. Sourced by it: root, out and config are set.
# shellcheck shell=bash disable=SC2154

say() { printf '\n== %s\n' "$*"; }
have() { command -v "$1" >/dev/null 2>&1; }

# need PROGRAM PACKAGE...: installs Debian packages when a program is missing.
need() {
  local program=$1
  shift
  have "$program" || [ -x "/usr/sbin/$program" ] && return 0
  if ! have apt-get || [ "$(id -u)" != 0 ]; then
    echo "$program is missing; install the package(s) $* and run this again." >&2
    return 1
  fi
  say "Installing $* (for $program)"
  if ! DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >"$out/apt.log" 2>&1; then
    apt-get update -qq >>"$out/apt.log" 2>&1
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >>"$out/apt.log" 2>&1 || {
      tail -n 20 "$out/apt.log" >&2
      return 1
    }
  fi
}

# The SSH server of light fleets; without it what needs it says so.
need_asyncssh() { /usr/bin/python3 -W ignore -c 'import asyncssh' 2>/dev/null || need asyncssh-for-python3 python3-asyncssh python3-uvloop || true; }

# restores NAME LINES: whether a project with these lines restores here; asked once for each name and remembered in out/.
restores() {
  local marker=$out/probe/$1${NUGET_PACKAGES:+-$(printf %s "$NUGET_PACKAGES" | cksum | cut -d ' ' -f 1)}
  if [ ! -f "$marker" ]; then
    mkdir -p "$marker.project"
    cat >"$marker.project/probe.csproj" <<EOF
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><ManagePackageVersionsCentrally>false</ManagePackageVersionsCentrally></PropertyGroup>
  $2
</Project>
EOF
    if dotnet restore "$marker.project/probe.csproj" >"$marker.project/log" 2>&1; then echo true >"$marker"; else echo false >"$marker"; fi
  fi
  cat "$marker"
}

with_sshnet() {
  local version
  version=$(version_of SSH.NET)
  restores "sshnet-$version" "<PropertyGroup><TargetFramework>net8.0</TargetFramework></PropertyGroup><ItemGroup><PackageReference Include=\"SSH.NET\" Version=\"$version\" /></ItemGroup>"
}

# The compilers that make the command start at once (native code, which needs a linker too), or in half the time, are packages for this machine and SDK.
with_native() {
  if have clang || have gcc; then
    restores "native-$(dotnet --version)" "<PropertyGroup><TargetFramework>net10.0</TargetFramework><UseCurrentRuntimeIdentifier>true</UseCurrentRuntimeIdentifier><PublishAot>true</PublishAot></PropertyGroup>"
  else
    echo false
  fi
}
with_ahead() {
  restores "ahead-$(dotnet --version)" "<PropertyGroup><TargetFramework>net10.0</TargetFramework><UseCurrentRuntimeIdentifier>true</UseCurrentRuntimeIdentifier><PublishReadyToRun>true</PublishReadyToRun></PropertyGroup>"
}

version_of() { sed -n "s/.*Include=\"$1\" Version=\"\([^\"]*\)\".*/\1/p" Directory.Packages.props; }

# PowerShell and Pester: those of this machine, else from the package registry into out/. Where they do not restore, what needs them says that it is skipped.
# KDUMPNFS_WITH_PWSH=false: only what is on PATH.
need_pwsh() {
  local pester
  pester=$(version_of Pester)
  if ! have pwsh && [ "${KDUMPNFS_WITH_PWSH:-true}" = true ]; then
    [ -x "$out/pwsh/pwsh" ] || say "PowerShell $(version_of PowerShell) as a tool, into out/pwsh"
    [ -x "$out/pwsh/pwsh" ] || dotnet tool install PowerShell --version "$(version_of PowerShell)" --tool-path "$out/pwsh" >"$out/pwsh.log" 2>&1 || tail -n 2 "$out/pwsh.log"
    [ ! -x "$out/pwsh/pwsh" ] || export PATH="$out/pwsh:$PATH"
  fi
  if have pwsh && ! pester_here && [ "${KDUMPNFS_WITH_PWSH:-true}" = true ] &&
    [ "$(restores "pester-$pester" "<PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup><ItemGroup><PackageReference Include=\"Pester\" Version=\"$pester\" /></ItemGroup>")" = true ]; then
    # A module lies in a folder of its version; its package has it below tools/.
    mkdir -p "$out/pwsh-modules/Pester"
    ln -sfn "${NUGET_PACKAGES:-$HOME/.nuget/packages}/pester/$pester/tools" "$out/pwsh-modules/Pester/$pester"
    export PSModulePath="$out/pwsh-modules${PSModulePath:+:$PSModulePath}"
  fi
}

# One compiler for all projects, ended afterwards: a new one for each takes two to three times as long. Wins over the machine's own setting.
compile() { UseSharedCompilation=true dotnet "$@" -c "$config" -v q --nologo -p:WithSshNet="$sshnet"; }
end_compiler() { dotnet build-server shutdown --vbcscompiler >/dev/null; }

# build [SOLUTION]: all of it, or the part that a solution filter names.
build() {
  have dotnet || {
    echo "The .NET 10 SDK is missing: put dotnet on PATH." >&2
    exit 1
  }
  mkdir -p "$out"
  sshnet=${KDUMPNFS_WITH_SSHNET:-$(with_sshnet)}
  if [ "$sshnet" = true ]; then
    say "Building with both transports"
  else
    say "Building without SSH.NET: the package does not restore here, so Auto means OpenSSH"
  fi
  # A build from before with the other answer must not leave its assemblies behind.
  if [ "$(cat "$out/built-with" 2>/dev/null)" != "$sshnet" ]; then
    rm -rf src/*/obj tests/*/obj src/*/bin tests/*/bin
    echo "$sshnet" >"$out/built-with"
  fi
  compile build "${1:-KdumpNfs.sln}"
  say "Module: out/module/KdumpNfs"
  make_module
  # A part of the solution is built for packages, which carry a command of their own.
  if [ -z "${1:-}" ]; then
    say "Command: out/cli/kdumpnfs"
    publish_command
  fi
  end_compiler
}

# publish_ahead PROJECT FOLDER NAME: a program, compiled ahead of its start as far as that can be done here.
publish_ahead() {
  rm -rf "$2"
  local linker=clang
  have clang || linker=gcc
  if [ "$(with_native)" = true ]; then
    if compile publish "$1" -p:CompileAhead=native -p:CppCompilerAndLinker=$linker -o "$2" >"$out/native.log" 2>&1; then
      find "$2" -type f ! -name "$3" -delete
      return 0
    fi
    tail -n 5 "$out/native.log"
    rm -rf "$2"
  fi
  echo "$3 is not native code here (that needs its compiler and a linker), so a fleet costs it more."
  if [ "$(with_ahead)" = true ]; then
    compile publish "$1" -p:CompileAhead=true -o "$2"
  else
    echo "It is not compiled ahead of its start either (the compiler for that does not restore here), so it starts slower."
    compile publish "$1" --no-build -o "$2"
  fi
}

publish_command() { publish_ahead src/KdumpNfs.Cli "$out/cli" kdumpnfs; }

# The module folder: our assemblies in it, SSH.NET and all below it in private/, which a load context of its own reads.
make_module() {
  local module=$out/module/KdumpNfs from=src/KdumpNfs.PowerShell/bin/$config/net8.0
  rm -rf "$module"
  mkdir -p "$module"
  cp KdumpNfs.psd1 LICENSE "$module/"
  cp "$from"/KdumpNfs.PowerShell.dll "$from"/KdumpNfs.dll "$from"/KdumpNfs.Vmcore.dll "$from"/ZstdSharp.dll "$module/"
  cp src/KdumpNfs.PowerShell/*.ps1xml "$module/"
  # Help: from the documentation comments of the cmdlets, and the topics.
  dotnet "tools/HelpGenerator/bin/$config/net10.0/HelpGenerator.dll" maml "$module/en-US/KdumpNfs.PowerShell.dll-Help.xml"
  cp docs/help/about_*.help.txt "$module/en-US/"
  if [ "$sshnet" = true ]; then
    mkdir -p "$module/private"
    compile publish src/KdumpNfs.SshNet --no-build -o "$out/private"
    cp "$out"/private/*.dll "$module/private/"
    rm -f "$module"/private/KdumpNfs.dll "$module"/private/KdumpNfs.Vmcore.dll "$module"/private/ZstdSharp.dll
    rm -rf "$out/private"
  fi
}

# What is published, in out/package, from what build made: the module for the PowerShell Gallery, and the command as a .NET tool. Both are the
# same bytes from the same commit. KDUMPNFS_PROJECT_URL is where the project lives; without it the packages name no place.
package() {
  say "Packages: out/package"
  rm -rf "$out/package"
  mkdir -p "$out/package"
  local assets=(src/KdumpNfs.PowerShell/obj/project.assets.json)
  if [ "$sshnet" = true ]; then
    assets+=(src/KdumpNfs.SshNet/obj/project.assets.json)
  else
    echo "Left out: SSH.NET (its package does not restore here), so these packages know OpenSSH only."
  fi
  [ -n "${KDUMPNFS_PROJECT_URL:-}" ] || echo "Left out: the address of the project (KDUMPNFS_PROJECT_URL is not set)."
  pack_module "$out/module/KdumpNfs" "$out/package" "${assets[@]}"
  if compile pack src/KdumpNfs.Cli ${KDUMPNFS_PROJECT_URL:+-p:PackageProjectUrl="$KDUMPNFS_PROJECT_URL"} -o "$out/package" >"$out/pack-tool.log" 2>&1; then
    packager tool "$(ls "$out"/package/KdumpNfs.Cli.*.nupkg)"
  else
    cat "$out/pack-tool.log" >&2
    return 1
  fi
  end_compiler
  (cd "$out/package" && sha256sum -- *)
}

packager() { dotnet "tools/Packager/bin/$config/net10.0/Packager.dll" "$@"; }

# pack_module MODULE FOLDER ASSETS...
pack_module() { packager module "$1" CHANGELOG.md "$2" "${@:3}" --project-url "${KDUMPNFS_PROJECT_URL:-}"; }

# unpack_module FOLDER: the module's package as an installer lays it down, in a module path that has nothing else.
unpack_module() {
  rm -rf "$1"
  mkdir -p "$1/KdumpNfs"
  (cd "$1/KdumpNfs" && unzip -q "$out"/package/KdumpNfs.[0-9]*.nupkg && rm -rf _rels package ./*.nuspec '[Content_Types].xml')
}

# The command from its package: installed from the folder, then run.
test_tool() {
  say "Tests: the command as a .NET tool"
  local home
  home=$(mktemp -d)
  if dotnet tool install KdumpNfs.Cli --tool-path "$home/tools" --source "$out/package" --no-cache >"$home/log" 2>&1 &&
    "$home/tools/kdumpnfs" --version >>"$home/log" 2>&1 && "$home/tools/kdumpnfs" --help >"$home/help" 2>&1 && grep -q set-nfs-target "$home/help"; then
    passed=$((passed + 1))
    tail -n 1 "$home/log"
  else
    failed=$((failed + 1))
    notes+=("Package: the command's package does not install or run: $(tail -n 3 "$home/log" | tr '\n' ' ')")
  fi
  rm -rf "$home"
}

# Another clone of the commit, packed elsewhere, gives the same bytes.
test_reproducible() {
  say "Tests: the packages of this commit, made again elsewhere"
  if ! have git || ! git rev-parse --git-dir >/dev/null 2>&1 || [ -n "$(git status --porcelain --untracked-files=no)" ]; then
    skipped=$((skipped + 1))
    notes+=("Package: skipped: whether they are the same made elsewhere (this is no clean clone)")
    return 0
  fi
  local elsewhere status=0
  elsewhere=$(mktemp -d)
  git clone -q . "$elsewhere/a clone"
  # The analyzers have read this code once; they have no part in what is made of it.
  RunAnalyzers=false KDUMPNFS_WITH_SSHNET=$sshnet "$elsewhere/a clone/build.sh" package >"$elsewhere/log" 2>&1 || status=$?
  if [ "$status" = 0 ] && diff <(cd "$out/package" && sha256sum -- *) <(cd "$elsewhere/a clone/out/package" && sha256sum -- *) >"$elsewhere/differ"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    notes+=("Package: made elsewhere it is another one, or none (status $status): $(tail -n 4 "$elsewhere/differ" "$elsewhere/log" 2>/dev/null | tr '\n' ' ')")
  fi
  rm -rf "$elsewhere"
}

passed=0 failed=0 skipped=0
notes=()

# Adds the counters of a .trx file.
count_trx() {
  local file=$1 line total ok bad
  line=$(grep -o '<Counters [^>]*>' "$file" | head -n 1)
  total=$(sed -n 's/.* total="\([0-9]*\)".*/\1/p' <<<"$line")
  ok=$(sed -n 's/.* passed="\([0-9]*\)".*/\1/p' <<<"$line")
  bad=$(sed -n 's/.* failed="\([0-9]*\)".*/\1/p' <<<"$line")
  passed=$((passed + ok))
  failed=$((failed + bad))
  skipped=$((skipped + total - ok - bad))
}

# run_suite NAME [dotnet test arguments]: a suite whose runner dies without a result counts as one failure.
run_suite() {
  local name=$1 trx="$out/test/$1.trx" status=0
  shift
  say "Tests: $name"
  rm -f "$trx"
  # The command as it was built, whatever it was built to.
  KDUMPNFS_COMMAND=$out/cli/kdumpnfs dotnet test "tests/${name%%-*}" -c "$config" --no-build --nologo -v q -p:WithSshNet="$sshnet" \
    --logger "trx;LogFileName=$trx" --logger "console;verbosity=minimal" --results-directory "$out/test" "$@" || status=$?
  if [ -f "$trx" ]; then
    count_trx "$trx"
    take_notes "$name" "$trx"
  fi
  if [ "$status" != 0 ] && ! grep -q 'failed="[1-9]' "$trx" 2>/dev/null; then
    failed=$((failed + 1))
    notes+=("$name: the test runner ended with status $status")
  fi
}

# take_notes NAME TRX: what failed and what was skipped goes into the summary too, with the reason that the result file has.
take_notes() {
  local reason
  while read -r reason; do notes+=("$1: $reason"); done < <(results "$2" Failed FAILED; results "$2" NotExecuted skipped)
}

# results TRX OUTCOME WORD: a line for each test with that outcome: the word, the test, what was said.
results() {
  tr '\n' ' ' <"$1" | sed 's/<UnitTestResult /\n&/g' | grep "^<UnitTestResult [^>]*outcome=\"$2\"" |
    sed -n "s/<Message>/\n/; s/^[^\n]*testName=\"\([^\"]*\)\"[^\n]*\n\([^<]\{0,600\}\).*/$3 \1: \2/p" |
    sed 's/&quot;/"/g; s/&lt;/</g; s/&gt;/>/g; s/&#x\(A\|D\);/ /g; s/&amp;/\&/g' || true
}

run_tests() {
  local full=${1:-} started=$SECONDS
  if [ -n "$full" ] && [ "$full" != full ]; then
    usage >&2
    exit 2
  fi
  mkdir -p "$out/test"
  need sshd openssh-server
  need unzip unzip
  # Login shells that a host's account may have: the tests for those that are missing are skipped.
  local shell
  for shell in tcsh zsh; do need $shell $shell || true; done
  # sudo that asks for a password: its tests are skipped without.
  need sudo sudo && need openssl openssl || true
  # A firewall for a test that gives it a network of its own. Not where installing it would start it in this machine's.
  [ -d /run/systemd/system ] || need firewalld firewalld nftables dbus iproute2 || true
  # A console server for the serial consoles of stand-ins and guests; its service is not wanted.
  need conmand conman || true
  need_asyncssh
  need_pwsh
  start_lab_image
  build
  package
  # Scenarios mostly wait for guests: what needs none of them runs meanwhile.
  start_lab_tests "$full"
  run_suite Unit
  if [ "$full" = full ]; then
    run_suite Integration
  else
    run_suite Integration --filter "Category!=Long"
    notes+=("left to 'test full': the corpus of known_hosts files, controllers and connections that die, a second round of crashes")
  fi
  test_tool
  [ "$full" != full ] || test_reproducible
  # As users have it: out of its package.
  unpack_module "$out/test/modules"
  run_pester "tests/Pester" module "$out/test/modules/KdumpNfs"
  finish_lab_tests
  say "Summary after $((SECONDS - started)) s"
  if [ "$sshnet" != true ]; then
    notes+=("not built: the SSH.NET transport (its package does not restore here)")
  fi
  local note
  for note in "${notes[@]}"; do echo "  $note"; done
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" = 0 ]
}

pester_here() {
  have pwsh && pwsh -NoProfile -NonInteractive -c 'exit [int](-not (Get-Module -ListAvailable Pester | Where-Object { $_.Version.Major -ge 5 }))' >/dev/null 2>&1
}

# run_pester PATH NAME MODULE: Pester files in real PowerShell; where there is none, says so and counts each file as skipped.
run_pester() {
  local path=$1 name=$2 module=$3 line
  say "Tests: Pester ($name)"
  if ! pester_here; then
    local files
    files=$(find "$path" -name '*.Tests.ps1' | wc -l)
    skipped=$((skipped + files))
    notes+=("Pester ($name): $files file(s) skipped: no pwsh with Pester 5 or later on PATH")
    echo "There is no pwsh with Pester on PATH: $files file(s) are skipped; the command line runs the same operations."
    return 0
  fi
  rm -f "$out/test/pester-$name".count*
  NO_COLOR=1 pwsh -NoProfile -NonInteractive -File tools/build/pester.ps1 -Path "$path" -Module "$module" -Package "$out/package" -CountFile "$out/test/pester-$name.count" || true
  if line=$(cat "$out/test/pester-$name.count" 2>/dev/null); then
    read -r p f s <<<"$line"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    take_pester_notes "$name"
  else
    failed=$((failed + 1))
    notes+=("Pester ($name): no result")
  fi
}

take_pester_notes() {
  local reason
  [ -f "$out/test/pester-$1.count.failed" ] || return 0
  while read -r reason; do notes+=("Pester ($1): FAILED $reason"); done <"$out/test/pester-$1.count.failed"
}

# The lab's image is built beside what comes before it: mostly waiting for packages. Its own words come when it is needed.
start_lab_image() {
  need_lab
  setsid lab/lab build >"$out/lab-image.log" 2>&1 &
  lab_image=$!
  trap 'kill -TERM -- "-$lab_image" 2>/dev/null' EXIT
}

finish_lab_image() {
  trap - EXIT
  wait "$lab_image" || {
    cat "$out/lab-image.log" >&2
    return 1
  }
}

need_lab() {
  need qemu-system-x86_64 qemu-system-x86 qemu-utils
  need mmdebstrap mmdebstrap
  need makedumpfile makedumpfile
  need ssh openssh-client
}

# The guests are booted once for everything that needs them; lab/lab run takes them down whatever happens. In a process group of its own, so that an end of
# this script ends the guests too.
start_lab_tests() {
  say "Tests: virtual lab, begun; its words come below"
  finish_lab_image || true
  setsid lab/lab run storage node1 node2 -- "$root/tools/build/in-lab.sh" "$1" >"$out/lab-tests.log" 2>&1 &
  lab_job=$!
  trap 'kill -TERM -- "-$lab_job" 2>/dev/null; wait "$lab_job"' EXIT
}

finish_lab_tests() {
  say "Tests: virtual lab"
  local status=0
  wait "$lab_job" || status=$?
  trap - EXIT
  cat "$out/lab-tests.log"
  local file
  for file in "$out"/test/Lab*.trx; do
    [ -f "$file" ] && count_trx "$file" && take_notes Lab "$file"
  done
  if [ -f "$out/test/pester-lab.count" ]; then
    read -r p f s <"$out/test/pester-lab.count"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    take_pester_notes lab
  elif [ "$status" = 0 ]; then
    skipped=$((skipped + 1))
    notes+=("Pester (lab): skipped: no pwsh with Pester 5 or later on PATH")
  fi
  # What failed is counted above; another end is one failure more.
  if [ "$status" != 0 ] && ! grep -q 'failed="[1-9]' "$out"/test/Lab*.trx 2>/dev/null && ! [ -s "$out/test/pester-lab.count.failed" ]; then
    failed=$((failed + 1))
    notes+=("Lab: ended with status $status")
  fi
}

run_demo() {
  mkdir -p "$out"
  need_pwsh
  start_lab_image
  build
  finish_lab_image
  if have pwsh; then
    say "Demo: the module in PowerShell"
    lab/lab run storage node1 node2 -- pwsh -NoProfile -NonInteractive -File "$root/demo/demo.ps1" -Module "$out/module/KdumpNfs"
  else
    say "Demo: the command line (there is no pwsh on PATH)"
    lab/lab run storage node1 node2 -- "$root/demo/demo.sh" "$out/cli/kdumpnfs"
  fi
}

# run_bench [long] [PART [ROW]]: all of it, with the long sweeps, or a part: engine, import, vmcore, fleet [sshd|light|status|change|latency|memory|first|interrupt].
run_bench() {
  build
  if [ "${1:-}" = long ]; then
    say "Fuzzing the readers of dumps: seven inputs, 150,000 damaged copies each (KDUMPNFS_FUZZ_SEED chooses others)"
    KDUMPNFS_FUZZ_ROUNDS=${KDUMPNFS_FUZZ_ROUNDS:-150000} dotnet test tests/Unit -c "$config" --no-build --nologo --filter "FullyQualifiedName~FuzzTests"
    need sshd openssh-server
    say "A change cut at ${KDUMPNFS_SWEEP:-500} places"
    KDUMPNFS_SWEEP=${KDUMPNFS_SWEEP:-500} dotnet test tests/Integration -c "$config" --no-build --nologo -p:WithSshNet="$sshnet" --filter "FullyQualifiedName~CutTests|FullyQualifiedName~RekeyTests" \
      --logger "console;verbosity=detailed"
    say "A fleet of ${KDUMPNFS_FLEET_HOSTS:-200} hosts on real sshd, one in twenty with each fault"
    KDUMPNFS_FLEET_HOSTS=${KDUMPNFS_FLEET_HOSTS:-200} dotnet test tests/Integration -c "$config" --no-build --nologo -p:WithSshNet="$sshnet" --filter "FullyQualifiedName~MixedFleetTests" \
      --logger "console;verbosity=detailed"
    need_asyncssh
    say "A fleet of ${KDUMPNFS_LIGHT_HOSTS:-2000} light hosts, one in twenty with each fault of a connection"
    KDUMPNFS_LIGHT_HOSTS=${KDUMPNFS_LIGHT_HOSTS:-2000} dotnet test tests/Integration -c "$config" --no-build --nologo -p:WithSshNet="$sshnet" --filter "FullyQualifiedName~LightMixedTests" \
      --logger "console;verbosity=detailed"
  fi
  # What other programs do to the same hosts is measured beside it, where they are there.
  need clush clustershell && need parallel-ssh pssh && need ansible-playbook ansible-core || true
  need_asyncssh
  compile build bench
  if [ "$sshnet" = true ]; then
    publish_ahead bench/Bare "$out/bare" KdumpNfs.Bare
    # And as somebody's own script would run: compiled as it starts.
    compile publish bench/Bare -p:AsScript=true -o "$out/script"
  fi
  end_compiler
  if [ "${1:-}" = long ]; then shift; fi
  dotnet run --project bench -c "$config" --no-build -p:WithSshNet="$sshnet" -- "$out/bench" "$@"
  say "Written: $(cd "$out" && ls bench/*.json | tr '\n' ' ')"
}
