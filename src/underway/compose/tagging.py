"""The tags of a file: `tags` of `x-underway`, its short form or the whole."""

import re
from dataclasses import dataclass
from typing import Final

from underway.compose.notebook import Notebook, refuse
from underway.compose.wishes import AppWish, TagsWish
from underway.compose.x_underway import KEY
from underway.errors.suggestion import name_hint
from underway.model.names import AppName
from underway.model.spec import AppSpec
from underway.model.tagging import MOVING_PLACEHOLDERS, PLACEHOLDERS

_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_DEFAULT_NAMES: Final = AppSpec(AppName(""), (), ()).tags
_PATH: Final = (KEY, "tags")


@dataclass(frozen=True, slots=True)
class Tagging:
    """Strategies of immutable and of moving tags, and which part of the last version grows."""

    names: tuple[str, ...]
    moving: tuple[str, ...] = ()
    bump: str = ""


def tagging_of(wish: AppWish, notebook: Notebook) -> Tagging:
    """How images are tagged; raises ConfigurationError (`tag-invalid`)."""
    written = wish.tags if isinstance(wish.tags, TagsWish) else TagsWish(names=wish.tags)
    for name in written.names:
        if not name or name == "latest":
            refuse(
                "tag-invalid",
                f"`{name}` is not a tag that deploys" if name else "a tag is empty",
                cause="such a tag names another image tomorrow",
                place=notebook.place(*_PATH),
                hint="Use a template such as {semver} or {date}-{commit}.",
            )
        _check(name, PLACEHOLDERS, notebook)
    for name in written.moving:
        _check(name, MOVING_PLACEHOLDERS, notebook)
        if name in written.names:
            refuse(
                "tag-invalid",
                f"`{name}` is both a tag that never moves and one that does",
                cause="a tag that names a release stays with its image",
                place=notebook.place(*_PATH),
                hint="Keep it in `moving`, and name releases by {semver} or {date}-{commit}.",
            )
    default = ("{semver}",) if written.semver else _DEFAULT_NAMES
    return Tagging(tuple(written.names) or default, tuple(written.moving), written.semver or "")


def _check(name: str, known: tuple[str, ...], notebook: Notebook) -> None:
    """Refuse a placeholder that does not exist, and braces that make none."""
    unknown = [found for found in _PLACEHOLDER.findall(name) if found not in known]
    rest = _PLACEHOLDER.sub("", name)
    if name and not unknown and "{" not in rest and "}" not in rest:
        return
    what, hint = f"`{name}` is no tag", ""
    if unknown:
        what = f"`{{{unknown[0]}}}` of tag `{name}` does not exist"
        hint = name_hint(unknown[0], known)
    refuse(
        "tag-invalid",
        what,
        cause="a tag is made of text and of what a build knows",
        place=notebook.place(*_PATH),
        hint=hint or "Compose it of " + ", ".join(f"{{{one}}}" for one in known) + " and text.",
    )
