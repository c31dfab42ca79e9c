"""A release comes back with its own values, whatever stands in a vault under its number."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Final

import pytest

from tests.fakes.simulated_host import FACTS
from tests.property.fleets import hosts, proxied, release
from underway.api.shipping import stored_values
from underway.errors import IntegrityError
from underway.model.names import AppName, HostName, SensitiveName
from underway.model.sensitive import Sensitive, digests_of
from underway.model.snapshot import HostState, Snapshot

KEY: Final = b"k" * 32
NAME: Final = SensitiveName("secret/key")
OWN: Final = {NAME: Sensitive(b"own")}
OTHER: Final = {NAME: Sensitive(b"of a run that died")}
RELEASE: Final = replace(
    release(2, (proxied("web", hosts(1)),), hosts(1)), sensitive=digests_of(OWN, KEY)
)


def stored(*held: dict[SensitiveName, Sensitive]) -> Any:
    names = [HostName(f"h{number}") for number in range(1, len(held) + 1)]
    vaults = dict(zip(names, held, strict=True))
    world = SimpleNamespace(vault=lambda host: SimpleNamespace(read=lambda _: vaults[host]))
    session: Any = SimpleNamespace(world=world)
    states = tuple(HostState(name, FACTS, vault=(2,)) for name in names)
    return stored_values(session, Snapshot(AppName("libra"), states), RELEASE, KEY)


def test_values_of_a_run_that_died_before_its_record_are_passed_over() -> None:
    assert stored(OTHER, OWN) == OWN


def test_values_of_another_release_are_never_taken_for_a_releases_own() -> None:
    with pytest.raises(IntegrityError) as caught:
        stored(OTHER, OTHER)
    assert caught.value.code == "values-missing"
