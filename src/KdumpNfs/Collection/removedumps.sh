# Removes crash directories right under ROOT. Variable: LIST, a line for each: NAME, device:inode, SHA-256 of its entries as they were listed.
# A directory goes only if it is the one that was listed, nothing in it changed since, nobody holds it and it has nothing but regular files.
# Files are removed one by one from within the directory, the dump first, and the directory only when it is empty.
# shellcheck shell=sh disable=SC2154
enter_root || exit 0

remove() {
  enter "$1" || { echo notplain; return; }
  [ "$(stat -c %d:%i .)" = "$2" ] || { echo changed; return; }
  if held; then
    echo held
    return
  fi
  [ "$(entries | sha256sum | cut -d ' ' -f 1)" = "$3" ] || { echo changed; return; }
  for file in ./* ./.[!.]* ./..?*; do
    [ -e "$file" ] || [ -L "$file" ] || continue
    if [ ! -f "$file" ] || [ -L "$file" ]; then
      echo notplain
      return
    fi
  done
  # The dump first: what an interrupted removal leaves must not look like a dump.
  for file in ./vmcore* ./dump* ./* ./.[!.]* ./..?*; do
    [ -f "$file" ] || continue
    words=$(rm -f -- "$file" 2>&1) || { echo "failed $words"; return; }
  done
  # No link can be followed here: rmdir takes directories only.
  at_root || { echo "failed the dump root was moved"; return; }
  words=$(rmdir -- "./$1" 2>&1) || { echo "failed $words"; return; }
  echo removed
}

printf '%s\n' "$LIST" | while IFS=' ' read -r name id print; do
  [ -n "$name" ] || continue
  kv name "$name"
  kv "$name.outcome" "$(remove "$name" "$id" "$print" </dev/null)"
done
sync -f . 2>/dev/null
exit 0
