"""The connection pool, and whether the schema behind it suits this code.

Everything that PostgreSQL's absence can raise leaves here as DatabaseUnreachableError.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from libra.migrations import CODE_LEVEL

POOL_SIZE = 8
WAIT_S = 5.0
PROBE_WAIT_S = 1.5
# A pool that backs off for minutes stays away long after the database is back.
RECONNECT_S = 3.0

CONNECTION_OPTIONS: dict[str, Any] = {
    "autocommit": True,
    "connect_timeout": 3,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "application_name": "libra",
}


class DatabaseUnreachableError(Exception):
    """No connection to PostgreSQL could be had, or it broke in mid-statement."""


class SchemaUnfitError(Exception):
    """The schema lacks a migration of this code, or has outgrown this code."""


class Database:
    """The pool of one process; opened and closed by the application's lifespan."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._pool: AsyncConnectionPool[psycopg.AsyncConnection[DictRow]] = AsyncConnectionPool(
            url,
            connection_class=psycopg.AsyncConnection[DictRow],
            kwargs=CONNECTION_OPTIONS | {"row_factory": dict_row},
            min_size=1,
            max_size=POOL_SIZE,
            timeout=WAIT_S,
            reconnect_timeout=RECONNECT_S,
            check=AsyncConnectionPool.check_connection,
            open=False,
        )

    async def open(self) -> None:
        """Begin to connect without waiting: a start survives an absent database."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """End all connections."""
        await self._pool.close()

    @asynccontextmanager
    async def connection(
        self, *, wait_s: float = WAIT_S
    ) -> AsyncIterator[psycopg.AsyncConnection[DictRow]]:
        """Lend a connection in autocommit; raises DatabaseUnreachableError."""
        try:
            async with self._pool.connection(timeout=wait_s) as connection:
                yield connection
        except (PoolTimeout, psycopg.OperationalError) as error:
            raise DatabaseUnreachableError(str(error).strip()) from error

    async def check_schema(self) -> None:
        """Raise SchemaUnfitError or DatabaseUnreachableError unless this code can work here."""
        try:
            async with self.connection(wait_s=PROBE_WAIT_S) as connection:
                cursor = await connection.execute(
                    "SELECT coalesce(max(level), 0) AS level,"
                    " coalesce(max(works_with), 0) AS works_with FROM schema_migrations",
                )
                row = await cursor.fetchone()
        except psycopg.errors.UndefinedTable as error:
            raise SchemaUnfitError("no migration was applied; run: /app/manage migrate") from error
        if row is None or row["level"] < CODE_LEVEL:
            level = 0 if row is None else row["level"]
            raise SchemaUnfitError(
                f"schema is at level {level}, this code needs {CODE_LEVEL};"
                " run: /app/manage migrate",
            )
        if row["works_with"] > CODE_LEVEL:
            raise SchemaUnfitError(
                f"schema works with code level {row['works_with']} or higher,"
                f" this code is {CODE_LEVEL}; deploy a newer release",
            )
