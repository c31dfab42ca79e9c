"""Laboratories for the contract suites: brought up once per session, taken down if made here.

`UNDERWAY_TEST_ENGINES` lists the engines to test against (default `26`; `26,20` for all),
`UNDERWAY_TEST_LABORATORY` names the laboratories, for sessions that run side by side.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from lab.laboratory import Laboratory, laboratories
from tests.fakes.engine import FakeEngine
from underway.adapters.connector import DockerConnector
from underway.model.names import HostName
from underway.model.spec import HostSpec
from underway.ports import Engine

LABORATORY = os.environ.get("UNDERWAY_TEST_LABORATORY", "contract")
ENGINES = tuple(os.environ.get("UNDERWAY_TEST_ENGINES", "26").split(","))


@dataclass(frozen=True)
class Site:
    """A real host: its laboratory, and the image tests use, pulled there."""

    laboratory: Laboratory
    image: str

    @property
    def spec(self) -> HostSpec:
        return HostSpec(HostName("h1"), self.laboratory.hosts[0].url)

    @property
    def ssh_spec(self) -> HostSpec:
        return HostSpec(HostName("h1"), self.laboratory.hosts[0].ssh_url)


@dataclass(frozen=True)
class Bench:
    """What one engine test needs, real or fake. `site` is None for the fake."""

    engine: Engine
    image: str
    site: Site | None = None


@pytest.fixture(scope="session")
def raise_site() -> Iterator[Callable[[str], Site]]:
    sites: dict[str, Site] = {}
    made: list[Laboratory] = []

    def get(version: str) -> Site:
        if version not in sites:
            name = f"{LABORATORY}-{version}"
            is_new = name not in {lab.record.name for lab in laboratories()}
            laboratory = Laboratory.up(name, 1, engine=version)
            if is_new:
                made.append(laboratory)
            os.environ["UNDERWAY_SSH_CONFIG"] = laboratory.hosts[0].ssh_config
            sites[version] = Site(laboratory, laboratory.images["debian"])
            with DockerConnector() as connector:
                connector.connect(sites[version].spec).pull(sites[version].image)
        return sites[version]

    yield get
    for laboratory in made:
        laboratory.down()


@pytest.fixture(
    params=[pytest.param(v, marks=pytest.mark.engine, id=f"engine-{v}") for v in ENGINES]
)
def site(request: pytest.FixtureRequest, raise_site: Callable[[str], Site]) -> Site:
    return raise_site(request.param)


@pytest.fixture(
    params=[
        pytest.param("fake", id="fake"),
        *(pytest.param(v, marks=pytest.mark.engine, id=f"engine-{v}") for v in ENGINES),
    ]
)
def bench(request: pytest.FixtureRequest, raise_site: Callable[[str], Site]) -> Iterator[Bench]:
    if request.param == "fake":
        fake = FakeEngine(HostName("h1"))
        yield Bench(fake, fake.add_image("lab/debian:13").id)
        return
    found = raise_site(request.param)
    with DockerConnector() as connector:
        engine = connector.connect(found.spec)
        clear(engine)
        yield Bench(engine, found.image, found)
        clear(engine)


@pytest.fixture
def connector() -> Iterator[DockerConnector]:
    with DockerConnector() as opened:
        yield opened


def clear(engine: Engine) -> None:
    """Remove every container, volume and network of a test's host."""
    for container in engine.containers():
        engine.remove(container.name)
    for volume in engine.volumes():
        engine.remove_volume(volume.name)
    for network in engine.networks():
        if network.name not in {"bridge", "host", "none"}:
            engine.remove_network(network.name)
