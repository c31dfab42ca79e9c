"""What Compose complains of, told with its place in the user's files and with what to do.

Compose's sentences name keys, not lines, and say what is wrong, not what to write instead. They
change between its versions: one that no rule knows is passed on as it is, with the best place.
"""

import re
from collections.abc import Iterable
from typing import Final

from underway.compose.complaint_rules import told
from underway.compose.complaint_scene import Scene, Told
from underway.compose.positions import Positions, SourceText
from underway.compose.yaml_faults import yaml_fault
from underway.errors import ConfigurationError

_DOTTED: Final = re.compile(
    r"(?:validating [^:]+: |interpolating |')"
    r"((?:services|volumes|networks|secrets|configs|x-underway|name\b)(?:[.\[][^\s':]+)?)"
)
_SERVICE: Final = re.compile(r"^(?:service \"(?P<quoted>[^\"]+)\"|services\.(?P<dotted>[^\s:.]+))")
_LINE: Final = re.compile(r"(?:at L(?P<short>\d+)\.C\d+|.*line (?P<long>\d+): )")
_STEP: Final = re.compile(r"[^.\[\]]+")
_BY_US: Final = "variable-missing"
"""Told in our words already; its cause ends in words of the file's author, which are no pattern."""

WITHOUT_VALUES: Final = "Commands that only look, clean up or go back do without."
"""What to know where a value is missing on this machine."""


def variables_missing(
    names: Iterable[str], *, cause: str, detail: tuple[str, ...] = ()
) -> ConfigurationError:
    """The error of variables that the file requires and that nobody set."""
    *others, last = sorted(names)
    listed = f"variables {', '.join(others)} and {last}" if others else f"variable {last}"
    return ConfigurationError(
        "variable-missing",
        f"the file needs {listed}, which nobody set on this machine",
        cause=cause,
        hint="Set what is missing in the shell, in .env or with --env-file. " + WITHOUT_VALUES,
        detail=detail,
    )


def explained(
    error: ConfigurationError, texts: tuple[SourceText, ...], directory: str = ""
) -> ConfigurationError:
    """The same error with its place, and where the complaint is known, what to do about it.

    `texts` are the project's files, `directory` what their relative paths begin at.
    """
    positions = Positions(texts)
    scene = Scene(positions, texts, directory)
    known = None
    if error.code != _BY_US:
        known = yaml_fault(error.cause, texts) or told(error, scene)
    if known is None:
        cause = scene.shortened(error.cause)
        place = error.place or _place(error.cause, positions, tuple(one.label for one in texts))
        known = Told(error.message, error.hint, place, cause, error.code)
        detail = error.detail
    else:
        detail = ()
    return ConfigurationError(
        known.code,
        known.message,
        cause=known.cause,
        hint=known.hint,
        place=known.place,
        detail=detail,
    )


def _place(cause: str, positions: Positions, labels: tuple[str, ...]) -> str:
    line = _LINE.search(cause)
    if line is not None:
        number = line["short"] or line["long"]
        named = [label for label in labels if label in cause]
        if named or len(labels) == 1:
            return f"{(named or labels)[0]}:{number}"
    dotted = _DOTTED.search(cause)
    if dotted is not None:
        return positions.place(*_STEP.findall(dotted[1]))
    service = _SERVICE.search(cause)
    if service is not None:
        return positions.place("services", service["quoted"] or service["dotted"])
    return labels[0] if labels else ""
