# Which of some packages are missing and what installing them would do. Reads only. After packages.sh.
# Variables: packages (names with blanks between)
# shellcheck shell=sh disable=SC2154,SC2086
manager=$(package_manager)
kv package.manager "$manager"
missing=
for package in $packages; do
  version=$(has_package "$package")
  if [ -n "$version" ]; then
    kv package.has "$package $version"
  else
    missing="$missing $package"
  fi
done
if [ -n "$missing" ] && [ -n "$manager" ]; then
  kv package.simulated "$(simulate $missing)"
fi
