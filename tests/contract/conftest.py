"""Real hosts for the contract suites, beside the fakes.

`UNDERWAY_TEST_ENGINES` lists the engines to test against (default `26`; `26,20` for all).
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from lab.laboratory import Laboratory
from tests.fakes.engine import FakeEngine
from tests.laboratories import Laboratories
from underway.adapters.connector import DockerConnector
from underway.model.names import HostName
from underway.model.spec import HostSpec
from underway.ports import Engine

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
def raise_site(laboratory: Laboratories) -> Callable[[str], Site]:
    sites: dict[str, Site] = {}

    def get(version: str) -> Site:
        if version not in sites:
            one = laboratory(1, engine=version)
            sites[version] = Site(one, one.images["debian"])
            with DockerConnector() as connector:
                connector.connect(sites[version].spec).pull(sites[version].image)
        os.environ["UNDERWAY_SSH_CONFIG"] = sites[version].laboratory.hosts[0].ssh_config
        return sites[version]

    return get


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
