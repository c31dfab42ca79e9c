"""Image references as people write them: `[registry/]repository[:tag][@digest]`.

Follows the grammar of the OCI distribution specification and Docker's reading of short names:
the first part is a registry if it holds a dot or a colon, or is `localhost`.
"""

import re
from dataclasses import dataclass
from typing import Final

from underway.errors import ConfigurationError

_NAME: Final = re.compile(
    r"(?:(?P<registry>localhost(?::[0-9]+)?|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?::[0-9]+)?"
    r"|[A-Za-z0-9-]+:[0-9]+|\[[0-9A-Fa-f:]+\](?::[0-9]+)?)/)?"
    r"(?P<path>[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference in its parts; what was not written is "".

    `registry` is "" for a name without a registry: an image of this machine, or of Docker Hub.
    """

    registry: str
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def repository(self) -> str:
        """Registry and path, as written."""
        return f"{self.registry}/{self.path}" if self.registry else self.path

    @property
    def names_registry(self) -> bool:
        """Whether a registry is named, so that images are pushed there."""
        return bool(self.registry)

    def tagged(self, tag: str) -> str:
        """The same repository under `tag`."""
        return f"{self.repository}:{tag}"


def parse_reference(text: str, *, place: str = "") -> Reference:
    """Read a reference; raises ConfigurationError (`image-reference`)."""
    found = _NAME.fullmatch(text)
    if found is None:
        raise ConfigurationError(
            "image-reference",
            f"`{text}` is not an image reference",
            cause=_fault_of(text),
            hint="Write `[registry/]name[:tag]`, the name in lower case.",
            place=place,
        )
    return Reference(
        found["registry"] or "", found["path"], found["tag"] or "", found["digest"] or ""
    )


def _fault_of(text: str) -> str:
    if text != text.lower():
        return "names of images are written in lower case"
    return "it holds a space" if " " in text else "it is not `[registry/]name[:tag][@digest]`"


def is_same_repository(repository: str, other: str) -> bool:
    """Whether two names mean one repository: Docker Hub's has several spellings."""
    return _familiar(repository) == _familiar(other)


def _familiar(repository: str) -> str:
    for prefix in ("docker.io/", "index.docker.io/"):
        repository = repository.removeprefix(prefix)
    return repository.removeprefix("library/")
