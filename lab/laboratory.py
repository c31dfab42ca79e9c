"""The laboratory as a value with verbs: up, down, what runs, and how to reach it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from lab import leftovers
from lab.command import require_root
from lab.engine import engine_answers
from lab.engine_roots import DEFAULT_ENGINE, engine_root, toolbox
from lab.errors import LabError
from lab.host import clear_host, raise_host
from lab.images import IMAGES, registry_seed
from lab.layout import HostLayout, LabLayout
from lab.lock import exclusive
from lab.network import free_network, raise_bridge, remove_bridge
from lab.record import (
    Record,
    check_wish,
    read_record,
    recorded_names,
    recorded_networks,
    write_record,
)
from lab.registry import start_registry
from lab.ssh import prepare_ssh

DEFAULT_NAME = "default"
DEFAULT_HOSTS = 3


@dataclass(frozen=True, slots=True)
class Host:
    """How to reach one host."""

    name: str
    address: str
    socket: str
    url: str
    ssh_url: str
    ssh_config: str


@dataclass(frozen=True, slots=True)
class Laboratory:
    """One running laboratory; made by `up` or `get`."""

    record: Record

    @classmethod
    def up(
        cls,
        name: str = DEFAULT_NAME,
        hosts: int = DEFAULT_HOSTS,
        *,
        engine: str = DEFAULT_ENGINE,
        live_restore: bool = True,
    ) -> "Laboratory":
        """Bring a laboratory to `hosts` running hosts; what runs already is left alone.

        Raises LabError when the machine cannot carry it, or the name is in use with another engine.
        """
        require_root()
        check_wish(name, hosts)
        engine_root(engine)
        seed = registry_seed()
        with exclusive(f"lab-{name}"):
            previous = read_record(name)
            if previous and (previous.engine, previous.live_restore) != (engine, live_restore):
                raise LabError(
                    f"laboratory {name} runs engine {previous.engine},"
                    f" live-restore {previous.live_restore}",
                    f"run `python -m lab down --name {name}` first, or choose another name",
                )
            record = _reserve(Record(name, 0, hosts, engine, live_restore), previous)
            lab = record.layout
            if previous:
                surplus = range(hosts + 1, previous.hosts + 1)
                _in_parallel(clear_host, [lab.host(number) for number in surplus])
                write_record(record)
            raise_bridge(lab)
            start_registry(lab, seed=seed)
            lab.shared_dir.mkdir(parents=True, exist_ok=True)
            prepare_ssh(lab, range(1, hosts + 1))
            _prepare_clients(lab)
            _in_parallel(
                lambda host: raise_host(lab, host, engine=engine, live_restore=live_restore),
                [lab.host(number) for number in range(1, hosts + 1)],
            )
        return cls(record)

    @classmethod
    def get(cls, name: str = DEFAULT_NAME) -> "Laboratory":
        """Return the laboratory of a name; raises LabError when there is none."""
        record = read_record(name)
        if record is None:
            raise LabError(f"no laboratory {name}", f"run `python -m lab up --name {name}`")
        return cls(record)

    @property
    def layout(self) -> LabLayout:
        """Return the laboratory's names and paths."""
        return self.record.layout

    @property
    def host_layouts(self) -> list[HostLayout]:
        """Return the layouts of its hosts."""
        return [self.layout.host(number) for number in range(1, self.record.hosts + 1)]

    @property
    def hosts(self) -> list[Host]:
        """Return how to reach its hosts."""
        return [_describe_host(self.layout, host) for host in self.host_layouts]

    @property
    def registry(self) -> str:
        """Return the registry's host and port."""
        return self.layout.registry_address

    @property
    def images(self) -> dict[str, str]:
        """Return the base images' references by key."""
        return {image.key: f"{self.registry}/{image.reference}" for image in IMAGES}

    def host(self, name: str) -> HostLayout:
        """Return the layout of a host by name or address; raises LabError for an unknown one."""
        for host in self.host_layouts:
            if name in (host.name, host.address):
                return host
        known = ", ".join(host.name for host in self.host_layouts)
        raise LabError(f"no host {name} in laboratory {self.record.name}", f"hosts: {known}")

    def describe(self) -> dict[str, Any]:
        """Return the document that `--json` prints."""
        lab = self.layout
        return {
            "version": 1,
            "name": self.record.name,
            "engine": self.record.engine,
            "hosts": [
                {
                    "name": host.name,
                    "address": host.address,
                    "socket": host.socket,
                    "url": host.url,
                    "ssh_url": host.ssh_url,
                    "ssh_config": host.ssh_config,
                    "answers": engine_answers(layout),
                }
                for host, layout in zip(self.hosts, self.host_layouts, strict=True)
            ],
            "registry": {"address": self.registry},
            "network": {"bridge": lab.bridge, "subnet": lab.subnet, "gateway": lab.gateway},
            "shared_dir": str(lab.shared_dir),
            "tools": {
                "path": str(lab.programs),
                "docker_config": str(lab.docker_config),
            },
            "images": self.images,
        }

    def down(self) -> None:
        """Take this laboratory down without a trace."""
        down(self.record.name)


