"""What missing or wrong signatures in a chain mean, and records that contradict others. Pure."""

from collections.abc import Iterator, Sequence

from underway.adapters.chain import Acceptance, Link, Standing
from underway.model.history import Doubt, DoubtKind
from underway.model.release import Release, RunRecord


def doubts_of(links: Sequence[Link], *, has_key: bool) -> tuple[Doubt, ...]:
    """Why a chain is not believed; () if it is.

    With a key, every record after the last signed acceptance must be signed with it, and say
    nothing that contradicts another. Without one, a chain must have no signed record: whoever
    goes on unsigned shuts the team out.
    """
    if not has_key:
        signed = [link for link in links if link.standing is not Standing.UNSIGNED]
        return (Doubt(DoubtKind.KEYLESS, signed[-1].sequence),) if signed else ()
    since = _since_acceptance(links)
    return (*_unsigned(since), *_contradictions(since))


def _since_acceptance(links: Sequence[Link]) -> Sequence[Link]:
    for index in reversed(range(len(links))):
        link = links[index]
        if isinstance(link.body, Acceptance) and link.standing is Standing.SIGNED:
            return links[index:]
    return links


def _unsigned(links: Sequence[Link]) -> Iterator[Doubt]:
    """The first record without the key's signature: those after it cannot be better."""
    for link in links:
        if link.standing is not Standing.SIGNED:
            is_bare = link.standing is Standing.UNSIGNED
            kind = DoubtKind.UNSIGNED if is_bare else DoubtKind.MISSIGNED
            yield Doubt(kind, link.sequence)
            return


def _contradictions(links: Sequence[Link]) -> Iterator[Doubt]:
    """Records that give a release, or a run that has ended, another content."""
    releases: dict[int, Release] = {}
    runs: dict[int, RunRecord] = {}
    for link in links:
        match link.body:
            case Release() as release:
                if releases.setdefault(release.number, release) != release:
                    yield Doubt(DoubtKind.CONFLICT, link.sequence, f"release {release.number}")
            case RunRecord() as run:
                before = runs.get(run.number)
                if before is not None and before.ended_at and before != run:
                    yield Doubt(DoubtKind.CONFLICT, link.sequence, f"run {run.number}")
                runs[run.number] = run
            case _:
                pass
