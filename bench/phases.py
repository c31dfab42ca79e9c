"""Where the time of one deploy goes, told from the events that `underway deploy --json` writes.

The drain stands apart: how long it takes is up to the requests that are under way.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from underway.model.event import Event, StageFinished, StepFinished, StepStarted
from underway.report.json_lines import decode_event


@dataclass(frozen=True, slots=True)
class Phases:
    """Seconds of each part of one command; together they are the whole command.

    `preparing`: process, Compose, observation, lock, plan. `replacing`: from the first step until
    traffic is at the new replicas and that is recorded. `ending`: old replicas are stopped and
    removed. `closing`: what came out is observed and recorded, the lock given back.
    """

    preparing: float
    replacing: float
    draining: float
    ending: float
    closing: float

    @property
    def applying(self) -> float:
        """From the first step to the last, without the drain."""
        return self.replacing + self.ending


def phases_of(lines: Iterable[str], *, began: float, ended: float) -> Phases:
    """Fold the events of a deploy; `began` and `ended` are the command's, seconds since 1970."""
    events = [decode_event(line) for line in lines if line.startswith("{")]
    first = _moments(events, lambda body: isinstance(body, StepStarted))[0]
    last = _moments(events, lambda body: isinstance(body, StageFinished))[-1]
    drain = _moments(events, lambda body: isinstance(body, StepStarted) and _drains(body))[0]
    drained = _moments(events, lambda body: isinstance(body, StepFinished) and _drains(body))[-1]
    return Phases(
        preparing=first - began,
        replacing=drain - first,
        draining=drained - drain,
        ending=last - drained,
        closing=ended - last,
    )


def _drains(body: StepStarted | StepFinished) -> bool:
    return body.kind == "AwaitDrained"


def _moments(events: Iterable[Event], is_wanted: Callable[[object], bool]) -> list[float]:
    return [event.time for event in events if is_wanted(event.body)]
