"""The usual databases: how their own tools stream a backup, and take it back.

Every command runs in a container of the service, with its environment: names and passwords stay
where they are. A stream's name becomes its path in the restore point.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of a dump. `command` writes it, `restore` reads it on standard input."""

    name: str
    command: tuple[str, ...]
    restore: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preset:
    """A database's ways.

    Attributes:
        images: the last parts of the names of its images.
        ready: ends with 0 once a fresh server takes connections for good.
        listing: prints the databases, one a line; () where one stream holds all.
        streams: what is dumped, given the names that `listing` printed.
        ended: runs in the fresh server after the last stream; () for nothing.
        check: has the server look at all that was restored; () where there is no such means.
    """

    name: str
    images: frozenset[str]
    ready: tuple[str, ...]
    listing: tuple[str, ...]
    streams: Callable[[tuple[str, ...]], tuple[Stream, ...]]
    ended: tuple[str, ...] = ()
    check: tuple[str, ...] = ()


def _shell(script: str, *arguments: str) -> tuple[str, ...]:
    return ("sh", "-c", script, "sh", *arguments)


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
        _shell(_PG + 'exec pg_dumpall -U "$user" --globals-only'),
        # The superuser exists already: that statement fails, and may.
        _shell(_PG + 'psql -X -q -U "$user" -d template1 -f - >/dev/null\n' + _PG_SUPERUSER),
    )
    return (
        roles,
        *(
            Stream(
                f"database/{name}.dump",
                # Not compressed: the store does that, and finds what did not change.
                _shell(_PG + 'exec pg_dump -U "$user" -Fc -Z0 --dbname "$1"', name),
                _shell(
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
    ready=_shell(_PG + 'exec pg_isready -q -h 127.0.0.1 -U "$user" -d template1'),
    listing=_shell(_PG + _PG_LIST),
    streams=_postgres,
    ended=_shell(
        _PG + 'psql -X -q -v ON_ERROR_STOP=1 -U "$user" -d template1 -c CHECKPOINT >/dev/null'
    ),
    check=_shell(_PG + _PG_CHECK),
)

PRESETS: Final = {preset.name: preset for preset in (POSTGRES,)}


def preset_of(image: str) -> Preset | None:
    """The preset for an image reference, or None."""
    last = image.partition("@")[0].rpartition("/")[2].partition(":")[0]
    return next((p for p in PRESETS.values() if last in p.images), None)


def database_stem(path: str) -> str:
    """The name of the database whose stream stands at `path`."""
    return path.rpartition("database/")[2].removesuffix(".dump")
