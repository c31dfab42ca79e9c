"""What is tested when, what is pushed, and what is recorded of it, over a simulated fleet."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import cast

import pytest

from tests.fakes.containers import Behaviour
from tests.fakes.session import SimulatedSession, simulated, steps_over_simulation
from tests.unit.api.voyages import APP1, WEB, serving_first, web_pair
from tests.unit.image.testing.scene import Scene, ended
from underway import api
from underway.api.session import Shipped, Workshop
from underway.errors import ConfigurationError, RefusedError, UsageError
from underway.model.names import ServiceName
from underway.model.release import Release
from underway.model.testing import Proof, Suites, SuiteSpec, proof_of

GOOD, BAD = ended(0), ended(1, "1 failed")


@pytest.fixture(autouse=True)
def over_simulation(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with steps_over_simulation(monkeypatch):
        yield


@dataclass
class Team:
    """A team with one suite: `runs` counts how often it ran, `pushes` what became of shipping."""

    verdict: Behaviour = GOOD
    testing: Suites = field(default_factory=lambda: Suites((SuiteSpec("web", WEB),)))
    runs: int = 0
    pushes: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pair = web_pair()
        self.fleet = serving_first(self.pair)
        self.wish: Release = self.pair.new

    def session(self) -> SimulatedSession:
        session = simulated(self.fleet, lambda: self.wish)

        def ship(*given: object) -> Shipped:
            prove = cast("Callable[..., bool]", given[-1])
            made = self.wish
            self.pushes.append(prove({entry.service: entry.image for entry in made.images}))
            return Shipped(made.spec, made.images, made.tag, made.commit)

        tools, pull, send = (
            session.workshop.tools, session.workshop.pull, session.workshop.send,
        )  # fmt: skip
        session.workshop = Workshop(ship, tools, pull, send, self._bench)
        session.testing = self.testing
        return session

    def _bench(self, *_: object) -> object:
        scene = Scene({"suite": self.verdict})
        for entry in self.wish.images:
            image = entry.image
            scene.engine.add_image(image.reference, identity=image.config_digest)
        self.runs += 1
        return scene.bench()

    @property
    def attested(self) -> int:
        ledger = self.fleet.hosts[APP1].ledger
        return len(ledger.attestations) if ledger else 0

    def released(self) -> Release:
        ledger = self.fleet.hosts[APP1].ledger
        assert ledger
        return ledger.releases[-1]


def test_a_deploy_tests_first_and_the_same_image_only_once() -> None:
    team = Team()
    api.deploy(team.session())
    assert (team.runs, team.pushes, team.attested) == (1, [True], 1)
    assert proof_of(team.released().suites, frozenset()) is Proof.PASSED
    api.deploy(team.session())
    assert (team.runs, team.attested) == (1, 1)


@pytest.mark.parametrize("command", [api.ship, api.deploy])
def test_what_fails_is_neither_pushed_nor_recorded(command: Callable[..., object]) -> None:
    team = Team(verdict=BAD)
    before = team.released()
    with pytest.raises(RefusedError) as caught:
        command(team.session())
    assert caught.value.code == "test-failed"
    assert "1 failed" in caught.value.detail
    assert (team.pushes, team.attested) == ([], 0)
    assert team.released() == before


def test_untested_runs_nothing_and_is_recorded() -> None:
    team = Team(verdict=BAD)
    api.deploy(team.session(), api.DeployOptions(untested=True))
    assert (team.runs, team.pushes) == (0, [True])
    assert proof_of(team.released().suites, frozenset()) is Proof.UNTESTED


def test_an_untested_release_is_deployed_by_number_only_if_asked() -> None:
    team = Team()
    number = api.ship(team.session(), untested=True).number
    with pytest.raises(RefusedError) as caught:
        api.deploy(team.session(), api.DeployOptions(release=number))
    assert caught.value.code == "release-untested"
    api.deploy(team.session(), api.DeployOptions(release=number, untested=True))


def test_tests_that_pass_later_prove_a_release_that_was_shipped_untested() -> None:
    team = Team()
    number = api.ship(team.session(), untested=True).number
    report = api.test(team.session())
    assert (report.exit_code, team.attested, team.pushes[-1]) == (0, 1, False)
    api.deploy(team.session(), api.DeployOptions(release=number))
    (*_, shipped) = api.releases(team.session())
    assert proof_of(shipped.suites, frozenset()) is Proof.PASSED


def test_a_plan_tests_nothing_and_pushes_only_what_is_attested() -> None:
    team = Team()
    api.plan(team.session())
    assert (team.runs, team.pushes) == (0, [False])
    api.deploy(team.session())
    api.plan(team.session())
    assert (team.runs, team.pushes[-1]) == (1, True)


def test_a_policy_without_tests_leaves_them_to_the_command() -> None:
    team = Team(verdict=BAD, testing=Suites((SuiteSpec("web", WEB),), is_required=False))
    api.deploy(team.session())
    assert (team.runs, team.pushes) == (0, [True])
    report = api.test(team.session())
    assert (report.exit_code, team.runs) == (4, 1)


def test_the_command_tests_again_only_if_asked() -> None:
    team = Team()
    for again, runs in ((False, 1), (False, 1), (True, 2)):
        api.test(team.session(), api.SuiteOptions(is_again=again))
        assert team.runs == runs


def test_suites_that_are_not_there_are_told() -> None:
    team = Team()
    with pytest.raises(UsageError) as caught:
        api.test(team.session(), api.SuiteOptions(("wbe",)))
    assert caught.value.hint == "Did you mean `web`?"
    team.testing = replace(team.testing, suites=())
    with pytest.raises(ConfigurationError):
        api.test(team.session())


def test_a_release_that_was_shipped_untested_is_proved_by_testing_its_own_images() -> None:
    team = Team()
    number = api.ship(team.session(), untested=True).number
    shipped = len(team.pushes)
    report = api.retest(team.session(), number)
    assert (report.exit_code, team.runs, team.attested) == (0, 1, 1)
    assert len(team.pushes) == shipped, "nothing was built or pushed"
    api.deploy(team.session(), api.DeployOptions(release=number))


def test_a_release_that_lacks_what_a_suite_names_is_not_tested() -> None:
    team = Team(testing=Suites((SuiteSpec("web", WEB, needs=(ServiceName("cache"),)),)))
    with pytest.raises(RefusedError, match="`cache`") as caught:
        api.retest(team.session(), team.released().number)
    assert caught.value.code == "suite-service-missing"
