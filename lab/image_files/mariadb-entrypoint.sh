#!/bin/bash
# The basic contract of the official image: MARIADB_ROOT_PASSWORD, MARIADB_DATABASE, MARIADB_USER,
# MARIADB_PASSWORD (each also as ..._FILE and under its MYSQL_ name), /docker-entrypoint-initdb.d.
set -Eeuo pipefail

fail() {
	printf 'error: %s\n' "$*" >&2
	exit 1
}

# A setting under its own name, its file, or the name it had in MySQL.
setting() {
	local name
	for name in "MARIADB_$1" "MYSQL_$1"; do
		local file="${name}_FILE"
		if [ -n "${!name:-}" ]; then
			printf '%s' "${!name}"
			return
		elif [ -n "${!file:-}" ]; then
			printf '%s' "$(<"${!file}")"
			return
		fi
	done
}

quoted() {
	local text="${1//\\/\\\\}"
	printf "'%s'" "${text//\'/\'\'}"
}

initialise() {
	local root user word database
	root="$(setting ROOT_PASSWORD)"
	user="$(setting USER)"
	word="$(setting PASSWORD)"
	database="$(setting DATABASE)"
	[ -n "$root" ] || [ -n "$(setting ALLOW_EMPTY_ROOT_PASSWORD)" ] ||
		fail "database is uninitialized and MARIADB_ROOT_PASSWORD is not set"
	mariadb-install-db --user=mysql --datadir=/var/lib/mysql --skip-test-db \
		--auth-root-authentication-method=normal >/dev/null
	# The first start listens on the socket only: nobody connects before the database is complete.
	mariadbd --skip-networking --socket=/run/mysqld/mysqld.sock &
	local first=$!
	local client=(mariadb --protocol=socket -S /run/mysqld/mysqld.sock -u root)
	for _ in {1..300}; do
		if "${client[@]}" -e 'select 1' >/dev/null 2>&1; then break; fi
		sleep 0.1
	done
	{
		[ -z "$database" ] || printf 'CREATE DATABASE `%s`;\n' "$database"
		if [ -n "$user" ]; then
			printf 'CREATE USER %s@"%%" IDENTIFIED BY %s;\n' "$(quoted "$user")" "$(quoted "$word")"
			[ -z "$database" ] || printf 'GRANT ALL ON `%s`.* TO %s@"%%";\n' "$database" "$(quoted "$user")"
		fi
		printf 'ALTER USER root@localhost IDENTIFIED BY %s;\n' "$(quoted "$root")"
	} | "${client[@]}"
	local file
	for file in /docker-entrypoint-initdb.d/*.sql; do
		if [ -e "$file" ]; then MYSQL_PWD="$root" "${client[@]}" "$database" <"$file"; fi
	done
	kill "$first"
	wait "$first" || true
	printf '\nMariaDB init process done. Ready for start up.\n\n'
}

if [ "${1:0:1}" = - ]; then
	set -- mariadbd "$@"
fi
if [ "$1" = mariadbd ]; then
	if [ "$(id -u)" = 0 ]; then
		mkdir -p /run/mysqld
		chown mysql:mysql /run/mysqld
		find /var/lib/mysql \! -user mysql -exec chown mysql:mysql '{}' +
		exec setpriv --reuid=mysql --regid=mysql --init-groups --no-new-privs -- "$0" "$@"
	fi
	[ -d /var/lib/mysql/mysql ] || initialise
	set -- "$@" --socket=/run/mysqld/mysqld.sock
fi
exec "$@"
