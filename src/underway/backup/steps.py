"""Steps of a backup and of a restore: one effect each on one host, with its cause."""

from dataclasses import dataclass

from underway.model.backup import Consistency
from underway.model.names import ContainerName, HostName, ServiceName, VolumeName
from underway.model.restore_point import VolumeCopy
from underway.model.spec import VolumeSpec


@dataclass(frozen=True, slots=True, order=True)
class VolumeRef:
    """A Compose volume and what stands behind it on the host."""

    volume: VolumeName
    physical: str


@dataclass(frozen=True, slots=True)
class Quiesce:
    """Commands in one container that make volumes still, and that end it."""

    container: ContainerName
    before: tuple[str, ...]
    after: tuple[str, ...]
    timeout_s: float


@dataclass(frozen=True, slots=True)
class CopyVolumes:
    """Copy volumes of a host at one moment, made sound as `consistency` says.

    `parent` is the frozen tree of these volumes that was saved last, or "".
    """

    host: HostName
    volumes: tuple[VolumeRef, ...]
    consistency: Consistency
    freeze_s: float
    cause: str
    parent: str = ""
    quiesce: Quiesce | None = None


@dataclass(frozen=True, slots=True)
class DumpVolume:
    """Have the service that owns a volume stream its data: by a preset, or its own command."""

    host: HostName
    volume: VolumeRef
    container: ContainerName
    preset: str
    command: tuple[str, ...]
    timeout_s: float
    cause: str


@dataclass(frozen=True, slots=True)
class RestoreVolume:
    """Bring a copy back into the new volume `physical`, which is empty.

    `service` owns the volume of a dump: a fresh container of it takes the streams back.
    """

    host: HostName
    volume: VolumeSpec
    physical: str
    copy: VolumeCopy
    service: ServiceName
    cause: str


BackupStep = CopyVolumes | DumpVolume
DataStep = BackupStep | RestoreVolume


def subject_of(step: BackupStep) -> str:
    """What a step is about, in a word or two."""
    match step:
        case CopyVolumes(volumes=volumes):
            return ", ".join(ref.volume for ref in volumes)
        case DumpVolume(volume=ref):
            return ref.volume
