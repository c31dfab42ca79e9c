# What the parts of a backup share: where things are, the lease, time that only grows.
BACKUP_RUN="${UNDERWAY_BACKUP_RUN:-/run/underway/backup}"
BACKUP_JOBS="$BACKUP_RUN/jobs"
BACKUP_SECRETS="$BACKUP_RUN/secrets"

uptime_s() { local up; read -r up _ </proc/uptime && printf '%s\n' "${up%.*}"; }

# Milliseconds of the same clock.
uptime_ms() { local up; read -r up _ </proc/uptime && printf '%s\n' "$((10#${up/./} * 10))"; }

renew_lease() {
  uptime_s >"$BACKUP_RUN/lease.$$" && mv -f -- "$BACKUP_RUN/lease.$$" "$BACKUP_RUN/lease"
}

# Asks every job to end, waits for it a while, and ends this process.
end_jobs() {
  local pid file end=$((SECONDS + 8))
  for file in "$BACKUP_JOBS"/*/pid; do
    if [[ -e $file ]]; then kill -TERM -- "-$(<"$file")" 2>/dev/null; fi
  done
  for file in "$BACKUP_JOBS"/*/pid; do
    while [[ -e $file ]] && kill -0 -- "-$(<"$file")" 2>/dev/null && ((SECONDS < end)); do
      sleep 0.1
    done
  done
  exit 0
}

# What the store's program reads: passwords and credentials stand in files of this container's
# memory, one per variable, and in no argument.
use_store() {
  local file
  for file in "$BACKUP_SECRETS"/env/*; do
    if [[ -e $file ]]; then export "${file##*/}=$(<"$file")"; fi
  done
  export RESTIC_REPOSITORY_FILE="$BACKUP_SECRETS/repository"
  export RESTIC_PASSWORD_FILE="$BACKUP_SECRETS/password"
  export RESTIC_CACHE_DIR="${UNDERWAY_BACKUP_CACHE:-/cache}" RESTIC_PROGRESS_FPS=2
}
