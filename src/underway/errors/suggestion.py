"""What somebody may have meant who wrote a name that is not there."""

import difflib
from collections.abc import Iterable


def name_hint(name: str, names: Iterable[str]) -> str:
    """The name that is most like `name`, or all there are."""
    known = sorted(names)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"Did you mean `{near[0]}`?" if near else f"It has {', '.join(known)}."
