"""Where a file stops being YAML, and what is usually the matter there.

Compose tells it too, in words that differ between its versions; the file is read once more here.
"""

import re
from collections.abc import Sequence
from typing import Final

import yaml

from underway.compose.complaint_scene import Told
from underway.compose.positions import SourceText

_SAYS_YAML: Final = re.compile(r"go-yaml load error|yaml: |did not find expected")
_BROKEN: Final = "the file cannot be read as YAML"
_OPENED: Final = ("quoted scalar", "flow mapping", "flow sequence")
"""What begins somewhere and never ends: the beginning is the place to look at."""
_TAB: Final = "Indent with spaces: YAML takes no tabs there."
_HINTS: Final = (
    ("quoted scalar", "Close the quote that is opened here."),
    ("',' or '}'", "Close the `{` that is opened here, and put commas between its entries."),
    ("',' or ']'", "Close the `[` that is opened here, and put commas between its entries."),
    (
        "mapping values are not allowed",
        "Put the value in quotes if it holds `: `; else look at the indentation.",
    ),
    ("undefined alias", "Define the anchor (`&name`) above the place that uses it (`*name`)."),
    ("cannot start any token", "Put the value in quotes: YAML keeps its first character."),
    (
        "did not find expected key",
        "Line up the keys that belong together: this one stands between two levels.",
    ),
)
_OTHERWISE: Final = "Look at the indentation and the quotes of this line and of the one above."


def yaml_fault(cause: str, texts: Sequence[SourceText]) -> Told | None:
    """What is wrong with the first file that is no YAML; None if Compose complains of another."""
    if not _SAYS_YAML.search(cause):
        return None
    for source in texts:
        try:
            yaml.compose(source.text, Loader=yaml.CSafeLoader)
        except yaml.MarkedYAMLError as error:
            return _told(source, error)
        except (yaml.YAMLError, RecursionError):
            return None
    return None


def _told(source: SourceText, error: yaml.MarkedYAMLError) -> Told:
    context, problem = str(error.context or ""), str(error.problem or "")
    is_opened = any(sign in context for sign in _OPENED) and error.context_mark is not None
    mark = error.context_mark if is_opened else error.problem_mark or error.context_mark
    line = mark.line if mark is not None else 0
    written = next(iter(source.text.splitlines()[line:]), "")
    has_tab = "\t" in written[: len(written) - len(written.lstrip())]
    said = f"{context} {problem}"
    hint = next((hint for sign, hint in _HINTS if sign in said), _OTHERWISE)
    return Told(
        _BROKEN,
        _TAB if has_tab and "token" in problem else hint,
        f"{source.label}:{line + 1}",
        ": ".join(part for part in (context, problem) if part),
    )
