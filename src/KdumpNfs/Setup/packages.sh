# Functions about packages, for facts and jobs. Output in English (common.sh sets the locale), so that it can be read.
# shellcheck shell=sh disable=SC2154

# The family's program, the one that administrators use first.
package_manager() {
  for name in apt-get dnf yum zypper; do
    if command -v "$name" >/dev/null 2>&1; then
      printf '%s' "$name"
      return 0
    fi
  done
  return 1
}

# has_package NAME: version of an installed package.
has_package() {
  if command -v dpkg-query >/dev/null 2>&1; then
    # shellcheck disable=SC2016
    dpkg-query -W -f '${db:Status-Status} ${Version}\n' "$1" 2>/dev/null | sed -n 's/^installed //p'
  else
    rpm -q --qf '%{VERSION}-%{RELEASE}\n' "$1" 2>/dev/null | grep -v ' '
  fi
}

# simulate NAME...: what installing would do; nothing is changed and nothing fetched but lists that are there.
simulate() {
  case $manager in
    apt-get) apt-get -s -y -o Debug::NoLocking=1 --no-install-recommends install "$@" 2>&1 ;;
    dnf | yum) "$manager" --assumeno --setopt=install_weak_deps=False install "$@" 2>&1 ;;
    zypper) zypper --non-interactive --no-refresh install --dry-run --no-recommends "$@" 2>&1 ;;
  esac
}

# touches_others: whether what simulate said (on stdin) upgrades, downgrades or removes anything; those lines.
touches_others() {
  case $manager in
    apt-get) grep -E '^(Inst [^ ]+ \[|Remv |Purg )' ;;
    dnf | yum) grep -E '^(Upgrading|Updating|Downgrading|Removing|Reinstalling|Replacing)([ :]|$)' ;;
    zypper) grep -E 'going to be (upgraded|downgraded|REMOVED|reinstalled)|going to change (vendor|architecture)' ;;
  esac
}

refresh_lists() {
  case $manager in
    apt-get) apt-get -q -o DPkg::Lock::Timeout=120 update 2>&1 ;;
    dnf | yum) "$manager" -q makecache 2>&1 ;;
    zypper) zypper --non-interactive refresh 2>&1 ;;
  esac
}

# install_packages NAME...: as simulated. Configuration files that are there stay, no question is asked, no other service restarts.
install_packages() {
  case $manager in
    apt-get)
      DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 UCF_FORCE_CONFFOLD=1 apt-get -y -q --no-install-recommends --no-remove \
        -o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold install "$@" 2>&1 </dev/null
      ;;
    dnf | yum) "$manager" -y -q --setopt=install_weak_deps=False install "$@" 2>&1 </dev/null ;;
    zypper) zypper --non-interactive --no-refresh install --no-recommends "$@" 2>&1 </dev/null ;;
  esac
}

# install_missing NAME...: the whole way, with refusals; records of what came. Needs refresh (1: fetch the lists first).
install_missing() {
  manager=$(package_manager) || fail NotSupported "there is no apt-get, dnf, yum or zypper"
  if [ "$refresh" = 1 ]; then
    step "Fetching package lists"
    words=$(refresh_lists) || fail PackagesNotAvailable "$words"
  fi
  step "Looking what installing $* would change"
  simulated=$(simulate "$@")
  others=$(printf '%s\n' "$simulated" | touches_others)
  [ -z "$others" ] || fail WouldChangePackages "$others"
  step "Installing $*"
  words=$(install_packages "$@") || fail InstallFailed "$words"
  printf '%s\n' "$words"
  for package; do
    version=$(has_package "$package")
    [ -n "$version" ] || fail InstallFailed "$package is not there after the installation.
$words"
    result installed "$package $version"
  done
}
