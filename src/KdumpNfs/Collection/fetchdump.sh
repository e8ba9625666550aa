# COUNT bytes of a file in a crash directory from OFFSET on, to stdout as they are; or, with COUNT=hash, its SHA-256.
# Variables: NAME (directory), DIRECTORY_ID, FILE, FILE_STAT (size, time, device and inode from the listing), OFFSET, COUNT.
# Exit statuses: 65 it is not the file that was listed, 66 the directory is not there, 67 not readable.
# shellcheck shell=sh disable=SC2154
enter_root >&2 || exit 66
enter "$NAME" && [ "$(stat -c %d:%i .)" = "$DIRECTORY_ID" ] || exit 66

same() {
  [ -f "./$FILE" ] && [ ! -L "./$FILE" ] && [ "$(stat -c '%s %.9Y %d:%i' "./$FILE")" = "$FILE_STAT" ]
}

same || exit 65
[ -r "./$FILE" ] || exit 67
# nofollow and nonblock: a link or a pipe may have taken its name just now.
case $COUNT in
  hash)
    dd if="./$FILE" bs=1048576 iflag=nofollow,nonblock status=none | sha256sum | cut -d ' ' -f 1
    same || exit 65
    ;;
  *) dd if="./$FILE" bs=1048576 iflag=skip_bytes,count_bytes,nofollow,nonblock skip="$OFFSET" count="$COUNT" status=none || exit 67 ;;
esac
