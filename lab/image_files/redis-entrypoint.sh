#!/bin/sh
# The basic contract of the official image: options alone go to redis-server, which runs as redis and
# owns what it finds in /data.
set -eu

if [ "${1#-}" != "$1" ]; then
	set -- redis-server "$@"
fi
if [ "$1" = redis-server ] && [ "$(id -u)" = 0 ]; then
	find . \! -user redis -exec chown redis:redis '{}' +
	exec setpriv --reuid=redis --regid=redis --init-groups --no-new-privs -- "$0" "$@"
fi
exec "$@"
