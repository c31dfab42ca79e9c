"""What was recorded of an app: its runs, its releases, and what became of each."""

from dataclasses import replace

from underway.api.comparing import chosen_release
from underway.api.session import Session, current_release, releases_of, require_answer, runs_of
from underway.api.testing import attested
from underway.model.event import Outcome
from underway.model.names import NO_RELEASE, HostName, ReleaseNumber
from underway.model.release import Release, RunRecord
from underway.model.snapshot import Role, Snapshot
from underway.model.status import ReleaseDetail, ReleaseStanding, ReleaseStatus
from underway.model.testing import ReleasedSuite


def history(session: Session) -> tuple[RunRecord, ...]:
    """All recorded runs, oldest first; UnreachableError where no host answers."""
    return runs_of(_answered(session))


def releases(session: Session) -> tuple[Release, ...]:
    """All recorded releases, oldest first, with what is attested of their tests by now."""
    known = _proved(session, _answered(session))
    return tuple(known[number] for number in sorted(known))


def release_list(session: Session) -> tuple[ReleaseStatus, ...]:
    """All recorded releases, oldest first, with what became of each and where it runs."""
    snapshot = _answered(session)
    known = _proved(session, snapshot)
    return tuple(_status(snapshot, known, number) for number in sorted(known))


def release_detail(session: Session, number: ReleaseNumber = NO_RELEASE) -> ReleaseDetail:
    """One recorded release, with 0 the one the app runs, and the runs that were for it.

    Raises RefusedError `release-unknown` or `nothing-deployed`.
    """
    snapshot = _answered(session)
    wanted = chosen_release(session, snapshot, number).number
    known = _proved(session, snapshot)
    runs = tuple(run for run in runs_of(snapshot) if wanted in {run.release, run.current})
    return ReleaseDetail(_status(snapshot, known, wanted), runs)


def _status(snapshot: Snapshot, known: dict[int, Release], number: int) -> ReleaseStatus:
    release = known[number]
    return ReleaseStatus(
        release,
        standing_of(snapshot, release.number),
        _hosts(snapshot, release.number),
        _namesakes(known, release),
    )


def _answered(session: Session) -> Snapshot:
    snapshot = session.observe()
    require_answer(session, snapshot.unreachable)
    return snapshot


def _proved(session: Session, snapshot: Snapshot) -> dict[int, Release]:
    """The releases by number; suites that passed after they were shipped are told too."""
    found = attested(session, snapshot)

    def proved(suite: ReleasedSuite) -> ReleasedSuite:
        return replace(suite, has_passed=suite.has_passed or suite.definition in found)

    return {
        number: replace(release, suites=tuple(map(proved, release.suites)))
        for number, release in releases_of(snapshot).items()
    }


def standing_of(snapshot: Snapshot, number: ReleaseNumber) -> ReleaseStanding:
    """What became of a release, as the runs tell that brought it."""
    current = current_release(snapshot)
    if current and current.number == number:
        return ReleaseStanding.CURRENT
    runs = runs_of(snapshot)
    if any(run.current == number and run.outcome == Outcome.DONE for run in runs):
        return ReleaseStanding.RAN
    own = [run for run in runs if run.release == number]
    if not own:
        return ReleaseStanding.SHIPPED
    return ReleaseStanding.FAILED if own[-1].ended_at else ReleaseStanding.UNFINISHED


def _hosts(snapshot: Snapshot, number: ReleaseNumber) -> tuple[HostName, ...]:
    """The hosts that record it as theirs; of another release, those where replicas of it run."""
    current = current_release(snapshot)
    serving = current.number if current else NO_RELEASE
    if number == serving:
        return tuple(h.name for h in snapshot.reachable if h.ledger and h.ledger.current == number)
    kept = {
        container.generation
        for host in snapshot.reachable
        for container in host.containers
        if container.release == serving
    }
    return tuple(
        host.name
        for host in snapshot.reachable
        if number > serving
        and any(
            c.app == snapshot.app
            and c.role == Role.REPLICA
            and c.release == number
            and c.generation not in kept
            and not c.has_ended
            for c in host.containers
        )
    )


def _namesakes(known: dict[int, Release], release: Release) -> tuple[ReleaseNumber, ...]:
    return tuple(
        other.number
        for _, other in sorted(known.items())
        if release.tag and other.tag == release.tag and other.number != release.number
    )
