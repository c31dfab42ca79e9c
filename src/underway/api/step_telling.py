"""One step of a backup or restore, told in events: that it began, how far it is, how it ended."""

from collections.abc import Callable
from typing import TypeVar

from underway.api.session import Session
from underway.errors import StepFailedError, UnderwayError
from underway.model.event import StepFailed, StepFinished, StepProgress, StepStarted
from underway.model.names import HostName
from underway.ports.backup import BytesProgress

Result = TypeVar("Result")


class StepTeller:
    """Numbers the steps of one run, and ends one early when the user asks to stop."""

    def __init__(self, session: Session) -> None:
        """Nothing was told yet."""
        self._session = session
        self._number = 0

    def tell(
        self,
        kind: str,
        subject: str,
        work: Callable[[BytesProgress], Result],
        *,
        host: HostName,
        cause: str,
    ) -> Result:
        """Do one step's work; raises what it raises, and StepFailedError `interrupted`."""
        self._number += 1
        number, voice, clock = self._number, self._session.voice, self._session.clock

        def progress(done: float, total: float, text: str) -> None:
            self.stop_if_asked()
            if done or total:
                voice.say(StepProgress(number, done, total, text), host)

        self.stop_if_asked()
        voice.say(StepStarted(number, kind, subject, cause), host)
        began = clock.monotonic()
        try:
            result = work(progress)
        except UnderwayError as error:
            failed = StepFailed(
                number, kind, subject, error.code, error.message, error.hint, error.detail
            )
            voice.say(failed, host)
            raise
        voice.say(StepFinished(number, kind, subject, clock.monotonic() - began), host)
        return result

    def stop_if_asked(self) -> None:
        """Raise StepFailedError `interrupted` when the user asked to stop."""
        if self._session.cancel.is_set():
            raise StepFailedError("interrupted", "interrupted; what serves was not touched")
