# The job of Enable-Sysrq: our drop-in (or only this boot), then only our file is applied: `sysctl --system` would undo what was
# tuned at run time. Variables: write file old_sha old_data new_data stamp mask
# shellcheck shell=sh disable=SC2154
if [ "$write" = 1 ]; then
  step "Writing $file"
  mkdir -p -- "${file%/*}"
  replace_file "$file" "$old_sha" "$new_data" "$stamp"
fi
step "Setting kernel.sysrq to $mask"
words=$( (echo "$mask" >/proc/sys/kernel/sysrq) 2>&1) || fail SysrqFailed "$words"
result value "$(cat /proc/sys/kernel/sysrq)"
