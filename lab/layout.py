"""Where everything lies: the machine's cache, a laboratory's state, a host's files."""

import os
from dataclasses import dataclass
from pathlib import Path

RUN_ROOT = Path("/run/uwlab")
DATA_ROOT = Path("/var/lib/uwlab")
LOCK_DIR = Path("/var/cache/uwlab/locks")  # one place, whatever cache a laboratory uses
REGISTRY_PORT = 5000
FIRST_HOST_ADDRESS = 11
MAX_HOSTS = 60


def cache_root() -> Path:
    """Return the machine's cache directory; `UNDERWAY_LAB_CACHE` overrides it."""
    return Path(os.environ.get("UNDERWAY_LAB_CACHE", "/var/cache/uwlab"))


@dataclass(frozen=True, slots=True)
class HostLayout:
    """Names, addresses and paths of one host; all follow from laboratory, network and number."""

    laboratory: str
    network: int
    number: int

    @property
    def name(self) -> str:
        """Return the host's name, as in its prompt."""
        return f"h{self.number}"

    @property
    def address(self) -> str:
        """Return the address on the bridge."""
        return f"10.231.{self.network}.{FIRST_HOST_ADDRESS + self.number - 1}"

    @property
    def gateway(self) -> str:
        """Return the machine's address on the bridge."""
        return f"10.231.{self.network}.1"

    @property
    def link(self) -> str:
        """Return the machine's end of the host's cable."""
        return f"uwlab-{self.network}-{self.number}"

    @property
    def mac(self) -> str:
        """Return the hardware address: it outlives a crash, as a network card does."""
        return f"02:75:77:6c:{self.network:02x}:{self.number:02x}"

    @property
    def wire_table(self) -> str:
        """Return the nftables table that a delay needs on the machine's end of the cable."""
        return f"uwlab_{self.network}_{self.number}"

    @property
    def cgroup(self) -> str:
        """Return the control group above the host's containers."""
        return f"uwlab-{self.network}-{self.number}"

    @property
    def run_dir(self) -> Path:
        """Return the directory of sockets, logs and mount points."""
        return RUN_ROOT / self.laboratory / self.name

    @property
    def socket(self) -> Path:
        """Return the engine's socket, seen from the machine."""
        return self.run_dir / "run" / "docker.sock"

    @property
    def mount_point(self) -> Path:
        """Return where the disk is mounted, within the host's mount namespace only."""
        return self.run_dir / "disk"

    @property
    def disk(self) -> Path:
        """Return the file that is the host's disk."""
        return DATA_ROOT / self.laboratory / self.name / "disk.img"

    def role(self, part: str) -> str:
        """Return the mark that a daemon of this host carries."""
        return f"{self.name}.{part}"

    def log(self, part: str) -> Path:
        """Return the log file of one of the host's daemons."""
        return self.run_dir / f"{part}.log"


@dataclass(frozen=True, slots=True)
class LabLayout:
    """Names and paths of one laboratory."""

    laboratory: str
    network: int

    @property
    def bridge(self) -> str:
        """Return the name of the bridge."""
        return f"uwlab-{self.network}"

    @property
    def table(self) -> str:
        """Return the name of the nftables tables."""
        return f"uwlab_{self.network}"

    @property
    def subnet(self) -> str:
        """Return the network of bridge and hosts."""
        return f"10.231.{self.network}.0/24"

    @property
    def gateway(self) -> str:
        """Return the machine's address on the bridge."""
        return f"10.231.{self.network}.1"

    @property
    def registry_address(self) -> str:
        """Return the registry's host and port, as in image references."""
        return f"{self.gateway}:{REGISTRY_PORT}"

    @property
    def run_dir(self) -> Path:
        """Return the directory of sockets, logs and mount points."""
        return RUN_ROOT / self.laboratory

    @property
    def data_dir(self) -> Path:
        """Return the directory of disks, images and shared files."""
        return DATA_ROOT / self.laboratory

    @property
    def shared_dir(self) -> Path:
        """Return the directory that every host sees as /srv/shared."""
        return self.data_dir / "shared"

    @property
    def registry_dir(self) -> Path:
        """Return the registry's storage."""
        return self.data_dir / "registry"

    @property
    def ssh_dir(self) -> Path:
        """Return the directory of keys and client configuration."""
        return self.run_dir / "ssh"

    @property
    def programs(self) -> Path:
        """Return the directory of client programs, for PATH."""
        return self.run_dir / "bin"

    @property
    def docker_config(self) -> Path:
        """Return the Docker client's configuration directory."""
        return self.run_dir / "docker-config"

    def host(self, number: int) -> HostLayout:
        """Return the layout of host `number`, counted from 1."""
        return HostLayout(self.laboratory, self.network, number)
