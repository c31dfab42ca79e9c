"""What understanding a project gathers on its way: remarks and sensitive values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from underway.compose.canonical import Tree, mapping_of
from underway.compose.positions import Positions
from underway.compose.sources import FileSet
from underway.errors import ConfigurationError
from underway.model.names import SensitiveName
from underway.model.remark import Remark
from underway.model.sensitive import Sensitive


@dataclass(slots=True)
class Notebook:
    """One reading of a project: its two trees, its positions, and what was noted so far.

    `is_remote` says that at least one host is not this machine's engine; `is_fleet` that there
    is more than one.
    """

    canonical: Tree = field(repr=False)
    raw: Tree = field(repr=False)
    positions: Positions
    variables: Mapping[str, str] = field(repr=False)
    files: Mapping[str, FileSet] = field(repr=False)
    directory: str = ""
    public: frozenset[str] = frozenset()
    is_remote: bool = False
    is_fleet: bool = False
    _remarks: set[Remark] = field(default_factory=set)
    _values: dict[SensitiveName, Sensitive] = field(default_factory=dict)

    def remark(self, code: str, message: str, place: str = "") -> None:
        """Note something the user should know."""
        self._remarks.add(Remark(code, message, place))

    def keep(self, name: str, value: bytes) -> SensitiveName:
        """Put a sensitive value aside under `name`, and give the name back."""
        sensitive = SensitiveName(name)
        self._values[sensitive] = Sensitive(value)
        return sensitive

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """All remarks, sorted by place, code and message."""
        return tuple(
            sorted(
                self._remarks, key=lambda entry: (_natural(entry.place), entry.code, entry.message)
            )
        )

    @property
    def values(self) -> dict[SensitiveName, Sensitive]:
        """All sensitive values, sorted by name."""
        return {name: self._values[name] for name in sorted(self._values)}

    def raw_service(self, service: str) -> dict[str, object]:
        """The service as the user wrote it."""
        return mapping_of(mapping_of(self.raw.get("services")).get(service))

    def place(self, *path: str | int) -> str:
        """`file:line` of a path."""
        return self.positions.place(*path)


def refuse(code: str, message: str, *, place: str, hint: str, cause: str = "") -> NoReturn:
    """Raise the ConfigurationError of a key or value that cannot be honoured."""
    raise ConfigurationError(code, message, cause=cause, hint=hint, place=place)


def _natural(place: str) -> tuple[str, int]:
    name, _, line = place.rpartition(":")
    return (name, int(line)) if line.isdigit() else (place, 0)
