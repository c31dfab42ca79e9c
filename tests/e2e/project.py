"""A project around lab/beacon: what its file says, who runs commands on it, the load beside it.

    def test_something(project: Project) -> None:
        project.deploy(Wish("v1")).expect(0)
        with project.load() as load:
            project.deploy(Wish("v2", fail="crash-at-start")).expect(10)
            load.stop().check()
        project.sight.expect_settled(Wish("v1"))

A `Wish` is all that differs between two versions: its values are derived from the version, so that
a test sees whether a replica has its own version's environment and secrets.
"""

import hashlib
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import yaml

from lab.load import BEACON as BEACON_PROFILE
from lab.load import Bounds, Load, Mix, Profile, Target
from tests.e2e.client import Client, Done
from tests.e2e.sight import Sight
from tests.laboratories import Fleet

APP: Final = "beacon"
HOST: Final = "beacon.test"
BEACON: Final = Path(__file__).parents[2] / "lab" / "beacon"
MIB: Final = 1024 * 1024
GENTLE: Final = Mix(
    keep_alive_per_s=40,
    fresh_per_s=15,
    slow_per_s=1,
    post_per_s=12,
    upload_per_s=0.2,
    websockets=3,
    upload_bytes=2 * MIB,
    upload_bytes_per_s=MIB,
    connections=8,
)
"""Every kind of traffic, at a rate that leaves the machine's cores to the engines."""
BRISK: Final = replace(BEACON_PROFILE, slow_path="/slow?s=1")
"""For tests with many deploys, with `mix=replace(GENTLE, slow_s=1)`: drains end sooner."""


@dataclass(frozen=True)
class Wish:
    """What one version of the project's file says.

    `environment`, `update` and `proxy` are merged into the service's own settings, `web` and
    `worker` replace keys of the services; a `worker` of None means that there is none.
    """

    version: str = "v1"
    strategy: str = "rolling"
    replicas: int = 2
    fail: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    update: Mapping[str, object] = field(default_factory=dict)
    proxy: Mapping[str, object] = field(default_factory=dict)
    before: Mapping[str, object] | None = None
    web: Mapping[str, object] = field(default_factory=dict)
    worker: Mapping[str, object] | None = None
    volumes: Mapping[str, object] = field(default_factory=dict)
    secrets: Mapping[str, object] = field(default_factory=dict)

    @property
    def motto(self) -> str:
        """Sensitive (interpolated from outside the file): quotes, newlines, dollars, non-ASCII."""
        return f'“{self.version}” says "it\'s $HOME, ${{NOT}}"\n\tüñï 漢字 \\n #end= '

    @property
    def plain(self) -> str:
        """Stands in the file itself."""
        return f"plain {self.version}: a='b' \"c\"\nnext line ✓"

    @property
    def token(self) -> bytes:
        """A secret file: no text."""
        return self.version.encode() + b"\0" * 512 + bytes(range(256))

    @property
    def token_sha256(self) -> str:
        return hashlib.sha256(self.token).hexdigest()

    def compose(
        self, fleet: Fleet, image: str, name: str = APP, host: str = HOST
    ) -> dict[str, Any]:
        """The Compose file of the app `name`, reached as `host`."""
        build = {"context": ".", "args": {"PYTHON_IMAGE": "${PYTHON_IMAGE}"}}
        build["args"]["VERSION"] = self.version  # type: ignore[index]
        extension: dict[str, Any] = {
            "strategy": self.strategy,
            "proxy": {
                "host": host,
                "port": 8080,
                "health": "/up",
                "drain": "6s",
                "deploy_timeout": "20s",
                **self.proxy,
            },
        }
        if self.before is not None:
            extension["before"] = dict(self.before)
        web: dict[str, Any] = {
            "build": build,
            "environment": {
                "BEACON_MOTTO": "${MOTTO}",
                "BEACON_PLAIN": self.plain.replace("$", "$$"),
                "BEACON_FAIL": self.fail,
                **self.environment,
            },
            "secrets": ["token"],
            "stop_grace_period": "3s",
            "deploy": {"replicas": self.replicas, "update_config": dict(self.update)},
            "x-underway": extension,
            **self.web,
        }
        services = {"web": web}
        if self.worker is not None:
            services["worker"] = {"build": build, "command": ["worker"], **self.worker}
        if image:
            for service_name, service in services.items():
                service["image"] = f"{image}-{service_name}"
        return {
            "name": name,
            "services": services,
            "secrets": {"token": {"file": "./token"}, **self.secrets},
            "volumes": dict(self.volumes),
            **_hosts(fleet, services),
        }


