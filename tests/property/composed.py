"""Fleets whose first host runs the app by Compose: what a takeover finds."""

from dataclasses import replace
from typing import Final

from tests.fakes.simulated_host import Box
from tests.fakes.simulation import Simulation, fleet
from tests.property.fleets import APP, DATA, database, hosts, proxied, release, service
from tests.property.voyage import DEPLOY, TOOLS, UNDO
from underway.model.names import (
    LABEL_COMPOSE_CONFIG,
    LABEL_COMPOSE_NEEDS,
    LABEL_COMPOSE_NUMBER,
    LABEL_COMPOSE_PROJECT,
    LABEL_COMPOSE_SERVICE,
    ContainerName,
    HostName,
    ServiceName,
)
from underway.model.release import Release
from underway.model.snapshot import ContainerStatus, Health, NetworkState, VolumeState
from underway.model.spec import Dependency, DependencyCondition, Strategy
from underway.rollout.scene import Policy

ADOPT: Final = replace(DEPLOY, adopts=APP)
BACK: Final = replace(UNDO, adopts=APP)
RETURN: Final = Policy(TOOLS, keep_unreachable=True, adopts=APP)
PORT: Final = 80
PUBLISHED: Final = ("0.0.0.0", PORT)  # noqa: S104 - as Compose publishes by default
NEEDS_DB: Final = (Dependency(ServiceName("db"), DependencyCondition.HEALTHY),)
RESTARTS: Final = {"web": "unless-stopped", "db": "always", "cache": "on-failure:3", "old": "no"}


def releases() -> dict[str, Release]:
    """Apps of several shapes."""
    one, two = hosts(1), hosts(2)
    web = proxied("web", one, depends_on=NEEDS_DB, replicas=2)
    cache = service("cache", one)
    return {
        "web, database, cache": release(1, (web, database(one), cache), one),
        "a web that cannot run twice": release(
            1, (replace(web, strategy=Strategy.RECREATE, replicas=1), database(one)), one
        ),
        "web alone, all at once": release(
            1, (proxied("web", one, strategy=Strategy.BLUE_GREEN, replicas=2),), one
        ),
        "more hosts than Compose had": release(
            1, (proxied("web", two, replicas=2), database(one), service("cache", one)), two
        ),
    }


RELEASES: Final = releases()


def box(name: str, number: int) -> Box:
    """The container of a service, as Compose made it."""
    labels = {
        LABEL_COMPOSE_PROJECT: str(APP),
        LABEL_COMPOSE_SERVICE: name,
        LABEL_COMPOSE_NUMBER: "1",
        LABEL_COMPOSE_CONFIG: "c0ffee",
        LABEL_COMPOSE_NEEDS: "db:service_healthy:false" if name == "web" else "",
    }
    return Box(
        ContainerName(f"libra-{name}-1"),
        f"compose-{number}",
        f"sha256:{name}",
        tuple(sorted(labels.items())),
        has_healthcheck=name == "db",
        published=(PUBLISHED,) if name == "web" else (),
        addresses=(("libra_default", f"172.18.0.{number + 2}"),),
        volumes=(DATA,) if name == "db" else (),
        status=ContainerStatus.RUNNING,
        health=Health.HEALTHY if name == "db" else Health.NONE,
        restart=RESTARTS[name],
    )


def composed(made: Release) -> Simulation:
    """A fleet whose first host runs the project by Compose."""
    found = fleet(APP, {h.name: h.address for h in made.spec.hosts}, (made,))
    found.single_writers = {DATA}
    host = found.hosts[HostName("app1")]
    for number, name in enumerate(RESTARTS):
        one = box(name, number)
        host.boxes[one.name] = one
    host.networks["libra_default"] = NetworkState("libra_default", ("172.18.0.0/16",))
    host.volumes[DATA] = VolumeState(DATA)
    return found
