"""Matters, who belongs to them, and the files in them: every statement names who asks.

A matter one does not belong to looks like one that does not exist.
"""

# ruff: noqa: S608 -- constants of this module are put together, never values

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import DictRow

from libra.storage import StoredFile

CHANNEL = "libra_files"
PAGE = 200

FILE_COLUMNS = """
    files.id, files.number, files.matter_id, files.name, files.media_type, files.size_bytes,
    encode(files.sha256, 'hex') AS sha256, uploader.name AS uploaded_by, files.uploaded_at
"""


class NoSuchMatterError(Exception):
    """The matter does not exist for this user."""


class NoSuchUserError(Exception):
    """Nobody has this name."""


class NoSuchFileError(Exception):
    """The file does not exist for this user."""


@dataclass(frozen=True, slots=True)
class NewFile:
    """What the uploader says about a file."""

    id: UUID
    matter_id: UUID
    name: str
    media_type: str


async def list_matters(connection: AsyncConnection[DictRow], user_id: UUID) -> list[DictRow]:
    """Return the user's matters with their number of files, newest first."""
    cursor = await connection.execute(
        "SELECT matters.id, title, opened_at,"
        " (SELECT count(*) FROM files WHERE matter_id = matters.id) AS files,"
        " (SELECT array_agg(name ORDER BY name)"
        "  FROM members AS m JOIN users ON users.id = m.user_id"
        "  WHERE m.matter_id = matters.id) AS members"
        " FROM matters JOIN members ON members.matter_id = matters.id"
        " WHERE members.user_id = %s ORDER BY opened_at DESC, matters.id",
        (user_id,),
    )
    return await cursor.fetchall()


async def open_matter(
    connection: AsyncConnection[DictRow], user_id: UUID, title: str
) -> DictRow | None:
    """Open a matter whose first member is the user."""
    async with connection.transaction():
        cursor = await connection.execute(
            "INSERT INTO matters (title, opened_by) VALUES (%s, %s)"
            " RETURNING id, title, opened_at, 0 AS files",
            (title, user_id),
        )
        matter = await cursor.fetchone()
        if matter is not None:
            await connection.execute(
                "INSERT INTO members (matter_id, user_id) VALUES (%s, %s)",
                (matter["id"], user_id),
            )
    return matter


async def require_member(
    connection: AsyncConnection[DictRow], user_id: UUID, matter_id: UUID
) -> None:
    """Raise NoSuchMatterError unless the user belongs to the matter."""
    cursor = await connection.execute(
        "SELECT 1 FROM members WHERE matter_id = %s AND user_id = %s", (matter_id, user_id)
    )
    if await cursor.fetchone() is None:
        raise NoSuchMatterError


async def admit(
    connection: AsyncConnection[DictRow], user_id: UUID, matter_id: UUID, name: str
) -> None:
    """Let another user into a matter; raises NoSuchMatterError and NoSuchUserError."""
    await require_member(connection, user_id, matter_id)
    cursor = await connection.execute(
        "INSERT INTO members (matter_id, user_id) SELECT %s, id FROM users WHERE name = %s"
        " ON CONFLICT (matter_id, user_id) DO UPDATE SET since = members.since",
        (matter_id, name),
    )
    if cursor.rowcount == 0:
        raise NoSuchUserError


async def list_files(
    connection: AsyncConnection[DictRow],
    user_id: UUID,
    matter_id: UUID,
    *,
    before: int | None = None,
    limit: int = PAGE,
) -> Sequence[DictRow]:
    """Return one page of files, newest first; raises NoSuchMatterError."""
    await require_member(connection, user_id, matter_id)
    cursor = await connection.execute(
        f"SELECT {FILE_COLUMNS} FROM files JOIN users AS uploader ON uploader.id = uploaded_by"
        " WHERE matter_id = %(matter)s AND (%(before)s::bigint IS NULL OR number < %(before)s)"
        " ORDER BY number DESC LIMIT %(limit)s",
        {"matter": matter_id, "before": before, "limit": limit},
    )
    return await cursor.fetchall()


async def record_file(
    connection: AsyncConnection[DictRow], user_id: UUID, new: NewFile, stored: StoredFile
) -> DictRow:
    """Commit a file's row and announce it; raises NoSuchMatterError when membership ended."""
    async with connection.transaction():
        cursor = await connection.execute(
            f"WITH files AS (INSERT INTO files"
            " (id, matter_id, name, media_type, size_bytes, sha256, uploaded_by)"
            " SELECT %s, matter_id, %s, %s, %s, %s, user_id FROM members"
            " WHERE matter_id = %s AND user_id = %s RETURNING *)"
            f" SELECT {FILE_COLUMNS} FROM files"
            " JOIN users AS uploader ON uploader.id = uploaded_by",
            (
                *(new.id, new.name, new.media_type, stored.size_bytes, stored.sha256),
                *(new.matter_id, user_id),
            ),
        )
        row = await cursor.fetchone()
        if row is None:
            raise NoSuchMatterError
        await connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, str(new.id)))
    return row


async def find_file(connection: AsyncConnection[DictRow], user_id: UUID, file_id: UUID) -> DictRow:
    """Return a file the user may see; raises NoSuchFileError."""
    cursor = await connection.execute(
        f"SELECT {FILE_COLUMNS} FROM files JOIN users AS uploader ON uploader.id = uploaded_by"
        " JOIN members ON members.matter_id = files.matter_id"
        " WHERE files.id = %s AND members.user_id = %s",
        (file_id, user_id),
    )
    row = await cursor.fetchone()
    if row is None:
        raise NoSuchFileError
    return row


async def record_download(
    connection: AsyncConnection[DictRow], user_id: UUID, file_id: UUID
) -> None:
    """Keep who fetched what and when."""
    await connection.execute(
        "INSERT INTO downloads (file_id, downloaded_by) VALUES (%s, %s)", (file_id, user_id)
    )


async def find_announced(
    connection: AsyncConnection[DictRow], file_id: UUID
) -> tuple[DictRow, frozenset[UUID]] | None:
    """Return a file just announced and who may know of it."""
    cursor = await connection.execute(
        f"SELECT {FILE_COLUMNS}, (SELECT array_agg(user_id) FROM members"
        " WHERE members.matter_id = files.matter_id) AS member_ids"
        " FROM files JOIN users AS uploader ON uploader.id = uploaded_by WHERE files.id = %s",
        (file_id,),
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    return row, frozenset(row.pop("member_ids") or ())
