"""Proxies that could not be asked are brought up before anything is planned for the app."""

from typing import Final

from underway.api.session import Session, next_run
from underway.api.steering import Course
from underway.errors import EngineError, StepFailedError
from underway.model.snapshot import Snapshot
from underway.ports.locking import Lock

MOST_TRIES: Final = 3


def bring_proxies(session: Session, course: Course, lock: Lock, snapshot: Snapshot) -> Snapshot:
    """Start the proxies that `snapshot` shows to be down; the snapshot from which to plan the rest.

    Raises what starting them raises, UnreachableError where one stays silent, and EngineError
    `edge-not-running` where one ends again and again. What serves is not touched.
    """
    for _ in range(MOST_TRIES):
        plan = course.plan(snapshot)
        if not plan.replans:
            return snapshot
        walk = course.executor(lock, next_run(snapshot)).run(plan)
        if walk.failures:
            raise walk.failures[0].error
        if not walk.is_whole:
            raise StepFailedError("interrupted", "interrupted; what serves was not touched")
        snapshot = session.observe()
    raise EngineError(
        "edge-not-running",
        f"the proxy of {session.app} was started and does not stay",
        hint="look at `docker logs underway-edge` on the edges",
    )
