"""What understanding a project is handed: files as they were read, and who reads them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from underway.compose.positions import SourceText
from underway.model.backup import BackupPolicy
from underway.model.kept_project import KeptProject
from underway.model.names import SensitiveName
from underway.model.sensitive import SensitiveValues
from underway.model.spec import AppSpec
from underway.model.testing import Suites

TRAVEL_LIMIT_BYTES = 1024 * 1024
"""Most that a file or a small directory may hold to travel with a release."""


@dataclass(frozen=True, slots=True)
class TravellingFile:
    """One file of this machine: its path below what was asked for ("" for itself), its mode."""

    path: str
    mode: int
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class FileSet:
    """What stands at a path: one file or a directory's files, sorted.

    `problem` says why it cannot travel ("" if it can): missing, unreadable, too large, not a file.
    """

    files: tuple[TravellingFile, ...] = ()
    is_directory: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Sources:
    """The project's Compose files in the order of their merge, each with its text and label.

    `directory` is where relative paths and `.env` begin, absolute.
    """

    files: tuple[Path, ...]
    texts: tuple[SourceText, ...]
    directory: Path
    environment: str = ""


class FileReader(Protocol):
    """Reads this machine's files."""

    def read(self, path: Path) -> FileSet:
        """What stands at `path`, at most TRAVEL_LIMIT_BYTES; problems are told, never raised."""


class SensitiveCommands(Protocol):
    """Runs the commands that print sensitive values (password managers, sops)."""

    def output_of(self, command: Sequence[str], *, timeout_s: float) -> bytes:
        """What the command printed; raises ConfigurationError `sensitive-command-failed`."""


class ProjectComposer(Protocol):
    """Docker Compose for one project: directory, `--env-file`s and profiles are its own."""

    def canonical(
        self,
        files: Sequence[Path],
        *,
        interpolate: bool,
        environment: Mapping[str, str] | None = None,
    ) -> str:
        """Compose's canonical YAML; `environment` is laid over the process's own."""

    def variables(
        self, names: Sequence[str], *, environment: Mapping[str, str] | None = None
    ) -> Mapping[str, str]:
        """Those of `names` that are set, as Compose sees them (`.env` and `--env-file` too)."""

    def interpolated(
        self, tree: Mapping[str, object], *, environment: Mapping[str, str] | None = None
    ) -> str:
        """Compose's canonical YAML of a project whose top has nothing but `tree`."""


@dataclass(frozen=True, slots=True)
class KeySource:
    """Where the signing key comes from: exactly one of `command`, `file` and `variable` is set."""

    place: str
    command: tuple[str, ...] = ()
    timeout_s: float = 0
    file: Path | None = None
    variable: str = ""


@dataclass(frozen=True, slots=True)
class Project:
    """One project as it was read: Compose's two outputs, and all they point at.

    Values stand here in the clear: its `repr` shows none of them.

    Attributes:
        canonical: interpolated, environment files resolved.
        raw: neither interpolated nor with paths resolved: what the user wrote.
        variables: the variables that are set, from outside the file.
        commanded: those of them that an `x-underway` command printed.
        files: what stands at each path the project needs from this machine, by absolute path.
        directory: relative paths of the file begin here.
        environment: the `--env` it was loaded for, or "".
        signing: where the key comes from that signs the app's records.
    """

    canonical: str = field(repr=False)
    raw: str = field(repr=False)
    sources: tuple[SourceText, ...] = field(default=(), repr=False)
    variables: Mapping[str, str] | None = field(default=None, repr=False)
    commanded: frozenset[str] = frozenset()
    files: Mapping[str, FileSet] | None = field(default=None, repr=False)
    directory: str = ""
    environment: str = ""
    signing: KeySource | None = None


@dataclass(frozen=True, slots=True)
class Understood:
    """The specification, the tests of its images, and the sensitive values they name.

    `build_only` are those that only a build or a test needs: they never reach a host's vault.
    `backup` is how the data is backed up: no release carries it. `signing` says
    where the key comes from that signs the app's records, None if they are not signed.
    `requires_clean`: uncommitted work is neither shipped nor deployed. `kept` is what a restore
    point holds of the project, without values.
    """

    spec: AppSpec
    values: SensitiveValues
    build_only: frozenset[SensitiveName] = frozenset()
    testing: Suites = field(default_factory=Suites)
    backup: BackupPolicy | None = None
    signing: KeySource | None = None
    requires_clean: bool = False
    kept: KeptProject | None = None

    @property
    def runtime_values(self) -> SensitiveValues:
        """The values that replicas need: what goes into the vault and is digested."""
        return {name: value for name, value in self.values.items() if name not in self.build_only}
