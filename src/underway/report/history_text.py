"""Releases and runs as text, newest first. Pure."""

from collections.abc import Sequence

from underway.model.event import Outcome
from underway.model.release import Release, RunRecord
from underway.model.status import ReleaseStanding, ReleaseStatus
from underway.model.testing import Proof, proof_of
from underway.report.amounts import digest_text, duration_text, moment_of, time_text
from underway.report.event_text import OUTCOME_TEXTS
from underway.report.line import Line, Span, bad, faint, good, line, strong, table, warn

_RUN_HEADS = ("RUN", "STARTED (UTC)", "COMMAND", "RELEASE", "BY", "TOOK", "OUTCOME")
_RELEASE_HEADS = ("RELEASE", "TAG", "STATE", "CREATED (UTC)", "BY", "COMMIT")


def history_lines(runs: Sequence[RunRecord], *, is_verbose: bool = False) -> list[Line]:
    """Runs that changed hosts; `is_verbose` tells below why some failed."""
    if not runs:
        return [line(faint("no run is recorded"))]
    rows = [[faint(head) for head in _RUN_HEADS]]
    ordered = sorted(runs, key=_number, reverse=True)
    rows.extend(_run(run) for run in ordered)
    failed = [run for run in ordered if run.cause] if is_verbose else []
    causes = [line(strong(f"run {run.number}"), f": {run.cause}") for run in failed]
    return [*table(rows), *([(), *causes] if causes else [])]


def release_list_lines(releases: Sequence[ReleaseStatus]) -> list[Line]:
    """Releases that can be deployed or rolled back to, and what became of each."""
    if not releases:
        return [line(faint("no release is recorded"))]
    has_tests = any(known.release.suites for known in releases)
    heads = (*_RELEASE_HEADS, "TESTS") if has_tests else _RELEASE_HEADS
    rows = [[faint(head) for head in heads]]
    for known in sorted(releases, key=lambda known: known.release.number, reverse=True):
        release = known.release
        rows.append(
            [
                Span(str(release.number)),
                _tag(known),
                standing_span(known),
                Span(time_text(release.created_at) or "-"),
                Span(release.created_by or "-"),
                faint(release.commit[:12] or "-"),
                _proof(release),
            ][: len(heads)]
        )
    return table(rows)


def release_lines(release: Release) -> list[Line]:
    """One release: what `ship` leaves behind."""
    tag = f" ({release.tag})" if release.tag else ""
    proof = proof_of(release.suites, frozenset())
    told = {Proof.PASSED: good(", tests passed"), Proof.UNTESTED: warn(", untested")}
    head = (strong(f"release {release.number}{tag}"), f" of {release.spec.name}")
    lines = [line(*head, *([told[proof]] if proof in told else []))]
    rows = [
        [
            Span(entry.service),
            Span(entry.image.reference),
            faint(digest_text(entry.image.manifest_digest or entry.image.config_digest)),
        ]
        for entry in release.images
    ]
    return lines + table(rows, indent=2)


def _tag(known: ReleaseStatus) -> Span:
    """The tag; where other releases have it too, it names none of them."""
    if not known.namesakes:
        return Span(", ".join(known.names or (known.release.tag,)) or "-")
    return warn(f"{known.release.tag} (one of {len(known.namesakes) + 1})")


def standing_span(known: ReleaseStatus) -> Span:
    """What became of a release, and where it runs."""
    where = f" on {', '.join(known.hosts)}" if known.hosts else ""
    match known.standing:
        case ReleaseStanding.CURRENT:
            return good(f"current{where}")
        case ReleaseStanding.FAILED:
            return bad(f"failed{where}")
        case ReleaseStanding.UNFINISHED:
            return warn(f"not finished{where}")
        case ReleaseStanding.RAN:
            return Span(f"ran{where}")
        case ReleaseStanding.SHIPPED:
            return Span("shipped, never deployed")


def _proof(release: Release) -> Span:
    """What is known of a release's tests."""
    match proof_of(release.suites, frozenset()):
        case Proof.PASSED:
            return good("passed")
        case Proof.UNTESTED:
            return warn("untested")
        case Proof.NONE:
            return faint("-")


def _number(entry: RunRecord) -> int:
    return entry.number


def _run(run: RunRecord) -> list[Span]:
    return [
        Span(str(run.number)),
        Span(time_text(run.started_at)),
        Span(run.command),
        Span(str(run.release or "-")),
        Span(run.actor),
        faint(_took(run)),
        outcome_span(run),
    ]


def _took(run: RunRecord) -> str:
    start, end = moment_of(run.started_at), moment_of(run.ended_at)
    return "-" if start is None or end is None else duration_text(end - start)


def outcome_span(run: RunRecord) -> Span:
    """How a run ended."""
    if not run.outcome:
        return warn("not finished")
    try:
        outcome = Outcome(run.outcome)
    except ValueError:
        return warn(run.outcome)
    text = OUTCOME_TEXTS[outcome]
    if outcome in {Outcome.DONE, Outcome.NOTHING_TO_DO}:
        return good(text)
    serves = f", {run.current} serves" if run.current else ""
    code = f" [{run.code}]" if run.code else ""
    return bad(f"{text}{serves}{code}")
