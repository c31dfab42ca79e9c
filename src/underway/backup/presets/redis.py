"""Redis and Valkey: a snapshot that the server sends, put in place before a server starts."""

from typing import Final

from underway.backup.presets.preset import Preset, Stream, shell

_CLIENT: Final = r"""
set -eu
kind=redis
if command -v valkey-cli >/dev/null; then kind=valkey; fi
file="${REDIS_PASSWORD_FILE:-${VALKEY_PASSWORD_FILE:-}}"
word="${REDISCLI_AUTH:-${REDIS_PASSWORD:-${VALKEY_PASSWORD:-}}}"
if [ -z "$word" ] && [ -n "$file" ] && [ -r "$file" ]; then word="$(cat "$file")"; fi
if [ -n "$word" ]; then export REDISCLI_AUTH="$word"; fi
"""
# Where the server looks for its data, and whether it reads its log of writes instead of snapshots.
_SETTINGS: Final = r"""
tab="$(printf '\t')"
for name in dir dbfilename appendonly appendfilename appenddirname; do
  value="$("$kind-cli" -p "${REDIS_PORT:-6379}" --raw config get "$name" | sed -n 2p)"
  printf '%s%s%s\n' "$name" "$tab" "$value"
done
"""
_DUMP: Final = 'exec "$kind-cli" -p "${REDIS_PORT:-6379}" --rdb -'
_KEPT: Final = r"""
kept=/dev/shm/underway-redis
setting() { sed -n "s/^$1$(printf '\t')//p" "$kept" | grep . || printf '%s\n' "$2"; }
if [ -e "$kept" ]; then
  dir="$(setting dir "$PWD")"
  snapshot="$(setting dbfilename dump.rdb)"
fi
"""
_PLACE: Final = r"""
cat > "$dir/$snapshot"
if command -v "$kind-check-rdb" >/dev/null; then "$kind-check-rdb" "$dir/$snapshot" >&2; fi
"""
# A server of its own proves that it loads. One that logs its writes would not read the snapshot:
# it gets a log that begins with it.
_LOAD: Final = r"""
socket=/dev/shm/underway-redis.sock
unset REDISCLI_AUTH
set -- --port 0 --unixsocket "$socket" --dir "$dir" --dbfilename "$snapshot" --save '' \
  --appendonly no --appendfilename "$(setting appendfilename appendonly.aof)"
folder="$(setting appenddirname '')"
if [ -n "$folder" ]; then set -- "$@" --appenddirname "$folder"; fi
"$kind-server" "$@" >&2 &
server=$!
ask() { "$kind-cli" -s "$socket" --raw "$@"; }
until [ "$(ask ping 2>/dev/null)" = PONG ]; do
  kill -0 "$server"
  sleep 0.2
done
if [ "$(setting appendonly no)" = yes ]; then
  [ "$(ask config set appendonly yes)" = OK ]
  until ask info persistence | grep -q '^aof_rewrite_in_progress:0'; do sleep 0.2; done
  ask info persistence | grep -q '^aof_last_bgrewrite_status:ok'
fi
ask shutdown nosave || true
wait "$server"
rm -f "$kept" "$socket"
if [ "$(id -u)" = 0 ]; then chown -R "$(stat -c %u:%g "$dir")" "$dir"; fi
"""


def _redis(_: tuple[str, ...]) -> tuple[Stream, ...]:
    return (
        Stream(
            "settings.txt",
            shell(_CLIENT + _SETTINGS),
            shell("cat > /dev/shm/underway-redis"),
        ),
        Stream("dump.rdb", shell(_CLIENT + _DUMP), shell(_CLIENT + _KEPT + _PLACE)),
    )


REDIS: Final = Preset(
    "redis",
    frozenset({"redis", "valkey"}),
    ready=("true",),
    listing=(),
    streams=_redis,
    ended=shell(_CLIENT + _KEPT + _LOAD),
    is_idle=True,
)
