"""PostgreSQL: its roles, and one dump for each database."""

from typing import Final

from underway.backup.presets.preset import Preset, Stream, shell

_PG: Final = """\
set -eu
user="${POSTGRES_USER:-postgres}"
if [ -n "${POSTGRES_PASSWORD_FILE:-}" ] && [ -r "$POSTGRES_PASSWORD_FILE" ]; then
  POSTGRES_PASSWORD="$(cat "$POSTGRES_PASSWORD_FILE")"
fi
if [ -n "${POSTGRES_PASSWORD:-}" ]; then export PGPASSWORD="$POSTGRES_PASSWORD"; fi
"""
_PG_LIST: Final = """\
exec psql -XAt -U "$user" -d template1 -c \
"select datname from pg_database where datallowconn and not datistemplate order by datname"
"""
# A role's password comes back as it was at the backup; the superuser keeps the one that the
# release has now, or nobody could log in after it was changed.
_PG_SUPERUSER: Final = """\
if [ -n "${PGPASSWORD:-}" ]; then
  printf 'ALTER ROLE :"who" PASSWORD :%s;\\n' "'word'" |
    psql -X -q -v ON_ERROR_STOP=1 -U "$user" -d template1 -v who="$user" -v word="$PGPASSWORD"
fi
"""
# Every index against its table where the server brings the means, and every row read once.
_PG_CHECK: Final = """\
has_amcheck="$(psql -XAt -U "$user" -d template1 -c \
  "select 1 from pg_available_extensions where name = 'amcheck'")"
if [ -n "$has_amcheck" ] && command -v pg_amcheck >/dev/null; then
  pg_amcheck -U "$user" --all --install-missing --heapallindexed >&2
fi
exec pg_dumpall -U "$user" >/dev/null
"""


def _postgres(databases: tuple[str, ...]) -> tuple[Stream, ...]:
    roles = Stream(
        "roles.sql",
        shell(_PG + 'exec pg_dumpall -U "$user" --globals-only'),
        # The superuser exists already: that statement fails, and may.
        shell(_PG + 'psql -X -q -U "$user" -d template1 -f - >/dev/null\n' + _PG_SUPERUSER),
    )
    return (
        roles,
        *(
            Stream(
                f"database/{name}.dump",
                # Not compressed: the store does that, and finds what did not change.
                shell(_PG + 'exec pg_dump -U "$user" -Fc -Z0 --dbname "$1"', name),
                shell(
                    _PG + 'exec pg_restore -U "$user" --create --clean --if-exists'
                    " --exit-on-error -d template1"
                ),
            )
            for name in databases
        ),
    )


POSTGRES: Final = Preset(
    "postgres",
    frozenset({"postgres", "postgresql", "postgis", "pgvector", "timescaledb", "timescaledb-ha"}),
    # The first start of a fresh cluster listens on its socket only, and is stopped again.
    ready=shell(_PG + 'exec pg_isready -q -h 127.0.0.1 -U "$user" -d template1'),
    listing=shell(_PG + _PG_LIST),
    streams=_postgres,
    ended=shell(
        _PG + 'psql -X -q -v ON_ERROR_STOP=1 -U "$user" -d template1 -c CHECKPOINT >/dev/null'
    ),
    check=shell(_PG + _PG_CHECK),
)


def database_stem(path: str) -> str:
    """The name of the database whose stream stands at `path`."""
    return path.rpartition("database/")[2].removesuffix(".dump")
