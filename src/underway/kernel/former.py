"""Which hosts may still hold something of an app although its file names them no more. Pure.

A run that ended well left nothing on hosts that its release does not name, but on those that it was
told to skip. So what may stand somewhere is what was released from the last such run on.
"""

from collections.abc import Collection, Iterable

from underway.model.event import Outcome
from underway.model.names import HostName, ReleaseNumber
from underway.model.release import LedgerState, Release, RunRecord
from underway.model.spec import HostSpec


def former_hosts(
    ledgers: Iterable[LedgerState], known: Collection[HostName]
) -> tuple[HostSpec, ...]:
    """Hosts of releases that may still run, without the known ones, sorted by name."""
    ordered = sorted(ledgers, key=lambda ledger: (-_last_run(ledger), ledger.host))
    releases: dict[ReleaseNumber, Release] = {}
    runs: dict[int, RunRecord] = {}
    for ledger in ordered:
        for release in ledger.releases:
            releases.setdefault(release.number, release)
        for run in ledger.runs:
            if run.number not in runs or not runs[run.number].ended_at:
                runs[run.number] = run
    wanted = _since_last_done([runs[number] for number in sorted(runs)]) or set(releases)
    wanted |= {ledger.current for ledger in ordered[:1]}
    found = {
        host.name: host
        for number in sorted(wanted & set(releases))
        for host in releases[number].spec.hosts
        if host.name not in known
    }
    return tuple(found[name] for name in sorted(found))


def _since_last_done(runs: list[RunRecord]) -> set[ReleaseNumber]:
    """The releases that runs left or touched from the last on that ended well; {} without one."""
    done = [index for index, run in enumerate(runs) if run.outcome == Outcome.DONE]
    if not done:
        return set()
    last = runs[done[-1]]
    return {last.current} | {n for run in runs[done[-1] + 1 :] for n in (run.release, run.current)}


def _last_run(ledger: LedgerState) -> int:
    return max((run.number for run in ledger.runs), default=0)
