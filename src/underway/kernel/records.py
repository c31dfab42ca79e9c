"""What the ledgers of several hosts say together: the most advanced one first, none forgotten."""

from collections.abc import Iterable

from underway.model.names import HostName, ReleaseNumber
from underway.model.release import LedgerState, Release, RunRecord
from underway.model.tagging import ReleaseTag


def last_run(ledger: LedgerState) -> int:
    """The number of the newest run a ledger knows, or 0."""
    return max((run.number for run in ledger.runs), default=0)


def most_advanced_first(ledgers: Iterable[LedgerState]) -> tuple[LedgerState, ...]:
    """Ledgers by their newest run, then by host."""
    return tuple(sorted(ledgers, key=lambda ledger: (-last_run(ledger), ledger.host)))


def recorded_releases(ordered: Iterable[LedgerState]) -> dict[int, Release]:
    """All releases by number; the first ledger that has one wins."""
    found: dict[int, Release] = {}
    for ledger in ordered:
        for release in ledger.releases:
            found.setdefault(release.number, release)
    return found


def recorded_runs(ordered: Iterable[LedgerState]) -> tuple[RunRecord, ...]:
    """All runs, oldest first; where hosts differ, the finished record counts."""
    found: dict[int, RunRecord] = {}
    for ledger in ordered:
        for run in ledger.runs:
            if run.number not in found or not found[run.number].ended_at:
                found[run.number] = run
    return tuple(found[number] for number in sorted(found))


def recorded_tags(ordered: Iterable[LedgerState]) -> dict[str, ReleaseNumber]:
    """The release behind each tag that was given after shipping; the newest word counts."""
    words: dict[str, ReleaseTag] = {}
    for ledger in ordered:
        for word in ledger.tags:
            if word.tag not in words or word.at > words[word.tag].at:
                words[word.tag] = word
    return {tag: word.release for tag, word in sorted(words.items()) if not word.is_removed}


def disputed_releases(ledgers: Iterable[LedgerState]) -> dict[int, tuple[HostName, ...]]:
    """Numbers under which hosts hold different releases, with those hosts, sorted.

    Two clients that each saw only a part of the fleet may have taken one number.
    """
    found: dict[int, dict[HostName, Release]] = {}
    for ledger in ledgers:
        for release in ledger.releases:
            found.setdefault(release.number, {})[ledger.host] = release
    return {
        number: tuple(sorted(held))
        for number, held in sorted(found.items())
        if any(release != next(iter(held.values())) for release in held.values())
    }
