# The job of Enable-NfsExport: directories, /etc/exports, services, this one export. The table of live exports is not reloaded:
# entries that are in no file (a cluster's, exportfs -o by hand) stay.
# Variables: export_path dump_dir create_directory make_dump_dir write file old_sha old_data new_data client options stamp
# units_enable units_start (unit names, a blank between them) was_exported zone opens_now opens_later (services of firewalld)
# shellcheck shell=sh disable=SC2154,SC2086

step "Making directories"
if [ "$create_directory" = 1 ] && ! [ -d "$export_path" ]; then
  words=$(mkdir -p -- "$export_path" 2>&1) || fail WriteFailed "$words"
  result created "$export_path"
fi
[ -d "$export_path" ] || fail ExportPathMissing "$export_path is not a directory"
if [ "$make_dump_dir" = 1 ]; then
  # Dumps hold the memory of hosts: root only, whatever the umask was.
  words=$( (umask 077 && mkdir -p -- "$dump_dir" && chown 0:0 -- "$dump_dir" && chmod 0700 -- "$dump_dir") 2>&1) || fail WriteFailed "$words"
  result created "$dump_dir"
fi

put_back() {
  [ "$write" = 1 ] || return 0
  step "Bringing $file back"
  if [ -n "$old_sha" ]; then
    put_file "$file" "$old_data"
  else
    rm -f -- "$file"
  fi
  [ "$was_exported" = 1 ] || exportfs -u "$client:$export_path" 2>/dev/null
}

if [ "$write" = 1 ]; then
  step "Writing $file"
  replace_file "$file" "$old_sha" "$new_data" "$stamp"
fi

for unit in $units_enable; do
  step "Enabling $unit"
  words=$(systemctl enable "$unit" 2>&1) || { put_back; fail ExportFailed "$words"; }
  result enabled "$unit"
done
for unit in $units_start; do
  step "Starting $unit"
  words=$(systemctl start "$unit" 2>&1) || { words="$words
$(words_of "$unit")"; put_back; fail ExportFailed "$words"; }
  result started "$unit"
done

step "Exporting $export_path to $client"
words=$(exportfs -o "$options" "$client:$export_path" 2>&1) || { put_back; fail ExportFailed "$words"; }
# exportfs complains and still exits 0 when the path cannot be exported.
case $words in *"exportfs: "*"does not support NFS export"* | *"exportfs: Failed"*) put_back; fail ExportFailed "$words" ;; esac
result words "$words"
result live "$(exportfs -s 2>/dev/null || exportfs -v 2>/dev/null)"

# Last, so that nobody gets in before there is something to get.
for service in $opens_now; do
  step "Letting $service through the firewall"
  words=$(firewall-cmd --zone="$zone" --add-service="$service" 2>&1) || fail FirewallFailed "$words"
done
for service in $opens_later; do
  words=$(firewall-cmd --permanent --zone="$zone" --add-service="$service" 2>&1) || fail FirewallFailed "$words"
done
