"""Bringing the schema to the level this code knows, while older and newer code keeps running.

A migration is `NNNN_name.sql` whose first line `-- works-with: N` names the lowest code level
that still works after it. Expanding migrations keep the old number; contracting ones raise it,
in a later release. A session-level advisory lock lets two runs pass one after the other, and
each migration is one transaction, so that a run that dies leaves a level, never half of one.
"""

import hashlib
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

FOLDER = Path(__file__).with_name("migrations")
FILE_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
WORKS_WITH = re.compile(r"-- works-with: (\d+)\n")
CONNECT_PAUSE_S = 0.5
LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    level      integer PRIMARY KEY,
    name       text NOT NULL,
    sha256     text NOT NULL,
    works_with integer NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


class MigrationError(Exception):
    """The migrations cannot be applied; the message says which one and why."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema."""

    level: int
    name: str
    works_with: int
    statements: str

    @property
    def sha256(self) -> str:
        """Digest over the text, by which a later change of an applied one is seen."""
        return hashlib.sha256(self.statements.encode()).hexdigest()


def read_migrations(folder: Path = FOLDER) -> tuple[Migration, ...]:
    """Read all migrations in order; raises MigrationError on a gap or a bad header."""
    migrations = []
    for path in sorted(folder.glob("*.sql")):
        match, statements = FILE_NAME.fullmatch(path.name), path.read_text(encoding="utf-8")
        header = WORKS_WITH.match(statements)
        if match is None or header is None:
            raise MigrationError(f"{path.name}: name NNNN_name.sql, first line -- works-with: N")
        migrations.append(Migration(int(match[1]), match[2], int(header[1]), statements))
    for position, migration in enumerate(migrations, start=1):
        if migration.level != position or migration.works_with > position:
            raise MigrationError(f"migration {position} is missing, or works with none before it")
    return tuple(migrations)


CODE_LEVEL = len(read_migrations())


def migrate(
    database_url: str, migrations: tuple[Migration, ...], *, wait_s: float = 30.0
) -> tuple[Migration, ...]:
    """Apply what is missing and return it, waiting up to `wait_s` seconds for the database.

    Raises MigrationError when an applied migration was changed, psycopg.Error otherwise.
    """
    applied_now = []
    with _connect(database_url, wait_s) as connection, _advisory_lock(connection):
        connection.execute(LEDGER)
        rows = connection.execute("SELECT level, sha256 FROM schema_migrations").fetchall()
        applied: dict[int, str] = dict(rows)
        for migration in migrations:
            if migration.level in applied:
                if applied[migration.level] != migration.sha256:
                    raise MigrationError(f"migration {migration.level} was changed after use")
                continue
            _apply(connection, migration)
            applied_now.append(migration)
    return tuple(applied_now)


def _apply(connection: psycopg.Connection, migration: Migration) -> None:
    with connection.transaction():
        # Old code keeps serving: a lock that is not had soon is given back, not queued for.
        connection.execute("SET LOCAL lock_timeout = '5s'")
        connection.execute(migration.statements.encode())
        connection.execute(
            "INSERT INTO schema_migrations (level, name, sha256, works_with)"
            " VALUES (%s, %s, %s, %s)",
            (migration.level, migration.name, migration.sha256, migration.works_with),
        )


def _connect(database_url: str, wait_s: float) -> psycopg.Connection:
    deadline = time.monotonic() + wait_s
    while True:
        try:
            return psycopg.connect(database_url, autocommit=True, connect_timeout=5)
        except psycopg.OperationalError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(CONNECT_PAUSE_S)


@contextmanager
def _advisory_lock(connection: psycopg.Connection) -> Iterator[None]:
    key = "hashtextextended('libra.migrations.' || current_schema(), 0)"
    connection.execute(f"SELECT pg_advisory_lock({key})")
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute(f"SELECT pg_advisory_unlock({key})")
