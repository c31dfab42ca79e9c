"""The way back: which release ran before, and what `before` commands did since."""

from underway.api.session import Session, current_release, releases_of, runs_of
from underway.errors import RefusedError
from underway.model.event import Outcome
from underway.model.names import ReleaseNumber, ServiceName
from underway.model.release import Release, RunRecord
from underway.model.snapshot import Snapshot


def release_before(snapshot: Snapshot) -> ReleaseNumber:
    """The release that ran before the current one, or the end of what was interrupted."""
    current = current_release(snapshot)
    if current is None:
        raise RefusedError(
            "nothing-deployed",
            "nothing was deployed yet: there is no way back",
            hint="`underway deploy` ships the file and brings it to the hosts",
        )
    known = releases_of(snapshot)
    runs = runs_of(snapshot)
    if runs and _is_half_done(runs[-1]):
        last = runs[-1]
        if last.command == "rollback" and last.release in known:
            return last.release
        if last.release != current.number:
            return current.number
    for run in reversed(runs):
        if run.outcome != Outcome.DONE or run.current == current.number:
            continue
        if run.current in known and run.current:
            return run.current
    raise RefusedError(
        "no-older-release",
        f"release {current.number} is the only one that ever ran",
        hint="name a release: underway rollback RELEASE",
    )


def _is_half_done(run: RunRecord) -> bool:
    """Whether a run stopped on its way: its client died, or not everything could be undone."""
    return not run.ended_at or run.outcome == Outcome.NOT_UNDONE


def passed(
    snapshot: Snapshot, number: ReleaseNumber, only: frozenset[ServiceName] = frozenset()
) -> tuple[Release, ...]:
    """Releases that ran since `number` and whose `before` may have changed data, newest first.

    Where `only` is not empty, the `before` of these services alone counts.
    """
    current = current_release(snapshot)
    known = releases_of(snapshot)
    if current is None:
        return ()
    ran = {run.current for run in runs_of(snapshot)} | {current.number}
    return tuple(
        known[found]
        for found in sorted(known, reverse=True)
        if number < found <= current.number
        and found in ran
        and any(s.before and (not only or s.name in only) for s in known[found].spec.services)
        and _differs(known[found], known.get(number), only)
    )


def check_migrations(
    session: Session,
    number: ReleaseNumber,
    reverts: tuple[Release, ...],
    *,
    is_accepted: bool,
) -> None:
    """Rolling back leaves what a `before` without `undo` did to the data: ask first."""
    staying = [
        release.number
        for release in reverts
        if any(service.before and not service.before.undo for service in release.spec.services)
    ]
    if is_accepted or not staying:
        return
    names = ", ".join(str(n) for n in sorted(staying))
    question = f"`before` of release {names} stays done (a schema is not taken back). Roll back?"
    if session.confirm(question):
        return
    raise RefusedError(
        "past-migrations",
        f"rolling back to {number} does not undo what `before` of release {names} did",
        cause="it has no `undo` command",
        hint=f"if release {number} can live with it, run it again with --past-migrations",
    )


def _differs(one: Release, other: Release | None, only: frozenset[ServiceName]) -> bool:
    """Whether two releases' `before` commands could have done different things."""
    if other is None:
        return True

    def befores(release: Release) -> list[tuple[str, str, tuple[str, ...]]]:
        return [
            (s.name, release.image_of(s.name).config_digest, s.before.command)
            for s in release.spec.services
            if s.before and (not only or s.name in only)
        ]

    return befores(one) != befores(other)
