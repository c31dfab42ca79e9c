"""A container as it shall be created: whole, except for sensitive values, which stay references."""

from dataclasses import dataclass

from underway.model.names import ContainerName
from underway.model.spec import EnvVar, FileSpec, HealthSpec, Mount


@dataclass(frozen=True, slots=True, order=True)
class PublishedPort:
    """A port published on one address of the host.

    `host_port` 0 lets the engine choose, a `last_host_port` from the first to that one.
    """

    container_port: int
    host_address: str
    host_port: int = 0
    protocol: str = "tcp"
    last_host_port: int = 0


@dataclass(frozen=True, slots=True, order=True)
class NetworkPlace:
    """A container's place in a network of the engine. `address` "" lets the engine choose."""

    network: str
    address: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContainerRequest:
    """All an engine needs to create a container, names already physical.

    Attributes:
        image: image id (`sha256:...`) or reference, present on the host.
        engine: canonical JSON `{"Config": {...}, "HostConfig": {...}}` merged below the rest.
        command: replaces the image's command; () keeps what `engine` or the image says.
        files: written into the container after creation, before its first start.
        network_mode: "host", "none" or "" (then `networks` decide; the first is the main one).
    """

    name: ContainerName
    image: str
    labels: tuple[tuple[str, str], ...] = ()
    engine: str = "{}"
    environment: tuple[EnvVar, ...] = ()
    command: tuple[str, ...] = ()
    mounts: tuple[Mount, ...] = ()
    files: tuple[FileSpec, ...] = ()
    health: HealthSpec | None = None
    published: tuple[PublishedPort, ...] = ()
    networks: tuple[NetworkPlace, ...] = ()
    network_mode: str = ""
    extra_hosts: tuple[tuple[str, str], ...] = ()
    stop_grace_s: float = 10.0

    def label(self, name: str) -> str:
        """The label's value, or ""."""
        return dict(self.labels).get(name, "")
