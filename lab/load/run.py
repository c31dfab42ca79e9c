"""What every part of a running load shares: the order, the count, the turns, and the end."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import TYPE_CHECKING

from lab.load.client import Client, Seen
from lab.load.outcome import ExchangeError, Kind, Outcome, Sample
from lab.load.tally import Tally

if TYPE_CHECKING:
    from lab.load.order import Order


class Run:
    """One load from its start to its end; must be made inside the event loop."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.tally = Tally()
        self.ended_by = ""
        self.grace_s: float | None = None  # None: each request has its own time limit
        self.stopped: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.clients = {target.name: Client(order, target) for target in order.targets}
        self._turns = {
            kind: itertools.cycle([self.clients[target.name] for target in order.targets_of(kind)])
            for kind in Kind
            if order.targets_of(kind)
        }
        self._started = 0

    @property
    def is_stopping(self) -> bool:
        """Whether nothing new may start."""
        return self.stopped.done()

    def stop(self, reason: str, *, grace_s: float | None = None) -> None:
        """Start nothing new; what has no answer `grace_s` seconds later counts as timed out."""
        if not self.stopped.done():
            self.ended_by = reason
            self.grace_s = grace_s
            self.stopped.set_result(None)

    def may_start(self) -> bool:
        """Whether one more request is inside the bounds; counts it if so."""
        if self._started >= self.order.bounds.requests:
            self.stop("requests")
        if self.is_stopping:
            return False
        self._started += 1
        return True

    def takes(self, kind: Kind) -> bool:
        """Whether any target takes this kind."""
        return kind in self._turns

    def client_for(self, kind: Kind) -> Client:
        """Return the client of the target whose turn it is."""
        return next(self._turns[kind])

    def record(
        self,
        kind: Kind,
        client: Client,
        seen: Seen,
        *,
        error: ExchangeError | None = None,
        answered_at: float = 0.0,
    ) -> None:
        """Count one request that ends now."""
        self.tally.record(
            Sample(
                kind=kind,
                target=client.target.name,
                outcome=error.outcome if error else Outcome.OK,
                due_at=seen.due_at,
                sent_at=seen.sent_at or seen.due_at,
                ended_at=time.monotonic(),
                status=seen.status,
                version=seen.version,
                replica=seen.replica,
                connection=seen.connection.story if seen.connection else "",
                detail=error.detail if error else "",
                answered_at=answered_at,
            )
        )
