"""What somebody may have meant who wrote a name that is not there: the one place that judges it."""

import difflib
from collections.abc import Iterable
from typing import Final

_LIKE: Final = 0.5
"""How like two names must be, 0 to 1, for one to be offered for the other: `bd` is for `db`."""
_MEANT: Final = 0.8
"""How like two names are of which one can only be meant for the other."""


def nearest(name: str, names: Iterable[str], *, at_least: float = _LIKE) -> str:
    """The name that is most like `name`, or "" if none is `at_least` (0 to 1) that like.

    Capitals, and `_` where a `-` belongs, make no difference.
    """
    known = {_folded(one): one for one in sorted(names, reverse=True)}
    near = difflib.get_close_matches(_folded(name), sorted(known), n=1, cutoff=at_least)
    return known[near[0]] if near else ""


def is_misspelt(name: str, meant: str) -> bool:
    """Whether `name` can only be meant for `meant`, and is not it."""
    return name != meant and bool(nearest(name, [meant], at_least=_MEANT))


def meant_hint(name: str, names: Iterable[str], otherwise: str = "") -> str:
    """The question whether the name most like `name` was meant, or `otherwise`."""
    near = nearest(name, names)
    return f"Did you mean `{near}`?" if near else otherwise


def name_hint(name: str, names: Iterable[str]) -> str:
    """The name that is most like `name`, or all there are."""
    known = sorted(names)
    listed = f"It has {', '.join(known)}." if known else "It has none."
    return meant_hint(name, known, listed)


def beginning_hint(name: str, names: Iterable[str], otherwise: str) -> str:
    """Which of those that begin with `name` there are, else `meant_hint`."""
    begin = [one for one in names if name and one.startswith(name)]
    return f"Several begin so: {', '.join(begin)}." if begin else meant_hint(name, names, otherwise)


def _folded(name: str) -> str:
    return name.casefold().replace("_", "-")
