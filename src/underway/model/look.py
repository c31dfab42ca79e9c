"""What `underway check` saw beyond the snapshot: from inside each host, and between hosts.

Values only. What could not be seen is a `Trouble`, never an absence.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from underway.model.names import HostName


class Way(StrEnum):
    """How an engine is reached: a local socket, SSH forwarding, `dial-stdio` by SSH, or TLS."""

    SOCKET = "socket"
    SSH = "ssh"
    DIAL = "dial"
    TLS = "tls"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why something could not be seen: an error's code, what happened, and what to do."""

    code: str
    text: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class ClockLook:
    """The engine's time, RFC 3339, told between two moments here (seconds since the epoch)."""

    told: str
    asked_at: float
    answered_at: float


@dataclass(frozen=True, slots=True)
class DiskLook:
    """The file system that images and containers are written to.

    `files_total` 0 means that it has no fixed number of files.
    """

    free_bytes: int
    total_bytes: int
    files_free: int = 0
    files_total: int = 0


@dataclass(frozen=True, slots=True, order=True)
class Holder:
    """A process that listens on a port of the host; `container` is its container's id, or ""."""

    process: str
    pid: int
    container: str = ""


@dataclass(frozen=True, slots=True)
class InsideLook:
    """What a container with the host's network and the engine's disk saw.

    `addresses` are the host's own; `listening` the TCP ports that something listens on.
    """

    disk: DiskLook | None = None
    addresses: frozenset[str] = frozenset()
    listening: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class RegistryLook:
    """A registry asked for one image through a host's engine. `trouble` None: it answered."""

    registry: str
    reference: str
    is_built: bool
    trouble: Trouble | None = None


class Reach(StrEnum):
    """What came of a connection from an edge to a host's private address."""

    REACHED = "reached"
    REFUSED = "refused"
    SILENT = "silent"
    STRANGER = "stranger"
    UNTRIED = "untried"


@dataclass(frozen=True, slots=True)
class ConnectionLook:
    """One connection tried from an edge to a port published on another host's address."""

    edge: HostName
    host: HostName
    port: int
    reach: Reach


@dataclass(frozen=True, slots=True)
class HostLook:
    """All that was seen of one host beyond the snapshot; None where it was not asked.

    `listener` tells why no port could be published on the private address. `holders` hold the
    edge's port. `is_same_as` are other names of the same engine.
    """

    way: Way = Way.SOCKET
    clock: ClockLook | Trouble | None = None
    inside: InsideLook | Trouble | None = None
    listener: Trouble | None = None
    holders: tuple[Holder, ...] = ()
    registries: tuple[RegistryLook, ...] = ()
    is_same_as: tuple[HostName, ...] = ()


@dataclass(frozen=True, slots=True)
class Looks:
    """What was seen of every host that answered, and of the ways between them.

    `tools` tells why there is no tools image to look with.
    """

    hosts: Mapping[HostName, HostLook] = field(default_factory=dict)
    connections: tuple[ConnectionLook, ...] = ()
    tools: Trouble | None = None
