"""The result of one check of `underway check`: a verdict on one topic of one host."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from underway.model.names import HostName

REACHING: Final = "reaching"
"""The topic of results about getting to a host at all: a failure there ends with exit code 6."""


class CheckVerdict(StrEnum):
    """OK is fine; WARN works with a limit; FAIL stops a deploy."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One look at one topic (`disk`, `ports`, `clock`, ...) of one host.

    `host` "" means the machine that runs the command. `remedy` says what to do, "" if nothing.
    """

    host: HostName
    topic: str
    verdict: CheckVerdict
    text: str
    remedy: str = ""


def passed(host: HostName, topic: str, text: str) -> CheckResult:
    """A green line."""
    return CheckResult(host, topic, CheckVerdict.OK, text)


def warned(host: HostName, topic: str, text: str, remedy: str) -> CheckResult:
    """A line that fails nothing, and what to do about it."""
    return CheckResult(host, topic, CheckVerdict.WARN, text, remedy)


def failed(host: HostName, topic: str, text: str, remedy: str) -> CheckResult:
    """A red line, and what to do about it."""
    return CheckResult(host, topic, CheckVerdict.FAIL, text, remedy)
