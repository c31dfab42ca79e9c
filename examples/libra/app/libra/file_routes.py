"""Files go in and out as raw bytes, piece by piece: nothing plain touches a disk.

An upload is acknowledged after its sealed bytes are on the disk and its row is committed.
"""

import logging
from collections.abc import AsyncIterator, Iterator
from urllib.parse import quote
from uuid import uuid4

import anyio.to_thread
from psycopg.rows import DictRow
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from libra.matter_routes import answer
from libra.matters import (
    PAGE,
    NewFile,
    NoSuchFileError,
    NoSuchMatterError,
    find_file,
    list_files,
    record_download,
    record_file,
    require_member,
)
from libra.requests import Libra, Refusal, libra_of, session_of, uuid_of
from libra.storage import Draft, StoredFile

MAX_NAME = 200
MAX_PAGE = 1000
WRITE_BYTES = 256 * 1024
DEFAULT_MEDIA_TYPE = "application/octet-stream"

log = logging.getLogger("libra.files")


async def get_files(request: Request) -> Response:
    """List a matter's files, newest first, page by page."""
    session = await session_of(request)
    matter_id = uuid_of(request, "matter_id", NoSuchMatterError)
    try:
        limit = min(max(int(request.query_params.get("limit", PAGE)), 1), MAX_PAGE)
        before = int(request.query_params["before"]) if "before" in request.query_params else None
    except ValueError as error:
        raise Refusal(400, "bad-page", "limit and before are whole numbers") from error
    async with libra_of(request).database.connection() as connection:
        files = await list_files(connection, session.user_id, matter_id, before=before, limit=limit)
    next_before = files[-1]["number"] if len(files) == limit else None
    return answer({"files": files, "next_before": next_before})


async def post_file(request: Request) -> Response:
    """Take a file's raw bytes under `?name=`; 201 means it survives a power cut."""
    session = await session_of(request)
    libra = libra_of(request)
    new = NewFile(
        id=uuid4(),
        matter_id=uuid_of(request, "matter_id", NoSuchMatterError),
        name=_file_name(request.query_params.get("name", "")),
        media_type=request.headers.get("content-type", DEFAULT_MEDIA_TYPE)[:200],
    )
    _refuse_too_large(libra, int(request.headers.get("content-length") or 0))
    async with libra.database.connection() as connection:
        await require_member(connection, session.user_id, new.matter_id)
    draft = await anyio.to_thread.run_sync(libra.store.draft, new.id)
    try:
        stored = await _receive(request, libra, draft)
        async with libra.database.connection() as connection:
            row = await record_file(connection, session.user_id, new, stored)
    except BaseException:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(draft.discard)
        raise
    log.info("%s uploaded %s, %d bytes", session.name, new.id, stored.size_bytes)
    served_by = {"replica": libra.settings.replica, "version": libra.settings.version}
    return answer({"file": row} | served_by, 201)


async def get_file(request: Request) -> Response:
    """Send a file's plain bytes."""
    session = await session_of(request)
    libra = libra_of(request)
    file_id = uuid_of(request, "file_id", NoSuchFileError)
    async with libra.database.connection() as connection:
        file = await find_file(connection, session.user_id, file_id)
        if request.method != "HEAD":
            await record_download(connection, session.user_id, file_id)
    headers = _download_headers(file)
    if request.method == "HEAD":
        return Response(headers=headers)
    chunks = libra.store.read(file_id)
    first = await anyio.to_thread.run_sync(next, chunks)
    log.info("%s downloads %s", session.name, file_id)
    return StreamingResponse(_send(first, chunks), headers=headers)


async def _receive(request: Request, libra: Libra, draft: Draft) -> StoredFile:
    buffer, total_bytes = bytearray(), 0
    async for piece in request.stream():
        buffer += piece
        total_bytes += len(piece)
        _refuse_too_large(libra, total_bytes)
        if len(buffer) >= WRITE_BYTES:
            await anyio.to_thread.run_sync(draft.write, bytes(buffer))
            buffer.clear()
    await anyio.to_thread.run_sync(draft.write, bytes(buffer))
    return await anyio.to_thread.run_sync(draft.keep)


async def _send(first: bytes, rest: Iterator[bytes]) -> AsyncIterator[bytes]:
    chunk: bytes | None = first
    while chunk is not None:
        yield chunk
        chunk = await anyio.to_thread.run_sync(next, rest, None)


def _download_headers(file: DictRow) -> dict[str, str]:
    return {
        "Content-Type": DEFAULT_MEDIA_TYPE,
        "Content-Length": str(file["size_bytes"]),
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file['name'], safe='')}",
        "ETag": f'"{file["sha256"]}"',
        "Cache-Control": "private, no-store",
    }


def _file_name(text: str) -> str:
    name = "".join(letter for letter in text if letter.isprintable()).strip()
    name = name.replace("\\", "/").rpartition("/")[2]
    if not 1 <= len(name) <= MAX_NAME:
        raise Refusal(400, "bad-name", f"add ?name= with 1 to {MAX_NAME} characters")
    return name


def _refuse_too_large(libra: Libra, size_bytes: int) -> None:
    if size_bytes > libra.settings.max_upload_bytes:
        message = f"files are limited to {libra.settings.max_upload_bytes} bytes"
        raise Refusal(413, "too-large", message)


ROUTES = [
    Route("/api/matters/{matter_id}/files", get_files, methods=["GET"]),
    Route("/api/matters/{matter_id}/files", post_file, methods=["POST"]),
    Route("/api/files/{file_id}", get_file, methods=["GET"]),
]
