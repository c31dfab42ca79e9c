"""One request at a time: which bytes to send for a kind, and whether the answer is right."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.load.outcome import ExchangeError, Kind, Outcome
from lab.load.wire import Connection, Response, connect

if TYPE_CHECKING:
    from lab.load.body import Blob
    from lab.load.order import Order, Target
    from lab.load.profile import Headers, Profile, Write

NEW_CONNECTION = frozenset({Kind.FRESH, Kind.UPLOAD})


@dataclass(slots=True)
class Seen:
    """What is known about one request so far; filled in as it goes, whatever breaks later."""

    due_at: float
    sent_at: float = 0.0
    status: int = 0
    version: str = ""
    replica: str = ""
    connection: Connection | None = None


@dataclass(slots=True)
class Pool:
    """Kept-alive connections of one target, the longest idle first, so that all are in use."""

    target: Target
    size: int
    idle: deque[Connection] = field(default_factory=deque)
    open_count: int = 0

    async def take(self) -> Connection:
        """Return a connection nobody uses; opens one while there are too few."""
        while self.idle and not self.idle[0].is_reusable:
            self.idle.popleft()
            self.open_count -= 1
        if self.idle and self.open_count >= self.size:
            return self.idle.popleft()
        self.open_count += 1
        try:
            return await connect(self.target.host, self.target.port)
        except BaseException:
            self.open_count -= 1
            raise

    def give_back(self, connection: Connection) -> None:
        """Keep the connection if the next request may use it."""
        if connection.is_reusable and len(self.idle) < self.size:
            self.idle.append(connection)
            return
        self.open_count -= 1
        connection.close()


class Client:
    """Sends requests to one target in the words of one profile."""

    def __init__(self, order: Order, target: Target) -> None:
        self.target = target
        self.profile = order.profile
        self.common = f"Host: {order.host}\r\n{lines_of(order.profile.headers)}"
        self._mix = order.mix
        self._pool = Pool(target, order.mix.connections)

    def close(self) -> None:
        """Close what is idle."""
        for connection in self._pool.idle:
            connection.close()

    async def send(self, kind: Kind, seen: Seen, blob: Blob | None) -> Response:
        """Send one request of `kind` and return its right answer; raises ExchangeError."""
        is_new = kind in NEW_CONNECTION
        seen.sent_at = time.monotonic()
        connect_to = connect(self.target.host, self.target.port) if is_new else self._pool.take()
        connection = seen.connection = await connect_to
        seen.sent_at = time.monotonic()
        try:
            response = await self._exchange(connection, kind, blob)
        except BaseException:
            connection.close()
            raise
        finally:
            if is_new:
                connection.close()
            else:
                self._pool.give_back(connection)
        self._judge(response, kind, seen, blob)
        return response

    async def _exchange(self, connection: Connection, kind: Kind, blob: Blob | None) -> Response:
        async with asyncio.timeout(self._mix.timeout_of(kind)):
            if blob is None:
                path = self.profile.slow_path if kind is Kind.SLOW else self.profile.page_path
                last = "Connection: close\r\n" if kind is Kind.FRESH else ""
                return await connection.exchange(
                    f"GET {path} HTTP/1.1\r\n{self.common}{last}\r\n".encode()
                )
            write = self.profile.upload if kind is Kind.UPLOAD else self.profile.post
            pace = self._mix.upload_bytes_per_s if kind is Kind.UPLOAD else 0.0
            head = write_head(write, blob, self.common)
            return await connection.exchange(head, blob.pieces(pace))

    def _judge(self, response: Response, kind: Kind, seen: Seen, blob: Blob | None) -> None:
        identify(response, self.profile, seen)
        write = self.profile.upload if kind is Kind.UPLOAD else self.profile.post
        if response.status not in (write.statuses if blob else (200,)):
            raise ExchangeError(Outcome.WRONG_STATUS, f"status {response.status}")
        if blob and write.digest_field:
            answered = field_of(response, write.digest_field)
            if answered != blob.sha256:
                raise ExchangeError(Outcome.WRONG_BODY, f"digest {answered!r} of another body")
        if blob and write.id_field:
            field_of(response, write.id_field)
        if blob is None and kind is not Kind.SLOW and self.profile.version_field:
            version = fields_of(response).get(self.profile.version_field)
            if not isinstance(version, str) or version != seen.version:
                raise ExchangeError(Outcome.WRONG_BODY, f"{response.body[:60]!r} names no version")


def identify(response: Response, profile: Profile, seen: Seen) -> None:
    """Note who answered: headers first, the page's fields where there are none."""
    seen.status = response.status
    seen.version = response.headers.get(profile.version_header, "")
    seen.replica = response.headers.get(profile.replica_header, "")
    is_told = response.status in {200, 201} and response.body[:1] == b"{"
    if is_told and profile.version_field and not seen.version:
        fields = fields_of(response)
        seen.version = str(fields.get(profile.version_field, ""))
        seen.replica = str(fields.get(profile.replica_field, ""))


def fields_of(response: Response) -> dict[str, object]:
    """Return the answer's JSON object; raises ExchangeError where there is none."""
    try:
        fields = json.loads(response.body)
    except ValueError as error:
        raise ExchangeError(Outcome.WRONG_BODY, f"{response.body[:60]!r} is no JSON") from error
    if not isinstance(fields, dict):
        raise ExchangeError(Outcome.WRONG_BODY, f"{response.body[:60]!r} is no JSON object")
    return fields


def field_of(response: Response, path: str) -> object:
    """Return the field at a dotted path; raises ExchangeError where there is none."""
    value: object = fields_of(response)
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if value is None:
        raise ExchangeError(Outcome.WRONG_BODY, f"{response.body[:60]!r} has no field {path}")
    return value


def lines_of(headers: Headers) -> str:
    """Return header lines, each with its line end."""
    return "".join(f"{name}: {value}\r\n" for name, value in headers)


def write_head(write: Write, blob: Blob, common: str) -> bytes:
    """Return the head of a request with a body."""
    form = f"multipart/form-data; boundary={blob.boundary}"
    content_type = form if blob.boundary else write.content_type
    return (
        f"{write.method} {write.path.format(id=blob.identifier)} HTTP/1.1\r\n{common}"
        f"{lines_of(write.headers)}Content-Type: {content_type}\r\n"
        f"Content-Length: {blob.length_bytes}\r\n\r\n"
    ).encode()
