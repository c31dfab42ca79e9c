"""Matters and who belongs to them."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from libra.accounts import Role, Session
from libra.documents import encode
from libra.matters import NoSuchMatterError, admit, list_matters, open_matter
from libra.requests import Refusal, libra_of, session_of, text_fields_of, uuid_of

MAX_TITLE = 200


async def get_matters(request: Request) -> Response:
    """List the matters of who asks."""
    session = await session_of(request)
    async with libra_of(request).database.connection() as connection:
        matters = await list_matters(connection, session.user_id)
    return answer({"matters": matters})


async def post_matter(request: Request) -> Response:
    """Open a matter; lawyers only."""
    session = _require_lawyer(await session_of(request))
    (title,) = await text_fields_of(request, "title")
    title = " ".join(title.split())
    if not 1 <= len(title) <= MAX_TITLE:
        raise Refusal(400, "bad-title", f"a title has 1 to {MAX_TITLE} characters")
    async with libra_of(request).database.connection() as connection:
        matter = await open_matter(connection, session.user_id, title)
    return answer({"matter": matter}, 201)


async def post_member(request: Request) -> Response:
    """Admit a user to a matter; lawyers only."""
    session = _require_lawyer(await session_of(request))
    matter_id = uuid_of(request, "matter_id", NoSuchMatterError)
    (name,) = await text_fields_of(request, "name")
    async with libra_of(request).database.connection() as connection:
        await admit(connection, session.user_id, matter_id, name.lower())
    return Response(status_code=204)


def answer(document: dict[str, Any], status: int = 200) -> Response:
    """Answer with JSON in which ids and times are texts."""
    return Response(encode(document), status, media_type="application/json")


def _require_lawyer(session: Session) -> Session:
    if session.role is not Role.LAWYER:
        raise Refusal(403, "lawyers-only", "ask your lawyer to do this")
    return session


ROUTES = [
    Route("/api/matters", get_matters, methods=["GET"]),
    Route("/api/matters", post_matter, methods=["POST"]),
    Route("/api/matters/{matter_id}/members", post_member, methods=["POST"]),
]
