# Functions of scripts that work inside crash directories. Crashed hosts can write to the share at any moment: every step checks where it
# is, works relative to the directory that it entered, and follows no link. Variable: ROOT.
# shellcheck shell=sh disable=SC2015,SC2153,SC2154

# enter_root: into the dump root, as whoever named it meant it (its own path may have links).
enter_root() {
  [ -d "$ROOT" ] || { kv error missing; return 1; }
  cd -P -- "$ROOT" 2>/dev/null && [ -r . ] || { kv error denied; return 1; }
  stat --printf '' . 2>/dev/null || { kv error notools; return 1; }
  root=$(pwd -P)
  root_id=$(stat -c %d:%i .)
}

# at_root: back to the same directory.
at_root() {
  cd -P -- "$root" && [ "$(stat -c %d:%i .)" = "$root_id" ]
}

# enter NAME: into the directory of that name right under the root; fails on links and on what is not where it says.
enter() {
  case $1 in '' | . | .. | */* | -*) return 1 ;; esac
  at_root && [ ! -L "./$1" ] && [ -d "./$1" ] && cd -P "./$1" 2>/dev/null && [ "$(pwd -P)" = "${root%/}/$1" ]
}

# entries: mode (hex), size, time, device and inode, name of all that is in the directory that was entered, hidden things too.
entries() {
  printf '%s\0' ./* ./.[!.]* ./..?* | xargs -0 -r stat --printf '%f %s %.9Y %d:%i %n\0' 2>/dev/null
}

# held: somebody wants the directory kept. Whatever it is that has this name, it counts.
held() {
  [ -e ./.hold ] || [ -L ./.hold ]
}
