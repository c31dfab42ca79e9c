"""The classes of the error tree: one per exit code, told apart inside by a stable code."""

from typing import ClassVar


class UnderwayError(Exception):
    """An error a user can meet.

    Attributes:
        code: stable kebab-case name, listed in `underway.errors.CODES`.
        message: what happened, one sentence, no secret values.
        cause: why it happened, or "".
        hint: what to do next, or "".
        place: `file:line` for errors in files, or "".
        detail: lines to show below (a container's last lines, a program's output).
    """

    exit_code: ClassVar[int] = 70

    def __init__(
        self,
        code: str,
        message: str,
        *,
        cause: str = "",
        hint: str = "",
        place: str = "",
        detail: tuple[str, ...] = (),
    ) -> None:
        """Keep the parts apart: how they are drawn is the report's business."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.cause = cause
        self.hint = hint
        self.place = place
        self.detail = detail

    def __str__(self) -> str:
        """One line for logs: code, place and message."""
        where = f"{self.place}: " if self.place else ""
        why = f" ({self.cause})" if self.cause else ""
        return f"{where}{self.message}{why} [{self.code}]"


class UsageError(UnderwayError):
    """The command line is wrong."""

    exit_code = 2


class ConfigurationError(UnderwayError):
    """The Compose file, `x-underway` or a setting is wrong."""

    exit_code = 3


class RefusedError(UnderwayError):
    """Policy, a stale plan, an interruption not allowed, or an unsatisfiable wish."""

    exit_code = 4


class LockedError(UnderwayError):
    """Somebody else holds the lock of this app."""

    exit_code = 5


class LockLostError(LockedError):
    """Our own lock was taken, or could not be renewed in time: nothing more may change."""


class UnreachableError(UnderwayError):
    """A host, a registry or a program cannot be reached."""

    exit_code = 6


class IntegrityError(UnderwayError):
    """A digest, checksum or record does not match what it must be."""

    exit_code = 7


class StepFailedError(UnderwayError):
    """A step or a gate of a plan failed."""

    exit_code = 10


class EngineError(StepFailedError):
    """An engine answered a request with an error.

    `status` is the HTTP status of the Engine API, or 0.
    """

    def __init__(self, code: str, message: str, *, status: int = 0, hint: str = "") -> None:
        """Carry the HTTP status beside the usual parts."""
        super().__init__(code, message, hint=hint)
        self.status = status


class NotUndoneError(UnderwayError):
    """The failed run could not be undone whole: tells what is left and what ends it."""

    exit_code = 11


class BugError(UnderwayError):
    """Underway itself is wrong."""

    exit_code = 70
