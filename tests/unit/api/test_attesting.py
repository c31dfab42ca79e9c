"""Attestations beside images: left once, believed by the key alone, and never in the way."""

from dataclasses import replace

import pytest

from tests.fakes.registry import FakeRegistry
from tests.fakes.session import SimulatedSession, simulated
from tests.unit.api.test_tagging import REPOSITORY, pushed
from tests.unit.api.voyages import WEB, serving_first, web_pair
from underway.adapters.signature import AttestationKey
from underway.api.attesting import attest_in_registry, attested_in_registry
from underway.api.shipping import require_proof
from underway.errors import EngineError, RefusedError
from underway.image.attestation import ENVELOPE_TYPE
from underway.model.event import Note
from underway.model.sensitive import Sensitive
from underway.model.testing import Attestation, ReleasedSuite
from underway.ports.registry import Manifest

KEY = AttestationKey(Sensitive(b"k" * 32))
SUITE = ReleasedSuite("web", "d" * 64, has_passed=False)


class Deaf(FakeRegistry):
    """A registry that refuses what stands beside images."""

    def attached(self, repository: str, subject: str, kind: str) -> tuple[Manifest, ...]:
        raise EngineError("registry-refused", f"{repository} {subject} {kind}")


class Team:
    def __init__(self, registry: FakeRegistry | None = None) -> None:
        self.registry = registry or FakeRegistry()
        pair = web_pair()
        self.release = replace(pushed(self.registry, pair.old, "1.0.0", ()), suites=(SUITE,))
        self.fleet = serving_first(replace(pair, old=self.release))
        image = self.release.images[0].image
        self.digest = image.manifest_digest
        self.passed = Attestation(SUITE.definition, "web", WEB, image.config_digest)

    def session(self, key: AttestationKey | None = KEY) -> SimulatedSession:
        session = simulated(self.fleet, lambda: self.release)
        session.workshop = replace(session.workshop, registry=lambda: self.registry)
        session.signer = key
        return session

    def attest(self, session: SimulatedSession) -> None:
        session.attestations[SUITE.definition] = self.passed
        attest_in_registry(session, session.observe(), self.release)

    @property
    def beside(self) -> int:
        return len(self.registry.attached(REPOSITORY, self.digest, ENVELOPE_TYPE))


def test_what_passed_is_left_beside_the_image_once_and_proves_the_release() -> None:
    team = Team()
    session = team.session()
    with pytest.raises(RefusedError, match="without having passed"):
        require_proof(session, session.observe(), team.release)
    for _ in range(2):
        team.attest(team.session())
    assert team.beside == 1
    assert attested_in_registry(team.session(), team.release) == {SUITE.definition}
    require_proof(session, session.observe(), team.release)


def test_another_key_believes_nothing_of_it_and_without_one_nothing_is_left() -> None:
    team = Team()
    team.attest(team.session(None))
    assert team.beside == 0
    team.attest(team.session())
    other = team.session(AttestationKey(Sensitive(b"x" * 32)))
    assert attested_in_registry(other, team.release) == frozenset()
    assert attested_in_registry(team.session(None), team.release) == frozenset()


def test_a_registry_that_refuses_is_noted_and_stops_nothing() -> None:
    team = Team(Deaf())
    session = team.session()
    team.attest(session)
    assert attested_in_registry(session, team.release) == frozenset()
    notes = [event.body.code for event in session.events if isinstance(event.body, Note)]
    assert notes == ["attestation-not-pushed", "attestations-not-read"]
