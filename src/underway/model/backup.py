"""How a team wants its data backed up: what the file says, apart from releases.

A release never carries this: changing a schedule or a repository replaces nothing, and rolling back
does not bring an older repository back.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from underway.model.names import VolumeName
from underway.model.schedule import Schedule

_LOGIN: Final = re.compile(r"(//[^/@:]*):[^/]*@")


def shown_repository(repository: str) -> str:
    """A repository as people may see it: without the password that its address may hold."""
    return _LOGIN.sub(r"\1:***@", repository)


class Consistency(StrEnum):
    """How a volume's copy is made sound.

    DUMP: a command in a service streams it. QUIESCE: commands before and after the copy. PAUSE:
    every container that writes is frozen for the last pass. FILES: copied as they are, `fuzzy`.
    NONE: left out on purpose.
    """

    DUMP = "dump"
    QUIESCE = "quiesce"
    PAUSE = "pause"
    FILES = "files"
    NONE = "none"


class SourceKind(StrEnum):
    """Where a sensitive value of a backup comes from, when a backup is made and not before."""

    COMMAND = "command"
    FILE = "file"
    VARIABLE = "variable"


@dataclass(frozen=True, slots=True)
class SensitiveSource:
    """A sensitive value by where it comes from.

    `words` is a command's arguments, one path, or one variable's name.
    """

    kind: SourceKind
    words: tuple[str, ...]
    timeout_s: float = 60.0


@dataclass(frozen=True, slots=True)
class KeepRule:
    """Which restore points stay; each number counts the newest of its kind.

    `within_s` keeps everything younger, 0 nothing for its age alone. `floor` is how many complete
    points stay whatever the other numbers say.
    """

    last: int = 0
    hourly: int = 0
    daily: int = 7
    weekly: int = 4
    monthly: int = 12
    yearly: int = 0
    within_s: float = 0.0
    floor: int = 3


@dataclass(frozen=True, slots=True)
class VolumePolicy:
    """How one volume is backed up.

    Attributes:
        service: whose containers run the commands; "" for the only one that mounts it.
        preset: the database whose own tools are used, or "".
        dump: the command that streams the backup; () where the preset tells.
        restore: the command that takes the stream back; () where the preset tells.
        before: makes the volume still before the copy.
        after: ends that; runs whatever happened.
        keep: which points with this volume stay, beside what the app's own rule keeps.
        every: when it is backed up, where that is not when the app's volumes are.
    """

    volume: VolumeName
    consistency: Consistency
    service: str = ""
    preset: str = ""
    dump: tuple[str, ...] = ()
    restore: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    timeout_s: float = 3600.0
    keep: KeepRule | None = None
    place: str = ""
    every: Schedule | None = None


@dataclass(frozen=True, slots=True)
class MailPolicy:
    """Mails by a server over TLS: from the start on, or (STARTTLS) after a greeting.

    `password` is asked for where there is a `user`.
    """

    to: tuple[str, ...]
    sender: str
    host: str
    port: int
    is_tls_from_start: bool = False
    user: str = ""
    password: SensitiveSource | None = None


@dataclass(frozen=True, slots=True)
class NotifyPolicy:
    """Who is told of failures, their end, and silence: every way that is named."""

    command: tuple[str, ...] = ()
    webhook: SensitiveSource | None = None
    mail: MailPolicy | None = None


@dataclass(frozen=True, slots=True)
class BackupPolicy:
    """What the file says about backups.

    `repository` is restic's own form of a place (`/srv/backups`, `s3:https://...`,
    `rest:...`); `credentials` are variables that the store's program reads. `freeze_s` bounds how
    long a freeze may last. `every` is when all volumes are backed up, `verify` when the newest
    point is restored for a trial; None is never by itself. With `before_deploy`, a deploy begins
    with a backup.
    """

    repository: str
    password: SensitiveSource
    credentials: tuple[tuple[str, SensitiveSource], ...] = ()
    volumes: tuple[VolumePolicy, ...] = ()
    keep: KeepRule = KeepRule()
    freeze_s: float = 30.0
    place: str = ""
    every: Schedule | None = None
    verify: Schedule | None = None
    notify: NotifyPolicy | None = None
    before_deploy: bool = False

    def volume(self, name: VolumeName) -> VolumePolicy | None:
        """What the file says of a volume, or None."""
        return next((policy for policy in self.volumes if policy.volume == name), None)

    @property
    def is_host_directory(self) -> bool:
        """Whether the repository is a directory of the host that holds the data."""
        return self.repository.startswith("/")
