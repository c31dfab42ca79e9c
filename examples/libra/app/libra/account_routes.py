"""Logging in and out."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from libra.accounts import (
    SESSION_LIFE,
    LoginError,
    Session,
    TooManyFailuresError,
    log_in,
    log_out,
)
from libra.requests import COOKIE, Refusal, libra_of, session_of, text_fields_of, token_of


async def post_login(request: Request) -> Response:
    """Open a session: the token for programs, the cookie for browsers."""
    name, password = await text_fields_of(request, "name", "password")
    libra = libra_of(request)
    try:
        async with libra.database.connection() as connection:
            opened = await log_in(connection, name=name.lower(), password=password)
    except LoginError as error:
        raise Refusal(401, "login-failed", "name or password is wrong") from error
    except TooManyFailuresError as error:
        message = "too many wrong passwords for this name; wait a quarter of an hour"
        raise Refusal(429, "too-many-failures", message) from error
    response = JSONResponse({"token": opened.token, "user": describe(opened.session)})
    response.set_cookie(
        COOKIE,
        opened.token,
        max_age=int(SESSION_LIFE.total_seconds()),
        secure=libra.settings.is_cookie_secure,
        httponly=True,
        samesite="strict",
    )
    return response


async def post_logout(request: Request) -> Response:
    """End the session."""
    token = token_of(request)
    async with libra_of(request).database.connection() as connection:
        await log_out(connection, token)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return response


async def get_me(request: Request) -> Response:
    """Say who is logged in."""
    return JSONResponse({"user": describe(await session_of(request))})


def describe(session: Session) -> dict[str, str]:
    """Return what a user may read about their session."""
    return {
        "name": session.name,
        "full_name": session.full_name,
        "role": session.role.value,
        "expires_at": session.expires_at.isoformat(),
    }


ROUTES = [
    Route("/api/login", post_login, methods=["POST"]),
    Route("/api/logout", post_logout, methods=["POST"]),
    Route("/api/me", get_me, methods=["GET"]),
]
