"""Restore steps carried out: new volumes filled from a store, and compared with the manifest."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from underway.backup.apply import directory_of
from underway.backup.presets import PRESETS, database_stem
from underway.backup.steps import RestoreVolume
from underway.errors import IntegrityError, StepFailedError
from underway.model.backup import BackupPolicy
from underway.model.container import ContainerRequest
from underway.model.names import (
    LABEL_APP,
    LABEL_POINT,
    LABEL_REPLACES,
    LABEL_VOLUME,
    AppName,
    ContainerName,
    HostName,
    VolumeName,
)
from underway.model.restore_point import Part, PartKind, PointId
from underway.model.spec import VolumeSpec
from underway.ports import Clock, Engine
from underway.ports.backup import BackupStore, BytesProgress, Counted, StreamCommand

_POLL_S: Final = 0.5
_READY_S: Final = 180.0
_ASK_S: Final = 30.0
_LOG_LINES: Final = 10

MakeServer = Callable[[RestoreVolume], ContainerRequest]
"""The fresh container that takes a dump back, its files written where it will look for them."""


@dataclass(frozen=True, slots=True)
class RestoreApplier:
    """Applies the steps of one restore. `checks` has databases look at all they took back."""

    policy: BackupPolicy
    stores: Mapping[HostName, BackupStore]
    engines: Mapping[HostName, Engine]
    clock: Clock
    make_server: MakeServer
    start_server: Callable[[HostName, ContainerRequest], None]
    checks: bool = False

    def __call__(self, step: RestoreVolume, progress: BytesProgress) -> None:
        """Fill one volume; raises IntegrityError where it is not what the manifest says."""
        trees = [part for part in step.copy.parts if part.kind is not PartKind.DUMP]
        if trees:
            self._trees(step, trees, progress)
        dumps = [part for part in step.copy.parts if part.kind is PartKind.DUMP]
        if dumps:
            self._dumped(step, dumps, progress)

    def _trees(self, step: RestoreVolume, parts: list[Part], progress: BytesProgress) -> None:
        """Databases first: the tree of the files has the owners and times of directories."""
        store, directory = self.stores[step.host], directory_of(step.copy.volume)
        found = Counted(0, 0)
        for part in sorted(parts, key=lambda one: one.kind is PartKind.FILES):
            found = store.restore_tree(part, directory, progress=progress)
        wanted = Counted(sum(part.entries for part in parts), sum(part.bytes for part in parts))
        if found != wanted:
            raise IntegrityError(
                "backup-mismatch",
                f"{step.host}: what was restored of {step.copy.volume} is not what was kept",
                cause=f"{found.entries} entries of {found.bytes} bytes; the manifest says "
                f"{wanted.entries} of {wanted.bytes}",
                hint="the data that serves was not touched; take another point",
            )
        if self.checks and step.copy.databases:
            store.check_databases(directory)

    def _dumped(self, step: RestoreVolume, parts: list[Part], progress: BytesProgress) -> None:
        """A fresh server of the release's own image takes the streams back, apart from all nets."""
        engine = self.engines[step.host]
        request = self.make_server(step)
        engine.remove(request.name)
        try:
            self.start_server(step.host, request)
            self._await(step, request, progress)
            for part in parts:
                command = self._restoring(step, part)
                sink = StreamCommand(request.name, command, self._timeout_s(step))
                self.stores[step.host].restore_stream(part, sink, progress=progress)
            self._end(step, request)
        finally:
            engine.remove(request.name)

    def _await(
        self, step: RestoreVolume, request: ContainerRequest, progress: BytesProgress
    ) -> None:
        """Wait until the server takes connections for good; without a preset, until it runs."""
        if not step.copy.preset:
            return
        ready = PRESETS[step.copy.preset].ready
        engine = self.engines[step.host]
        deadline = self.clock.monotonic() + _READY_S
        while self.clock.monotonic() < deadline:
            progress(0, 0, "the server starts")
            state = engine.container(request.name)
            if state is None or state.has_ended:
                break
            if engine.execute(request.name, ready, timeout_s=_ASK_S).exit_code == 0:
                return
            self.clock.sleep(_POLL_S)
        lines = tuple(line.text for line in engine.logs(request.name, tail=_LOG_LINES))
        raise StepFailedError(
            "backup-restore-failed",
            f"{step.host}: a fresh {step.service} on the new volume does not get ready",
            hint="the data that serves was not touched; its log tells more",
            detail=lines,
        )

    def _restoring(self, step: RestoreVolume, part: Part) -> tuple[str, ...]:
        if not step.copy.preset:
            policy = self.policy.volume(VolumeName(step.copy.volume))
            if policy is None or not policy.restore:
                raise StepFailedError(
                    "backup-restore-failed",
                    f"the file names no `restore` command for volume {step.copy.volume}",
                    hint="add it to the volume's `backup`",
                )
            return policy.restore
        name = part.name.partition("/")[2]
        streams = PRESETS[step.copy.preset].streams((database_stem(name),))
        return next(stream.restore for stream in streams if stream.name == name)

    def _end(self, step: RestoreVolume, request: ContainerRequest) -> None:
        """End the server in order: what it still holds in memory belongs to the volume."""
        engine = self.engines[step.host]
        preset = PRESETS.get(step.copy.preset)
        commands = (preset.check if self.checks else (), preset.ended) if preset else ()
        for command in filter(None, commands):
            result = engine.execute(request.name, command, timeout_s=self._timeout_s(step))
            if result.exit_code:
                lines = result.stderr.decode("utf-8", "replace").splitlines()
                raise StepFailedError(
                    "backup-restore-failed",
                    f"{step.host}: {step.service} does not accept what was restored",
                    hint="the data that serves was not touched; take another point",
                    detail=tuple(lines[-_LOG_LINES:]),
                )
        engine.stop(request.name, None)

    def _timeout_s(self, step: RestoreVolume) -> float:
        policy = self.policy.volume(VolumeName(step.copy.volume))
        return policy.timeout_s if policy else 3600.0


def new_volume(
    app: AppName, step: RestoreVolume, point: PointId, replaced: str
) -> tuple[VolumeSpec, dict[str, str]]:
    """The volume that a step fills, with labels that tell what it is and what it replaced."""
    labels = {
        **dict(step.volume.labels),
        LABEL_APP: app,
        LABEL_VOLUME: step.copy.volume,
        LABEL_POINT: point,
        **({LABEL_REPLACES: replaced} if replaced else {}),
    }
    return VolumeSpec(step.copy.volume, step.physical, step.volume.kind), labels


def restore_server_name(app: AppName, step: RestoreVolume) -> ContainerName:
    """The fresh server of a dump: one at a time."""
    return ContainerName(f"{app}-{step.service}-restore-{step.copy.volume}")
