"""Backup steps carried out: through a store beside the data, the engine, and a watchdog."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, assert_never

from underway.backup.presets import PRESETS
from underway.backup.steps import BackupStep, CopyVolumes, DumpVolume, Quiesce, VolumeRef
from underway.errors import BugError, EngineError, StepFailedError, UnderwayError
from underway.model.backup import Consistency
from underway.model.names import HostName, VolumeName
from underway.model.restore_point import Part, PartKind, PointId, VolumeCopy
from underway.model.snapshot import ContainerState, ContainerStatus
from underway.ports import Engine
from underway.ports.backup import (
    BackupStore,
    BytesProgress,
    Freeze,
    SavedDatabases,
    SavedTree,
    StreamCommand,
    Tree,
    Watchdog,
)

MOST_PASSES: Final = 3
"""How often files that change while they are read are read again."""
_GUARD_MARGIN_S: Final = 15.0
_MOST_MOVED: Final = 1000
_FILES: Final = ("", "-wal", "-shm", "-journal")
"""What a SQLite database consists of while it is open, as endings of its path."""


@dataclass(frozen=True, slots=True)
class BackupApplier:
    """Applies the steps of one backup; `now_text` tells the moment as RFC 3339."""

    point: PointId
    stores: Mapping[HostName, BackupStore]
    engines: Mapping[HostName, Engine]
    watchdog: Watchdog
    now_text: Callable[[], str]
    labels: Mapping[str, tuple[tuple[str, str], ...]]

    def __call__(self, step: BackupStep, progress: BytesProgress) -> tuple[VolumeCopy, ...]:
        """Carry one step out; what it copied."""
        match step:
            case CopyVolumes():
                return self._copied(step, progress)
            case DumpVolume():
                return (self._dumped(step, progress),)
            case _:
                assert_never(step)

    def _copied(self, step: CopyVolumes, progress: BytesProgress) -> tuple[VolumeCopy, ...]:
        moment = self.now_text()
        databases: SavedDatabases | None = None
        match step.consistency:
            case Consistency.PAUSE:
                moment, saved = self._paused(step, progress)
            case Consistency.QUIESCE:
                moment, saved = self._quiesced(step, progress)
            case Consistency.FILES:
                databases, saved = self._as_they_are(step, progress)
            case Consistency.DUMP | Consistency.NONE:
                message = f"volumes are not copied by {step.consistency}"
                raise BugError("bug", message)
            case _:
                assert_never(step.consistency)
        copies = (self._copy(step, ref, moment, saved) for ref in step.volumes)
        return tuple(with_databases(copy, databases) for copy in copies)

    def _copy(self, step: CopyVolumes, ref: VolumeRef, moment: str, saved: SavedTree) -> VolumeCopy:
        directory = directory_of(ref.volume)
        counted = self.stores[step.host].count(saved.snapshot, directory)
        part = Part(PartKind.FILES, saved.snapshot, directory, counted.bytes, counted.entries)
        moved = tuple(path for path in saved.moved if path.startswith(f"{directory}/"))
        return VolumeCopy(
            volume=ref.volume,
            physical=ref.physical,
            host=step.host,
            consistency=step.consistency,
            moment=moment,
            parts=(part,),
            is_fuzzy=step.consistency is Consistency.FILES,
            moved=moved[:_MOST_MOVED],
            freeze_s=saved.frozen_s,
            labels=self.labels.get(ref.physical, ()),
        )

    def _as_they_are(
        self, step: CopyVolumes, progress: BytesProgress
    ) -> tuple[SavedDatabases | None, SavedTree]:
        """Copy, then copy again what moved meanwhile, until nothing does or patience ends.

        Databases come first: each file that a row names is in the later copy of the files.
        """
        store, directories = self.stores[step.host], _directories(step)
        databases = store.save_databases(self.point, directories, progress=progress)
        out = tuple(
            path + suffix for path, _ in (databases.sizes if databases else ()) for suffix in _FILES
        )
        tree = Tree("files", directories, out)
        saved = store.save_tree(self.point, tree, progress=progress)
        for _ in range(MOST_PASSES - 1):
            saved = store.save_tree(self.point, tree, parent=saved.snapshot, progress=progress)
            if not saved.moved:
                break
        return databases, saved

    def _paused(self, step: CopyVolumes, progress: BytesProgress) -> tuple[str, SavedTree]:
        """The bulk while everything runs, the rest while every writer stands still.

        The frozen pass goes by the last frozen tree: a page that was written through a mapping
        shows in no time stamp since a pass that was not frozen.
        """
        store = self.stores[step.host]
        writers, bystanders = self._having_open(step)
        if writers:
            store.save_tree(
                self.point,
                Tree("hot", _directories(step)),
                parent=step.parent,
                progress=progress,
            )
            writers, bystanders = self._having_open(step)
        freeze = Freeze(
            containers=tuple(c.id for c in writers),
            bystanders=tuple(c.id for c in bystanders),
            volumes=tuple(ref.physical for ref in step.volumes),
            limit_s=step.freeze_s,
        )
        moment, saved = self._frozen(step, freeze, progress)
        if saved.intruders:
            raise StepFailedError(
                "backup-writer-came",
                f"{step.host}: a container began to write while the others were frozen",
                cause=", ".join(self._named(step.host, saved.intruders)),
                hint="a deploy may have started it: run the backup again when that is over",
            )
        return moment, saved

    def _frozen(
        self, step: CopyVolumes, freeze: Freeze, progress: BytesProgress
    ) -> tuple[str, SavedTree]:
        """The last pass. The watchdog stays where somebody is found frozen after a failure."""
        guard_s = step.freeze_s + _GUARD_MARGIN_S
        failure: UnderwayError | None = None
        with self.watchdog(step.host, limit_s=guard_s, thaw=freeze.containers):
            moment = self.now_text()
            try:
                saved = self.stores[step.host].save_tree(
                    self.point,
                    Tree("frozen", _directories(step)),
                    parent=step.parent,
                    freeze=freeze,
                    progress=progress,
                )
            except UnderwayError as error:
                failure = error
                if self._is_any_paused(step.host, freeze.containers):
                    raise
        if failure is not None:
            raise failure
        return moment, saved

    def _is_any_paused(self, host: HostName, ids: tuple[str, ...]) -> bool:
        seen = self.engines[host].containers()
        return any(c.id in ids and c.status is ContainerStatus.PAUSED for c in seen)

    def _having_open(
        self, step: CopyVolumes
    ) -> tuple[tuple[ContainerState, ...], tuple[ContainerState, ...]]:
        """Who runs with one of the volumes now: those that may write, those that only read."""
        wanted = {ref.physical for ref in step.volumes}
        using = [
            c
            for c in self.engines[step.host].containers()
            if wanted & set(c.volumes) and c.status is ContainerStatus.RUNNING
        ]
        writing = [c for c in using if wanted & set(c.volumes) - set(c.read_volumes)]
        return tuple(writing), tuple(c for c in using if c not in writing)

    def _named(self, host: HostName, ids: tuple[str, ...]) -> list[str]:
        names = {c.id: c.name for c in self.engines[host].containers()}
        return [names.get(one, one[:12]) for one in ids]

    def _quiesced(self, step: CopyVolumes, progress: BytesProgress) -> tuple[str, SavedTree]:
        quiesce = step.quiesce
        if quiesce is None:
            raise BugError("bug", "a quiesce without commands")
        store = self.stores[step.host]
        store.save_tree(self.point, Tree("hot", _directories(step)), progress=progress)
        after = (quiesce.container, shlex.join(quiesce.after))
        guard_s = quiesce.timeout_s + step.freeze_s + _GUARD_MARGIN_S
        failure: UnderwayError | None = None
        with self.watchdog(step.host, limit_s=guard_s, after=(after,)):
            try:
                self._run(step.host, quiesce, quiesce.before, "before")
                moment = self.now_text()
                saved = store.save_tree(
                    self.point,
                    Tree("quiesced", _directories(step)),
                    freeze=Freeze((), (), (), step.freeze_s),
                    progress=progress,
                )
            except UnderwayError as error:
                failure = error
            self._run(step.host, quiesce, quiesce.after, "after")
        if failure is not None:
            raise failure
        return moment, saved

    def _run(self, host: HostName, quiesce: Quiesce, command: tuple[str, ...], when: str) -> None:
        try:
            result = self.engines[host].execute(
                quiesce.container, command, timeout_s=quiesce.timeout_s
            )
        except EngineError as error:
            raise _not_quiet(host, quiesce, when, error.message) from error
        if result.exit_code:
            lines = (result.stderr or result.stdout).decode("utf-8", "replace").splitlines()
            raise _not_quiet(
                host, quiesce, when, f"it ended with {result.exit_code}", tuple(lines[-10:])
            )

    def _dumped(self, step: DumpVolume, progress: BytesProgress) -> VolumeCopy:
        store = self.stores[step.host]
        moment = self.now_text()
        return VolumeCopy(
            volume=step.volume.volume,
            physical=step.volume.physical,
            host=step.host,
            consistency=Consistency.DUMP,
            moment=moment,
            parts=tuple(
                store.save_stream(
                    self.point,
                    f"{step.volume.volume}/{name}",
                    StreamCommand(step.container, command, step.timeout_s),
                    progress=progress,
                )
                for name, command in self._streams(step)
            ),
            preset=step.preset,
            labels=self.labels.get(step.volume.physical, ()),
        )

    def _streams(self, step: DumpVolume) -> list[tuple[str, tuple[str, ...]]]:
        if not step.preset:
            return [("dump", step.command)]
        preset = PRESETS[step.preset]
        names: tuple[str, ...] = ()
        if preset.listing:
            listing = StreamCommand(step.container, preset.listing, step.timeout_s)
            names = tuple(self.stores[step.host].ask(listing).decode().splitlines())
        return [(stream.name, stream.command) for stream in preset.streams(names)]


def directory_of(volume: VolumeName) -> str:
    """Where a sidecar sees a volume, and where a tree holds it."""
    return f"/volumes/{volume}"


def with_databases(copy: VolumeCopy, databases: SavedDatabases | None) -> VolumeCopy:
    """The copy with its SQLite databases. One alone, with no other data beside it, is sound."""
    directory = directory_of(copy.volume)
    mine = [
        (path.removeprefix(f"{directory}/"), size)
        for path, size in (databases.sizes if databases else ())
        if path.startswith(f"{directory}/")
    ]
    if databases is None or not mine:
        return copy
    size = sum(size for _, size in mine)
    part = Part(PartKind.SQLITE, databases.snapshot, directory, size, len(mine))
    return replace(
        copy,
        parts=(*copy.parts, part),
        is_fuzzy=copy.is_fuzzy and (bool(copy.bytes) or len(mine) > 1),
        databases=tuple(path for path, _ in mine),
    )


def _directories(step: CopyVolumes) -> tuple[str, ...]:
    return tuple(directory_of(ref.volume) for ref in step.volumes)


def _not_quiet(
    host: HostName, quiesce: Quiesce, when: str, why: str, detail: tuple[str, ...] = ()
) -> StepFailedError:
    return StepFailedError(
        "backup-quiesce-failed",
        f"{host}: the command `{when}` of the backup failed in {quiesce.container}",
        cause=why,
        hint="run it there yourself; the command `after` ran in any case",
        detail=detail,
    )
