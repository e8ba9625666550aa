#!/bin/sh
# kdumpnfs-receive DIRECTORY: what a dump key may do on this server. authorized_keys names it as the command of a host's key, so that
# whoever has the key can add dumps below DIRECTORY, and can neither read nor remove one, nor run anything else. (scp's own protocols,
# by which kdump sends its logs, could still overwrite a file of the account.)
# It serves what the capture kernels and the tools of kdump ask for: kdump-utils (kdump.sh, mkdumprd, kdumpctl) mkdir -p, dd of=, mv, df,
# mktemp and rmdir, the status of a test, scp; kdump-tools mkdir -p, dd of=, mv, scp; SUSE's kdump-save mkdir -p and cat in one line.
# Set-KdumpSshTarget installs it.
# shellcheck shell=sh
set -f
umask 077
PATH=/usr/bin:/bin
export PATH
root=$1
asked=${SSH_ORIGINAL_COMMAND-}

refuse() {
  echo "kdumpnfs-receive: $1" >&2
  exit 126
}

# Only signs that these commands consist of: no line feed, no other quote, no expansion.
case $asked in
  *[!A-Za-z0-9._:/@+=%,\;\>\&\'\ -]*) refuse "the command has signs that no dump needs" ;;
esac
# The quotes around names are for a shell; there are no blanks in them, and no shell reads them here.
# shellcheck disable=SC2046
set -- $(printf '%s\n' "$asked" | tr -d "'")

# below PATH: ends it unless the path lies below the directory.
below() {
  case $1/ in
    */../* | */./*) refuse "$1 goes up" ;;
    "$root"/*) ;;
    *) refuse "$1 is not below $root" ;;
  esac
}

# fresh PATH: ends it when something is there that must not be replaced.
fresh() {
  below "$1"
  if [ -L "$1" ]; then
    refuse "$1 is a link"
  fi
  case ${1##*/} in
    # README.txt is SUSE's, written before the dump and again after it.
    *incomplete* | .kdumpnfs-probe-* | README.txt) ;;
    *) [ ! -e "$1" ] || refuse "$1 exists" ;;
  esac
}

if [ "$1 $2 $3 $4 $6 $7 $8.$#" = "umask 077; mkdir -p && cat >.9" ]; then
  below "$5"
  fresh "$9"
  mkdir -p -- "$5" && exec cat >"$9"
  exit 1
fi
if [ "$1 $2 $3" = "umask 0077 &&" ]; then
  shift 3
fi
case $1.$# in
  mkdir.3)
    [ "$2" = -p ] || refuse "mkdir $2"
    below "$3"
    exec mkdir -p -- "$3"
    ;;
  dd.2)
    fresh "${2#of=}"
    exec dd "of=${2#of=}"
    ;;
  dd.3)
    [ "$2" = bs=512 ] || refuse "dd $2"
    fresh "${3#of=}"
    exec dd bs=512 "of=${3#of=}"
    ;;
  mv.3)
    # Only what is being written gets its final name.
    case ${2##*/} in
      *incomplete* | .kdumpnfs-probe-*) ;;
      *) refuse "$2 is not a file that is being written" ;;
    esac
    below "$2"
    fresh "$3"
    [ ! -d "$3" ] || refuse "$3 is a directory"
    exec mv -- "$2" "$3"
    ;;
  rm.3)
    case $2${3##*/} in -f.kdumpnfs-probe-*) ;; *) refuse "rm $3" ;; esac
    below "$3"
    exec rm -f -- "$3"
    ;;
  df.3)
    [ "$2" = --output=avail ] || refuse "df $2"
    below "$3"
    exec df --output=avail -- "$3"
    ;;
  mktemp.3)
    [ "$2" = -dqp ] || refuse "mktemp $2"
    below "$3"
    exec mktemp -dqp "$3"
    ;;
  rmdir.2)
    below "$2"
    exec rmdir -- "$2"
    ;;
  echo.5)
    # The result of a test of kdumpctl: "echo success kdump_test_id=1 > PATH".
    case "$2 $3 $4 ${5##*/}" in
      "success kdump_test_id="*" > vmcore-creation.status" | "fail kdump_test_id="*" > vmcore-creation.status") ;;
      *) refuse "echo" ;;
    esac
    below "$5"
    [ ! -L "$5" ] || refuse "$5 is a link"
    echo "$2 $3" >"$5"
    exit
    ;;
esac

case $1 in
  scp)
    # The old protocol, to receive: scp [-q] [-p] -t PATH. It may not be told to send (-f) or to go deeper (-r).
    while [ $# -gt 3 ]; do
      case $2 in -q | -p | -v) ;; *) refuse "scp $2" ;; esac
      program=$1
      shift 2
      set -- "$program" "$@"
    done
    [ "$1 $2.$#" = "scp -t.3" ] || refuse "scp $2"
    below "$3"
    # A directory, or a new file: the protocol names what comes into a directory itself.
    [ -d "$3" ] || fresh "$3"
    exec scp -t -- "$3"
    ;;
  internal-sftp | */sftp-server)
    # The protocol of today's scp. The server that is installed, whatever was asked for; nothing can be read, listed, removed or renamed.
    # It writes wherever the account may: not to the file that says what the key may do.
    if [ -w "$HOME" ] || [ -w "$HOME/.ssh" ]; then
      refuse "no files over sftp: $HOME is writable for this account"
    fi
    for server in /usr/lib/openssh/sftp-server /usr/libexec/openssh/sftp-server /usr/lib/ssh/sftp-server /usr/libexec/ssh/sftp-server /usr/libexec/sftp-server; do
      if [ -x "$server" ]; then
        exec "$server" -d "$root" -P read,opendir,readdir,readlink,remove,rmdir,rename,posix-rename,symlink,hardlink,copy-data
      fi
    done
    refuse "there is no sftp-server here"
    ;;
esac
refuse "'$1' is nothing that a dump needs"
