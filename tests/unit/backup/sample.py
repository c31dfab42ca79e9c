"""A release with a database and files, running on one host, and how it is backed up."""

from dataclasses import replace

from underway.backup.plan import BackupScene
from underway.model.backup import (
    BackupPolicy,
    Consistency,
    SensitiveSource,
    SourceKind,
    VolumePolicy,
)
from underway.model.image import ImageIdentity
from underway.model.names import AppName, ContainerName, HostName, ServiceName, VolumeName
from underway.model.release import Release, ReleaseNumber, ServiceImage
from underway.model.restore_point import Manifest, Part, PartKind, PointId, VolumeCopy
from underway.model.snapshot import (
    ContainerState,
    ContainerStatus,
    EngineFacts,
    HostState,
    Snapshot,
    VolumeState,
)
from underway.model.spec import AppSpec, HostSpec, Mount, MountKind, ServiceSpec, VolumeSpec

APP = AppName("libra")
HOST = HostName("h1")
UPLOADS, PGDATA = VolumeName("uploads"), VolumeName("pgdata")
WEB, DB = ServiceName("web"), ServiceName("db")


def policy(*volumes: VolumePolicy) -> BackupPolicy:
    source = SensitiveSource(SourceKind.VARIABLE, ("PASSWORD",))
    return BackupPolicy("/srv/backups", source, volumes=volumes)


DECLARED = policy(VolumePolicy(UPLOADS, Consistency.PAUSE), VolumePolicy(PGDATA, Consistency.DUMP))


def service(name: ServiceName, image: str, volume: VolumeName, target: str) -> ServiceSpec:
    return ServiceSpec(name, image, (HOST,), mounts=(Mount(MountKind.VOLUME, volume, target),))


SERVICES = (
    service(DB, "postgres:17", PGDATA, "/var/lib/postgresql/data"),
    service(WEB, "libra", UPLOADS, "/uploads"),
)
RELEASE = Release(
    ReleaseNumber(3),
    AppSpec(
        APP,
        SERVICES,
        (HostSpec(HOST, "unix:///var/run/docker.sock"),),
        volumes=(VolumeSpec(PGDATA, "libra_pgdata"), VolumeSpec(UPLOADS, "libra_uploads")),
    ),
    tuple(
        ServiceImage(one.name, ImageIdentity(one.image, f"sha256:{one.name}")) for one in SERVICES
    ),
)
BINDINGS = {PGDATA: "libra_pgdata", UPLOADS: "libra_uploads"}


def replica(
    name: ServiceName, volume: str, status: ContainerStatus = ContainerStatus.RUNNING
) -> ContainerState:
    labels = (
        ("underway.app", APP),
        ("underway.role", "replica"),
        ("underway.service", name),
    )
    return ContainerState(
        f"id-{name}",
        ContainerName(f"libra-{name}-1"),
        "sha256:1",
        status,
        labels,
        volumes=(volume,),
    )


def snapshot(*containers: ContainerState) -> Snapshot:
    running = containers or (replica(DB, "libra_pgdata"), replica(WEB, "libra_uploads"))
    volumes = tuple(VolumeState(physical) for physical in sorted(BINDINGS.values()))
    host = HostState(HOST, EngineFacts("26", "1.45"), running, volumes=volumes)
    return Snapshot(APP, (host,))


def scene(
    policy: BackupPolicy = DECLARED, seen: Snapshot | None = None, release: Release = RELEASE
) -> BackupScene:
    return BackupScene(
        policy, release, seen or snapshot(), BINDINGS, databases=frozenset({DB}), parents={}
    )


def with_volume(volume: VolumeSpec) -> Release:
    """The release with another specification of a volume."""
    volumes = tuple(volume if one.name == volume.name else one for one in RELEASE.spec.volumes)
    return replace(RELEASE, spec=replace(RELEASE.spec, volumes=volumes))


MANIFEST = Manifest(
    app=APP,
    point=PointId("20260301-120000-abcdef"),
    created_at="2026-03-01T12:00:00Z",
    created_by="somebody@laptop",
    duration_s=4.5,
    release=RELEASE,
    volumes=(
        VolumeCopy(
            PGDATA,
            "libra_pgdata",
            HOST,
            Consistency.DUMP,
            "2026-03-01T12:00:00Z",
            (
                Part(PartKind.DUMP, "a" * 64, "/roles", 10, sha256="0" * 64, name="pgdata/roles"),
                Part(PartKind.DUMP, "b" * 64, "/libra", 90, sha256="1" * 64, name="pgdata/libra"),
            ),
            preset="postgres",
        ),
        VolumeCopy(
            UPLOADS,
            "libra_uploads",
            HOST,
            Consistency.PAUSE,
            "2026-03-01T12:00:03Z",
            (Part(PartKind.FILES, "c" * 64, "/volumes/uploads", 500, 7),),
            freeze_s=0.2,
        ),
    ),
)
