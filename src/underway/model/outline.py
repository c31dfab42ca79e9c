"""What a command line is helped with: names of an app, as far as they are known without asking."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Alias:
    """A command of the team's own: `name` stands for the words of `text`. `place` is file:line."""

    name: str
    text: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Outline:
    """Names that a file writes out, or that hosts told last. Nothing in it is promised to be so.

    `releases` are numbers and tags.
    """

    app: str = ""
    services: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()
    aliases: tuple[Alias, ...] = ()
