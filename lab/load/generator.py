"""The open-loop generator: each request is due at its own time, however slow the answers are."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from typing import TYPE_CHECKING

from lab.load.body import Blob
from lab.load.client import Client, Seen, field_of
from lab.load.outcome import ExchangeError, Kind, Outcome
from lab.load.sockets import hold_websocket

if TYPE_CHECKING:
    from lab.load.run import Run
    from lab.load.wire import Response


class Generator:
    """Sends what one run orders, until a bound or its `stop`."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._in_flight: set[asyncio.Task[None]] = set()
        self._run_id = secrets.token_hex(4)
        self._bug: BaseException | None = None

    async def generate(self) -> None:
        """Run to the end, then let what is in flight end too, each within its time limit."""
        mix = self.run.order.mix
        schedules = [
            asyncio.create_task(self._schedule(kind, rate))
            for kind, rate in mix.rates.items()
            if self.run.takes(kind)
        ]
        for task in schedules:
            task.add_done_callback(self._finish)
        for _ in range(mix.websockets if self.run.takes(Kind.WEBSOCKET) else 0):
            self._spawn(asyncio.create_task(hold_websocket(self.run)))
        await asyncio.wait({self.run.stopped}, timeout=self.run.order.bounds.duration_s)
        self.run.stop("duration")
        for task in schedules:
            task.cancel()
        if self._in_flight:
            await asyncio.wait(self._in_flight, timeout=self.run.grace_s)
        late = set(self._in_flight)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        for client in self.run.clients.values():
            client.close()
        if self._bug:
            raise self._bug

    def _spawn(self, task: asyncio.Task[None]) -> None:
        self._in_flight.add(task)
        task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._in_flight.discard(task)
        if not task.cancelled() and (bug := task.exception()):
            self._bug = self._bug or bug
            self.run.stop("a bug of the generator")

    async def _schedule(self, kind: Kind, rate_per_s: float) -> None:
        # Each kind starts at another fraction of its interval, so that they do not come in bursts.
        run, kinds = self.run, list(self.run.order.mix.rates)
        first_at = time.monotonic() + kinds.index(kind) / len(kinds) / rate_per_s
        for number in itertools.count():
            due_at = first_at + number / rate_per_s
            await asyncio.sleep(due_at - time.monotonic())
            run.tally.max_lag_s = max(run.tally.max_lag_s, time.monotonic() - due_at)
            if not run.may_start():
                return
            client = run.client_for(kind)
            if len(self._in_flight) >= run.order.bounds.in_flight:
                error = ExchangeError(Outcome.NOT_SENT, "too many requests in flight")
                run.record(kind, client, Seen(due_at), error=error)
                continue
            blob = self._blob(kind, number)
            self._spawn(asyncio.create_task(self._request(kind, client, Seen(due_at), blob)))

    async def _request(self, kind: Kind, client: Client, seen: Seen, blob: Blob | None) -> None:
        try:
            response = await client.send(kind, seen, blob)
        except ExchangeError as error:
            self.run.record(kind, client, seen, error=error)
        except (TimeoutError, asyncio.CancelledError) as error:
            detail = "no whole answer in time" if isinstance(error, TimeoutError) else "at the end"
            late = ExchangeError(Outcome.TIMED_OUT, detail)
            self.run.record(kind, client, seen, error=late)
        else:
            self.run.record(kind, client, seen)
            if blob and kind is Kind.UPLOAD and client.profile.read_path:
                self._acknowledge(blob, response, client)

    def _blob(self, kind: Kind, number: int) -> Blob | None:
        mix, profile = self.run.order.mix, self.run.order.profile
        identifier = f"{kind}-{self._run_id}-{number}"
        if kind is Kind.UPLOAD:
            return Blob(identifier, mix.upload_bytes, form_field=profile.upload.form_field)
        if kind is Kind.POST:
            return Blob(identifier, mix.post_bytes, form_field=profile.post.form_field)
        return None

    def _acknowledge(self, blob: Blob, response: Response, client: Client) -> None:
        id_field = client.profile.upload.id_field
        identifier = str(field_of(response, id_field)) if id_field else blob.identifier
        target = client.target.name
        self.run.tally.acknowledge(identifier, blob.sha256, blob.size_bytes, target)
