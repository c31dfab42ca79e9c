"""Hiding sensitive values in what containers write. Pure."""

from collections.abc import Iterable
from typing import Final

from underway.model.sensitive import Sensitive

SHOWN: Final = "***"
_SHORTEST: Final = 4
"""Shorter values (`1`, `on`) are no secrets, and hiding them would garble everything."""


class Redactor:
    """Replaces every sensitive value by `***`.

    Output is seen line by line, so that each line of a value of several lines is hidden too. A
    value that a program writes in another form (encoded, cut in two) is not recognised.
    """

    def __init__(self, values: Iterable[Sensitive]) -> None:
        """Hide `values`; those that are no text are left."""
        self._needles = sorted(set(_needles(values)), key=lambda text: (-len(text), text))

    def __call__(self, text: str) -> str:
        """`text` without the values."""
        for needle in self._needles:
            if needle in text:
                text = text.replace(needle, SHOWN)
        return text


def _needles(values: Iterable[Sensitive]) -> Iterable[str]:
    for value in values:
        try:
            text = value.reveal().decode("utf-8")
        except UnicodeDecodeError:
            continue
        for line in (text, *text.splitlines()):
            if len(line.strip()) >= _SHORTEST:
                yield line.strip()
