"""Protocols of commands that somebody talks with: input and output while they run, bytes intact."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from underway.model.names import ContainerName, HostName
from underway.model.spec import EnvVar


@dataclass(frozen=True, slots=True)
class Size:
    """How many characters a terminal shows."""

    rows: int
    columns: int


@dataclass(frozen=True, slots=True)
class CommandWish:
    """A command as it is asked for in a container. `user` and `directory` "" are the container's.

    With `has_tty` it gets a terminal: what it writes on standard error comes with the rest.
    """

    command: tuple[str, ...]
    environment: tuple[EnvVar, ...] = ()
    user: str = ""
    directory: str = ""
    has_tty: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes that a command wrote."""

    data: bytes
    is_stderr: bool = False


class Conversation(Protocol):
    """A command that runs. One thread may send while another receives.

    Raises UnreachableError where the connection breaks: the command may go on without it.
    """

    def send(self, data: bytes) -> None:
        """Give it input."""

    def end_input(self) -> None:
        """Let it see the end of its input."""

    def receive(self) -> Piece | None:
        """What it wrote next; None once it writes nothing more."""

    def resize(self, size: Size) -> None:
        """Tell it how large its terminal is."""

    def exit_code(self) -> int:
        """Wait until it ended; its exit status."""

    def close(self) -> None:
        """End the conversation; the command may go on."""


@dataclass(frozen=True, slots=True)
class CommandDesk:
    """Commands in containers of the app's hosts.

    `converse` runs one in a container that runs; `attach` talks with a container's own command,
    from before its start on. A `leash` stands while its block runs: containers that share its
    processes' namespace end with it, and it ends with its client, however that dies.
    """

    converse: Callable[[HostName, ContainerName, CommandWish], Conversation]
    attach: Callable[[HostName, ContainerName, bool], Conversation]
    leash: Callable[[HostName, ContainerName, Mapping[str, str]], AbstractContextManager[object]]
