"""Lines of text with tones, drawn plain or in colour: the one place that knows of escapes.

What containers and programs wrote may hold terminal escapes; they never reach a terminal.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_ESCAPE_SEQUENCE: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\))")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

CLEARED: Final = "\x1b[H\x1b[2J"
"""Takes what stands on a terminal away: the next text begins at its top."""


class Tone(StrEnum):
    """What a piece of text means; those called `mark` only tell one source from another."""

    PLAIN = "plain"
    STRONG = "strong"
    FAINT = "faint"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    MARK_1 = "mark-1"
    MARK_2 = "mark-2"
    MARK_3 = "mark-3"
    MARK_4 = "mark-4"
    MARK_5 = "mark-5"
    MARK_6 = "mark-6"


MARKS: Final = (Tone.MARK_1, Tone.MARK_2, Tone.MARK_3, Tone.MARK_4, Tone.MARK_5, Tone.MARK_6)
_CODES: Final = {
    Tone.PLAIN: "",
    Tone.STRONG: "1",
    Tone.FAINT: "2",
    Tone.GOOD: "32",
    Tone.WARN: "33",
    Tone.BAD: "31",
    Tone.MARK_1: "36",
    Tone.MARK_2: "33",
    Tone.MARK_3: "32",
    Tone.MARK_4: "35",
    Tone.MARK_5: "34",
    Tone.MARK_6: "96",
}


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line with one tone."""

    text: str
    tone: Tone = Tone.PLAIN


Line = tuple[Span, ...]
"""One line; () is an empty one."""


def line(*parts: Span | str) -> Line:
    """A line of spans and plain strings, without empty ones."""
    spans = (Span(part) if isinstance(part, str) else part for part in parts)
    return tuple(span for span in spans if span.text)


def strong(text: str) -> Span:
    """Text that carries the line."""
    return Span(text, Tone.STRONG)


def faint(text: str) -> Span:
    """Text that explains."""
    return Span(text, Tone.FAINT)


def good(text: str) -> Span:
    """Text that says all is well."""
    return Span(text, Tone.GOOD)


def warn(text: str) -> Span:
    """Text that asks for attention."""
    return Span(text, Tone.WARN)


def bad(text: str) -> Span:
    """Text that says something is wrong, or will interrupt."""
    return Span(text, Tone.BAD)


def clean(text: str) -> str:
    """`text` without terminal sequences; other control characters become visible."""
    stripped = _ESCAPE_SEQUENCE.sub("", text).rstrip("\r\n")
    return _CONTROL.sub(lambda match: f"\\x{ord(match.group()):02x}", stripped)


def draw(lines: Iterable[Line], *, is_coloured: bool = False) -> str:
    """The lines as text, each ended by a newline, without trailing blanks."""
    drawn = []
    for entry in lines:
        text = "".join(_span(span, is_coloured=is_coloured) for span in entry)
        drawn.append(text.rstrip() + "\n")
    return "".join(drawn)


def _span(span: Span, *, is_coloured: bool) -> str:
    text = clean(span.text)
    code = _CODES[span.tone]
    if not is_coloured or not code or not text.strip():
        return text
    return f"\x1b[{code}m{text}\x1b[0m"


def table(rows: Sequence[Sequence[Span]], indent: int = 0, gap: int = 2) -> list[Line]:
    """Rows as lines with aligned columns; the last column is as long as it likes."""
    cleaned = [[Span(clean(cell.text), cell.tone) for cell in row] for row in rows]
    count = max((len(row) for row in cleaned), default=0)
    widths = [
        max((len(row[index].text) for row in cleaned if index < len(row) - 1), default=0)
        for index in range(count)
    ]
    lines = []
    for row in cleaned:
        spans = [Span(" " * indent)] if indent else []
        for index, cell in enumerate(row):
            spans.append(cell)
            if index < len(row) - 1:
                spans.append(Span(" " * (widths[index] - len(cell.text) + gap)))
        lines.append(tuple(spans))
    return lines
