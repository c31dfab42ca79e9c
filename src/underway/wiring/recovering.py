"""A session for hosts that know nothing of the app: made from a restore point, not from a file.

The repository tells the release and where its values come from; this machine gives the values
themselves: variables, and files of secrets.
"""

import json
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from underway.api.restore_points import Choice, manifest_of
from underway.api.session import Session
from underway.compose.keeping import needed_files, project_text
from underway.compose.new_hosts import Target, on_new_hosts
from underway.errors import ConfigurationError, RefusedError
from underway.kernel.telling import Voice
from underway.model.backup import BackupPolicy, SensitiveSource, SourceKind, shown_repository
from underway.model.kept_project import KeptProject
from underway.model.names import AppName, HostName
from underway.model.release import Release
from underway.model.restore_point import Manifest
from underway.model.sensitive import SensitiveValues
from underway.model.spec import AppSpec, HostSpec
from underway.ports import EventSink
from underway.ports.backup import Workplace
from underway.wiring.backups import HostStores
from underway.wiring.fleet import Seals
from underway.wiring.options import Reading, SessionOptions
from underway.wiring.sessions import SystemClock, actor, assembled, closing, team_key
from underway.wiring.workshop import HostWorkshop

if TYPE_CHECKING:
    from underway.adapters.connector import DockerConnector
    from underway.wiring.project import Project, ReadProject

_STORE_VARIABLES: Final = ("AWS_", "B2_", "AZURE_", "GOOGLE_", "OS_", "ST_", "RESTIC_REST_")
_BOOTSTRAP: Final = AppName("recovery")
_DEEP: Final = "/".join("abcdefgh")
"""Paths of a file may lead above it: so far, they stay within what is removed in the end."""


@dataclass(frozen=True, slots=True)
class Recall:
    """What shall be recovered from where. `app` is "" where the repository holds only one.

    `secrets` is the directory that holds files of secrets, by the paths that the project names.
    """

    repository: str
    targets: tuple[Target, ...]
    password: SensitiveSource
    choice: Choice = field(default_factory=Choice)
    app: str = ""
    secrets: Path = field(default_factory=Path.cwd)


@dataclass(frozen=True, slots=True)
class Recovery:
    """A session with the new hosts, and what they shall get."""

    session: Session
    manifest: Manifest
    release: Release


@contextmanager
def open_recovery(options: SessionOptions, sink: EventSink, recall: Recall) -> Iterator[Recovery]:
    """Read the point, then the values it names, and connect to the new hosts.

    Raises RefusedError (the repository, the point), UsageError `recover-hosts`, ConfigurationError
    `recover-values-missing` with all values that this machine does not give.
    """
    from underway.adapters.connector import DockerConnector
    from underway.adapters.heads import StateHeads, heads_directory
    from underway.wiring.keeping import journalled

    voice = Voice(secrets.token_hex(6), actor(), journalled(options, sink), SystemClock())
    with DockerConnector(Path.cwd()) as connector, TemporaryDirectory() as scratch:
        manifest = _manifest(options, recall, connector)
        release = on_new_hosts(manifest.release, recall.targets)
        project, read = _read(options, recall, manifest, Path(scratch))
        policy = replace(
            manifest.policy or BackupPolicy("", recall.password),
            repository=recall.repository,
            password=recall.password,
            credentials=_credentials(options),
        )
        values = values_of(manifest, read.runtime_values)
        read = replace(read, spec=release.spec, values=values, runtime_values=values, backup=policy)
        heads = StateHeads(heads_directory(options.environ), lambda _: None)
        seals = Seals(team_key(project, read, voice), heads)
        session = assembled(options, read, connector, voice, seals)
        with closing(session):
            yield Recovery(session, manifest, release)


def _manifest(options: SessionOptions, recall: Recall, connector: "DockerConnector") -> Manifest:
    """The point's manifest, read on the first of the new hosts."""
    host = HostSpec(HostName("new"), recall.targets[0].url)
    engines = {host.name: connector.connect(host)}
    policy = BackupPolicy(recall.repository, recall.password, _credentials(options))
    spec = AppSpec(AppName(recall.app) or _BOOTSTRAP, (), (host,))
    workshop = HostWorkshop(options, spec, {}, engines, connector)
    stores = HostStores(spec.name, policy, options, engines, workshop)
    with stores.open(Workplace(host.name)) as store:
        store.open()
        if recall.app:
            return manifest_of(store, spec.name, recall.choice)
        apps = store.apps()
        if len(apps) == 1:
            return manifest_of(store, apps[0], recall.choice)
    place = shown_repository(recall.repository)
    raise RefusedError(
        "recover-which-app",
        f"{place} holds restore points of {', '.join(apps)}"
        if apps
        else f"{place} holds no restore point",
        hint="Name the app with -p." if apps else "Look at the path: it opens, and is empty.",
    )


