"""Announcing a new file to the browsers, whichever replica took it and whichever they talk to.

Each process listens on PostgreSQL; a notification carries a file's id, and only sockets of the
matter's members hear of it. One writer per socket: everything that goes out, the goodbye
included, passes through its inbox.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from psycopg.sql import SQL, Identifier

from libra.database import CONNECTION_OPTIONS, Database, DatabaseUnreachableError
from libra.documents import encode
from libra.matters import CHANNEL, find_announced

INBOX_LENGTH = 64
RETRY_S = 1.0
GOODBYE_S = 3.0
GOING_AWAY = 1001
TRY_AGAIN_LATER = 1013

log = logging.getLogger("libra.live")


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The last entry of an inbox: the WebSocket close code and its reason."""

    code: int
    reason: str


GOODBYE_FOR_RESTART = Goodbye(GOING_AWAY, "this replica stops; connect again")


@dataclass(eq=False, slots=True)
class Subscriber:
    """One socket's inbox; a reader too slow for it is sent away and may return."""

    user_id: UUID
    inbox: asyncio.Queue[str | Goodbye] = field(
        default_factory=lambda: asyncio.Queue(INBOX_LENGTH),
    )

    def offer(self, entry: str | Goodbye) -> None:
        """Put an entry in without waiting; an inbox that is full is replaced by a goodbye."""
        if self.inbox.full() and isinstance(entry, str):
            entry = Goodbye(TRY_AGAIN_LATER, "too slow; connect again")
        if isinstance(entry, Goodbye):
            while not self.inbox.empty():
                self.inbox.get_nowait()
        self.inbox.put_nowait(entry)


class Hub:
    """The sockets of this process and the connection that listens for them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._subscribers: set[Subscriber] = set()
        self._is_leaving = False
        # True at first, so that an outage is logged once, whenever it begins.
        self._is_listening = True
        self._has_listened = asyncio.Event()
        self._is_empty = asyncio.Event()
        self._is_empty.set()

    @property
    def has_listened(self) -> bool:
        """Whether the listening connection was ever up."""
        return self._has_listened.is_set()

    @property
    def sockets(self) -> int:
        """How many browsers are connected here."""
        return len(self._subscribers)

    @contextmanager
    def subscribe(self, user_id: UUID) -> Iterator[Subscriber]:
        """Keep an inbox while the block runs; one opened during a stop says goodbye at once."""
        subscriber = Subscriber(user_id)
        self._subscribers.add(subscriber)
        self._is_empty.clear()
        if self._is_leaving:
            subscriber.offer(GOODBYE_FOR_RESTART)
        try:
            yield subscriber
        finally:
            self._subscribers.discard(subscriber)
            if not self._subscribers:
                self._is_empty.set()

    async def say_goodbye(self) -> None:
        """Send every browser away with 1001 and wait, within seconds, until they are gone."""
        self._is_leaving = True
        for subscriber in self._subscribers:
            subscriber.offer(GOODBYE_FOR_RESTART)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._is_empty.wait(), GOODBYE_S)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Listen in the background while the block runs."""
        task = asyncio.create_task(self._listen_forever())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _listen_forever(self) -> None:
        while True:
            try:
                await self._listen()
            except (psycopg.Error, DatabaseUnreachableError, OSError) as error:
                level = logging.WARNING if self._is_listening else logging.DEBUG
                log.log(level, "not listening, trying on: %s", str(error).strip())
            self._is_listening = False
            await asyncio.sleep(RETRY_S)

    async def _listen(self) -> None:
        connection = await psycopg.AsyncConnection.connect(self._database.url, **CONNECTION_OPTIONS)
        async with connection:
            await connection.execute(SQL("LISTEN {}").format(Identifier(CHANNEL)))
            if self.has_listened:
                self._broadcast({"type": "resync"})
            self._has_listened.set()
            self._is_listening = True
            log.info("listening for new files")
            async for notification in connection.notifies():
                await self._announce(notification.payload)

    async def _announce(self, payload: str) -> None:
        if not self._subscribers:
            return
        async with self._database.connection() as connection:
            announced = await find_announced(connection, UUID(payload))
        # Two schemas of one database share the channel; an id of the other one finds nothing.
        if announced is None:
            return
        file, member_ids = announced
        self._broadcast({"type": "file", "file": file}, member_ids)

    def _broadcast(
        self, message: dict[str, Any], member_ids: frozenset[UUID] | None = None
    ) -> None:
        text = encode(message)
        for subscriber in self._subscribers:
            if member_ids is None or subscriber.user_id in member_ids:
                subscriber.offer(text)
