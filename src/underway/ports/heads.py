"""What a client remembers of histories, on the machine that it runs on."""

from collections.abc import Mapping
from typing import Protocol

from underway.model.names import AppName


class Heads(Protocol):
    """The heads of ledgers; never raises: what cannot be remembered is noted, and stops nothing."""

    def recall(self, app: AppName) -> Mapping[str, str]:
        """The hash of the newest record of an app's ledgers, by engine id."""

    def remember(self, app: AppName, engine: str, head: str) -> None:
        """Keep the head of the app's ledger on an engine."""

    def forget(self, app: AppName, engine: str) -> None:
        """The app was taken off the engine."""
