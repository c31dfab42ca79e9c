"""Output of the edge's scripts, cut at its headings. Pure."""

from collections.abc import Iterator
from typing import NamedTuple

from underway.errors import IntegrityError

_MARK = "==> "
_END = "end"


class Section(NamedTuple):
    """One part of the output: its heading's words and its lines."""

    heading: tuple[str, ...]
    lines: tuple[str, ...]


def sections_of(text: str) -> Iterator[Section]:
    """Cut the output; IntegrityError `edge-answer-unreadable` where its end is missing."""
    heading: tuple[str, ...] | None = None
    lines: list[str] = []
    for line in text.splitlines():
        if not line.startswith(_MARK):
            lines.append(line)
            continue
        if heading is not None:
            yield Section(heading, tuple(lines))
        heading, lines = tuple(line.removeprefix(_MARK).split(" ")), []
    if heading != (_END,):
        raise IntegrityError(
            "edge-answer-unreadable",
            "the edge's answer is cut off",
            hint="Run the command again; look at the logs of the container underway-edge.",
        )
