"""The parts put together: routes, answers to errors, headers, start and end of a process."""

import random
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import escape
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libra import account_routes, file_routes, live_routes, matter_routes, operation_routes
from libra.database import Database
from libra.failure import FailureKind
from libra.live import Hub
from libra.requests import REFUSALS, Libra, Refusal, answer_refusal, libra_of
from libra.settings import Settings
from libra.storage import FileStore

PAGE_FOLDER = Path(__file__).with_name("page")
PAGE = (PAGE_FOLDER / "page.html").read_text(encoding="utf-8")
STYLE = (PAGE_FOLDER / "style.css").read_text(encoding="utf-8")
SCRIPT = (PAGE_FOLDER / "script.js").read_text(encoding="utf-8")
PLACE = re.compile(r"\{\{(\w+)\}\}")
POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}';"
    " connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)


async def get_page(request: Request) -> Response:
    """Send the page in one document: while two versions serve, its parts never mix."""
    settings = libra_of(request).settings
    nonce = secrets.token_urlsafe(16)
    parts = {
        "nonce": nonce,
        "greeting": escape(settings.greeting),
        "version": escape(settings.version),
        "style": STYLE,
        "script": SCRIPT,
    }
    document = PLACE.sub(lambda place: parts[place[1]], PAGE)
    headers = {
        "Content-Security-Policy": POLICY.format(nonce=nonce),
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
    return HTMLResponse(document, headers=headers)


class PlainHeaders:
    """Adds to every HTTP answer what keeps browsers from guessing."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    (b"x-content-type-options", b"nosniff"),
                ]
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class FailingShare:
    """Serves LIBRA_FAIL=errors: a share of the API's requests end with 500, probes pass."""

    def __init__(self, app: ASGIApp, share: float) -> None:
        self._app = app
        self._share = share

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        is_probe = scope.get("path") == "/up"
        if scope["type"] != "http" or is_probe or random.random() >= self._share:  # noqa: S311
            await self._app(scope, receive, send)
            return
        body = {"error": "test-switch", "message": "LIBRA_FAIL makes this request fail"}
        await JSONResponse(body, 500)(scope, receive, send)


def build_application(settings: Settings) -> Starlette:
    """Build the application; nothing is opened before its lifespan begins."""
    database = Database(settings.database_url)
    libra = Libra(
        settings=settings,
        database=database,
        store=FileStore(settings.uploads, settings.keyring),
        hub=Hub(database),
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await database.open()
        try:
            async with libra.hub.listening():
                yield
        finally:
            await database.close()

    middleware = [Middleware(PlainHeaders)]
    failure = settings.failure
    if failure is not None and failure.kind is FailureKind.ERRORS:
        middleware.append(Middleware(FailingShare, share=failure.number))
    application = Starlette(
        routes=[
            Route("/", get_page, methods=["GET"]),
            *operation_routes.ROUTES,
            *account_routes.ROUTES,
            *matter_routes.ROUTES,
            *file_routes.ROUTES,
            *live_routes.ROUTES,
        ],
        middleware=middleware,
        exception_handlers=dict.fromkeys((Refusal, *REFUSALS), answer_refusal),
        lifespan=lifespan,
    )
    application.state.libra = libra
    return application
