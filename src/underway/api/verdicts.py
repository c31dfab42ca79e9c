"""What failed suites mean for the run that needed them to pass."""

from collections.abc import Sequence
from typing import Final

from underway.errors import CODES, RefusedError, UnderwayError, UnreachableError
from underway.model.testing import SuiteOutcome, SuiteResult

_UNREACHABLE: Final = 6
_SHOWN_LINES: Final = 10


def failure_of(results: Sequence[SuiteResult]) -> UnderwayError | None:
    """The error that the suites amount to; None where all are good.

    A verdict goes before a suite that could not be run.
    """
    bad = sorted(
        (result for result in results if not result.outcome.is_good),
        key=lambda result: (result.outcome is SuiteOutcome.BROKEN, result.suite),
    )
    if not bad:
        return None
    first = bad[0]
    others = f", and so did {', '.join(one.suite for one in bad[1:])}" if bad[1:] else ""
    logs = (f"what every container wrote: {first.logs}",) if first.logs else ()
    detail = (*first.detail[-_SHOWN_LINES:], *logs)
    if first.outcome is not SuiteOutcome.BROKEN:
        return RefusedError(
            first.code,
            f"{first.message}{others}; nothing was pushed or deployed",
            cause=first.cause,
            hint=first.hint,
            detail=detail,
        )
    if first.code in CODES and CODES[first.code].exit_code == _UNREACHABLE:
        return UnreachableError(
            first.code, first.message, cause=first.cause, hint=first.hint, detail=detail
        )
    return RefusedError(
        "test-broken",
        f"suite {first.suite} could not be run{others}; nothing was pushed or deployed",
        cause=f"{first.message} [{first.code}]",
        hint=first.hint or "Mend what the engine complains of, and run it again.",
        detail=detail,
    )
