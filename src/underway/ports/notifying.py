"""The protocol of telling somebody who did not ask."""

from typing import Protocol

from underway.model.notice import Notice


class Notify(Protocol):
    """Tells a notice by every way that the file names."""

    def __call__(self, notice: Notice) -> tuple[str, ...]:
        """Tell; what did not work, a sentence each, without a secret. Raises nothing."""
