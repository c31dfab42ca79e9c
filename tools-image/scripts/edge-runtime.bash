# Brings the running proxy to what the live set says. Every step compares before it changes, so that
# it may be repeated after an interruption at any point.

# Less than the 16 KiB that the proxy reads as one question.
readonly MOST_AT_ONCE=8000

# Commands that answer nothing, or exactly the expected sentence, when they are done. They are queued
# and sent together: each question to the proxy costs a process here.
commands="" expected=""
tell() { # COMMAND [EXPECTED]
  if ((${#commands} + ${#1} > MOST_AT_ONCE)); then send; fi
  commands+="${commands:+;}$1"
  expected+="${2:+$2$'\n'}"
}

# Sends what is queued and compares the answers.
send() {
  local answer line wanted="$expected" asked="$commands"
  if [[ -z $commands ]]; then return; fi
  commands="" expected=""
  answer="$(admin "$asked")" || fail "$EXIT_NOT_RUNNING" "the proxy does not answer"
  while read -r line; do
    if [[ -z $line ]]; then continue; fi
    if [[ -z $wanted || $line != "${wanted%%$'\n'*}" ]]; then
      fail "$EXIT_RUNTIME" "the proxy refused a change: $line" "${asked//;/$'\n'}"
    fi
    wanted="${wanted#*$'\n'}"
  done <<<"$answer"
  if [[ -n $wanted ]]; then
    fail "$EXIT_RUNTIME" "the proxy refused a change: no answer" "${asked//;/$'\n'}"
  fi
}

failed_reloads() { master "show proc" | sed -n 's/.*\[failed: \([0-9]*\)\].*/\1/p'; }

reload() { # WISHED STRUCTURE, NAME of the set before, or ""
  local deadline=$((SECONDS + 30)) failed_before failed
  failed_before="$(failed_reloads)" || fail "$EXIT_NOT_RUNNING" "the proxy's master does not answer"
  # Before 2.7 the answer just ends; later ones tell success, which is not to be trusted alone.
  master reload >"$work/reload" 2>&1 || true
  while ((SECONDS < deadline)); do
    failed="$(failed_reloads 2>/dev/null)" || failed=""
    if [[ -n $failed ]]; then
      if ((failed > failed_before)); then break; fi
      if [[ $(running_structure 2>/dev/null) == "$1" ]]; then
        printf 'reloaded\n'
        return
      fi
    fi
    sleep 0.05
  done
  # The old workers serve on; the files go back to what those serve.
  if [[ -n $2 && -d $UNDERWAY_EDGE_DIR/sets/$2 ]]; then point_live_at "$2"; fi
  fail "$EXIT_RELOAD" "the proxy did not take the new configuration" "$(tail -n 20 "$work/reload")"
}

declare -A running_servers=() running_routes=()
declare -a wished=()

# What runs and what shall run, asked once. A server stands as "ADDRESS:PORT WEIGHT ADMIN-STATE".
look() {
  local -a words
  local answer answers=0
  answer="$(admin "show servers state;show map $UNDERWAY_EDGE_LIVE/routes.map" && printf .)" ||
    fail "$EXIT_NOT_RUNNING" "the proxy does not answer"
  while read -r -a words; do
    if [[ ${#words[@]} -gt 18 && ${words[0]} =~ ^[0-9]+$ ]]; then
      running_servers["${words[1]}/${words[3]}"]="${words[4]}:${words[18]} ${words[7]} ${words[6]}"
    elif [[ ${#words[@]} -eq 3 && ${words[0]} == 0x* ]]; then
      running_routes["${words[1]}"]="${words[2]}"
    elif ((${#words[@]} == 0)); then
      answers=$((answers + 1))
    fi
  done <<<"$answer"
  # Each ends with an empty line: one that was cut off tells of too little.
  ((answers == 2)) || fail "$EXIT_NOT_RUNNING" "the proxy ended while it answered"
  mapfile -t wished < <(wished_servers "$UNDERWAY_EDGE_LIVE")
}

# The running map, changed key by key: each request sees the old value or the new one.
converge_routes() {
  local map="$UNDERWAY_EDGE_LIVE/routes.map" key value
  declare -A wants=()
  while read -r key value; do wants["$key"]="$value"; done <"$map"
  for key in "${!wants[@]}"; do
    if [[ -z ${running_routes[$key]-} ]]; then
      tell "add map $map $key ${wants[$key]}"
    elif [[ ${running_routes[$key]} != "${wants[$key]}" ]]; then
      tell "set map $map $key ${wants[$key]}"
    else
      continue
    fi
    printf 'route %s %s\n' "$key" "${wants[$key]}"
  done
  for key in "${!running_routes[@]}"; do
    if [[ -z ${wants[$key]-} ]]; then
      tell "del map $map $key"
      printf 'unrouted %s\n' "$key"
    fi
  done
  send
}

# A server is added without weight: it is checked, and gets no request before it is told to.
add_server() { # SERVER ADDRESS WEIGHT OPTIONS
  tell "add server $1 $2 weight $3 $4" "New server registered."
  if [[ " $4 " == *" check "* ]]; then tell "enable health $1"; fi
  tell "set server $1 state ready"
  printf 'added %s\n' "$1"
}

# A server goes when it has no session left; what is still there after a while belongs to a replica
# that is gone or was given up, and is cut. All of them wait together. Where even that does not end
# (half a request that a lost host never acknowledges), the server stays in maintenance: it takes
# nothing, no file names it, `edge-state` does not tell it, and it is removed when it can be, by a
# process that stays for that or by the next change.
delete_servers() { # SERVER...
  local server started="$SECONDS" asked="" answer
  if (($# == 0)); then return; fi
  for server in "$@"; do
    tell "set server $server state maint"
    asked+="${asked:+;}del server $server"
  done
  send
  if ((${#asked} <= MOST_AT_ONCE)); then
    # Mostly all of them can go at once; what cannot is asked about one by one.
    answer="$(admin "$asked" | grep -cxF -e "Server deleted." -e "No such server.")" || true
    if [[ $answer == "$#" ]]; then
      printf 'deleted %s\n' "$@"
      return
    fi
  fi
  for server in "$@"; do delete_server "$server" "$started"; done
}

delete_server() { # SERVER, SECONDS when the waiting began
  local answer is_cut="" linger="${UNDERWAY_EDGE_LINGER_S:-5}"
  while :; do
    answer="$(admin "del server $1")"
    if [[ $answer == *"Server deleted."* || $answer == *"No such server."* ]]; then break; fi
    if [[ $answer != *"connections attached"* ]] && ((SECONDS - $2 >= linger + 10)); then
      fail "$EXIT_RUNTIME" "$1 cannot be removed: $answer"
    fi
    if [[ -n $is_cut && $answer == *"connections attached"* ]] && ((SECONDS - $2 >= linger + 3)); then
      printf 'lingers %s\n' "$1"
      delete_later "$1" &
      return
    fi
    if [[ -z $is_cut ]] && ((SECONDS - $2 >= linger)); then
      admin "shutdown sessions server $1" >/dev/null
      is_cut=yes
      printf 'cut %s\n' "$1"
    fi
    sleep 0.05
  done
  printf 'deleted %s\n' "$1"
}

# Holds neither the lock nor the output. A server that was taken into use again is refused.
delete_later() { # SERVER
  exec 9>&- </dev/null >/dev/null 2>&1
  local end=$((SECONDS + 300))
  while ((SECONDS < end)); do
    sleep 2
    if [[ $(admin "del server $1") != *"connections attached"* ]]; then return; fi
  done
}

# New and ready servers first, then routes, then what gets less: capacity never dips in between.
# What got more, or is new, has nothing to give up afterwards.
converge_servers() { # more|less
  local server address weight options seen line
  declare -A wants=()
  for line in "${wished[@]}"; do
    read -r server address weight options <<<"$line"
    wants["$server"]=1
    seen="${running_servers[$server]-}"
    if [[ -n $seen && ${seen%% *} != "$address" && $1 == more ]]; then
      delete_servers "$server"
      unset "running_servers[$server]"
      seen=""
    fi
    if [[ -n $seen ]]; then
      converge_server "$1" "$server" "$weight" "$seen"
    elif [[ $1 == more ]]; then
      add_server "$server" "$address" "$weight" "$options"
    fi
  done
  send
  if [[ $1 == less ]]; then
    local -a gone=()
    for server in "${!running_servers[@]}"; do
      if [[ -z ${wants[$server]-} && $server == uw:* ]]; then gone+=("$server"); fi
    done
    delete_servers "${gone[@]}"
  fi
}

converge_server() { # more|less SERVER WEIGHT "ADDRESS:PORT WEIGHT ADMIN-STATE" as seen
  local seen_weight seen_admin
  read -r _ seen_weight seen_admin <<<"$4"
  if [[ $1 == more ]] && ((seen_admin != 0)); then
    tell "set server $2 state ready"
    printf 'enabled %s\n' "$2"
  fi
  if [[ ($1 == more && $3 -gt $seen_weight) || ($1 == less && $3 -lt $seen_weight) ]]; then
    tell "set server $2 weight $3"
    printf 'weight %s %s\n' "$3" "$2"
  fi
}

converge() { # RUNNING STRUCTURE, NAME of the set before or ""
  local wished_structure
  wished_structure="$(described_structure "$UNDERWAY_EDGE_LIVE")"
  if [[ $1 != "$wished_structure" ]]; then reload "$wished_structure" "$2"; fi
  look
  converge_servers more
  converge_routes
  converge_servers less
}
