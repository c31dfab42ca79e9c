"""What of a project is kept beside its data, so that its values can be read anew elsewhere.

No sensitive value stands here: only where each comes from. What holds one is asked for again.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that travels with a release and is no secret, by its path below the project."""

    path: str
    mode: int
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeptProject:
    """A Compose file of nothing but what values are made of, as it was written.

    `compose` is JSON, not interpolated. `files` are configs and small binds that every user of the
    machine could read. `given` are the variables that were set from outside when it was kept: a
    value that is missing later is known by its name.
    """

    compose: str
    files: tuple[KeptFile, ...] = ()
    given: tuple[str, ...] = ()
