"""What runs of tests left whose client is gone: found by labels, and removed."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

from underway.errors import EngineError
from underway.model.names import LABEL_ROLE, LABEL_RUN, LABEL_SINCE, LABEL_TEST, AppName
from underway.model.snapshot import ContainerState, ContainerStatus, Role
from underway.ports import Engine

_STARTING_S: Final = 120.0
"""A mark that was created and does not run yet may be about to."""


def sweep(engine: Engine, app: AppName, now: float) -> Iterator[str]:
    """Remove what dead runs of the app's tests left; tells a line for each run.

    `now` is seconds since the epoch. Raises EngineError where the engine refuses.
    """
    containers = [c for c in engine.containers() if _is_ours(c.labels, app)]
    networks = [n for n in engine.networks() if _is_ours(n.labels, app)]
    volumes = [v for v in engine.volumes() if _is_ours(v.labels, app)]
    live = {c.label(LABEL_RUN) for c in containers if _is_live_mark(c, now)}
    seen = {_run(container.labels) for container in containers}
    seen |= {_run(network.labels) for network in networks}
    seen |= {_run(volume.labels) for volume in volumes}
    dead = seen - live
    for run in sorted(dead):
        for container in containers:
            if _run(container.labels) == run:
                engine.remove(container.name)
        for network in networks:
            if _run(network.labels) == run:
                _gone(engine.remove_network, network.name)
        for volume in volumes:
            if _run(volume.labels) == run:
                _gone(engine.remove_volume, volume.name)
        yield f"{engine.host}: removed what run {run} of the tests left: its client had died"


def _is_ours(labels: Iterable[tuple[str, str]], app: AppName) -> bool:
    found = dict(labels)
    return found.get(LABEL_TEST) == app and found.get(LABEL_ROLE) in {Role.TEST, Role.FILES}


def _run(labels: Iterable[tuple[str, str]]) -> str:
    return dict(labels).get(LABEL_RUN, "")


def _is_live_mark(container: ContainerState, now: float) -> bool:
    since = container.label(LABEL_SINCE)
    if not since:
        return False
    if container.status is ContainerStatus.CREATED:
        return now - _seconds(since) < _STARTING_S
    return not container.has_ended


def _seconds(moment: str) -> float:
    try:
        return datetime.fromisoformat(moment).astimezone(UTC).timestamp()
    except ValueError:
        return 0.0


def _gone(remove: Callable[[str], None], name: str) -> None:
    """Another client may be removing the same."""
    try:
        remove(name)
    except EngineError as error:
        if error.code != "still-in-use":
            raise
