"""Where backups are made: stores opened in sidecars, the watchdog, and who may be there."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from underway.api.session import BackupDesk
from underway.errors import ConfigurationError, StepFailedError, UnderwayError
from underway.model.backup import BackupPolicy, SensitiveSource, SourceKind, shown_repository
from underway.model.names import AppName, HostName
from underway.ports.backup import BackupStore, Workplace
from underway.wiring.options import SessionOptions

if TYPE_CHECKING:
    from underway.adapters.engine import DockerEngine
    from underway.wiring.project import ReadProject
    from underway.wiring.workshop import HostWorkshop

_INSIDE: Final = "/run/underway/backup/secrets"


def backup_desk(
    read: "ReadProject",
    options: SessionOptions,
    engines: "Mapping[HostName, DockerEngine]",
    workshop: "HostWorkshop",
) -> BackupDesk | None:
    """What backups need; None where the file says nothing of them."""
    from underway.adapters.lock import AttachedLocks, backup_lock_name
    from underway.wiring.notifying import Notices

    if read.backup is None:
        return None
    stores = HostStores(read.spec.name, read.backup, options, engines, workshop)
    return BackupDesk(
        policy=read.backup,
        open_store=stores.open,
        watchdog=stores.guard,
        locks=AttachedLocks(
            engines.values(),
            lambda _: workshop.tools_reference(),
            bring=workshop.bring_tools,
            name_of=backup_lock_name,
        ),
        kept=read.kept,
        notify=Notices(read.backup, options),
    )


class HostStores:
    """Opens the repository of the file beside the data of a host."""

    def __init__(
        self,
        app: AppName,
        policy: BackupPolicy,
        options: SessionOptions,
        engines: "Mapping[HostName, DockerEngine]",
        workshop: "HostWorkshop",
    ) -> None:
        self._app = app
        self._policy = policy
        self._options = options
        self._engines = engines
        self._workshop = workshop

    @contextmanager
    def open(self, place: Workplace) -> Iterator[BackupStore]:
        """See `ports.backup.OpenStore`."""
        from underway.adapters.restic import ResticStore
        from underway.adapters.sidecar import standing_sidecar
        from underway.backup.containers import looking_name, sidecar_name, sidecar_request

        engine = self._engines[place.host]
        self._workshop.bring_tools(engine)
        request = sidecar_request(
            self._app,
            self._workshop.tools_reference(),
            place,
            repository=self._policy.repository,
            name=looking_name(self._app, secrets.token_hex(4))
            if place.is_looking
            else sidecar_name(self._app),
        )
        try:
            with standing_sidecar(engine, request, self._files) as sidecar:
                yield ResticStore(sidecar, self._app, shown_repository(self._policy.repository))
        finally:
            if not place.is_looking:
                # A watchdog that was still needed ends with the sidecar: wait for its work.
                with suppress(UnderwayError):
                    self._tidy(engine)

    @contextmanager
    def guard(
        self,
        host: HostName,
        *,
        limit_s: float,
        thaw: Sequence[str] = (),
        after: Sequence[tuple[str, str]] = (),
    ) -> Iterator[None]:
        """See `ports.backup.Watchdog`. One that is still needed ends with the sidecar."""
        from underway.adapters.sidecar import await_line
        from underway.backup.containers import watchdog_request

        engine = self._engines[host]
        request = watchdog_request(
            self._app,
            self._workshop.tools_reference(),
            limit_s=limit_s,
            thaw=tuple(thaw),
            after=tuple(after),
        )
        engine.remove(request.name)
        engine.create(request, {})
        engine.start(request.name)
        if not await_line(engine, request.name, engine.facts().id):
            engine.remove(request.name)
            raise StepFailedError(
                "backup-no-watchdog",
                f"{host}: the watchdog cannot reach its engine: nothing was frozen",
                cause="the engine does not listen on /var/run/docker.sock",
                hint="choose `dump` or `files`, or let the engine listen there too",
            )
        yield
        engine.remove(request.name)

    def _tidy(self, engine: "DockerEngine") -> None:
        from underway.adapters.sidecar import await_end
        from underway.backup.containers import watchdog_name

        await_end(engine, watchdog_name(self._app))

    @cached_property
    def _files(self) -> Mapping[str, bytes]:
        """What the store's program reads; asked for once, when the first store is opened."""
        policy = self._policy
        place = "/repository" if policy.is_host_directory else policy.repository
        return {
            f"{_INSIDE}/repository": place.encode(),
            f"{_INSIDE}/password": value_of(policy.password, "password", self._options),
            **{
                f"{_INSIDE}/env/{name}": value_of(source, name, self._options)
                for name, source in policy.credentials
            },
        }


def value_of(source: SensitiveSource, name: str, options: SessionOptions) -> bytes:
    """A sensitive value from where it comes from; ConfigurationError where there is none."""
    from underway.adapters.compose_commands import CommandOutputs

    match source.kind:
        case SourceKind.COMMAND:
            outputs = CommandOutputs(options.environ)
            value = outputs.output_of(source.words, timeout_s=source.timeout_s)
        case SourceKind.VARIABLE:
            value = options.environ.get(source.words[0], "").encode()
        case SourceKind.FILE:
            value = _read(Path(source.words[0]), options)
    value = value.removesuffix(b"\n").removesuffix(b"\r")
    if not value:
        raise _no_value(name, source, "it is empty or not set")
    return value


def _read(path: Path, options: SessionOptions) -> bytes:
    start = options.project_directory or Path.cwd()
    try:
        return (start / path.expanduser()).read_bytes()
    except OSError as error:
        source = SensitiveSource(SourceKind.FILE, (str(path),))
        raise _no_value(path.name, source, str(error.strerror)) from error


def _no_value(name: str, source: SensitiveSource, why: str) -> ConfigurationError:
    return ConfigurationError(
        "backup-value-missing",
        f"`{name}` of the backup has no value from its {source.kind.value} `{source.words[0]}`",
        cause=why,
        hint="set it where this command runs; without it the repository does not open",
    )
