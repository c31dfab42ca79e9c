"""What every route needs from a request: who asks, the parts of this process, typed input.

A refusal is raised as Refusal and leaves as JSON `{"error": CODE, "message": TEXT}`.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import JSONResponse, Response

from libra.accounts import Session, find_session
from libra.database import Database, DatabaseUnreachableError
from libra.live import Hub
from libra.matters import NoSuchFileError, NoSuchMatterError, NoSuchUserError
from libra.sealing import DamagedFileError
from libra.settings import Settings
from libra.storage import FileStore, MissingFileError

COOKIE = "libra_session"
MAX_JSON_BYTES = 64 * 1024
SAFE_METHODS = {"GET", "HEAD"}


@dataclass(frozen=True, slots=True)
class Libra:
    """The parts of one process."""

    settings: Settings
    database: Database
    store: FileStore
    hub: Hub
    instance: str = field(default_factory=lambda: uuid4().hex)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))


class Refusal(Exception):  # noqa: N818 -- a refusal is an answer, not a fault
    """An answer that says no."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


REFUSALS: dict[type[Exception], tuple[int, str, str]] = {
    DatabaseUnreachableError: (503, "database-unreachable", "try again in a moment"),
    NoSuchMatterError: (404, "no-such-matter", "you belong to no matter of this id"),
    NoSuchFileError: (404, "no-such-file", "you may see no file of this id"),
    NoSuchUserError: (404, "no-such-user", "nobody has this name"),
    DamagedFileError: (500, "file-damaged", "the stored file does not open; tell your team"),
    MissingFileError: (500, "file-missing", "the stored file is gone; tell your team"),
    OSError: (507, "storage-failed", "the file cannot be kept now; tell your team"),
    ClientDisconnect: (400, "client-left", "the upload ended early"),
}


def libra_of(connection: HTTPConnection) -> Libra:
    """Return the parts of this process."""
    libra: Libra = connection.app.state.libra
    return libra


def token_of(connection: HTTPConnection) -> str:
    """Return the bearer token, else the cookie's; raises Refusal without either."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token
    token = connection.cookies.get(COOKIE, "")
    if not token:
        raise _not_logged_in()
    is_safe = connection.scope["type"] == "http" and connection.scope["method"] in SAFE_METHODS
    if not is_safe:
        _refuse_foreign_origin(connection)
    return token


async def session_of(connection: HTTPConnection) -> Session:
    """Return who asks; raises Refusal."""
    token = token_of(connection)
    async with libra_of(connection).database.connection() as database:
        session = await find_session(database, token)
    if session is None:
        raise _not_logged_in()
    return session


def uuid_of(request: Request, name: str, refusal: type[Exception]) -> UUID:
    """Return an id from the path; what is not an id is unknown."""
    try:
        return UUID(request.path_params[name])
    except ValueError as error:
        raise refusal from error


async def text_fields_of(request: Request, *names: str) -> list[str]:
    """Return the named text fields of a small JSON object; raises Refusal."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_JSON_BYTES:
            raise Refusal(413, "too-large", f"JSON bodies are limited to {MAX_JSON_BYTES} bytes")
    try:
        document = json.loads(body)
        values = [document[name] for name in names]
    except (ValueError, KeyError, TypeError) as error:
        fields = ", ".join(names)
        raise Refusal(400, "bad-json", f"send a JSON object with: {fields}") from error
    if not all(isinstance(value, str) and "\x00" not in value for value in values):
        raise Refusal(400, "bad-json", f"these must be texts: {', '.join(names)}")
    return values


def answer_refusal(_: Request, error: Exception) -> Response:
    """Turn a known exception into its JSON answer."""
    if isinstance(error, Refusal):
        refusal = error
    else:
        known = next(kind for kind in REFUSALS if isinstance(error, kind))
        refusal = Refusal(*REFUSALS[known])
    headers = {"Retry-After": "1"} if refusal.status == HTTPStatus.SERVICE_UNAVAILABLE else None
    body: dict[str, Any] = {"error": refusal.code, "message": refusal.message}
    return JSONResponse(body, refusal.status, headers)


def _refuse_foreign_origin(connection: HTTPConnection) -> None:
    origin = connection.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != connection.headers.get("host"):
        raise Refusal(403, "foreign-origin", "the page that asks is not Libra's")


def _not_logged_in() -> Refusal:
    return Refusal(401, "not-logged-in", "log in with POST /api/login")
