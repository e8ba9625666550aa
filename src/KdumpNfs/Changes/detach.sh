# Starts a job that outlives the connection, and follows it. stdin: the job's script.
# Variables: job_id, job_wait (seconds to follow), job_new (1: start it, 0: only follow), job_step (the step already told).
# A job is made in /run/kdumpnfs/new.PID and renamed to /run/kdumpnfs/job when it is whole (a tmpfs, root only): id, starter (the shell that starts it), script, run, pid (its
# own, there once it runs), log, step (what it does now), result (records; there when it ended).
# shellcheck shell=sh disable=SC2154
base=/run/kdumpnfs
job=$base/job

# Whether the job that is there runs, or may still begin.
job_lives() {
  pid=$(cat "$job/pid" 2>/dev/null)
  [ -n "$pid" ] && { [ -d "/proc/$pid" ]; return; }
  starter=$(cat "$job/starter" 2>/dev/null)
  [ -n "$starter" ] && [ -d "/proc/$starter" ] && return 0
  # Whoever started it has gone: it begins within a moment, or it never did, unless systemd has it in its queue.
  tries=0
  while [ $tries -lt 15 ]; do
    sleep 0.2
    tries=$((tries + 1))
    pid=$(cat "$job/pid" 2>/dev/null)
    [ -n "$pid" ] && { [ -d "/proc/$pid" ]; return; }
  done
  [ -d /run/systemd/system ] && systemctl show -p LoadState "kdumpnfs-$(cat "$job/id" 2>/dev/null).service" 2>/dev/null | grep -q '=loaded'
}

if [ "$(id -u)" != 0 ]; then
  kv job.state not-root
  exit 0
fi

# Another one than the first time: the host has rebooted meanwhile, and its tmpfs is empty.
kvline job.boot /proc/sys/kernel/random/boot_id

if [ "$job_new" = 1 ]; then
  mkdir -p -m 700 "$base" || exit 71
  umask 077
  # What was cut on its way here before.
  for old in "$base"/new.*; do
    [ ! -d "$old" ] || [ -d "/proc/${old##*.}" ] || rm -rf "$old"
  done
  new=$base/new.$$
  rm -rf "$new"
  mkdir -m 700 "$new" || exit 71
  printf '%s' "$job_id" >"$new/id"
  echo $$ >"$new/starter"
  # Whole or not at all: a script that was cut on its way must not run.
  cat >"$new/script" || exit 71
  # What came stays until the next change: it tells that nothing was begun.
  [ "$(tail -n 1 "$new/script")" = "# end of job $job_id" ] || exit 71
  cat >"$new/run" <<'RUN'
cd / || exit 1
umask 022
job=/run/kdumpnfs/job
# Another job may have taken the place of one that systemd had in its queue.
[ "$(cat $job/id)" = "$1" ] || exit 1
echo $$ >$job/pid
/bin/sh $job/script >>$job/log 2>&1 </dev/null 3>$job/result.new
rc=$?
[ $rc != 0 ] || [ ! -f $job/outdated ] || while IFS= read -r old; do rm -f -- "$old"; done <$job/outdated
printf 'job.exit %d\n%s\n' ${#rc} $rc >>$job/result.new
mv $job/result.new $job/result
RUN
  # A directory that is not empty is not replaced: one of two controllers wins.
  if ! mv -T "$new" "$job" 2>/dev/null; then
    if [ ! -f "$job/result" ] && job_lives; then
      rm -rf "$new"
      kv job.state busy
      kv job.other "$(cat "$job/id" 2>/dev/null)"
      kv job.step "$(cat "$job/step" 2>/dev/null)"
      exit 0
    fi
    # A job whose controller never read the result, or one that was killed: the plan has seen its traces.
    rm -rf "$job"
    mv -T "$new" "$job" || exit 71
  fi
  started=
  if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null 2>&1; then
    # --collect is missing in systemd 219 (EL7).
    systemd-run --quiet --collect --no-block --unit="kdumpnfs-$job_id" /bin/sh "$job/run" "$job_id" </dev/null >/dev/null 2>&1 && started=1
    [ -n "$started" ] || { systemd-run --quiet --no-block --unit="kdumpnfs-$job_id" /bin/sh "$job/run" "$job_id" </dev/null >/dev/null 2>&1 && started=1; }
  fi
  if [ -z "$started" ]; then
    setsid /bin/sh "$job/run" "$job_id" </dev/null >/dev/null 2>&1 &
  fi
fi

if [ "$(cat "$job/id" 2>/dev/null)" != "$job_id" ]; then
  # Where the connection broke while the script was on its way, nothing was begun.
  for old in "$base"/new.*; do
    [ "$(cat "$old/id" 2>/dev/null)" != "$job_id" ] || lost=$old
  done
  if [ -n "${lost:-}" ]; then
    rm -rf "$lost"
    kv job.state lost
  else
    kv job.state gone
  fi
  exit 0
fi

ticks=0
while [ ! -f "$job/result" ]; do
  now=$(cat "$job/step" 2>/dev/null)
  # A new step is worth a word to the admin at once; so is every tenth second.
  if [ -n "$now" ] && [ "$now" != "$job_step" ] && [ $ticks -gt 0 ]; then
    kv job.state running
    kv job.step "$now"
    exit 0
  fi
  if ! job_lives && [ ! -f "$job/result" ]; then
    if [ ! -f "$job/pid" ]; then
      rm -rf "$job"
      kv job.state lost
      exit 0
    fi
    kv job.state killed
    kv job.step "$now"
    kv job.log "$(tail -c 8000 "$job/log" 2>/dev/null)"
    exit 0
  fi
  ticks=$((ticks + 1))
  if [ $ticks -gt $((job_wait * 5)) ]; then
    kv job.state running
    kv job.step "$now"
    exit 0
  fi
  sleep 0.2
done
kv job.state done
kv job.log "$(tail -c 8000 "$job/log" 2>/dev/null)"
cat "$job/result"
