"""What can become of a request, each outcome apart, and the record of one request."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The kinds of traffic; `message` is one echo inside a WebSocket."""

    KEEP_ALIVE = "keep-alive"
    FRESH = "fresh"
    SLOW = "slow"
    POST = "post"
    UPLOAD = "upload"
    WEBSOCKET = "websocket"
    MESSAGE = "message"


class Outcome(StrEnum):
    """How a request ended; `LOST` names those that a user would have noticed."""

    OK = "ok"
    REFUSED = "refused"
    RESET = "reset"  # closed or reset without a byte of answer
    TRUNCATED = "truncated"  # closed or reset inside the answer
    TIMED_OUT = "timed_out"
    WRONG_STATUS = "wrong_status"
    WRONG_BODY = "wrong_body"
    CUT = "cut"  # a WebSocket that ended without a proper goodbye
    NOT_SENT = "not_sent"  # the generator's own limit: nothing was learnt about the application
    STALE = "stale"  # answered by a version or replica that should be gone
    GOODBYE = "goodbye"  # a WebSocket closed by the server in order
    UNANSWERED = "unanswered"  # a WebSocket message overtaken by the goodbye
    EXPECTED_CUT = "expected_cut"  # on a target while it was declared to be cut
    DRAIN_OVER = "drain_over"  # older than a drain whose limit has passed


LOST = frozenset(
    {
        Outcome.REFUSED,
        Outcome.RESET,
        Outcome.TRUNCATED,
        Outcome.TIMED_OUT,
        Outcome.WRONG_STATUS,
        Outcome.WRONG_BODY,
        Outcome.CUT,
        Outcome.NOT_SENT,
    }
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One request from its due time to its end; times are seconds of the monotonic clock."""

    kind: Kind
    target: str
    outcome: Outcome
    due_at: float
    sent_at: float
    ended_at: float
    status: int = 0
    version: str = ""
    replica: str = ""
    connection: str = ""
    detail: str = ""
    answered_at: float = 0.0  # of a WebSocket's handshake; 0: the answer is the end

    @property
    def latency_s(self) -> float:
        """Seconds from the due time, not from the sending, to the answer."""
        return (self.answered_at or self.ended_at) - self.due_at


class ExchangeError(Exception):
    """A request that failed, with its outcome and what was seen."""

    def __init__(self, outcome: Outcome, detail: str, *, status: int = 0) -> None:
        super().__init__(f"{outcome}: {detail}")
        self.outcome = outcome
        self.detail = detail
        self.status = status
