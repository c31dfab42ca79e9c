"""What `underway check` found on hosts before anything changes there."""

from dataclasses import dataclass
from enum import StrEnum

from underway.model.names import HostName


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
