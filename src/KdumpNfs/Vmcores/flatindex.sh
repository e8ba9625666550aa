# shellcheck shell=sh
# The chain of records of a flattened dump, walked where the file is: F the file, MAX the most records.
# A record is its place in the dump and its size, 64 bits each, big-endian, and its data; the last one is all ones.
# With perl, which nearly every server has, a record costs a seek; without, a process.
if command -v perl >/dev/null 2>&1; then
  # shellcheck disable=SC2016
  exec perl -e '
    my ($file, $max) = @ARGV;
    my ($at, $count, $end) = (4096, 0, "more");
    open(my $dump, "<", $file) or ($max, $end) = (0, "cut");
    binmode($dump) if $max;
    while ($count < $max) {
      my $head = "";
      if (!seek($dump, $at, 0) || (read($dump, $head, 16) || 0) != 16) { $end = "cut"; last; }
      my ($place_high, $place, $size_high, $size) = unpack("N4", $head);
      if ($head eq "\xff" x 16) { $end = "end"; last; }
      if ($place_high >> 28 || $size_high >> 28) { $end = "damaged"; last; }
      $at += 16;
      $size += $size_high * 4294967296;
      printf("%.0f %.0f %.0f\n", $place_high * 4294967296 + $place, $size, $at);
      $at += $size;
      $count++;
    }
    print "$end\n";' "$F" "$MAX"
fi
at=4096 count=0 end=more
while [ "$count" -lt "$MAX" ]; do
  # shellcheck disable=SC2046
  set -- $(od -An -v -tx1 -j "$at" -N 16 -- "$F" 2>/dev/null)
  if [ $# -ne 16 ]; then
    end="cut"
    break
  fi
  place=$1$2$3$4$5$6$7$8
  shift 8
  size=$1$2$3$4$5$6$7$8
  case $place$size in
    ffffffffffffffffffffffffffffffff)
      end=end
      break
      ;;
    # Negative numbers, and places that no dump reaches, which arithmetic of the shell could not hold either.
    [!0]* | ????????????????[!0]*)
      end=damaged
      break
      ;;
  esac
  at=$((at + 16))
  echo "$((0x$place)) $((0x$size)) $at"
  at=$((at + 0x$size))
  count=$((count + 1))
done
echo "$end"
