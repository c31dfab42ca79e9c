"""Which hosts may still hold something of an app although its file names them no more. Pure.

A run that ended well left nothing on hosts that its release does not name, but on those that it was
told to skip. So what may stand somewhere is what was released from the last such run on.
"""

from collections.abc import Collection, Iterable

from underway.kernel.records import most_advanced_first, recorded_releases, recorded_runs
from underway.model.event import Outcome
from underway.model.names import HostName
from underway.model.release import LedgerState, RunRecord
from underway.model.spec import HostSpec


def former_hosts(
    ledgers: Iterable[LedgerState], known: Collection[HostName]
) -> tuple[HostSpec, ...]:
    """Hosts of releases that may still run, without the known ones, sorted by name."""
    ordered = most_advanced_first(ledgers)
    releases = recorded_releases(ordered)
    wanted = _since_last_done(recorded_runs(ordered)) or set(releases)
    wanted |= {ledger.current for ledger in ordered[:1]}
    found = {
        host.name: host
        for number in sorted(wanted & set(releases))
        for host in releases[number].spec.hosts
        if host.name not in known
    }
    return tuple(found[name] for name in sorted(found))


def _since_last_done(runs: tuple[RunRecord, ...]) -> set[int]:
    """The releases that runs left or touched from the last on that ended well; {} without one."""
    done = [index for index, run in enumerate(runs) if run.outcome == Outcome.DONE]
    if not done:
        return set()
    last = runs[done[-1]]
    return {last.current} | {n for run in runs[done[-1] + 1 :] for n in (run.release, run.current)}
