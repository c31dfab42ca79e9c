"""What somebody may have meant who wrote a name that is not there."""

import difflib
from collections.abc import Iterable

_LIKE = 0.5
"""How like two names must be, 0 to 1, for one to be taken for the other."""


def nearest(name: str, names: Iterable[str], *, at_least: float = _LIKE) -> str:
    """The name that is most like `name`, or "" if none is `at_least` (0 to 1) that like."""
    near = difflib.get_close_matches(name, sorted(names), n=1, cutoff=at_least)
    return near[0] if near else ""


def meant_hint(name: str, names: Iterable[str], otherwise: str = "") -> str:
    """The question whether the name most like `name` was meant, or `otherwise`."""
    near = nearest(name, names)
    return f"Did you mean `{near}`?" if near else otherwise


def name_hint(name: str, names: Iterable[str]) -> str:
    """The name that is most like `name`, or all there are."""
    known = sorted(names)
    return meant_hint(name, known, f"It has {', '.join(known)}.")
