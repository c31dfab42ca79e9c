"""Pruning takes what the last releases do not need, and leaves nothing to tidy up after it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.fakes.session import simulated, steps_over_simulation
from tests.property.fleets import Pair, hosts, proxied, release, with_secret
from tests.property.voyage import planned
from underway.api import deploy, prune
from underway.model.names import HostName
from underway.model.release import Release
from underway.model.snapshot import Role
from underway.model.spec import BeforeSpec, EnvVar

ONE = hosts(1)
APP1 = HostName("app1")


@pytest.fixture(autouse=True)
def over_simulation(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with steps_over_simulation(monkeypatch):
        yield


def version(number: int) -> Release:
    """A release that differs from all others, with a `before` that reads a secret file."""
    web = with_secret(proxied("web", ONE, before=BeforeSpec(("migrate",))))
    web = replace(web, environment=(EnvVar("VERSION", str(number)),))
    return release(number, (web,), ONE)


def test_records_of_commands_go_with_the_images_and_files_of_their_releases():
    fleet = Pair(version(1), version(2)).fleet()
    for number in range(1, 6):
        deploy(simulated(fleet, lambda number=number: version(number)))  # type: ignore[misc]
    host = fleet.hosts[APP1]
    assert sum(box.role == Role.BEFORE for box in host.boxes.values()) == 5
    session = simulated(fleet, lambda: version(5))
    assert not prune(session).is_empty
    befores = {box.name for box in host.boxes.values() if box.role == Role.BEFORE}
    assert befores == {f"libra-web-before-{number}" for number in (3, 4, 5)}
    images = {version(n).images[0].image.config_digest for n in range(1, 6)}
    needed = {version(n).images[0].image.config_digest for n in (3, 4, 5)}
    assert images & set(host.images) == needed
    current = host.ledger.releases[-1] if host.ledger else version(5)
    assert planned(current, fleet.snapshot()).is_empty
    assert prune(session).is_empty
