"""Where image snapshots are taken: on the container's host, by way of this machine's disk."""

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import TYPE_CHECKING, Final

from underway.adapters.engine.filesystem import FilesystemCalls
from underway.adapters.engine.images import ImageCalls
from underway.adapters.snapshot_archive import (
    archived_reference,
    image_archive,
    image_config,
    spool_layer,
)
from underway.errors import RefusedError
from underway.image.apply import config_digest_of
from underway.model.backup import BackupPolicy, SensitiveSource, SourceKind
from underway.model.names import AppName, HostName
from underway.ports.backup import Watchdog
from underway.ports.snapshots import SnapshotWish
from underway.wiring.backups import HostStores
from underway.wiring.options import SessionOptions

if TYPE_CHECKING:
    from underway.adapters.engine import DockerEngine
    from underway.wiring.workshop import HostWorkshop

_FREEZE_S: Final = 30.0


def image_shelf(
    app: AppName,
    options: SessionOptions,
    engines: "Mapping[HostName, DockerEngine]",
    workshop: "HostWorkshop",
) -> "HostShelf":
    """The shelf of a session's hosts; its watchdog is that of backups."""
    nowhere = BackupPolicy("", SensitiveSource(SourceKind.VARIABLE, ("",)))
    stores = HostStores(app, nowhere, options, engines, workshop)
    return HostShelf(engines, stores.guard, workshop.bring_tools)


class HostShelf:
    """See `ports.snapshots.ImageShelf`."""

    def __init__(
        self,
        engines: "Mapping[HostName, DockerEngine]",
        watchdog: Watchdog,
        bring_tools: "Callable[[DockerEngine], object]",
    ) -> None:
        self._engines = engines
        self._watchdog = watchdog
        self._bring_tools = bring_tools

    def take(self, wish: SnapshotWish) -> str:
        """See `ports.snapshots.ImageShelf.take`."""
        engine = self._engines[wish.host]
        calls = FilesystemCalls(engine.connection)
        self._bring_tools(engine)
        state = engine.container(wish.container)
        if state is None:
            raise RefusedError(
                "snapshot-gone",
                f"{wish.host}: container {wish.container} is gone",
                cause="a deploy may have replaced it",
                hint="take the snapshot again",
            )
        image = engine.image(state.image_id)
        with TemporaryFile() as layer:
            with self._watchdog(wish.host, limit_s=_FREEZE_S, thaw=(state.id,)):
                frozen = calls.commit(state.id)
            try:
                copy = calls.make(frozen)
                try:
                    digest = spool_layer(calls.export(copy), wish.leave_out, layer)
                finally:
                    engine.remove(copy)
            finally:
                engine.remove_image(frozen)
            config = image_config(
                wish.config,
                architecture=image.architecture if image else "",
                created_at=wish.created_at,
                layer=digest,
            )
            engine.load(image_archive(config, wish.reference, layer))
        return f"sha256:{hashlib.sha256(config).hexdigest()}"

    def save(self, host: HostName, reference: str, path: Path) -> None:
        """See `ports.snapshots.ImageShelf.save`."""
        try:
            with NamedTemporaryFile(dir=path.parent, delete=False) as file:
                try:
                    for chunk in self._engines[host].save(reference):
                        file.write(chunk)
                    file.flush()
                    os.fsync(file.fileno())
                    Path(file.name).replace(path)
                except BaseException:
                    Path(file.name).unlink(missing_ok=True)
                    raise
        except OSError as error:
            raise _unfit(path, error.strerror or str(error)) from error

    def load(self, host: HostName, path: Path) -> str:
        """See `ports.snapshots.ImageShelf.load`."""
        try:
            with path.open("rb") as file:
                reference = archived_reference(file)
                if not reference:
                    raise _unfit(path, "it holds no image with a name")
                self._engines[host].load(iter(lambda: file.read(1 << 20), b""))
        except OSError as error:
            raise _unfit(path, error.strerror or str(error)) from error
        return reference

    def digest(self, host: HostName, reference: str) -> str:
        """See `ports.snapshots.ImageShelf.digest`."""
        engine = self._engines[host]
        state = engine.image(reference)
        return config_digest_of(engine, state) if state else ""

    def take_away(self, host: HostName, reference: str) -> None:
        """See `ports.snapshots.ImageShelf.take_away`."""
        ImageCalls(self._engines[host].connection).take_name(reference)


def _unfit(path: Path, why: str) -> RefusedError:
    return RefusedError(
        "snapshot-file",
        f"{path} cannot be used for an image snapshot",
        cause=why,
        hint="`underway image snapshot create SERVICE --to FILE` writes one",
    )
