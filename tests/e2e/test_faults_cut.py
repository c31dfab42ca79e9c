"""One of three hosts is cut off, an edge or not: what is reachable ends well, and says so.

Before anything changed a deploy refuses; before the commit point everything that can be asked goes
back; from it on, forward. Either way whoever comes next, from elsewhere, ends it.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import pytest

from tests.e2e.client import Done, eventually
from tests.e2e.outage import Weather, paused
from tests.e2e.project import Project, Wish
from tests.e2e.sight import identities

pytestmark = pytest.mark.lab(hosts=3)

REFUSED_S: Final = 60.0
TOLD_S: Final = 45.0
"""How long after a host was lost a client may still be busy: seconds, not minutes."""
GIVEN_UP_S: Final = 90.0
WARM: Final = 300
STRATEGIES: Final = ("rolling", "blue-green")
ROLLING_FIRST: Final = ("rolling", pytest.param("blue-green", marks=pytest.mark.exhaustive))
BLUE_GREEN_FIRST: Final = ("blue-green", pytest.param("rolling", marks=pytest.mark.exhaustive))


@dataclass(frozen=True)
class Moment:
    """A place in a deploy: before or after the first step that `where` finds.

    The third replica's old container, on h3, is the last one that a rolling deploy retires. Where
    it `may_commit`, a lost host that runs no proxy is asked for nothing ahead of the commit point:
    the others may pass it before anybody knows, and go forward.
    """

    side: str
    where: str
    is_committed: bool = False
    may_commit: bool = False


MOMENTS: Final = {
    "start": Moment("before", r"^CreateContainer .* on {host}"),
    "probe": Moment("after", r"^StartContainer .* on {host}"),
    "cutover": Moment("before", r"^SetUpstream .*traffic moves to the new"),
    "confirm": Moment("before", r"^ConfirmUpstream "),
    "drain": Moment("before", r"^AwaitDrained ", may_commit=True),
    "retire": Moment("before", r"^StopContainer .*-3 on h3", is_committed=True),
    "retired": Moment("after", r"^StopContainer .*-3 on h3", is_committed=True),
    "removed": Moment("before", r"^RemoveContainer .*-3-retired on h3", is_committed=True),
}


@dataclass
class Voyage:
    """A project under load that goes from version to version while hosts are lost."""

    project: Project
    weather: Weather
    served: Wish
    number: int = 1

    def next_wish(self) -> Wish:
        self.number += 1
        return replace(self.served, version=f"v{self.number}")

    def cut(self, host: str, name: str, follow: str) -> None:
        """Lose `host` at a moment of a deploy, and let somebody else end it with `follow`."""
        wish, moment = self.next_wish(), MOMENTS[name]
        self.project.write(wish)
        where = moment.where.format(host=host)
        directory = self.project.root / f"pause-{wish.version}"
        held = paused(self.project.client, where, moment.side, "deploy", directory=directory)
        with held as client, self.weather.lost(host):
            client.go()
            lost_at = self.weather.now_s
            done = client.running.wait()
            took_s = self.weather.now_s - lost_at
            self.expect_told(done, host, wish, moment)
            assert took_s < TOLD_S, f"told after {took_s:.1f} s only\n{done}"
            self.weather.expect_no_loss(f"{name} of {host}\n{done}")
        # Shown with a failure, and by `pytest -s`.
        sys.stdout.write(f"{host} lost at `{client.step}`, told after {took_s:.1f} s\n")
        self.project.elsewhere().run(*follow.split()).expect(0)
        if follow == "deploy" or moment.is_committed:
            self.served = wish
        eventually(self._knows_no_strangers, "each edge knows only what runs", GIVEN_UP_S)
        self.project.sight.expect_settled(self.served)
        self.weather.expect_no_loss(f"{follow} after {name} of {host}")

    def _knows_no_strangers(self) -> bool:
        """Whether each proxy has let go of servers that a lost host held (docs/adr/0005)."""
        sight = self.project.sight
        names = {one.name for one in sight.replicas()}
        return all({s.name for s in sight.servers(edge)} <= names for edge in self.project.edges)

    def expect_told(self, done: Done, host: str, wish: Wish, moment: Moment) -> None:
        """Exit 11 names the host; every edge that can be asked has one version only."""
        done.expect(11)
        assert re.search(rf"\b{host}\b did not answer", done.err), done
        there = [edge for edge in self.project.edges if edge != host]
        expected = {(wish if moment.is_committed else self.served).version}
        if moment.may_commit and host not in self.project.edges:
            expected |= {wish.version}
        sight = self.project.sight
        versions = {sight.get("/version", edge).version for edge in there for _ in range(8)}
        assert len(versions) == 1, f"edges answer {versions}\n{done}"
        assert versions <= expected, f"edges answer {versions}\n{done}"
        if host in self.project.edges and not moment.is_committed:
            self._expect_both_generations(done)

    def _expect_both_generations(self, done: Done) -> None:
        """What the lost edge may still send requests to runs on, wherever it can be asked."""
        running = {c.version for c in self.project.sight.replicas() if c.status == "running"}
        assert self.served.version in running, f"old replicas were stopped\n{done}"


@pytest.fixture
def voyage(project: Project, request: pytest.FixtureRequest) -> Iterator[Voyage]:
    first = Wish("v1", strategy=request.param, replicas=3)
    project.deploy(first).expect(0)
    with project.load(duration_s=3600) as load:
        weather = Weather(project, load)
        load.wait_until(lambda seen: seen.requests > WARM, timeout_s=60, what="traffic")
        voyage = Voyage(project, weather, first)
        yield voyage
        found = load.stop()
        weather.judge(found, "at the end")


@pytest.mark.exhaustive
@pytest.mark.parametrize("voyage", ["rolling"], indirect=True)
def test_31_a_host_that_is_lost_before_a_deploy_changes_nothing(voyage: Voyage) -> None:
    project, before = voyage.project, identities(voyage.project.sight.replicas())
    project.write(wish := voyage.next_wish())
    with voyage.weather.lost("h3"):
        done = project.client.run("deploy").expect(6)
        assert "h3" in done.err
        assert done.took_s < REFUSED_S, done
        assert identities(project.sight.replicas()) == before
        voyage.weather.expect_no_loss(str(done))
    project.elsewhere().run("deploy").expect(0)
    project.sight.expect_settled(wish)


@pytest.mark.exhaustive  # several minutes: three moments, each with its follow-up
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("voyage", ROLLING_FIRST, indirect=True)
def test_31_one_host_of_three_is_cut_off_in_mid_deploy(voyage: Voyage) -> None:
    voyage.cut("h3", "probe", "deploy")
    voyage.cut("h3", "cutover", "rollback")
    voyage.cut("h3", "retire", "repair")


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("voyage", BLUE_GREEN_FIRST, indirect=True)
def test_28_one_edge_of_two_is_cut_off_in_mid_deploy(voyage: Voyage) -> None:
    voyage.cut("h2", "cutover", "deploy")
    voyage.cut("h2", "drain", "rollback")
    voyage.cut("h2", "removed", "repair")


@pytest.mark.exhaustive
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("host", ["h1", "h2", "h3"])
@pytest.mark.parametrize("voyage", STRATEGIES, indirect=True)
def test_28_31_every_host_is_cut_off_at_every_moment(voyage: Voyage, host: str) -> None:
    for name, moment in MOMENTS.items():
        for follow in ("deploy", "repair" if moment.is_committed else "rollback"):
            voyage.cut(host, name, follow)
