"""The project a run is about, read from this machine's files: whole, or its site alone."""

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from underway.adapters.compose_commands import CommandOutputs
from underway.adapters.compose_files import LocalFiles, find_sources
from underway.adapters.compose_program import ComposeProgram
from underway.adapters.endpoint import endpoint_of
from underway.compose.canonical import Tree, read_canonical
from underway.compose.loading import load, load_site
from underway.compose.positions import Positions
from underway.compose.profiles import require_profiles
from underway.compose.signing import read_key
from underway.compose.sources import KeySource, Sources, Understood
from underway.compose.x_underway import KEY
from underway.errors import BugError, ConfigurationError, UnderwayError
from underway.model.backup import BackupPolicy
from underway.model.kept_project import KeptProject
from underway.model.sensitive import Sensitive, SensitiveValues
from underway.model.spec import AppSpec
from underway.model.testing import Suites
from underway.wiring.options import Reading, SessionOptions

VALUES_CODES: Final = frozenset({"file-unreadable", "sensitive-command-failed", "variable-missing"})
"""Errors of a file that is right, on a machine that lacks what a deploy takes from it."""


@dataclass(frozen=True, slots=True)
class ReadProject:
    """What was read: `unread` says why it is the site alone, None where it is the whole file."""

    spec: AppSpec
    values: SensitiveValues = field(default_factory=dict)
    runtime_values: SensitiveValues = field(default_factory=dict)
    unread: UnderwayError | None = None
    testing: Suites = field(default_factory=Suites)
    backup: BackupPolicy | None = None
    signing: KeySource | None = None
    requires_clean: bool = False
    kept: KeptProject | None = None


class Project:
    """A project's files and Docker Compose over them, as the options say."""

    def __init__(self, options: SessionOptions) -> None:
        """Find the files; raises ConfigurationError, UsageError `profile-unknown`."""
        self._environ = options.environ
        self._sources = _sources(options)
        require_profiles(options.profiles, self._sources.texts)
        self._composer = ComposeProgram(
            directory=self._sources.directory,
            environment=options.environ,
            env_files=tuple(file.absolute() for file in options.env_files),
            profiles=options.profiles,
            project_name=options.project_name,
        )
        self._commands = CommandOutputs(options.environ)

    @property
    def sources(self) -> Sources:
        """The files, in the order of their merge."""
        return self._sources

    @property
    def composer(self) -> ComposeProgram:
        """Docker Compose, as the options say."""
        return self._composer

    def raw(self, files: tuple[Path, ...] = ()) -> Tree:
        """What Compose makes of the files (or of these), variables left as they are written."""
        text = self._composer.canonical(files or self._sources.files, interpolate=False)
        return read_canonical(text, is_interpolated=False)

    def whole(self) -> Understood:
        """The specification with its values; raises ConfigurationError."""
        return load(self._sources, self._composer, LocalFiles(), self._commands)

    def site(self) -> Understood:
        """The app's name and hosts, without values; raises ConfigurationError."""
        return load_site(self._sources, self._composer, self._commands)

    def read(self, reading: Reading) -> ReadProject:
        """As much as `reading` says; raises ConfigurationError."""
        if reading is Reading.SITE:
            unread = BugError("bug", "a command that reads no values of the file asked for them")
            return self._read_site(unread)
        try:
            understood = self.whole()
        except ConfigurationError as error:
            if reading is Reading.WHOLE or error.code not in VALUES_CODES:
                raise
            return self._read_site(error)
        return ReadProject(
            understood.spec,
            understood.values,
            understood.runtime_values,
            testing=understood.testing,
            backup=understood.backup,
            signing=understood.signing,
            requires_clean=understood.requires_clean,
            kept=understood.kept,
        )

    def require_urls(self, spec: AppSpec) -> None:
        """Refuse a host's URL that means no engine here, with its place; ConfigurationError."""
        positions = Positions(self._sources.texts)
        for host in spec.hosts:
            try:
                endpoint_of(host.url)
            except ConfigurationError as error:
                error.place = positions.spelling((KEY, "hosts"), host.url) if host.url else ""
                raise

    def signing_key(self, source: KeySource) -> Sensitive:
        """The key that signs the app's records; raises ConfigurationError."""
        names = [source.variable] if source.variable else []
        known = {name: self._environ[name] for name in names if name in self._environ}
        variables = known or self._composer.variables(names)
        return read_key(source, self._commands, LocalFiles(), variables)

    def _read_site(self, unread: UnderwayError) -> ReadProject:
        site = self.site()
        return ReadProject(
            site.spec, unread=unread, signing=site.signing, requires_clean=site.requires_clean
        )


def _sources(options: SessionOptions) -> Sources:
    """The files; what is named on the command line is named from where the user stands."""
    chosen = options.project_directory
    found = find_sources(
        Path.cwd() if options.files or chosen is None else chosen,
        files=options.files,
        environment_name=options.environment,
        environ=options.environ,
    )
    if chosen is None:
        return found
    return replace(found, directory=Path(os.path.normpath(chosen.absolute())))