def _read(
    options: SessionOptions, recall: Recall, manifest: Manifest, scratch: Path
) -> "tuple[Project, ReadProject]":
    """The project that tells the values: the one that is named, else the one that was kept."""
    from underway.wiring.project import Project

    if manifest.project is None or options.files:
        project = Project(options)
    else:
        project = project_of(options, manifest, recall.secrets.absolute(), scratch)
    return project, project.read(Reading.WHOLE)


def project_of(
    options: SessionOptions, manifest: Manifest, given: Path, scratch: Path
) -> "Project":
    """The kept project, laid out in `scratch`, with the files of secrets below `given`.

    Raises ConfigurationError `recover-values-missing` with all that this machine does not give.
    """
    from underway.wiring.project import Project

    kept = manifest.project or KeptProject("{}")
    directory = scratch / _DEEP / "project"
    directory.mkdir(parents=True)
    lay_out(kept, manifest.app, directory, given)
    found = SessionOptions(
        files=(directory / "compose.json",),
        env_files=tuple(file.absolute() for file in options.env_files),
        project_directory=directory,
        project_name=manifest.app,
        environ=options.environ,
    )
    project = Project(found)
    missing = _not_given(project, kept, directory, given)
    if missing:
        raise _missing(manifest, missing)
    return project


def lay_out(kept: KeptProject, app: AppName, directory: Path, given: Path) -> None:
    """The kept project as files; what is not kept is linked from where the team has it."""
    (directory / "compose.json").write_text(project_text(kept, app))
    for file in kept.files:
        place = Path(os.path.normpath(directory / file.path))
        if place.is_relative_to(directory):
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.content)
            place.chmod(file.mode)
    if (given / ".env").is_file():
        (directory / ".env").symlink_to(given / ".env")


def _not_given(project: "Project", kept: KeptProject, directory: Path, given: Path) -> list[str]:
    """Find files of secrets; all that is missing is returned."""
    variables = project.composer.variables(kept.given)
    missing = [f"variable {name}" for name in kept.given if name not in variables]
    needed = needed_files(json.loads(kept.compose))
    blanks = {name: "" for name in kept.given if name not in variables}
    paths = _interpolated(project, [file.path for file in needed], blanks)
    missing += [
        f"{file.what}: {file.path}"
        for file, path in zip(needed, paths, strict=True)
        if not _found(Path(path), directory, given)
    ]
    return missing


def _interpolated(
    project: "Project", templates: Sequence[str], blanks: Mapping[str, str]
) -> list[str]:
    from underway.compose.canonical import list_of, read_canonical

    if not templates:
        return []
    text = project.composer.interpolated({"x-paths": list(templates)}, environment=blanks)
    return [str(path) for path in list_of(read_canonical(text, is_interpolated=True)["x-paths"])]


def _found(path: Path, directory: Path, given: Path) -> bool:
    """Whether a file is there; a relative one is looked for in `given`, and linked from there."""
    place = Path(os.path.normpath(directory / path.expanduser()))
    if place.exists():
        return True
    origin = given / path
    if path.is_absolute() or not origin.exists():
        return False
    if not place.is_relative_to(directory.parents[len(_DEEP.split("/")) - 1]):
        return False
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(origin)
    return True


def values_of(manifest: Manifest, values: SensitiveValues) -> SensitiveValues:
    """The values of the release, all of them."""
    wanted = [entry.name for entry in manifest.release.sensitive]
    missing = [f"value {name}" for name in wanted if name not in values]
    if missing:
        raise _missing(manifest, missing)
    return {name: values[name] for name in wanted}


def _missing(manifest: Manifest, missing: Sequence[str]) -> ConfigurationError:
    return ConfigurationError(
        "recover-values-missing",
        f"{manifest.app} needs {len(missing)} more of the team's values, which no restore point "
        "holds",
        cause="; ".join(missing),
        hint="Set variables in the shell, with --env-file, or in the .env of --secrets; put files "
        "below --secrets DIRECTORY by these paths. A variable that may be empty is set to nothing.",
    )


def _credentials(options: SessionOptions) -> tuple[tuple[str, SensitiveSource], ...]:
    """What stores read of this machine's environment, under the names that they know."""
    return tuple(
        (name, SensitiveSource(SourceKind.VARIABLE, (name,)))
        for name in sorted(options.environ)
        if name.startswith(_STORE_VARIABLES) and options.environ[name]
    )
