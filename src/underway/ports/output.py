"""What containers write, as engines tell it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExecResult:
    """What a command in a container wrote, and its exit status."""

    exit_code: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a container's output. `time` is RFC 3339 with nanoseconds, or "".

    `raw` holds the line as it was written where `text` cannot: bytes that are no UTF-8, a carriage
    return at its end. It is empty where both are the same.
    """

    text: str
    time: str = ""
    is_stderr: bool = False
    raw: bytes = b""

    @property
    def data(self) -> bytes:
        """The line as it was written, without its newline."""
        return self.raw or self.text.encode()
