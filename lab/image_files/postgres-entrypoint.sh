#!/bin/bash
# The basic contract of the official image: POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB (each also
# as ..._FILE), POSTGRES_HOST_AUTH_METHOD, POSTGRES_INITDB_ARGS, PGDATA, /docker-entrypoint-initdb.d.
set -Eeuo pipefail

fail() {
	printf 'error: %s\n' "$*" >&2
	exit 1
}

from_file() {
	local name="$1" file="$1_FILE"
	[ -z "${!name:-}" ] || [ -z "${!file:-}" ] || fail "both $name and $file are set"
	[ -z "${!file:-}" ] || export "$name"="$(<"${!file}")"
	unset "$file"
}

as_postgres_itself() {
	exec setpriv --reuid=postgres --regid=postgres --init-groups --no-new-privs -- "$0" "$@"
}

initialise() {
	from_file POSTGRES_USER
	from_file POSTGRES_PASSWORD
	from_file POSTGRES_DB
	local user="${POSTGRES_USER:-postgres}" auth="${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}"
	local database="${POSTGRES_DB:-$user}"
	[ -n "${POSTGRES_PASSWORD:-}" ] || [ "$auth" = trust ] ||
		fail "database is uninitialized and POSTGRES_PASSWORD is not set"
	# shellcheck disable=SC2086  # the arguments are meant to be split
	initdb --username="$user" --pwfile=<(printf '%s\n' "${POSTGRES_PASSWORD:-unset}") \
		${POSTGRES_INITDB_ARGS:-} --auth-local=trust --auth-host=scram-sha-256 -D "$PGDATA"
	printf '\nhost all all all %s\n' "$auth" >>"$PGDATA/pg_hba.conf"
	# The first start listens on the socket only: nobody connects before the database is complete.
	pg_ctl -D "$PGDATA" -o "-c listen_addresses='' -p ${PGPORT:-5432}" -w start
	local psql=(psql -v ON_ERROR_STOP=1 --no-psqlrc --username "$user" --no-password)
	[ "$database" = postgres ] || printf 'CREATE DATABASE :"db";\n' |
		"${psql[@]}" --dbname postgres -v db="$database"
	local file
	for file in /docker-entrypoint-initdb.d/*; do
		case "$file" in
		*.sh) if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
		*.sql) "${psql[@]}" --dbname "$database" -f "$file" ;;
		*.sql.gz) gunzip -c "$file" | "${psql[@]}" --dbname "$database" ;;
		esac
	done
	pg_ctl -D "$PGDATA" -m fast -w stop
	unset POSTGRES_PASSWORD
	printf '\nPostgreSQL init process complete; ready for start up.\n\n'
}

if [ "${1:0:1}" = '-' ]; then
	set -- postgres "$@"
fi
if [ "$1" = postgres ]; then
	mkdir -p "$PGDATA" /var/run/postgresql
	if [ "$(id -u)" = 0 ]; then
		find "$PGDATA" /var/run/postgresql \! -user postgres -exec chown postgres '{}' +
		chmod 0700 "$PGDATA"
		as_postgres_itself "$@"
	fi
	[ -s "$PGDATA/PG_VERSION" ] || initialise
fi
exec "$@"
