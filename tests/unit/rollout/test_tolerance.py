"""Failures within the tolerance: each replica is judged alone, and a failed one gets no traffic."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

import pytest

from tests.fakes.engine import FakeEngine
from tests.fakes.time import FakeClock
from tests.property.fleets import HEALTH, Pair, hosts, proxied, release, service
from tests.property.voyage import DEPLOY, converge, deployed, planned
from underway.errors import StepFailedError
from underway.kernel.executor import StepContext
from underway.kernel.world import World
from underway.model.names import AppName, ContainerName, HostName, RunNumber, ServiceName
from underway.model.spec import ProxySpec, ServiceSpec, Strategy, UpdateSpec
from underway.model.step import (
    AwaitContainer,
    AwaitedState,
    AwaitServers,
    CreateContainer,
    SetUpstream,
)
from underway.model.traffic import EdgeState, Server, ServerMode, Sessions, Side, Upstream
from underway.rollout.apply import Applier
from underway.rollout.refused import Refused

APP, HOST, WEB = AppName("libra"), HostName("app1"), ServiceName("web")
PROXY: Final = ProxySpec(("web.test",), 8000)
CONTEXT: Final = StepContext(lambda *_: None, lambda: False, lambda: None)


@dataclass(slots=True)
class ToldProxy:
    """A proxy that remembers what it was told."""

    host: HostName = HOST
    told: list[Upstream] = field(default_factory=list)

    def state(self) -> EdgeState:
        return EdgeState("3.0")

    def apply(self, upstream: Upstream, run: RunNumber) -> None:
        del run
        self.told.append(upstream)

    def remove(self, app: AppName, service: ServiceName | None, run: RunNumber) -> None:
        raise NotImplementedError

    def sessions(self, app: AppName, service: ServiceName) -> dict[str, Sessions]:
        raise NotImplementedError


def never(*_: object) -> None:
    raise NotImplementedError


def server(name: str) -> Server:
    return Server(name, Side.A, "10.0.0.1", 20000 + int(name[-1]), ServerMode.READY)


def modes(names: tuple[str, ...], failed: str) -> dict[str, ServerMode]:
    """What the proxy is told of these servers once the gate of `failed` has failed."""
    proxy = ToldProxy()
    world = World(APP, {HOST: FakeEngine(HOST)}, {HOST: proxy}, {}, {})
    applier = Applier(world, None, {}, b"", RunNumber(1), FakeClock(), never, never)
    gate = AwaitContainer(HOST, ContainerName(failed), WEB, AwaitedState.READY, 1, 1, "")
    with pytest.raises(StepFailedError):
        applier(gate, CONTEXT)
    upstream = Upstream(APP, WEB, PROXY, Side.A, tuple(server(name) for name in names))
    applier(SetUpstream(HOST, upstream, ""), CONTEXT)
    return {server.name: server.mode for server in proxy.told[-1].servers}


def test_a_replica_that_failed_and_was_tolerated_gets_no_traffic_at_the_cut_over():
    assert modes(("w1", "w2"), "w2") == {"w1": ServerMode.READY, "w2": ServerMode.DRAIN}


def test_where_nothing_else_is_left_the_edges_own_checks_decide():
    assert modes(("w1",), "w1") == {"w1": ServerMode.READY}


@pytest.mark.parametrize("make", [proxied, service])
@pytest.mark.parametrize("strategy", [Strategy.ROLLING, Strategy.BLUE_GREEN])
@pytest.mark.parametrize("parallelism", [1, 2, 4])
def test_with_one_failure_tolerated_the_rest_serves_and_nothing_is_left_to_do(
    make: Callable[..., ServiceSpec], strategy: Strategy, parallelism: int
):
    where = hosts(2)
    update = UpdateSpec(parallelism=parallelism, max_failure_ratio=0.25)
    web = make("web", where, replicas=4, update=update, health=HEALTH, strategy=strategy)
    pair = Pair(release(1, (web,), where, edges=2), release(2, (web,), where, edges=2))
    fleet = deployed(pair.fleet(), pair.old)
    plan = planned(pair.new, fleet.snapshot())
    made = [s.container.name for s in plan.steps() if isinstance(s, CreateContainer)]
    fleet.deaf = {made[1]}
    refused = Refused()
    for step in plan.steps():
        try:
            fleet.apply(refused.adapted(step))
        except StepFailedError:
            refused.note(step)
        assert not fleet.violations
    assert refused.names == fleet.deaf
    tolerant = replace(DEPLOY, tolerated=frozenset(map(ContainerName, refused.names)))
    assert planned(pair.new, fleet.snapshot(), tolerant).is_empty
    assert len(fleet.running(WEB)) >= 3
    if web.proxy:
        assert all(len(fleet.serving(host.name, WEB)) == 3 for host in where)
    fleet.deaf = set()
    fleet.settle()
    converge(fleet, pair.new, DEPLOY)


@pytest.mark.parametrize(("ratio", "gates"), [(0.0, [4, 4]), (0.25, [1] * 8)])
def test_where_some_may_fail_each_is_judged_alone(ratio: float, gates: list[int]):
    """One that crashes ends its own gate early: the others are still waited for."""
    where = hosts(2)
    update = UpdateSpec(parallelism=0, max_failure_ratio=ratio)
    web = proxied("web", where, replicas=4, update=update)
    made = release(1, (web,), where, edges=2)
    plan = planned(made, Pair(made, made).fleet().snapshot())
    assert [len(s.servers) for s in plan.steps() if isinstance(s, AwaitServers)] == gates


def test_what_was_tolerated_is_subtracted_from_what_is_allowed():
    where = hosts(1)
    web = proxied("web", where, replicas=4, update=UpdateSpec(max_failure_ratio=0.5))
    made = release(1, (web,), where)
    snapshot = Pair(made, made).fleet().snapshot()
    assert dict(planned(made, snapshot).tolerances) == {WEB: 2}
    single = replace(web, update=UpdateSpec())
    assert planned(release(1, (single,), where), snapshot).tolerances == ()
