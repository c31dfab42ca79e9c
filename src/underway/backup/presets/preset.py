"""What is known of a database's image: how its own tools stream a backup, and take it back."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of a dump. `command` writes it, `restore` reads it on standard input."""

    name: str
    command: tuple[str, ...]
    restore: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preset:
    """A database's ways.

    Attributes:
        images: the last parts of the names of its images.
        ready: ends with 0 once a fresh server takes connections for good.
        listing: prints the databases, one a line; () where one stream holds all.
        streams: what is dumped, given the names that `listing` printed.
        ended: runs in the fresh server after the last stream; () for nothing.
        check: has the server look at all that was restored; () where there is no such means.
        is_idle: its data is put in place before the server starts: the fresh container waits.
    """

    name: str
    images: frozenset[str]
    ready: tuple[str, ...]
    listing: tuple[str, ...]
    streams: Callable[[tuple[str, ...]], tuple[Stream, ...]]
    ended: tuple[str, ...] = ()
    check: tuple[str, ...] = ()
    is_idle: bool = False


def shell(script: str, *arguments: str) -> tuple[str, ...]:
    """A command that runs a shell script, which finds `arguments` as $1 and so on."""
    return ("sh", "-c", script, "sh", *arguments)
