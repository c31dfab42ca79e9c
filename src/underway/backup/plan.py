"""What a backup does: pure, from the policy, the release that runs, and what was observed.

Every volume is copied, left out on purpose, or refused with a reason: none is passed over.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from underway.backup.presets import preset_of
from underway.backup.steps import BackupStep, CopyVolumes, DumpVolume, Quiesce, VolumeRef
from underway.errors import RefusedError
from underway.model.backup import BackupPolicy, Consistency, VolumePolicy
from underway.model.names import ContainerName, HostName, ServiceName, VolumeName
from underway.model.release import Release
from underway.model.snapshot import ContainerStatus, HostState, Role, Snapshot
from underway.model.spec import MountKind, ServiceSpec, VolumeKind, VolumeSpec


@dataclass(frozen=True, slots=True)
class BackupScene:
    """What a backup is planned from.

    `bindings` say what stands behind each volume; `databases` are the services whose image is a
    database's; `parents` the last frozen tree of a host's paused volumes.
    """

    policy: BackupPolicy
    release: Release
    snapshot: Snapshot
    bindings: Mapping[VolumeName, str]
    databases: frozenset[ServiceName]
    parents: Mapping[tuple[HostName, tuple[VolumeRef, ...]], str]


@dataclass(frozen=True, slots=True)
class BackupPlan:
    """Steps in order. `left_out` are volumes that no copy is made of, each with the reason."""

    steps: tuple[BackupStep, ...]
    left_out: tuple[tuple[VolumeName, str], ...]

    @property
    def hosts(self) -> tuple[HostName, ...]:
        """Where data is copied, sorted."""
        return tuple(sorted({step.host for step in self.steps}))


def plan_backup(scene: BackupScene, only: frozenset[VolumeName] = frozenset()) -> BackupPlan:
    """Plan a backup of every volume of the release, or of `only` these.

    Raises RefusedError `backup-undeclared` for a database without a declaration, and where a
    volume's service does not run.
    """
    copies: dict[tuple[HostName, Consistency], list[VolumeRef]] = {}
    steps: list[BackupStep] = []
    left_out: list[tuple[VolumeName, str]] = []
    for volume in scene.release.spec.volumes:
        if only and volume.name not in only:
            left_out.append((volume.name, "not asked for"))
            continue
        policy = scene.policy.volume(volume.name) or _undeclared(scene, volume)
        reason = _left_out(volume, policy, scene)
        if reason:
            left_out.append((volume.name, reason))
            continue
        ref = VolumeRef(volume.name, scene.bindings[volume.name])
        host = _host(scene, ref)
        if policy.consistency is Consistency.DUMP:
            steps.append(_dump(scene, policy, ref, host))
        elif policy.consistency is Consistency.QUIESCE:
            steps.append(_quiesced(scene, policy, ref, host))
        else:
            copies.setdefault((host.name, policy.consistency), []).append(ref)
    for (host_name, consistency), refs in sorted(copies.items()):
        steps.append(_copy(scene, host_name, consistency, tuple(sorted(refs))))
    return BackupPlan(tuple(steps), tuple(left_out))


@dataclass(frozen=True, slots=True)
class Coverage:
    """How one volume is backed up. `code` is what refuses it, or ""."""

    volume: VolumeName
    consistency: Consistency
    text: str
    code: str = ""

    @property
    def is_covered(self) -> bool:
        """Whether a backup copies it, or the file leaves it out on purpose."""
        return not self.code


def plan_coverage(scene: BackupScene) -> tuple[Coverage, ...]:
    """What a backup would make of each volume of the release."""
    return tuple(_covered(scene, volume) for volume in scene.release.spec.volumes)


def _covered(scene: BackupScene, volume: VolumeSpec) -> Coverage:
    said = scene.policy.volume(volume.name)
    consistency = said.consistency if said else Consistency.FILES
    try:
        plan = plan_backup(scene, frozenset({volume.name}))
    except RefusedError as error:
        return Coverage(volume.name, consistency, error.message, error.code)
    if plan.steps:
        text = plan.steps[0].cause + ("" if said else " (nothing is declared)")
        return Coverage(volume.name, consistency, text)
    return Coverage(volume.name, Consistency.NONE, dict(plan.left_out)[volume.name])


def mounting(release: Release, volume: VolumeName) -> tuple[ServiceSpec, ...]:
    """The services that mount a volume."""
    return tuple(
        service
        for service in release.spec.services
        if any(m.kind is MountKind.VOLUME and m.source == volume for m in service.mounts)
    )


def _undeclared(scene: BackupScene, volume: VolumeSpec) -> VolumePolicy:
    for service in mounting(scene.release, volume.name):
        if service.name in scene.databases and volume.kind is not VolumeKind.PER_HOST:
            preset = preset_of(service.image)
            way = "dump" if preset else "pause"
            raise RefusedError(
                "backup-undeclared",
                f"volume {volume.name} belongs to a database ({service.name}), and the file does "
                "not say how to copy it",
                cause="copying a running database's files as they are gives a torn copy",
                hint=f"add to the volume: x-underway: {{backup: {{consistency: {way}}}}}; or "
                "`backup: false` to leave it out",
            )
    return VolumePolicy(volume.name, Consistency.FILES)


def _left_out(volume: VolumeSpec, policy: VolumePolicy, scene: BackupScene) -> str:
    if policy.consistency is Consistency.NONE:
        return "the file says so"
    if volume.kind is VolumeKind.PER_HOST:
        return "each host has its own: a cache"
    if not mounting(scene.release, volume.name):
        return "no service mounts it"
    return ""


def _host(scene: BackupScene, ref: VolumeRef) -> HostState:
    """The host that holds the volume: one where a container has it, else where it is."""
    holding = [
        h for h in scene.snapshot.reachable if any(v.name == ref.physical for v in h.volumes)
    ]
    using = [h for h in holding if any(ref.physical in c.volumes for c in h.containers)]
    for host in (*using, *holding):
        return host
    raise RefusedError(
        "backup-volume-missing",
        f"volume {ref.volume} ({ref.physical}) is on no host that answers",
        hint="`underway status` tells which host is missing",
    )


def _owner(
    scene: BackupScene, policy: VolumePolicy, ref: VolumeRef, host: HostState
) -> tuple[ServiceSpec, ContainerName]:
    """The service whose container runs the volume's commands."""
    services = mounting(scene.release, ref.volume)
    wished = [s for s in services if not policy.service or s.name == policy.service]
    if len(wished) != 1:
        names = ", ".join(service.name for service in services) or "none"
        raise RefusedError(
            "backup-service",
            f"which service's commands make volume {ref.volume} sound? It is mounted by {names}",
            hint="name one: backup: {service: ...}",
            place=policy.place,
        )
    running = [
        c.name
        for c in host.containers
        if (c.app, c.service, c.role) == (scene.release.spec.name, wished[0].name, Role.REPLICA)
        and c.status is ContainerStatus.RUNNING
        and ref.physical in c.volumes
    ]
    if not running:
        raise RefusedError(
            "backup-service-down",
            f"{wished[0].name} does not run on {host.name}: its commands cannot make volume "
            f"{ref.volume} sound",
            hint="bring it up (`underway repair`), then back up",
        )
    return wished[0], running[0]


