"""What a restore does before it becomes a rollout: pure, from a manifest and what runs."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from underway.backup.plan import mounting
from underway.backup.steps import RestoreVolume
from underway.errors import RefusedError
from underway.errors.suggestion import name_hint
from underway.model.backup import Consistency
from underway.model.names import HostName, ServiceName, VolumeName
from underway.model.release import Binding, Release
from underway.model.restore_point import Manifest, VolumeCopy
from underway.model.snapshot import Snapshot
from underway.model.spec import MountKind, VolumeSpec

_DIGITS = 6


@dataclass(frozen=True, slots=True)
class RestoreWish:
    """What shall come back.

    `only` are the volumes asked for, all where it is empty. `beside` names volumes that stand
    beside the running ones; "" swings the bindings. `salt` tells two restores of a point apart.
    """

    manifest: Manifest
    only: frozenset[VolumeName] = frozenset()
    beside: str = ""
    salt: str = ""


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """Steps that fill new volumes, the bindings they get then, and what that means.

    `services` move to the new volumes together; `lost` says what is given up.
    """

    steps: tuple[RestoreVolume, ...]
    bindings: tuple[Binding, ...]
    bindings_back: tuple[Binding, ...]
    services: tuple[ServiceName, ...]
    lost: tuple[str, ...]
    remarks: tuple[str, ...] = ()

    @property
    def hosts(self) -> tuple[HostName, ...]:
        """Where volumes are made, sorted."""
        return tuple(sorted({step.host for step in self.steps}))


def plan_restore(
    wish: RestoreWish,
    release: Release,
    snapshot: Snapshot,
    bindings: Mapping[VolumeName, str],
) -> RestorePlan:
    """Plan to bring a point's volumes back under `release`, which runs.

    Raises RefusedError where a volume is not in the point, not in the release, or cannot get
    another one behind it.
    """
    copies = _chosen(wish)
    specs = {volume.name: volume for volume in release.spec.volumes}
    steps = []
    for copy in copies:
        spec = specs.get(copy.volume)
        if spec is None:
            raise RefusedError(
                "backup-volume-unknown",
                f"release {release.number} has no volume {copy.volume}, which the point holds",
                hint="restore the volumes that it has (--volume), or deploy a release with it",
            )
        _require_replaceable(spec)
        host = _host(copy, release, snapshot, bindings[copy.volume])
        physical = _physical(wish, copy.volume, spec)
        if any(v.name == physical for h in snapshot.reachable for v in h.volumes):
            raise RefusedError(
                "backup-volume-there",
                f"volume {physical} is there already on {host}",
                hint="choose another name for --as, or remove it: docker volume rm",
            )
        owner = _owner(copy, release)
        cause = f"data of {copy.moment} from {wish.manifest.point}"
        steps.append(RestoreVolume(host, spec, physical, copy, owner, cause))
    return _plan(wish, release, tuple(steps), bindings)


def _plan(
    wish: RestoreWish,
    release: Release,
    steps: tuple[RestoreVolume, ...],
    bindings: Mapping[VolumeName, str],
) -> RestorePlan:
    names = {step.copy.volume for step in steps}
    remarks = []
    if wish.manifest.release.number != release.number:
        remarks.append(
            f"the data is of release {wish.manifest.release.number}, release {release.number} "
            "runs: its `before` commands are not run again"
        )
    if wish.beside:
        return RestorePlan(steps, (), (), (), (), tuple(remarks))
    return RestorePlan(
        steps=steps,
        bindings=tuple(Binding(step.copy.volume, step.physical) for step in steps),
        bindings_back=tuple(Binding(name, bindings[name]) for name in sorted(names)),
        services=tuple(
            sorted({s.name for name in names for s in mounting(release, VolumeName(name))})
        ),
        lost=tuple(
            f"{step.copy.volume}: what was written since {step.copy.moment}" for step in steps
        ),
        remarks=tuple(remarks),
    )


def _chosen(wish: RestoreWish) -> tuple[VolumeCopy, ...]:
    held = {copy.volume for copy in wish.manifest.volumes}
    for name in sorted(wish.only - held):
        raise RefusedError(
            "backup-volume-unknown",
            f"{wish.manifest.point} holds no volume `{name}`",
            hint=name_hint(name, held),
        )
    return tuple(c for c in wish.manifest.volumes if not wish.only or c.volume in wish.only)


def _require_replaceable(spec: VolumeSpec) -> None:
    """A volume whose options say where its data is would be the same one under another name."""
    if spec.driver_opts or spec.driver != "local":
        raise RefusedError(
            "backup-volume-fixed",
            f"volume {spec.name} has a place of its own (driver {spec.driver}, driver_opts): a new "
            "one beside it would hold the same data",
            hint="restore the other volumes (--volume), and this one by hand from `backup export`",
        )


def _physical(wish: RestoreWish, volume: VolumeName, spec: VolumeSpec) -> str:
    if wish.beside:
        return f"{wish.beside}_{volume}"
    digest = hashlib.sha256(f"{wish.manifest.point}/{volume}/{wish.salt}".encode()).hexdigest()
    return f"{spec.physical}-{digest[:_DIGITS]}"


def _host(copy: VolumeCopy, release: Release, snapshot: Snapshot, physical: str) -> HostName:
    """Where the volume stands now: its service is pinned there. Else where the service may run."""
    for host in snapshot.reachable:
        if any(volume.name == physical for volume in host.volumes):
            return host.name
    for service in mounting(release, copy.volume):
        return service.hosts[0]
    return copy.host


def _owner(copy: VolumeCopy, release: Release) -> ServiceName:
    """The service whose fresh container takes a dump back; "" where none is needed."""
    if copy.consistency is not Consistency.DUMP:
        return ServiceName("")
    services = mounting(release, copy.volume)
    writing = [
        service
        for service in services
        if any(
            m.kind is MountKind.VOLUME and m.source == copy.volume and not m.read_only
            for m in service.mounts
        )
    ]
    if len(writing) != 1:
        raise RefusedError(
            "backup-service",
            f"which service takes the dump of {copy.volume} back? {len(writing)} write to it",
            hint="restore it when one service mounts it for writing",
        )
    return writing[0].name
