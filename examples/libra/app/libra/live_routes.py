"""The WebSocket `/live`: hello, files as they arrive, pongs, and 1001 when the replica stops."""

import asyncio
import contextlib
import json
from datetime import UTC, datetime

from starlette.responses import JSONResponse
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from libra.database import DatabaseUnreachableError
from libra.live import Goodbye, Subscriber
from libra.requests import Refusal, libra_of, session_of

SESSION_OVER = Goodbye(4401, "the session is over; log in again")


async def live(websocket: WebSocket) -> None:
    """Serve one browser until it leaves, its session ends, or this replica stops."""
    try:
        session = await session_of(websocket)
    except Refusal as refusal:
        await _deny(websocket, refusal)
        return
    except DatabaseUnreachableError:
        await _deny(websocket, Refusal(503, "database-unreachable", "try again in a moment"))
        return
    libra = libra_of(websocket)
    await websocket.accept()
    with libra.hub.subscribe(session.user_id) as subscriber:
        subscriber.offer(
            json.dumps(
                {
                    "type": "hello",
                    "version": libra.settings.version,
                    "replica": libra.settings.replica,
                    "instance": libra.instance,
                },
            ),
        )
        left_s = (session.expires_at - datetime.now(UTC)).total_seconds()
        expiry = asyncio.get_running_loop().call_later(left_s, subscriber.offer, SESSION_OVER)
        reader = asyncio.create_task(_read(websocket, subscriber))
        try:
            await _write(websocket, subscriber, reader)
        finally:
            expiry.cancel()
            reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reader


async def _write(websocket: WebSocket, subscriber: Subscriber, reader: asyncio.Task[None]) -> None:
    while True:
        taking = asyncio.create_task(subscriber.inbox.get())
        await asyncio.wait({taking, reader}, return_when=asyncio.FIRST_COMPLETED)
        if not taking.done():
            taking.cancel()
            return
        entry = taking.result()
        try:
            if isinstance(entry, Goodbye):
                await websocket.close(entry.code, entry.reason)
                return
            await websocket.send_text(entry)
        except WebSocketDisconnect:
            return


async def _read(websocket: WebSocket, subscriber: Subscriber) -> None:
    with contextlib.suppress(WebSocketDisconnect):
        async for text in websocket.iter_text():
            with contextlib.suppress(ValueError):
                message = json.loads(text)
                if isinstance(message, dict) and message.get("type") == "ping":
                    subscriber.offer(json.dumps(message | {"type": "pong"}))


async def _deny(websocket: WebSocket, refusal: Refusal) -> None:
    await websocket.send_denial_response(
        JSONResponse({"error": refusal.code, "message": refusal.message}, refusal.status),
    )


ROUTES = [WebSocketRoute("/live", live)]
