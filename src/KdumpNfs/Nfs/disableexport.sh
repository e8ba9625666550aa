# The job of Disable-NfsExport: one client out of the files, then out of the table of live exports. Nothing else is reloaded, no
# directory and no dump is touched.
# Variables: export_path client live (1: it is in the table) stamp, files (how many), file_N, sha_N, old_N, new_N, empty_N (1: ours, and
# nothing is left in it)
# shellcheck shell=sh disable=SC2154
each() {
  number=1
  while [ "$number" -le "$2" ]; do
    eval "path=\$file_$number hash=\$sha_$number before=\$old_$number after=\$new_$number empty=\$empty_$number"
    "$1" || return 1
    number=$((number + 1))
  done
}
write_one() {
  step "Writing $path"
  (replace_file "$path" "$hash" "$after" "$stamp") || return 1
  [ "$empty" != 1 ] || rm -f -- "$path"
}
bring_back() {
  [ "$(sha "$path")" = "$hash" ] || put_file "$path" "$before"
}

if ! each write_one "$files"; then
  each bring_back $((number - 1))
  exit 1
fi
if [ "$live" = 1 ]; then
  step "Taking $export_path from $client"
  words=$(exportfs -u "$client:$export_path" 2>&1)
  # exportfs complains and still exits 0.
  case $words in *exportfs:*)
    each bring_back "$files"
    fail ExportFailed "$words"
    ;;
  esac
fi
result live "$(exportfs -s 2>/dev/null || exportfs -v 2>/dev/null)"
