# What the edge's scripts share: where things stand, how the proxy is asked, what a set is.
#
# A *set* is everything the proxy reads, in one directory: `haproxy/*.cfg`, `routes.map`, and beside
# them `routes/APP:SERVICE` and `runs/APP`. `live` is a symbolic link to the current set; a change is
# a new set, checked whole, and one rename of the link. What must be equal for the running proxy to
# take a change without a reload is its *structure*: all configuration except the lines of servers.
# The proxy carries the digest of its structure as its description.
#
# Two containers may share the volume while one succeeds the other: each has its sockets in
# `run/SELF`, `current` names the one that serves, and `left/SELF` marks one that never will again.

export LC_ALL=C
export UNDERWAY_EDGE_DIR="${UNDERWAY_EDGE_DIR:-/edge}"
export UNDERWAY_EDGE_LIVE="$UNDERWAY_EDGE_DIR/live"
readonly HAPROXY="${UNDERWAY_EDGE_HAPROXY:-haproxy}"
# The container's own id, from the files that the engine binds into it: nothing else is its own and
# outlives a restart.
SELF="${UNDERWAY_EDGE_SELF:-$(sed -n 's|.*/containers/\([0-9a-f]\{12\}\)[0-9a-f]\{52\}/.*|\1|p;T;q' \
  /proc/self/mountinfo)}"
readonly SELF="${SELF:-proxy}" CURRENT="$UNDERWAY_EDGE_DIR/current"
readonly RUNS="$UNDERWAY_EDGE_DIR/run" LEFT="$UNDERWAY_EDGE_DIR/left"
export UNDERWAY_EDGE_RUN="$RUNS/$SELF"
readonly ADMIN="$UNDERWAY_EDGE_RUN/admin.sock" MASTER="$UNDERWAY_EDGE_RUN/master.sock"
readonly EXIT_BUNDLE=20 EXIT_NEWER_RUN=21 EXIT_HOST_TAKEN=22 EXIT_INVALID=23 EXIT_RELOAD=24
readonly EXIT_RUNTIME=25 EXIT_BUSY=26 EXIT_NOT_RUNNING=27 EXIT_IN_USE=28
readonly EXIT_SUCCEEDED=29 EXIT_STAYED=30
if [[ -s /proc/net/if_inet6 ]]; then export UNDERWAY_EDGE_IPV6=1; fi

set -E
trap 'printf "%s: line %s: %s\n" "${BASH_SOURCE[0]##*/}" "$LINENO" "$BASH_COMMAND" >&2' ERR

fail() {
  local code="$1"
  shift
  printf '%s\n' "$@" >&2
  exit "$code"
}

# Both close their half after the command: the answer ends when the proxy closes the other.
admin() { printf '%s\n' "$1" | socat -t 30 - "UNIX-CONNECT:$ADMIN"; }
master() { printf '%s\n' "$1" | socat -t 30 - "UNIX-CONNECT:${2:-$MASTER}"; }

take_lock() {
  exec 9>"$UNDERWAY_EDGE_DIR/lock"
  flock -w "${UNDERWAY_EDGE_LOCK_WAIT_S:-20}" 9 ||
    fail "$EXIT_BUSY" "another change of this edge holds its lock"
}

current_proxy() { cat -- "$CURRENT" 2>/dev/null || true; }

# Whether a container's proxy, or what makes it ready, is alive: its watcher holds this lock.
is_alive() { # SELF
  [[ -e $RUNS/$1/alive ]] && ! flock -n "$RUNS/$1/alive" true
}

# Only one container speaks for the edge.
require_current() {
  local current
  current="$(current_proxy)"
  if [[ -n $current && $current != "$SELF" ]]; then
    fail "$EXIT_SUCCEEDED" "another container speaks for this edge: $current"
  fi
}

structure_of() { # SET
  (cd "$1/haproxy" && find . -name '*.cfg' ! -name 01-global.cfg -print0 | sort -z |
    xargs -0 grep -hv '^    server ' -- | sha256sum | cut -d ' ' -f 1)
}

# The digest of a complete set's structure, as `complete_set` wrote it.
described_structure() { # SET
  local key value
  while read -r key value; do
    if [[ $key == description ]]; then printf '%s\n' "${value#underway-}"; fi
  done <"$1/haproxy/01-global.cfg"
}

