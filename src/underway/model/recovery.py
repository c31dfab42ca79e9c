"""What a recovery came to."""

from dataclasses import dataclass

from underway.model.names import HostName, VolumeName
from underway.model.restore_point import Manifest


@dataclass(frozen=True, slots=True)
class Recovered:
    """An app that serves again, on hosts that knew nothing of it.

    `parts_s` tells how long each part took, in order, in seconds. `age_s` is how old the data was
    then: what was written since `moment` (RFC 3339) is lost. `left_out` are volumes that have a
    place of their own and are used as they are there.
    """

    manifest: Manifest
    hosts: tuple[HostName, ...]
    volumes: tuple[tuple[VolumeName, str], ...]
    left_out: tuple[VolumeName, ...]
    age_s: float
    took_s: float
    parts_s: tuple[tuple[str, float], ...]
    moment: str
