"""A mark on a host: a tiny container that stands as long as this client lives, like a lock.

What a run of tests makes is told by it from what a dead client left.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from underway.adapters.beat import LOCK, Attached, HostLock
from underway.adapters.engine import DockerEngine
from underway.model.names import LABEL_SINCE, ContainerName


@contextmanager
def held_mark(
    engine: DockerEngine,
    name: ContainerName,
    image: str,
    labels: Mapping[str, str],
    kind: Attached = LOCK,
) -> Iterator[HostLock]:
    """Hold a mark; it ends with the block, and within 10 s of this client's death.

    Raises what `HostLock` does.
    """
    since = datetime.now(UTC).isoformat(timespec="seconds")
    mark = HostLock(engine, name, image, {**labels, LABEL_SINCE: since}, kind)
    try:
        yield mark
    finally:
        mark.release()