# A container that has just been started runs before its proxy answers.
await_proxy() {
  local deadline=$((SECONDS + ${UNDERWAY_EDGE_START_S:-15}))
  until [[ -e $UNDERWAY_EDGE_LIVE ]] && admin "show info" >/dev/null 2>&1; do
    if ((SECONDS >= deadline)); then return; fi
    sleep 0.1
  done
}

running_structure() { admin "show info" | sed -n 's/^description: underway-//p'; }

# Servers as the files of a set name them: "BACKEND/NAME ADDRESS:PORT WEIGHT OPTIONS...".
wished_servers() { # SET
  cat -- "$1"/haproxy/*.cfg | awk '
    $1 == "backend" { backend = $2 }
    $1 == "server" { printf "%s/%s %s %s", backend, $2, $3, $5
                     for (i = 6; i <= NF; i++) printf " %s", $i; print "" }'
}

# The live set copied, to be changed and then taken by `install_set`.
new_set() {
  local next="$UNDERWAY_EDGE_DIR/sets/next"
  rm -rf -- "$next"
  mkdir -p -- "$next/haproxy" "$next/routes" "$next/runs"
  if [[ -e $UNDERWAY_EDGE_LIVE ]]; then cp -a -- "$UNDERWAY_EDGE_LIVE/." "$next/"; fi
  printf '%s\n' "$next"
}

# Writes what follows from the rest of a set: the map, sorted so that longer prefixes come first, and
# the structure's digest with the time an old worker may live (no shorter than any tunnel promised).
complete_set() { # SET
  local set="$1" longest
  find "$set/routes" -type f -exec cat -- {} + | sort -r >"$set/routes.map"
  rm -f -- "$set/haproxy/01-global.cfg"
  longest="$(cat -- "$set"/haproxy/*.cfg |
    awk '$1 == "timeout" && ($2 == "tunnel" || $2 == "server") { t = $3 + 0; if (t > m) m = t }
         END { printf "%d", m / 1000 + 60 }')"
  if ((longest < 3600)); then longest=3600; fi
  printf 'global\n    description underway-%s\n    hard-stop-after %ds\n' \
    "$(structure_of "$set")" "$longest" >"$set/.global"
  mv -- "$set/.global" "$set/haproxy/01-global.cfg"
}

# Says nothing and succeeds, or prints why the proxy would not take the set.
check_set() { # SET
  local set="$1" backend output
  while read -r _ backend; do
    if ! grep -qxF -- "backend $backend from underway" "$set"/haproxy/*.cfg -h; then
      printf 'a route names %s, which no file defines\n' "$backend"
      return 1
    fi
  done <"$set/routes.map"
  if ! output="$(UNDERWAY_EDGE_LIVE="$set" "$HAPROXY" -c -f "$set/haproxy" 2>&1)"; then
    printf '%s\n' "${output//"$set/haproxy/"/}"
    return 1
  fi
}

point_live_at() { # NAME of a set
  ln -sfn -- "sets/$1" "$UNDERWAY_EDGE_DIR/live.next"
  mv -fT -- "$UNDERWAY_EDGE_DIR/live.next" "$UNDERWAY_EDGE_LIVE"
  sync -- "$UNDERWAY_EDGE_DIR"
}

# Puts `sets/next` in place, durable before it counts; prints the name of the set it replaced. A few
# older ones stay for those who still read them.
install_set() {
  local sets="$UNDERWAY_EDGE_DIR/sets" before="" number=0 old
  if [[ -e $UNDERWAY_EDGE_LIVE ]]; then
    before="$(basename -- "$(readlink -- "$UNDERWAY_EDGE_LIVE")")"
    number="$before"
  fi
  rm -rf -- "${sets:?}/$((number + 1))"
  find "$sets/next" -exec sync -- {} +
  mv -T -- "$sets/next" "$sets/$((number + 1))"
  sync -- "$sets"
  point_live_at "$((number + 1))"
  for old in "$sets"/*; do
    if [[ ! ${old##*/} =~ ^[0-9]+$ ]] || ((${old##*/} < number - 4 || ${old##*/} > number + 1)); then
      rm -rf -- "$old"
    fi
  done
  printf '%s\n' "$before"
}