def down(name: str = DEFAULT_NAME) -> None:
    """Take a laboratory down without a trace, however far its `up` came; none is fine too."""
    require_root()
    with exclusive(f"lab-{name}"):
        leftovers.kill_processes(name)
        record = read_record(name)
        if record is not None:
            lab = record.layout
            _in_parallel(clear_host, [lab.host(number) for number in range(1, record.hosts + 1)])
            with exclusive("network"):
                remove_bridge(lab)
        leftovers.remove_directories(name)


def down_all() -> list[str]:
    """Take every laboratory down, recorded or not, and return their names."""
    require_root()
    names = sorted({*recorded_names(), *leftovers.known_names()})
    for name in names:
        down(name)
    leftovers.sweep()
    return names


def laboratories() -> list[Laboratory]:
    """Return the recorded laboratories."""
    records = (read_record(name) for name in recorded_names())
    return [Laboratory(record) for record in records if record is not None]


def _reserve(wish: Record, previous: Record | None) -> Record:
    """Choose the network and write the record, before anything else is made."""
    with exclusive("network"):
        network = previous.network if previous else free_network(recorded_networks())
        record = Record(wish.name, network, wish.hosts, wish.engine, wish.live_restore)
        if previous and previous.hosts > wish.hosts:
            return record  # the larger number stays written down until the surplus is gone
        write_record(record)
    return record


def _prepare_clients(lab: LabLayout) -> None:
    """Link the client programs, and make a Docker configuration directory with the plugins."""
    programs = toolbox()
    directory = lab.programs
    plugins = lab.docker_config / "cli-plugins"
    for path in (directory, plugins):
        path.mkdir(parents=True, exist_ok=True)
    links = {directory / "docker": programs / "usr/bin/docker"}
    for plugin in (programs / "usr/libexec/docker/cli-plugins").iterdir():
        links[plugins / plugin.name] = plugin
    for link, target in links.items():
        if not link.is_symlink():
            link.symlink_to(target)


def _describe_host(lab: LabLayout, host: HostLayout) -> Host:
    return Host(
        name=host.name,
        address=host.address,
        socket=str(host.socket),
        url=f"unix://{host.socket}",
        ssh_url=f"ssh://root@{host.address}",
        ssh_config=str(lab.ssh_dir / "config"),
    )


def _in_parallel(work: Callable[[HostLayout], None], hosts: list[HostLayout]) -> None:
    """Do the same for every host at once; all are finished before the first error is raised."""
    if not hosts:
        return
    with ThreadPoolExecutor(max_workers=8) as pool:
        futures = [pool.submit(work, host) for host in hosts]
    errors = [error for future in futures if (error := future.exception())]
    for other in errors[1:]:
        errors[0].add_note(str(other))
    if errors:
        raise errors[0]
