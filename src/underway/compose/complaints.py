"""Where in the user's files Compose's complaint belongs: its sentences name keys, not lines."""

import re
from collections.abc import Iterable
from typing import Final

from underway.compose.positions import Positions
from underway.errors import ConfigurationError

_DOTTED: Final = re.compile(
    r"(?:validating [^:]+: |interpolating |')"
    r"((?:services|volumes|networks|secrets|configs|x-underway|name\b)(?:[.\[][^\s':]+)?)"
)
_ADDITIONAL: Final = re.compile(r"[Aa]dditional propert(?:y|ies) '?([^\s']+)")
_SERVICE: Final = re.compile(r"^(?:service \"(?P<quoted>[^\"]+)\"|services\.(?P<dotted>[^\s:.]+))")
_LINE: Final = re.compile(r"(?:at L(?P<short>\d+)\.C\d+|.*line (?P<long>\d+): )")
_CONTAINER_NAME: Final = re.compile(r"can't set container_name and (\S+) as container name")
_STEP: Final = re.compile(r"[^.\[\]]+")


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


def placed(
    error: ConfigurationError, positions: Positions, labels: tuple[str, ...]
) -> ConfigurationError:
    """The same error with the place that its cause tells, as far as it tells one."""
    place = error.place or _place(error.cause, positions, labels)
    return ConfigurationError(
        error.code,
        error.message,
        cause=error.cause,
        hint=error.hint,
        place=place,
        detail=error.detail,
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
        path = _STEP.findall(dotted[1])
        extra = _ADDITIONAL.search(cause)
        return positions.place(*path, *([extra[1]] if extra else []))
    named_twice = _CONTAINER_NAME.search(cause)
    if named_twice is not None:
        return positions.place("services", named_twice[1], "container_name")
    service = _SERVICE.search(cause)
    if service is not None:
        return positions.place("services", service["quoted"] or service["dotted"])
    return labels[0] if labels else ""
