"""Libra, the sample application, as a team would deploy it: a checkout, people in it, its load."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml

from lab.load import Bounds, Load, Mix, Profile, Target, libra, read_back
from scripts.demo_libra import Visitor
from tests.e2e.client import Client, Done
from tests.laboratories import Fleet, docker

LIBRA: Final = Path(__file__).parents[2] / "examples" / "libra"
HOST: Final = "libra.test"
OWNER: Final = 10001
"""The user that Libra runs as: the shared directory belongs to it."""
MIX: Final = Mix(
    keep_alive_per_s=100,
    fresh_per_s=30,
    slow_per_s=2,
    post_per_s=6,
    upload_per_s=0.5,
    websockets=6,
    upload_bytes=2 * 1024 * 1024,
    upload_bytes_per_s=1024 * 1024,
)


@dataclass
class Sample:
    """A checkout of Libra and what its people set. On a fleet: two app hosts, one for the data."""

    fleet: Fleet
    root: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.directory = self.root / "libra"
        shutil.copytree(LIBRA, self.directory, ignore=shutil.ignore_patterns("__pycache__"))
        laboratory = self.fleet.laboratory
        self.environment |= {
            **self.fleet.environment,
            "PYTHON_IMAGE": laboratory.images["python"],
            "POSTGRES_IMAGE": laboratory.images["postgres"],
            "LIBRA_HOST": HOST,
        }
        if self.is_fleet:
            self.environment |= self._production()
        else:
            self.environment |= {
                "DOCKER_HOST": laboratory.hosts[0].url,
                "LIBRA_MIGRATE_AT_START": "0",
            }

    @property
    def is_fleet(self) -> bool:
        return len(self.fleet.laboratory.hosts) > 1

    def _production(self) -> dict[str, str]:
        """What the production file asks for; users come to the hosts of the application."""
        laboratory = self.fleet.laboratory
        file = self.directory / "compose.production.yaml"
        said = yaml.safe_load(file.read_text())
        del said["x-underway"]["hosts"]["edge"]
        said["x-underway"]["edge"] = "app"
        file.write_text(yaml.safe_dump(said, sort_keys=False))
        uploads = laboratory.layout.shared_dir / "libra" / "uploads"
        uploads.mkdir(parents=True)
        shutil.chown(uploads, OWNER, OWNER)
        given = {
            "LIBRA_IMAGE": f"{laboratory.describe()['registry']['address']}/libra",
            "LIBRA_KEY_FILE": str(self.directory / "laptop" / "libra_key"),
            "LIBRA_DB_PASSWORD_FILE": str(self.directory / "laptop" / "db_password"),
        }
        for name, host in zip(("APP1", "APP2", "DATA"), laboratory.hosts, strict=True):
            given[f"LIBRA_{name}_URL"] = host.ssh_url
            given[f"LIBRA_{name}_ADDRESS"] = host.address
        return given

    def underway(self, *arguments: str, **values: str) -> Done:
        """One command to its end, with more of the environment set.

        What Libra's own tests find is for another test: they take a minute at each deploy.
        """
        where = ("-E", "production") if self.is_fleet else ()
        untested = ("--untested",) if arguments[0] == "deploy" else ()
        return self._client(values).run(*where, *arguments, *untested)

    def program(self, *command: str, **values: str) -> Done:
        """Another program in the checkout."""
        return self._client(values).run(*command[1:], program=command[:1])

    def _client(self, values: Mapping[str, str]) -> Client:
        return Client(self.directory, self.root / "home", {**self.environment, **values})

    @property
    def targets(self) -> list[Target]:
        edges = self.fleet.laboratory.hosts[: 2 if self.is_fleet else 1]
        return [Target(host.name, host.address, 80) for host in edges]

    def in_replica(self, *command: str, timeout_s: float = 60) -> str:
        """What a command says in one replica of the application."""
        replicas = ("--filter", "label=underway.role=replica")
        listing = ("ps", "-q", *replicas, "--filter", "label=underway.service=web")
        name = docker(self.fleet.laboratory, "h1", *listing).split()[0]
        return docker(self.fleet.laboratory, "h1", "exec", name, *command, timeout_s=timeout_s)

    def move_in(self) -> Profile:
        """Make people and matters; how to talk as one of them."""
        self.in_replica("/app/manage", "seed")
        visitor = Visitor(self.targets[0].host, HOST)
        token = visitor.log_in("portia")
        return libra(visitor.first_matter(token), token)

    def load(self, profile: Profile) -> Load:
        """What people do, all of it at once."""
        bounds = Bounds(duration_s=600)
        return Load(self.targets, host=HOST, mix=MIX, profile=profile, bounds=bounds)

    def expect_every_upload(self, load: Load, profile: Profile) -> int:
        """Every upload acknowledged so far comes back through every edge; how many there are."""
        journal = load.snapshot().journal
        found = read_back(journal, self.targets, host=HOST, profile=profile)
        assert not found.wrong, "\n".join(found.wrong)
        assert found.right == len(journal) * len(self.targets)
        return len(journal)
