# The job of a change in an image tree: the file and nothing else. No service is touched, nothing is loaded.
# Variables: root (the tree), file (the file in it, as a path of this host), old_sha, new_data, stamp
# shellcheck shell=sh disable=SC2154
inside_tree "$root" "$file"
step "Writing $file"
mkdir -p -- "${tree_real%/*}"
replace_file "$file" "$old_sha" "$new_data" "$stamp"
step "Done"
