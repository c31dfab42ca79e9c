"""The account of a run in events: that it began, and how it ended, whatever comes in between."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from underway.api.session import Session
from underway.errors import (
    LockedError,
    NotUndoneError,
    RefusedError,
    StepFailedError,
    UnderwayError,
)
from underway.model.event import Outcome, RunFinished, RunStarted
from underway.model.names import NO_RELEASE, ReleaseNumber


@dataclass(slots=True)
class Account:
    """What a run came to that raises nothing; `duration_s` counts once it is over.

    `began` is the clock's monotonic time.
    """

    release: ReleaseNumber = NO_RELEASE
    outcome: Outcome = Outcome.DONE
    text: str = ""
    duration_s: float = 0.0
    exit_code: int = 0
    began: float = 0.0


@contextmanager
def accounted(
    session: Session, command: str, release: ReleaseNumber = NO_RELEASE
) -> Iterator[Account]:
    """Tell that `command` began, and how it ended: as the account says, or as the error does."""
    began = session.clock.monotonic()
    account = Account(release, began=began)
    session.voice.say(RunStarted(command, session.app, release))
    try:
        yield account
    except UnderwayError as error:
        taken = session.clock.monotonic() - began
        outcome = _outcome_of(error)
        session.voice.say(RunFinished(outcome, error.exit_code, release, taken, error.message))
        raise
    account.duration_s = session.clock.monotonic() - began
    session.voice.say(
        RunFinished(
            account.outcome,
            account.exit_code,
            account.release,
            account.duration_s,
            account.text,
        )
    )


def _outcome_of(error: UnderwayError) -> Outcome:
    if error.code == "interrupted":
        return Outcome.INTERRUPTED
    match error:
        case NotUndoneError():
            return Outcome.NOT_UNDONE
        case StepFailedError():
            return Outcome.UNDONE
        case RefusedError() | LockedError():
            return Outcome.REFUSED
        case _:
            return Outcome.FAILED
