"""MariaDB and MySQL: all databases in one dump of one moment, and the accounts."""

from typing import Final

from underway.backup.presets.preset import Preset, Stream, shell

# Each program under the name that the image has. A user of the environment, where nobody knows
# root's password (it was drawn at random): its own database is all that it sees.
_MY: Final = r"""
set -euf
program() {
  for one in "$@"; do
    if command -v "$one" >/dev/null; then printf '%s' "$one"; return; fi
  done
  printf '%s' "$1"
}
setting() {
  for name in "MARIADB_$1" "MYSQL_$1"; do
    eval "text=\${$name:-} file=\${${name}_FILE:-}"
    if [ -n "$text" ]; then printf '%s' "$text"; return; fi
    if [ -n "$file" ] && [ -r "$file" ]; then cat "$file"; return; fi
  done
}
user=root
MYSQL_PWD="$(setting ROOT_PASSWORD)"
if [ -z "$MYSQL_PWD" ] && [ -n "$(setting USER)" ] &&
  [ -z "$(setting ALLOW_EMPTY_ROOT_PASSWORD)$(setting ALLOW_EMPTY_PASSWORD)" ]; then
  user="$(setting USER)"
  MYSQL_PWD="$(setting PASSWORD)"
fi
export MYSQL_PWD
client="$(program mariadb mysql)"
dump="$(program mariadb-dump mysqldump)"
told() { "$client" -u "$user" -N -B -r -e "$1"; }
has() { "$dump" --help 2>/dev/null | grep -q -e "$1"; }
"""
# A transaction shows one moment of the engines that have them; for others writers wait.
_DUMP: Final = r"""
own="'information_schema','performance_schema','mysql','sys'"
names="$(told "select schema_name from information_schema.schemata
  where schema_name not in ($own) order by 1")"
without="$(told "select count(*) from information_schema.tables where table_type = 'BASE TABLE'
  and table_schema not in ($own) and engine not in ('InnoDB', 'ROCKSDB', 'TokuDB')")"
moment=--single-transaction
if [ "$without" != 0 ]; then
  if [ "$user" = root ]; then moment=--lock-all-tables; else moment=--lock-tables; fi
fi
gtid=""
if has --set-gtid-purged; then gtid=--set-gtid-purged=OFF; fi
if [ -z "$names" ]; then
  printf -- '-- no databases\n'
  exit
fi
IFS='
'
exec "$dump" -u "$user" $moment $gtid --quick --routines --events --triggers --hex-blob \
  --no-tablespaces --skip-dump-date --default-character-set=utf8mb4 --databases $names
"""
# Those that the fresh server has already keep the passwords that the release has now.
_ACCOUNTS: Final = r"""
printf -- '-- accounts\n'
if [ "$user" != root ]; then exit; fi
if has --system; then exec "$dump" -u root --system=users --insert-ignore; fi
lines="$(told "select concat(quote(user), '@', quote(host)) from mysql.user
  where user not in ('root', 'mysql.sys', 'mysql.session', 'mysql.infoschema') order by 1")"
IFS='
'
for account in $lines; do
  made="$(told "/*!80017 set print_identified_with_as_hex = 1 */; show create user $account")"
  rights="$(told "show grants for $account")"
  printf '%s\n' "$made" | sed 's/^CREATE USER /CREATE USER IF NOT EXISTS /; s/$/;/'
  printf '%s\n' "$rights" | sed 's/$/;/'
done
"""
# A right carries the password of its account, too: it must not bring an older one back.
_RIGHTS_ALONE: Final = r"""
sed -E "/^GRANT /{s/ IDENTIFIED BY PASSWORD '[^']*'//
s/ IDENTIFIED VIA [a-z0-9_]+( USING '[^']*')?( OR [a-z0-9_]+( USING '[^']*')?)*//
}" |
"""
# CHECK TABLE tells a damaged table in a row, and in no exit status.
_CHECK: Final = r"""
check="$(program mariadb-check mysqlcheck)"
said="$("$check" -u "$user" --all-databases --check --silent 2>&1)" || { echo "$said" >&2; exit 1; }
if printf '%s\n' "$said" | grep -q -i '^error'; then printf '%s\n' "$said" >&2; exit 1; fi
"""


def _mariadb(_: tuple[str, ...]) -> tuple[Stream, ...]:
    taking = '"$client" -u "$user" --default-character-set=utf8mb4 --binary-mode'
    return (
        Stream("databases.sql", shell(_MY + _DUMP), shell(f"{_MY}exec {taking}")),
        # After the databases: a right to a procedure needs the procedure.
        Stream("accounts.sql", shell(_MY + _ACCOUNTS), shell(_MY + _RIGHTS_ALONE + taking)),
    )


MARIADB: Final = Preset(
    "mariadb",
    frozenset({"mariadb", "mysql", "mysql-server", "percona", "percona-server"}),
    # The first start of a fresh server listens on its socket only, and is stopped again.
    ready=shell(
        _MY + 'exec "$(program mariadb-admin mysqladmin)" ping --silent -u "$user" --protocol=tcp'
        ' -h 127.0.0.1 -P "${MYSQL_TCP_PORT:-3306}" >/dev/null'
    ),
    listing=(),
    streams=_mariadb,
    check=shell(_MY + _CHECK),
)
