"""Following what a container writes, line by line, until it ends or is removed."""

import threading
from dataclasses import replace

from underway.errors import UnderwayError
from underway.image.testing.means import Means
from underway.model.event import Output


class Follower:
    """Keeps each line without sensitive values; `is_told` says it aloud too."""

    def __init__(
        self, means: Means, container: str, source: tuple[str, str], *, is_told: bool
    ) -> None:
        """`source` is the suite, and the service in it."""
        self._means = means
        self._container = container
        self._source = source
        self._is_told = is_told
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait until everything was taken, at most so long."""
        self._thread.join(timeout_s)

    def _follow(self) -> None:
        means = self._means
        suite, service = self._source
        try:
            for line in means.engine.logs(self._container, follow=True):
                text = means.redact(line.text)
                means.keep.line(suite, service, replace(line, text=text))
                if self._is_told:
                    means.voice.say(Output(suite, text), means.engine.host)
        except (UnderwayError, OSError, ValueError):
            return  # removed under our eyes, or the engine is gone: the suite itself tells
