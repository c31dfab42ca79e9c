"""Small builders of stages: steps grouped into lanes, empty ones left out."""

from collections.abc import Iterable

from underway.model.names import HostName
from underway.model.plan import Lane, Stage
from underway.model.step import Step


def in_lanes(title: str, steps: Iterable[Step | None], *, is_commit: bool = False) -> list[Stage]:
    """One stage with one lane per host, steps of a host in the given order; [] if empty."""
    return in_parallel(title, by_host(steps), is_commit=is_commit)


def by_host(steps: Iterable[Step | None]) -> list[list[Step]]:
    """One lane per host, steps of a host in the given order."""
    lanes: dict[HostName, list[Step]] = {}
    for step in steps:
        if step is not None:
            lanes.setdefault(step.host, []).append(step)
    return [lanes[host] for host in sorted(lanes)]


def in_parallel(
    title: str, lanes: Iterable[Iterable[Step]], *, is_commit: bool = False
) -> list[Stage]:
    """One stage with exactly these lanes, several of one host side by side; [] if empty."""
    made = [tuple(lane) for lane in lanes]
    filled = [Lane(steps[0].host, steps) for steps in made if steps]
    filled.sort(key=lambda lane: lane.host)
    return [Stage(title, tuple(filled), is_commit)] if filled else []