def _hosts(fleet: Fleet, services: Iterable[str]) -> dict[str, Any]:
    """Nothing for one host: the file of a one-host team names none."""
    hosts = fleet.laboratory.hosts
    if len(hosts) == 1:
        return {}
    named = [{"url": host.ssh_url, "address": host.address, "name": host.name} for host in hosts]
    return {
        "x-underway": {
            "hosts": {"app": named},
            "place": dict.fromkeys(services, "app"),
            "edge": [host.name for host in hosts[:2]],
        }
    }


@dataclass
class Project:
    """One project directory and its client. `has_registry` pushes images instead of sending.

    `extra` is added to the client's environment. `name` and `host` are the app's.
    """

    fleet: Fleet
    root: Path
    has_registry: bool = False
    wish: Wish = field(default_factory=Wish)
    extra: dict[str, str] = field(default_factory=dict)
    name: str = APP
    host: str = HOST

    def __post_init__(self) -> None:
        self.directory = self.root / "project"
        shutil.copytree(BEACON, self.directory, ignore=shutil.ignore_patterns("__pycache__"))
        self.write(self.wish)

    def write(self, wish: Wish) -> None:
        """Make the file say `wish`."""
        self.wish = wish
        registry = self.fleet.laboratory.describe()["registry"]["address"]
        image = f"{registry}/{self.name}" if self.has_registry else ""
        said = wish.compose(self.fleet, image, self.name, self.host)
        text = yaml.safe_dump(said, allow_unicode=True, sort_keys=False)
        (self.directory / "compose.yaml").write_text(text)
        (self.directory / "token").write_bytes(wish.token)

    @property
    def client(self) -> Client:
        """Whoever works in the project's directory, with the environment of the current wish."""
        return Client(self.directory, self.root / "home", self._environment())

    def neighbour(self, name: str = "neighbour") -> "Project":
        """Another app on the same hosts and edges."""
        host = f"{name}.test"
        root = self.root / name
        return Project(self.fleet, root, self.has_registry, extra=self.extra, name=name, host=host)

    def elsewhere(self, name: str = "elsewhere") -> Client:
        """Somebody on another machine: a copy of the project as it is now, another home."""
        directory = self.root / name / "checkout"
        if directory.exists():
            shutil.rmtree(directory)
        shutil.copytree(self.directory, directory)
        return Client(directory, self.root / name / "home", self._environment())

    def deploy(self, wish: Wish, *options: str) -> Done:
        """Make the file say `wish` and deploy it, to the end."""
        self.write(wish)
        return self.client.run("deploy", *options)

    @property
    def edges(self) -> dict[str, str]:
        """Address of each edge by its host's name."""
        return {host.name: host.address for host in self.fleet.laboratory.hosts[:2]}

    @property
    def sight(self) -> Sight:
        """What is true on the hosts, past Underway."""
        return Sight(self.fleet, self.edges, self.host, self.name)

    def load(
        self, mix: Mix = GENTLE, *, profile: Profile = BEACON_PROFILE, duration_s: float = 900
    ) -> Load:
        """Traffic of every kind through every edge."""
        targets = [Target(name, address, 80) for name, address in self.edges.items()]
        bounds = Bounds(duration_s=duration_s)
        return Load(targets, host=HOST, profile=profile, mix=mix, bounds=bounds)

    def _environment(self) -> dict[str, str]:
        laboratory = self.fleet.laboratory
        extra = {"PYTHON_IMAGE": laboratory.images["python"], "MOTTO": self.wish.motto}
        if len(laboratory.hosts) == 1:
            extra["DOCKER_HOST"] = laboratory.hosts[0].url
        return {**self.fleet.environment, **extra, **self.extra}
