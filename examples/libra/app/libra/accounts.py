"""Users, their passwords, and the sessions they open.

A password is kept as scrypt with its own salt, a session's token only as its digest: reading the
database gives nobody a way in.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import LiteralString
from uuid import UUID

import anyio.to_thread
from psycopg import AsyncConnection
from psycopg.rows import DictRow

SESSION_LIFE = timedelta(hours=12)
MAX_FAILURES = 10
FAILURE_WINDOW = timedelta(minutes=15)
SCRYPT_COST, SCRYPT_BLOCK, SCRYPT_PARALLEL = 2**14, 8, 1
SALT_BYTES = 16

# scrypt takes 16 MiB and a core for some 50 ms: a burst of logins must not starve the uploads.
_hashing = anyio.CapacityLimiter(1)


class Role(StrEnum):
    """What a user is; lawyers open matters and admit others to them."""

    LAWYER = "lawyer"
    CLIENT = "client"


class LoginError(Exception):
    """Name or password is wrong; which one is not told."""


class TooManyFailuresError(Exception):
    """The name had too many wrong passwords of late."""


@dataclass(frozen=True, slots=True)
class Session:
    """Who asks."""

    user_id: UUID
    name: str
    full_name: str
    role: Role
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session with its token, which is known only now."""

    session: Session
    token: str


def hash_password(password: str, salt: bytes | None = None) -> str:
    """Return `salt$digest` in base64; takes some 50 ms on purpose."""
    salt = salt or secrets.token_bytes(SALT_BYTES)
    digest = hashlib.scrypt(
        password.encode(), salt=salt, n=SCRYPT_COST, r=SCRYPT_BLOCK, p=SCRYPT_PARALLEL
    )
    return f"{base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def is_password(password: str, password_hash: str) -> bool:
    """Compare in constant time."""
    salt = base64.b64decode(password_hash.partition("$")[0])
    return hmac.compare_digest(hash_password(password, salt), password_hash)


# Compared against when the name is unknown, so that time does not tell which names exist.
_NOBODY = hash_password(secrets.token_urlsafe())


async def log_in(
    connection: AsyncConnection[DictRow], *, name: str, password: str
) -> OpenedSession:
    """Open a session; raises LoginError and TooManyFailuresError."""
    await _refuse_after_failures(connection, name)
    user = await _fetch_one(
        connection,
        "SELECT id AS user_id, name, full_name, role, password_hash FROM users WHERE name = %s",
        name,
    )
    known = _NOBODY if user is None else user["password_hash"]
    is_right = await anyio.to_thread.run_sync(is_password, password, known, limiter=_hashing)
    if user is None or not is_right:
        await connection.execute("INSERT INTO login_failures (name) VALUES (%s)", (name[:64],))
        raise LoginError
    token = secrets.token_urlsafe(32)
    async with connection.transaction():
        await connection.execute(
            "DELETE FROM sessions WHERE user_id = %s AND expires_at < now()", (user["user_id"],)
        )
        row = await _fetch_one(
            connection,
            "INSERT INTO sessions (token_hash, user_id, expires_at)"
            " VALUES (%s, %s, now() + %s) RETURNING expires_at",
            _token_hash(token),
            user["user_id"],
            SESSION_LIFE,
        )
    if row is None:
        raise LoginError
    del user["password_hash"]
    return OpenedSession(session=_session(user | row), token=token)


async def find_session(connection: AsyncConnection[DictRow], token: str) -> Session | None:
    """Return the session a token opens, unless it is unknown or over."""
    row = await _fetch_one(
        connection,
        "SELECT user_id, name, full_name, role, expires_at"
        " FROM sessions JOIN users ON users.id = sessions.user_id"
        " WHERE token_hash = %s AND expires_at > now()",
        _token_hash(token),
    )
    return None if row is None else _session(row)


async def log_out(connection: AsyncConnection[DictRow], token: str) -> None:
    """End a session."""
    await connection.execute("DELETE FROM sessions WHERE token_hash = %s", (_token_hash(token),))


async def _refuse_after_failures(connection: AsyncConnection[DictRow], name: str) -> None:
    await connection.execute(
        "DELETE FROM login_failures WHERE failed_at < now() - %s", (FAILURE_WINDOW,)
    )
    row = await _fetch_one(
        connection, "SELECT count(*) AS failures FROM login_failures WHERE name = %s", name[:64]
    )
    if row is not None and row["failures"] >= MAX_FAILURES:
        raise TooManyFailuresError


async def _fetch_one(
    connection: AsyncConnection[DictRow], query: LiteralString, *values: object
) -> DictRow | None:
    cursor = await connection.execute(query, values)
    return await cursor.fetchone()


def _session(row: DictRow) -> Session:
    return Session(**row | {"role": Role(row["role"])})


def _token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
