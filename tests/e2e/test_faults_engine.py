"""An engine that is killed, restarted or frozen, a host that crashes, a proxy that is killed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import pytest

from lab.command import run
from lab.engine import init_pid, inside
from tests.e2e.client import Done, eventually
from tests.e2e.outage import Weather, paused
from tests.e2e.project import Project, Wish
from tests.e2e.sight import Container, identities

pytestmark = pytest.mark.lab(hosts=3)

WARM: Final = 300
FIRST: Final = Wish("v1", replicas=3)
STEPS: Final = (
    r"^CreateContainer .* on h3",
    r"^AwaitServers ",
    r"^SetUpstream .*traffic moves to the new",
    r"^StopContainer .*-3 on h3",
)
FROZEN_S: Final = 15.0
BACK_S: Final = 60.0


@dataclass
class Scene:
    """A project under load, and the version that it is asked to serve."""

    project: Project
    weather: Weather
    number: int = 1

    def strike(self, where: str, fault: Callable[[], None]) -> tuple[Wish, Done]:
        """Deploy the next version with `fault` made before the step that `where` finds."""
        self.number += 1
        wish = replace(FIRST, version=f"v{self.number}")
        self.project.write(wish)
        directory = self.project.root / f"pause-{wish.version}"
        with paused(self.project.client, where, "before", "deploy", directory=directory) as client:
            fault()
            client.go()
            return wish, client.running.wait()

    def end(self, wish: Wish) -> None:
        """Whoever comes next ends it."""
        self.project.elsewhere().run("deploy").expect(0)
        self.project.sight.expect_settled(wish)


@pytest.fixture
def scene(project: Project) -> Iterator[Scene]:
    project.deploy(FIRST).expect(0)
    with project.load() as load:
        weather = Weather(project, load)
        load.wait_until(lambda seen: seen.requests > WARM, timeout_s=60, what="traffic")
        yield Scene(project, weather)
        weather.judge(load.stop(), "at the end")


def _engine_killed(scene: Scene, where: str) -> None:
    faults = scene.project.fleet.faults

    def kill() -> None:
        faults.kill_engine("h3")
        faults.start_engine("h3")

    wish, done = scene.strike(where, kill)
    done.expect(0, 10, 11)
    scene.weather.expect_no_loss(str(done))
    scene.end(wish)


@pytest.mark.timeout(900)
def test_31_an_engine_killed_and_started_again_in_mid_deploy(scene: Scene) -> None:
    _engine_killed(scene, STEPS[1])
    _engine_killed(scene, STEPS[3])


@pytest.mark.exhaustive
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("where", STEPS)
def test_31_an_engine_killed_at_any_step(scene: Scene, where: str) -> None:
    _engine_killed(scene, where)


@pytest.mark.exhaustive
@pytest.mark.timeout(900)
def test_31_an_engine_that_stays_away_in_mid_deploy_is_named(scene: Scene) -> None:
    faults = scene.project.fleet.faults
    wish, done = scene.strike(STEPS[1], lambda: faults.kill_engine("h3"))
    done.expect(11)
    assert "h3 did not answer" in done.err, done
    scene.weather.expect_no_loss(str(done))
    faults.start_engine("h3")
    scene.end(wish)


@pytest.mark.exhaustive
@pytest.mark.timeout(900)
def test_31_an_engine_frozen_for_a_while_only_takes_longer(scene: Scene) -> None:
    faults, load = scene.project.fleet.faults, scene.weather.load
    directory = scene.project.root / "pause-frozen"
    wish = replace(FIRST, version="v2")
    scene.project.write(wish)
    with paused(scene.project.client, STEPS[0], "before", "deploy", directory=directory) as client:
        faults.pause_engine("h3")
        client.go()
        began_s = scene.weather.now_s
        load.wait_until(lambda seen: seen.elapsed_s > began_s + FROZEN_S, FROZEN_S + 30)
        faults.resume_engine("h3")
        client.running.wait().expect(0)
    scene.project.sight.expect_settled(wish)
    assert scene.project.client.run("deploy").expect(0).took_s < BACK_S


@pytest.mark.timeout(900)
def test_26_33_a_host_that_crashed_serves_again_without_a_deploy(scene: Scene) -> None:
    """h2 is an edge too: its proxy, its replica and its records come back with the host."""
    project, faults = scene.project, scene.project.fleet.faults
    before = {one.id for one in project.sight.replicas()}
    with scene.weather.gone("h2", faults.crash_host, faults.boot_host):
        scene.weather.expect_no_loss("while h2 is off")
    assert {one.id for one in project.sight.replicas()} == before
    eventually(lambda: _all_serve(project), "every replica answers through every edge", BACK_S)
    project.sight.expect_settled(FIRST)
    plan = project.elsewhere().run("plan", "--json").expect(0).document()
    assert not plan["stages"], plan


@pytest.mark.timeout(900)
def test_26_a_killed_proxy_comes_back_as_it_was(scene: Scene) -> None:
    """Its connections are gone with it; what it serves is not."""
    project = scene.project
    routes = {edge: project.sight.servers(edge) for edge in project.edges}
    before = identities(project.sight.replicas())
    for how in ("kill", "restart"):
        with scene.weather.load.cut_expected("h1"):
            project.fleet.docker("h1", how, "underway-edge")
            if how == "kill":
                # Docker takes its own `kill` for a wish: whoever kills by hand starts again.
                project.fleet.docker("h1", "start", "underway-edge")
            eventually(lambda: _answers(project, "h1"), "h1 answers again")
        assert {edge: project.sight.servers(edge) for edge in project.edges} == routes, how
    assert identities(project.sight.replicas()) == before
    project.sight.expect_settled(FIRST)
    scene.number = 2
    project.deploy(wish := replace(FIRST, version="v2")).expect(0)
    project.sight.expect_settled(wish)


@pytest.mark.timeout(900)
def test_26_33_a_replica_that_dies_is_routed_again_without_a_deploy(scene: Scene) -> None:
    project = scene.project
    victim = next(one for one in project.sight.replicas() if one.host == "h3")
    pid = int(project.fleet.docker("h3", "inspect", "-f", "{{.State.Pid}}", victim.id))
    with scene.weather.gone("h3", lambda _: _kill(project, "h3", pid), lambda _: None):
        eventually(lambda: _is_restarted(project, victim), "its engine starts it again")
    eventually(lambda: _all_serve(project), "every replica answers through every edge", BACK_S)
    assert {one.id for one in project.sight.replicas()} >= {victim.id}


def _kill(project: Project, host: str, pid: int) -> None:
    """Kill a process of a host, as its kernel does when memory is short."""
    init = init_pid(project.fleet.laboratory.host(host))
    assert init is not None
    run([*inside(init), "kill", "-9", str(pid)])


def _is_restarted(project: Project, victim: Container) -> bool:
    return any(
        one.id == victim.id and one.restarts > victim.restarts and one.status == "running"
        for one in project.sight.replicas()
    )


def _answers(project: Project, edge: str) -> bool:
    try:
        return project.sight.get("/version", edge).status == 200
    except OSError:
        return False


def _all_serve(project: Project) -> bool:
    """Whether every replica answers through every edge."""
    wished = len(project.sight.replicas())
    for edge in project.edges:
        if not _answers(project, edge):
            return False
        if len({project.sight.get("/version", edge).replica for _ in range(4 * wished)}) < wished:
            return False
    return True
