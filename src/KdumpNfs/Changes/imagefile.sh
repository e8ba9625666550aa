# The job of a change in an image tree: the file and nothing else. No service is touched, nothing is loaded.
# Variables: root (the tree), file (the file in it, as a path of this host), old_sha, new_data, stamp
# shellcheck shell=sh disable=SC2154
# Its directory may be missing.
real=$(readlink -m -- "$file")
top=$(readlink -f -- "$root")
# An absolute link in the tree means a place in the tree when its hosts follow it, and one of this host here.
case $real in
  "$top"/*) ;;
  *) fail WriteFailed "$file leads to ${real:-nowhere}, outside of the tree." ;;
esac
step "Writing $file"
mkdir -p -- "${real%/*}"
replace_file "$file" "$old_sha" "$new_data" "$stamp"
step "Done"
