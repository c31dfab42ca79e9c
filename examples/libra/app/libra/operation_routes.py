"""What operators and deployment tools ask: is it up, which version is it, and be slow, please."""

import asyncio
import hashlib
import math

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from libra.database import DatabaseUnreachableError, SchemaUnfitError
from libra.failure import FailureKind, FailureSwitch
from libra.migrations import CODE_LEVEL
from libra.requests import Libra, Refusal, libra_of

MAX_SLOW_S = 30.0
PROBE_S = 1.5

# A store that hangs (a lost network mount) keeps one thread, not one per probe.
_probing = anyio.CapacityLimiter(1)


async def get_up(request: Request) -> Response:
    """Answer 200 only when this replica can serve, else 503 with the cause."""
    libra = libra_of(request)
    problem = await _problem(libra)
    if problem is None:
        return JSONResponse({"up": True, "version": libra.settings.version})
    cause, message = problem
    return JSONResponse({"up": False, "cause": cause, "message": message}, 503)


async def get_version(request: Request) -> Response:
    """Say exactly what runs here."""
    libra = libra_of(request)
    settings = libra.settings
    return JSONResponse(
        {
            "version": settings.version,
            "replica": settings.replica,
            "instance": libra.instance,
            "release": settings.release,
            "started_at": libra.started_at.isoformat(),
            "schema_level": CODE_LEVEL,
            "sockets": libra.hub.sockets,
            "greeting": settings.greeting,
            "greeting_sha256": hashlib.sha256(settings.greeting.encode()).hexdigest(),
        },
    )


async def get_slow(request: Request) -> Response:
    """Answer after `?s=` seconds, at most 30: load tests hold requests open with it."""
    try:
        wait_s = float(request.query_params.get("s", "1"))
    except ValueError:
        wait_s = math.nan
    if not 0 <= wait_s <= MAX_SLOW_S:
        raise Refusal(400, "bad-seconds", f"s is a number from 0 to {MAX_SLOW_S:.0f}")
    await asyncio.sleep(wait_s)
    libra = libra_of(request)
    return JSONResponse(
        {
            "slept_s": wait_s,
            "version": libra.settings.version,
            "replica": libra.settings.replica,
            "instance": libra.instance,
        },
    )


async def _problem(libra: Libra) -> tuple[str, str] | None:
    failure = libra.settings.failure
    if failure is not None and _is_held_unready(failure):
        return "test-switch", "LIBRA_FAIL keeps this replica from being ready"
    try:
        await libra.database.check_schema()
    except DatabaseUnreachableError as error:
        return "database-unreachable", str(error)
    except SchemaUnfitError as error:
        return "schema-unfit", str(error)
    if not libra.hub.has_listened:
        return "not-listening", "the connection that announces new files is not up yet"
    try:
        with anyio.fail_after(PROBE_S):
            await anyio.to_thread.run_sync(
                libra.store.probe, limiter=_probing, abandon_on_cancel=True
            )
    except OSError as error:
        return "uploads-not-writable", str(error) or "the directory does not answer"
    return None


def _is_held_unready(failure: FailureSwitch) -> bool:
    if failure.kind is FailureKind.READY_FILE and failure.path is not None:
        return not failure.path.exists()
    return failure.kind is FailureKind.NEVER_READY


ROUTES = [
    Route("/up", get_up, methods=["GET"]),
    Route("/version", get_version, methods=["GET"]),
    Route("/slow", get_slow, methods=["GET"]),
]
