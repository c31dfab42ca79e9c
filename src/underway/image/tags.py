"""Tags: how an image built for a deploy is named, from what its source says of itself.

A tag names one content for ever. So a tag of uncommitted work, or of work without a commit,
carries the first digits of the image's own digest, and `latest` is refused. Moving tags are the
other kind: they stand beside the immutable ones, name what serves, and never deploy.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from underway.errors import ConfigurationError, RefusedError
from underway.image.versions import Bump, following, highest, read_version
from underway.model.tagging import PLACEHOLDERS

_PLACEHOLDER: Final = re.compile(r"\{([a-z]*)\}")
_LENGTH: Final = 128
_COMMIT_DIGITS: Final = 10
_CONTENT_DIGITS: Final = 8
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What the source says of itself.

    Attributes:
        commit: full revision, or "" where the source is no git checkout.
        is_dirty: whether files differ from the commit.
        date: `YYYYMMDD` in UTC of the commit, or of today without one.
        git_tags: tags that point to the commit, sorted.
        past_tags: tags of the commit and of all that it follows, sorted.
        root: directory of the checkout on this machine, or "".
    """

    commit: str = ""
    is_dirty: bool = False
    date: str = ""
    git_tags: tuple[str, ...] = ()
    past_tags: tuple[str, ...] = ()
    root: str = ""

    @property
    def is_exact(self) -> bool:
        """Whether the commit alone names the content."""
        return bool(self.commit) and not self.is_dirty

    @property
    def revision(self) -> str:
        """The commit, marked where files differ from it; "" without one."""
        return f"{self.commit}-dirty" if self.commit and self.is_dirty else self.commit


@dataclass(frozen=True, slots=True)
class TagContext:
    """What fills a strategy's placeholders beside the source.

    `build` is the number that the build server gives, `version` the next version, given with or
    without a leading `v`; both "" where not given. `bump` computes the next version; `shipped` are
    pairs of version and commit that were shipped before.
    """

    environment: str = ""
    build: str = ""
    version: str = ""
    bump: Bump | None = None
    shipped: tuple[tuple[str, str], ...] = ()


def check_strategies(strategies: tuple[str, ...], *, place: str = "") -> None:
    """Refuse unknown placeholders and `latest`: ConfigurationError (`tag-invalid`)."""
    for strategy in strategies:
        unknown = [name for name in _PLACEHOLDER.findall(strategy) if name not in PLACEHOLDERS]
        rest = _PLACEHOLDER.sub("", strategy)
        if not unknown and strategy and "{" not in rest and "}" not in rest:
            if strategy != "latest":
                continue
            problem = "`latest` names no particular image"
        else:
            problem = f"`{strategy}` is not a tag strategy"
        raise ConfigurationError(
            "tag-invalid",
            problem,
            hint="Compose it of "
            + ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
            + " and text.",
            place=place,
        )


def stems(strategies: tuple[str, ...], source: SourceFacts, context: TagContext) -> tuple[str, ...]:
    """The tags as far as they are known before the build, in the order of the strategies.

    A strategy whose value is missing (no version tag on this commit, no build number) is left
    out. Raises ConfigurationError (`tag-invalid`), RefusedError (`tag-unknown`) if none is left.
    """
    check_strategies(strategies)
    facts = _facts(source, context)
    filled: list[str] = []
    missing: list[str] = []
    for strategy in strategies:
        names = _PLACEHOLDER.findall(strategy)
        lacking = [name for name in names if not facts[name] and name != "commit"]
        if lacking:
            missing.extend(lacking)
            continue
        text = _PLACEHOLDER.sub(lambda found: facts[found[1]], strategy)
        filled.append(sanitise(text.strip("-._ ")))
    if not filled:
        raise RefusedError(
            "tag-unknown",
            "no tag can be made: "
            + ", ".join(f"{{{name}}}" for name in sorted(set(missing)))
            + " has no value here",
            hint="Tag the commit (`git tag v1.2.3`), say `--semver 1.2.3` or `--bump patch`, or "
            "add `{date}-{commit}` to `tags:`.",
        )
    return tuple(dict.fromkeys(filled))


def finish(stem: str, source: SourceFacts, config_digest: str) -> str:
    """The tag once the image is built: what no commit names carries the image's own digest.

    Raises RefusedError (`tag-unknown`) where only `latest` would be left.
    """
    if source.is_exact:
        tag = stem
    else:
        content = config_digest.removeprefix("sha256:")[:_CONTENT_DIGITS]
        mark = "dirty-" if source.commit else ""
        tag = sanitise(f"{stem}-{mark}{content}" if stem else f"{mark}{content}")
    if tag in {"", "latest"}:
        raise RefusedError(
            "tag-unknown",
            f"`{tag}` names no particular image",
            hint="Add `{date}-{commit}` to `tags:`.",
        )
    return tag


def sanitise(text: str) -> str:
    """Text as the OCI grammar allows a tag; too long ones end in a digest of the whole."""
    tag = re.sub(r"[^A-Za-z0-9._-]+", "-", text)
    tag = re.sub(r"^[.-]+", "", tag)
    if len(tag) <= _LENGTH:
        return tag
    digest = hashlib.sha256(text.encode()).hexdigest()[:_CONTENT_DIGITS]
    return f"{tag[: _LENGTH - _CONTENT_DIGITS - 1]}-{digest}"


def version_of(source: SourceFacts, context: TagContext) -> str:
    """The semantic version: given, the commit's own, or the next one if that is asked for; or "".

    Raises ConfigurationError (`tag-invalid`) for a given one that is none.
    """
    if context.version:
        return read_version(context.version)
    if not source.is_dirty:
        own = tuple(version for version, commit in context.shipped if commit == source.commit)
        found = highest(source.git_tags) or (highest(own) if source.commit else "")
        if found:
            return found
    if context.bump is None:
        return ""
    known = (*source.past_tags, *(version for version, _ in context.shipped))
    return following(highest(known), context.bump)


def require_tag(tag: str) -> None:
    """Refuse what cannot be an immutable tag: RefusedError (`tag-refused`)."""
    if _TAG.fullmatch(tag) and tag != "latest":
        return
    raise RefusedError(
        "tag-refused",
        f"`{tag}` cannot be a tag of a release",
        cause="`latest` never deploys: it names no particular image" if tag == "latest" else "",
        hint="Use letters, digits, `.`, `_` and `-`, such as `approved-2026-05`.",
    )


def moving_tags(strategies: tuple[str, ...], environment: str) -> tuple[str, ...]:
    """The moving tags of an environment; one that needs an environment is left out without one."""
    found = [
        sanitise(strategy.replace("{environment}", environment).strip("-._ "))
        for strategy in strategies
        if environment or "{" not in strategy
    ]
    return tuple(dict.fromkeys(tag for tag in found if tag))


def _facts(source: SourceFacts, context: TagContext) -> dict[str, str]:
    return {
        "build": context.build,
        "commit": source.commit[:_COMMIT_DIGITS],
        "date": source.date,
        "environment": context.environment,
        "semver": version_of(source, context),
    }
