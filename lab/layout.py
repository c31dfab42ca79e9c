"""Where everything lies: the machine's cache, a laboratory's state, a host's files."""

import os
from dataclasses import dataclass
from pathlib import Path

RUN_ROOT = Path("/run/uwlab")
DATA_ROOT = Path("/var/lib/uwlab")
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
        return f"h{self.number}"

    @property
    def address(self) -> str:
        return f"10.231.{self.network}.{FIRST_HOST_ADDRESS + self.number - 1}"

    @property
    def gateway(self) -> str:
        return f"10.231.{self.network}.1"

    @property
    def link(self) -> str:
        return f"uwlab-{self.network}-{self.number}"

    @property
    def cgroup(self) -> str:
        return f"uwlab-{self.network}-{self.number}"

    @property
    def run_dir(self) -> Path:
        return RUN_ROOT / self.laboratory / self.name

    @property
    def socket(self) -> Path:
        return self.run_dir / "run" / "docker.sock"

    @property
    def mount_point(self) -> Path:
        return self.run_dir / "disk"

    @property
    def disk(self) -> Path:
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
        return f"uwlab-{self.network}"

    @property
    def table(self) -> str:
        return f"uwlab_{self.network}"

    @property
    def subnet(self) -> str:
        return f"10.231.{self.network}.0/24"

    @property
    def gateway(self) -> str:
        return f"10.231.{self.network}.1"

    @property
    def registry_address(self) -> str:
        return f"{self.gateway}:{REGISTRY_PORT}"

    @property
    def run_dir(self) -> Path:
        return RUN_ROOT / self.laboratory

    @property
    def data_dir(self) -> Path:
        return DATA_ROOT / self.laboratory

    @property
    def shared_dir(self) -> Path:
        return self.data_dir / "shared"

    @property
    def registry_dir(self) -> Path:
        return self.data_dir / "registry"

    @property
    def ssh_dir(self) -> Path:
        return self.run_dir / "ssh"

    @property
    def docker_config(self) -> Path:
        return self.run_dir / "docker-config"

    def host(self, number: int) -> HostLayout:
        """Return the layout of host `number`, counted from 1."""
        return HostLayout(self.laboratory, self.network, number)
