"""A terminal's screen -> SVG, with the fonts of whoever looks at it. Pure."""

from collections.abc import Iterator
from html import escape
from itertools import groupby
from typing import Any, Final

import pyte

CELL_X: Final = 8.4
CELL_Y: Final = 18
EDGE: Final = 14
BACKGROUND: Final = "#14161a"
FOREGROUND: Final = "#d6d9df"
COLOURS: Final = {
    "black": "#5c6370",
    "red": "#ff6b70",
    "green": "#7fd06a",
    "brown": "#e2b93d",
    "blue": "#6cb2ff",
    "magenta": "#d48be8",
    "cyan": "#5fd0d8",
    "white": "#d6d9df",
    "default": FOREGROUND,
}
_BRIGHT: Final = "bright"
_FONT: Final = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"


def svg_of(screen: pyte.Screen) -> str:
    """The screen down to its last line that is not empty."""
    last = max((n for n, text in enumerate(screen.display) if text.strip()), default=0)
    lines = [_line(screen, number) for number in range(last + 1)]
    used = max((len(text.rstrip()) for text in screen.display), default=1)
    width = round(2 * EDGE + used * CELL_X)
    height = 2 * EDGE + len(lines) * CELL_Y
    told = escape("\n".join(text.rstrip() for text in screen.display[: last + 1]))
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
                f'width="{width}" height="{height}" role="img">'
            ),
            f"<title>{told}</title>",
            f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>',
            f'<g font-family="{_FONT}" font-size="14" xml:space="preserve">',
            *(line for line in lines if line),
            "</g>",
            "</svg>",
            "",
        ]
    )


def _line(screen: pyte.Screen, number: int) -> str:
    y = EDGE + number * CELL_Y + CELL_Y - 5
    spans = "".join(_spans(screen.buffer[number], screen.columns))
    return f'<text y="{y}">{spans}</text>' if spans else ""


def _spans(row: Any, columns: int) -> Iterator[str]:
    """Stretches of one style. Each says where it begins and how wide it is: fonts differ."""
    cells = [(column, row[column]) for column in range(columns)]
    while cells and not cells[-1][1].data.strip():
        cells.pop()
    for style, group in groupby(cells, key=lambda cell: _style(cell[1])):
        stretch = list(group)
        text = "".join(character.data for _, character in stretch)
        if text.strip():
            x = round(EDGE + stretch[0][0] * CELL_X, 1)
            length = round(len(stretch) * CELL_X, 1)
            yield f'<tspan x="{x}" textLength="{length}"{style}>{escape(text)}</tspan>'


def _style(character: Any) -> str:
    colour = str(character.fg)
    fill = COLOURS.get(colour.removeprefix(_BRIGHT)) or f"#{colour}"
    weight = ' font-weight="bold"' if character.bold else ""
    return f' fill="{fill}"{weight}'
