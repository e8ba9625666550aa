# Starts a job that outlives the connection, and follows it. stdin: the job's script.
# Variables: job_id, job_wait (seconds to follow), job_new (1: start it, 0: only follow), job_step (the step already told).
# The job lives in /run/kdumpnfs/job (a tmpfs, root only): script, log, step (what it does now), result (records; there when it ended).
# shellcheck shell=sh disable=SC2154
base=/run/kdumpnfs
job=$base/job

if [ "$(id -u)" != 0 ]; then
  kv job.state not-root
  exit 0
fi

if [ "$job_new" = 1 ]; then
  mkdir -p -m 700 "$base" || exit 71
  if ! mkdir -m 700 "$job" 2>/dev/null; then
    pid=$(cat "$job/pid" 2>/dev/null)
    # Without a pid the other controller is just starting its job, unless that was a minute ago.
    if [ ! -f "$job/result" ] && { { [ -n "$pid" ] && [ -d "/proc/$pid" ]; } ||
      { [ -z "$pid" ] && [ $(($(date +%s) - $(stat -c %Y "$job"))) -lt 60 ]; }; }; then
      kv job.state busy
      kv job.other "$(cat "$job/id" 2>/dev/null)"
      kv job.step "$(cat "$job/step" 2>/dev/null)"
      exit 0
    fi
    # A job whose controller never read the result, or one that was killed: the plan has seen its traces.
    rm -rf "$job"
    mkdir -m 700 "$job" || exit 71
  fi
  umask 077
  printf '%s' "$job_id" >"$job/id"
  # Whole or not at all: a script that was cut on its way must not run.
  cat >"$job/script" || exit 71
  if [ "$(tail -n 1 "$job/script")" != "# end of job $job_id" ]; then
    rm -rf "$job"
    exit 71
  fi
  cat >"$job/run" <<'RUN'
cd / || exit 1
umask 022
job=/run/kdumpnfs/job
echo $$ >$job/pid
/bin/sh $job/script >>$job/log 2>&1 </dev/null 3>$job/result.new
rc=$?
[ $rc != 0 ] || [ ! -f $job/outdated ] || while IFS= read -r old; do rm -f -- "$old"; done <$job/outdated
printf 'job.exit %d\n%s\n' ${#rc} $rc >>$job/result.new
mv $job/result.new $job/result
RUN
  started=
  if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null 2>&1; then
    # --collect is missing in systemd 219 (EL7).
    systemd-run --quiet --collect --no-block --unit="kdumpnfs-$job_id" /bin/sh "$job/run" </dev/null >/dev/null 2>&1 && started=1
    [ -n "$started" ] || { systemd-run --quiet --no-block --unit="kdumpnfs-$job_id" /bin/sh "$job/run" </dev/null >/dev/null 2>&1 && started=1; }
  fi
  if [ -z "$started" ]; then
    setsid /bin/sh "$job/run" </dev/null >/dev/null 2>&1 &
  fi
fi

if [ "$(cat "$job/id" 2>/dev/null)" != "$job_id" ]; then
  kv job.state gone
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
  pid=$(cat "$job/pid" 2>/dev/null)
  if [ -n "$pid" ] && [ ! -d "/proc/$pid" ] && [ ! -f "$job/result" ]; then
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
