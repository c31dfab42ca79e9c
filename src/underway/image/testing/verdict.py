"""The verdict over a suite that ended: by its exit status, and by its last line if one is named.

An exit status other than 0 is a failure whatever was written. The last line is anchored: a suite
that writes its sentence of success in the middle and goes on has not passed.
"""

import re
from collections.abc import Sequence
from typing import Final

from underway.model.testing import SuiteOutcome, SuiteResult, SuiteSpec

_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_KILLED: Final = 137


class LastLine:
    """Follows output and keeps the last line that is not blank, of each stream."""

    def __init__(self) -> None:
        """Nothing was written yet."""
        self._last = {False: "", True: ""}

    def take(self, text: str, *, is_stderr: bool) -> None:
        """One more line."""
        plain = _COLOUR.sub("", text).strip()
        if plain:
            self._last[is_stderr] = plain

    @property
    def text(self) -> str:
        """That of standard output, or of standard error where that is all there is."""
        return self._last[False] or self._last[True]


def judge(suite: SuiteSpec, exit_code: int, last_line: str, detail: Sequence[str]) -> SuiteResult:
    """What a suite that ended by itself came to."""
    if exit_code != 0:
        killed = " (killed: it may have had too little memory)" if exit_code == _KILLED else ""
        said = f"; its last line is `{last_line}`" if last_line else ""
        return SuiteResult(
            suite.name,
            suite.service,
            SuiteOutcome.FAILED,
            exit_code=exit_code,
            code="test-failed",
            message=f"suite {suite.name} failed: it ended with status {exit_code}{killed}",
            cause=f"any status but 0 is a failure{said}",
            hint="Its last lines are below; the whole output is in the directory of logs.",
            detail=tuple(detail),
        )
    if suite.last_line and last_line != suite.last_line:
        return SuiteResult(
            suite.name,
            suite.service,
            SuiteOutcome.NO_LAST_LINE,
            exit_code=0,
            code="test-last-line",
            message=f"suite {suite.name} failed: its last line is not `{suite.last_line}`",
            cause=f"it ended with status 0, and last wrote `{last_line}`",
            hint="Only the last line that is not blank counts: see `result` of the suite.",
            detail=tuple(detail),
        )
    return SuiteResult(suite.name, suite.service, SuiteOutcome.PASSED, exit_code=0)


def timed_out(suite: SuiteSpec, detail: Sequence[str]) -> SuiteResult:
    """What a suite came to that was ended."""
    return SuiteResult(
        suite.name,
        suite.service,
        SuiteOutcome.TIMEOUT,
        code="test-timeout",
        message=f"suite {suite.name} was not done within {suite.timeout_s:g} s, and was ended",
        cause="its time limit is over",
        hint="Its last lines tell what it waited for; `timeout` gives it more time.",
        detail=tuple(detail),
    )
