"""Promoting over two simulated environments: what may go, what comes along, what is recorded."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.fakes.session import SimulatedSession, simulated, steps_over_simulation
from tests.unit.api.voyages import WEB, serving_first, web_pair
from underway import api
from underway.api.session import Parcel, Shipped
from underway.errors import RefusedError
from underway.kernel.telling import Voice
from underway.model.names import NO_RELEASE, AppName
from underway.model.release import Origin, Release
from underway.model.spec import AppSpec
from underway.model.testing import Attestation, ReleasedSuite, Suites, SuiteSpec

SUITE = ReleasedSuite("web", "d" * 64, has_passed=False)
PASSED = Attestation(SUITE.definition, "web", WEB, "sha256:aa")


@pytest.fixture(autouse=True)
def over_simulation(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with steps_over_simulation(monkeypatch):
        yield


def environment(release: Release, name: str) -> Release:
    return replace(release, spec=replace(release.spec, environment=name))


class Two:
    """Staging runs a release with a suite; production runs an older one."""

    def __init__(self) -> None:
        pair = web_pair()
        named = replace(pair, old=environment(replace(pair.old, suites=(SUITE,)), "staging"))
        self.staging = serving_first(named)
        self.production = serving_first(replace(pair, old=environment(pair.old, "production")))
        self.wanted = environment(pair.new, "production")
        self.parcels: list[Parcel] = []

    def sessions(self) -> tuple[SimulatedSession, SimulatedSession]:
        source = simulated(self.staging, lambda: environment(self.wanted, "staging"))
        target = simulated(self.production, lambda: self.wanted)
        target.workshop = replace(target.workshop, carry=self._carry)
        target.testing = Suites((SuiteSpec("web", WEB),))
        return source, target

    def _carry(self, spec: AppSpec, parcel: Parcel, _: Voice) -> Shipped:
        self.parcels.append(parcel)
        return Shipped(spec, self.wanted.images, "v2", "c" * 40, ("v2",), "2.0.0")

    def attest(self) -> None:
        for host in self.staging.hosts.values():
            if host.ledger:
                host.ledger = replace(host.ledger, attestations=(PASSED,))


def test_a_release_that_has_not_passed_stays_where_it_is_unless_somebody_says_so() -> None:
    two = Two()
    with pytest.raises(RefusedError) as caught:
        api.promote(*two.sessions(), NO_RELEASE)
    assert caught.value.code == "release-untested"
    assert two.parcels == []
    api.promote(*two.sessions(), NO_RELEASE, api.DeployOptions(untested=True))
    assert two.parcels[0].is_moved


def test_what_passed_comes_along_and_the_origin_is_recorded() -> None:
    two = Two()
    two.attest()
    done = api.promote(*two.sessions(), NO_RELEASE)
    assert done.release.origin == Origin(AppName("libra"), two.parcels[0].origin.number, "staging")
    assert (done.release.tag, done.release.version) == ("v2", "2.0.0")
    assert done.release.spec.environment == "production"
    assert [suite.has_passed for suite in done.release.suites] == [True]
    ledgers = [host.ledger for host in two.production.hosts.values() if host.ledger]
    assert ledgers
    assert all(PASSED in ledger.attestations for ledger in ledgers)
    again = api.promote(*two.sessions(), NO_RELEASE)
    assert again.release.number == done.release.number
    assert again.steps == 0


def test_a_plan_says_whose_images_they_are_and_moves_nothing() -> None:
    two = Two()
    two.attest()
    made = api.plan_promotion(*two.sessions(), NO_RELEASE)
    assert not made.is_empty
    assert "environment staging" in made.remarks[0]
    assert [parcel.is_moved for parcel in two.parcels] == [False]


def test_one_environment_is_never_put_over_another_unless_somebody_says_so() -> None:
    two = Two()
    two.attest()
    two.wanted = environment(two.wanted, "staging2")
    with pytest.raises(RefusedError) as caught:
        api.promote(*two.sessions(), NO_RELEASE)
    assert caught.value.code == "environment-taken"
    source, target = two.sessions()
    target.changes_environment = True
    api.promote(source, target, NO_RELEASE)


def test_a_deploy_that_forgot_its_environment_is_refused() -> None:
    two = Two()
    two.wanted = environment(two.wanted, "")
    _, target = two.sessions()
    target.testing = Suites()
    with pytest.raises(RefusedError, match="runs as environment `production`") as caught:
        api.deploy(target)
    assert caught.value.code == "environment-taken"
