# Brings the running proxy to what the live set says. Every step compares before it changes, so that
# it may be repeated after an interruption at any point.

# Sends a command that answers nothing, or exactly the expected sentence, when it is done.
tell() { # COMMAND [EXPECTED]
  local answer
  answer="$(admin "$1")" || fail "$EXIT_NOT_RUNNING" "the proxy does not answer"
  answer="$(printf '%s' "$answer" | tr -s '\n')"
  answer="${answer#$'\n'}"
  if [[ $answer != "${2-}" ]]; then
    fail "$EXIT_RUNTIME" "the proxy refused a change: ${answer:-no answer}" "$1"
  fi
}

failed_reloads() { master "show proc" | sed -n 's/.*\[failed: \([0-9]*\)\].*/\1/p'; }

reload() { # NAME of the set before, or ""
  local wished deadline=$((SECONDS + 30)) failed_before failed
  wished="$(structure_of "$UNDERWAY_EDGE_LIVE")"
  failed_before="$(failed_reloads)" || fail "$EXIT_NOT_RUNNING" "the proxy's master does not answer"
  # Before 2.7 the answer just ends; later ones tell success, which is not to be trusted alone.
  master reload >"$work/reload" 2>&1 || true
  while ((SECONDS < deadline)); do
    failed="$(failed_reloads 2>/dev/null)" || failed=""
    if [[ -n $failed ]]; then
      if ((failed > failed_before)); then break; fi
      if [[ $(running_structure 2>/dev/null) == "$wished" ]]; then
        printf 'reloaded\n'
        return
      fi
    fi
    sleep 0.05
  done
  # The old workers serve on; the files go back to what those serve.
  if [[ -n $1 && -d $UNDERWAY_EDGE_DIR/sets/$1 ]]; then point_live_at "$1"; fi
  fail "$EXIT_RELOAD" "the proxy did not take the new configuration" "$(tail -n 20 "$work/reload")"
}

# The running map, changed key by key: each request sees the old value or the new one.
converge_routes() {
  local map="$UNDERWAY_EDGE_LIVE/routes.map" key value
  declare -A has=() wants=()
  while read -r _ key value; do
    if [[ -n ${value-} ]]; then has["$key"]="$value"; fi
  done < <(admin "show map $map")
  while read -r key value; do wants["$key"]="$value"; done <"$map"
  for key in "${!wants[@]}"; do
    if [[ -z ${has[$key]-} ]]; then
      tell "add map $map $key ${wants[$key]}"
    elif [[ ${has[$key]} != "${wants[$key]}" ]]; then
      tell "set map $map $key ${wants[$key]}"
    else
      continue
    fi
    printf 'route %s %s\n' "$key" "${wants[$key]}"
  done
  for key in "${!has[@]}"; do
    if [[ -z ${wants[$key]-} ]]; then
      tell "del map $map $key"
      printf 'unrouted %s\n' "$key"
    fi
  done
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
  local server started="$SECONDS"
  for server in "$@"; do tell "set server $server state maint"; done
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
converge_servers() { # more|less
  local server address weight options id
  declare -A has=() wants=()
  while read -r id address weight options; do
    has["$id"]="$address $weight $options"
  done < <(admin "show servers state" | awk '$1 ~ /^[0-9]+$/ && NF > 18 {
             print $2 "/" $4, $5 ":" $19, $8, $7 }')
  while read -r server address weight options; do
    wants["$server"]=1
    id="${has[$server]-}"
    if [[ -n $id && ${id%% *} != "$address" && $1 == more ]]; then
      delete_servers "$server"
      id=""
    fi
    if [[ -z $id ]]; then
      [[ $1 == less ]] || add_server "$server" "$address" "$weight" "$options"
      continue
    fi
    converge_server "$1" "$server" "$weight" "$id"
  done < <(wished_servers "$UNDERWAY_EDGE_LIVE")
  if [[ $1 == less ]]; then
    local -a gone=()
    for server in "${!has[@]}"; do
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
  if [[ $1 != "$(structure_of "$UNDERWAY_EDGE_LIVE")" ]]; then reload "$2"; fi
  converge_servers more
  converge_routes
  converge_servers less
}
