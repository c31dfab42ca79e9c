"""Long-lived WebSockets: opened, kept busy with echoes, and judged by how they end."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import TYPE_CHECKING, Any

from lab.load.client import Client, Seen, identify
from lab.load.outcome import ExchangeError, Kind, Outcome
from lab.load.websocket import Ending, Session, check_upgrade, upgrade_head
from lab.load.wire import connect

if TYPE_CHECKING:
    from lab.load.run import Run

REOPEN_AFTER_S = 0.2


async def hold_websocket(run: Run) -> None:
    """Keep one WebSocket open for the whole run; one that ends is counted and opened anew."""
    while run.may_start():
        client = run.client_for(Kind.WEBSOCKET)
        seen, answered_at = Seen(time.monotonic()), 0.0
        try:
            session = await _open(run, client, seen)
            answered_at = time.monotonic()
            ending = await _use(run, session, client)
        except ExchangeError as error:
            ending = Ending(error.outcome, 0, error.detail)
        except (TimeoutError, asyncio.CancelledError):
            ending = Ending(Outcome.TIMED_OUT, 0, "no answer to the handshake, or no end")
        judged = ExchangeError(ending.outcome, ending.detail)
        run.record(Kind.WEBSOCKET, client, seen, error=judged, answered_at=answered_at)
        if ending.outcome is not Outcome.GOODBYE:
            await asyncio.wait({run.stopped}, timeout=REOPEN_AFTER_S)


async def _open(run: Run, client: Client, seen: Seen) -> Session:
    seen.sent_at = time.monotonic()
    connection = seen.connection = await connect(client.target.host, client.target.port)
    seen.sent_at = time.monotonic()
    head, accept = upgrade_head(client.profile.socket_path, client.common)
    try:
        async with asyncio.timeout(run.order.mix.timeout_s):
            response = await connection.exchange(head)
        identify(response, client.profile, seen)
        check_upgrade(response, accept)
    except BaseException:
        connection.close()
        raise
    return Session(connection, client.profile.goodbye_codes)


async def _use(run: Run, session: Session, client: Client) -> Ending:
    """Ask for echoes until either side says goodbye or the connection breaks."""
    opened_at = time.monotonic()
    for number in itertools.count(1):
        due_at = opened_at + number * run.order.mix.ping_every_s
        pause_s = max(due_at - time.monotonic(), 0)
        ends: set[asyncio.Future[Any]] = {session.reader, run.stopped}
        await asyncio.wait(ends, timeout=pause_s, return_when=asyncio.FIRST_COMPLETED)
        if session.reader.done() or run.is_stopping:
            return await session.leave()
        if not await _is_echoed(run, session, client, Seen(due_at, time.monotonic())):
            break
    if session.reader.done():
        return session.reader.result()
    session.abandon()
    return Ending(Outcome.TIMED_OUT, 0, "no echo in time")


async def _is_echoed(run: Run, session: Session, client: Client, seen: Seen) -> bool:
    token = f"{seen.sent_at:.6f}"
    ping = client.profile.ping_text.replace("{token}", token)
    pong = client.profile.pong_text.replace("{token}", token)
    echo = asyncio.create_task(session.ping(ping, pong))
    ends: set[asyncio.Future[Any]] = {echo, session.reader}
    timeout_s = run.order.mix.timeout_s
    await asyncio.wait(ends, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    is_echoed = echo.done()
    echo.cancel()
    # The session itself is what is lost then; its last message is counted, not lost a second time.
    error = None if is_echoed else ExchangeError(Outcome.UNANSWERED, "the session ended before")
    run.record(Kind.MESSAGE, client, seen, error=error)
    return is_echoed
