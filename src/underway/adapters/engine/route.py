"""How an engine is reached: a local socket, given or kept open by a tunnel."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from underway.errors import UnreachableError
from underway.model.look import Way
from underway.model.names import HostName


class Route(Protocol):
    """A way to an engine's socket. Safe to use from several threads at once."""

    @property
    def way(self) -> Way:
        """How the engine is reached, once it was."""

    def socket_path(self) -> Path:
        """A local socket that leads to the engine; opens the way again if it broke down.

        Raises UnreachableError.
        """

    def close(self) -> None:
        """Give the way up; never raises."""


@dataclass(frozen=True, slots=True)
class UnixRoute:
    """The engine of this machine, at its own socket."""

    host: HostName
    path: Path

    @property
    def way(self) -> Way:
        """A socket."""
        return Way.SOCKET

    def socket_path(self) -> Path:
        """The socket; UnreachableError where there is none."""
        if not self.path.exists():
            raise UnreachableError(
                "engine-missing",
                f"{self.host}: there is no socket {self.path}",
                hint="Start Docker here, or correct the path (`x-underway.hosts`, DOCKER_HOST).",
            )
        return self.path

    def close(self) -> None:
        """Nothing is held."""
