"""What `check` found, as greens and reds with their remedies. Pure."""

from collections.abc import Sequence
from typing import Final

from underway.model.check import REACHING, CheckResult, CheckVerdict
from underway.report.amounts import count_text
from underway.report.line import Line, Span, Tone, bad, faint, good, line, strong, warn

_MARKS: Final = {
    CheckVerdict.OK: Span("ok  ", Tone.GOOD),
    CheckVerdict.WARN: Span("warn", Tone.WARN),
    CheckVerdict.FAIL: Span("fail", Tone.BAD),
}


def check_lines(results: Sequence[CheckResult]) -> list[Line]:
    """By host in the order given; the verdict of all in the last line."""
    lines: list[Line] = []
    width = max((len(result.topic) for result in results), default=0)
    for host in dict.fromkeys(result.host for result in results):
        lines.append(line(strong(host or "this machine")))
        for result in results:
            if result.host == host:
                lines.extend(_result(result, width))
    if lines:
        lines.append(())
    lines.append(_verdict(results))
    return lines


def check_exit_code(results: Sequence[CheckResult]) -> int:
    """6 if a host does not answer, 4 if something else stops a deploy, else 0."""
    failed = {result.topic for result in results if result.verdict is CheckVerdict.FAIL}
    if REACHING in failed:
        return 6
    return 4 if failed else 0


def _result(result: CheckResult, width: int) -> list[Line]:
    lines = [
        line(
            "  ", _MARKS[result.verdict], "  ", faint(result.topic.ljust(width)), f"  {result.text}"
        )
    ]
    if result.remedy and result.verdict is not CheckVerdict.OK:
        lines.append(line(" " * (width + 10), good("help: "), result.remedy))
    return lines


def _verdict(results: Sequence[CheckResult]) -> Line:
    failed = sum(result.verdict is CheckVerdict.FAIL for result in results)
    warned = sum(result.verdict is CheckVerdict.WARN for result in results)
    if failed:
        return line(bad(f"{count_text(failed, 'check')} failed"), ": a deploy would be refused")
    if not results:
        return line(warn("nothing was checked"))
    if warned:
        return line(warn(f"ready, with {count_text(warned, 'warning')}"))
    return line(good("ready"))
