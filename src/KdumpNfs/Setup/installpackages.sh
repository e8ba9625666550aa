# The job that only installs packages. After packages.sh.
# Variables: missing (names, blanks between), refresh
# shellcheck shell=sh disable=SC2154,SC2086
install_missing $missing
step "Done"
