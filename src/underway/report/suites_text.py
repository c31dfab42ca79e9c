"""What a run of tests came to, a line for each suite. Pure."""

from collections.abc import Sequence

from underway.model.testing import SuiteOutcome, SuiteResult
from underway.report.amounts import duration_text
from underway.report.line import Line, Span, bad, faint, good, line, table

_TEXTS = {
    SuiteOutcome.PASSED: "passed",
    SuiteOutcome.ATTESTED: "passed before",
    SuiteOutcome.FAILED: "failed",
    SuiteOutcome.NO_LAST_LINE: "failed: another last line",
    SuiteOutcome.TIMEOUT: "failed: time limit",
    SuiteOutcome.NEED_FAILED: "not run: what it needs did not get ready",
    SuiteOutcome.BROKEN: "not run",
}
_HEADS = ("SUITE", "SERVICE", "TOOK", "OUTCOME")


def suite_lines(results: Sequence[SuiteResult], *, logs: str, junit: str) -> list[Line]:
    """All suites, and where to read on."""
    rows = [[faint(head) for head in _HEADS]]
    rows += [_row(result) for result in results]
    lines = list(table(rows))
    if logs:
        lines.append(line(faint("logs: "), logs))
    if junit:
        lines.append(line(faint("JUnit XML: "), junit))
    return lines


def _row(result: SuiteResult) -> list[Span]:
    tone = good if result.outcome.is_good else bad
    is_attested = result.outcome is SuiteOutcome.ATTESTED
    status = f" (exit status {result.exit_code})" if result.exit_code else ""
    return [
        Span(result.suite),
        Span(result.service),
        faint("-" if is_attested else duration_text(result.duration_s)),
        tone(f"{_TEXTS[result.outcome]}{status}"),
    ]
