# The copies that changes left beside the configuration file. Appended to facts.sh or imagefacts.sh. Reads only.
# shellcheck shell=sh
for file in /etc/kdump.conf /etc/default/kdump-tools /etc/sysconfig/kdump; do
  [ -f "${image_root:-}$file" ] || continue
  real=$(readlink -f -- "${image_root:-}$file") || real=${image_root:-}$file
  number=0
  for backup in "$real".kdumpnfs-*.bak; do
    [ -f "$backup" ] || continue
    kv "backup.of.$number" "$file"
    kvfile "backup.$number" "$backup"
    number=$((number + 1))
  done
  # The first file that the host has is the one of its family (see facts.sh), unless another family's tools are there.
  [ "$number" = 0 ] || break
done