def _dump(scene: BackupScene, policy: VolumePolicy, ref: VolumeRef, host: HostState) -> DumpVolume:
    service, container = _owner(scene, policy, ref, host)
    preset = preset_of(service.image) or preset_of(scene.release.image_of(service.name).reference)
    if not policy.dump and preset is None:
        raise RefusedError(
            "backup-no-preset",
            f"no dump is known for {service.image or service.name} (volume {ref.volume})",
            hint="give `dump` and `restore`, or another consistency",
            place=policy.place,
        )
    name = "" if policy.dump else preset.name if preset else ""
    cause = f"{name or 'its own command'} gives a sound copy while it runs"
    return DumpVolume(host.name, ref, container, name, policy.dump, policy.timeout_s, cause)


def _quiesced(
    scene: BackupScene, policy: VolumePolicy, ref: VolumeRef, host: HostState
) -> CopyVolumes:
    _, container = _owner(scene, policy, ref, host)
    quiesce = Quiesce(container, policy.before, policy.after, policy.timeout_s)
    cause = "still while it is copied"
    return CopyVolumes(
        host.name, (ref,), Consistency.QUIESCE, scene.policy.freeze_s, cause, quiesce=quiesce
    )


def _copy(
    scene: BackupScene, host: HostName, consistency: Consistency, refs: tuple[VolumeRef, ...]
) -> CopyVolumes:
    is_paused = consistency is Consistency.PAUSE
    cause = "frozen for the last pass" if is_paused else "copied as it is"
    parent = scene.parents.get((host, refs), "") if is_paused else ""
    return CopyVolumes(host, refs, consistency, scene.policy.freeze_s, cause, parent)
