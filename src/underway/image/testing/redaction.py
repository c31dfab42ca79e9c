"""Hiding sensitive values in what containers write. Pure."""

from collections.abc import Iterator
from typing import Final

from underway.model.names import SensitiveName
from underway.model.sensitive import Sensitive, SensitiveValues

SHOWN: Final = "***"
_OPEN: Final = frozenset({"build"})
_PLAIN_FILES: Final = frozenset({"file", "config"})
_SHORTEST: Final = 4
"""Shorter values (`1`, `on`) are no secrets, and hiding them would garble everything."""


class Redactor:
    """Replaces every sensitive value by `***`.

    Output is seen line by line, so that each line of a value of several lines is hidden too. A
    value that a program writes in another form (encoded, cut in two) is not recognised.
    """

    def __init__(self, values: SensitiveValues) -> None:
        """Hide `values`; those that are no text are left."""
        needles = {needle for name in values for needle in _needles(name, values[name])}
        self._needles = sorted(needles, key=lambda text: (-len(text), text))

    def __call__(self, text: str) -> str:
        """`text` without the values."""
        for needle in self._needles:
            if needle in text:
                text = text.replace(needle, SHOWN)
        return text


def _needles(name: SensitiveName, value: Sensitive) -> Iterator[str]:
    """What shows a value: itself, and each of its lines.

    Arguments of builds stand in the image for all to see. The lines of a configuration file are
    words of its language, which output is full of: one of several lines is left.
    """
    kind = name.partition("/")[0]
    try:
        lines = value.reveal().decode("utf-8").splitlines()
    except UnicodeDecodeError:
        return
    if kind in _OPEN or (kind in _PLAIN_FILES and len(lines) > 1):
        return
    for line in lines:
        if len(line.strip()) >= _SHORTEST:
            yield line.strip()
