"""Gates: steps that wait and judge. Each tells early what can only fail, and shows why.

"starting" is not "healthy", and a container that died is not waited for. A gate that fails raises
with the container's last lines and what its health check said: the cause stands where the failure
is told.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, assert_never

from underway.errors import EngineError, StepFailedError, UnreachableError
from underway.kernel.executor import Cancelled, StepContext, StepResult
from underway.kernel.world import World
from underway.model.names import HostName
from underway.model.snapshot import ContainerState, ContainerStatus, Health
from underway.model.step import (
    AwaitContainer,
    AwaitDrained,
    AwaitedState,
    AwaitServers,
    ConfirmUpstream,
    ReplicaRef,
    Verdict,
    Watch,
)
from underway.model.traffic import ObservedUpstream, Upstream
from underway.ports import Clock
from underway.rollout.condition import holds_resources
from underway.rollout.haproxy_config import routes_of
from underway.rollout.last_lines import without_repeats

POLL_S: Final = 0.15
SLOWEST_POLL_S: Final = 0.6
LAST_LINES: Final = 15
LAST_CHECKS: Final = 3
PASSED: Final = StepResult(Verdict.PASSED)
_CHECKS: Final = {
    "L4CON": "it refuses connections",
    "L4TOUT": "it cannot be connected to",
    "L6RSP": "it speaks no TLS",
    "L7RSP": "its answer is no HTTP",
    "L7STS": "it answers with an HTTP status that is no success",
    "L7TOUT": "it does not answer in time",
}
"""HAProxy's check results in the words of users."""

AnyGate = AwaitContainer | AwaitServers | ConfirmUpstream | AwaitDrained | Watch


@dataclass(frozen=True, slots=True)
class Gates:
    """Waits through the ports."""

    world: World
    clock: Clock

    def __call__(self, gate: AnyGate, context: StepContext) -> StepResult:
        """Wait until the gate has its verdict; a failed one raises StepFailedError."""
        match gate:
            case AwaitContainer():
                return self._container(gate, context)
            case AwaitServers():
                return self._servers(gate, context)
            case ConfirmUpstream():
                return self._confirmed(gate, context)
            case AwaitDrained():
                return self._drained(gate, context)
            case Watch():
                return self._watched(gate, context)
            case _:
                assert_never(gate)

    def _container(self, gate: AwaitContainer, context: StepContext) -> StepResult:
        match gate.until:
            case AwaitedState.READY:
                return self._ready(gate, context)
            case AwaitedState.COMPLETED:
                return self._completed(gate, context)
            case AwaitedState.ENDED:
                return self._ended(gate, context)
            case _:
                assert_never(gate.until)

    def _poll(
        self,
        timeout_s: float,
        context: StepContext,
        look: Callable[[float], StepResult | None],
        *,
        told_s: float = 0.0,
    ) -> StepResult | None:
        """Call `look(elapsed)` until it gives a result; None when the time is over.

        `told_s` is how long it is said to take, where that is not all of the time.
        """
        began = self.clock.monotonic()
        pause_s = POLL_S
        while True:
            elapsed = self.clock.monotonic() - began
            result = look(elapsed)
            if result is not None:
                return result
            if elapsed >= timeout_s:
                return None
            if context.is_cancelled():
                raise Cancelled("interrupted", "interrupted while waiting")
            context.progress(elapsed, told_s or timeout_s, "")
            self.clock.sleep(pause_s)
            pause_s = min(SLOWEST_POLL_S, pause_s * 1.3)

    def _ready(self, gate: AwaitContainer, context: StepContext) -> StepResult:
        stable_since: dict[str, float] = {}
        restarts: dict[str, int] = {}

        def look(elapsed: float) -> StepResult | None:
            state = self._alive(gate.host, gate.container, restarts)
            if state.health is Health.HEALTHY:
                return PASSED
            if state.health is not Health.NONE:
                return None
            began = stable_since.setdefault(state.id, elapsed)
            return PASSED if elapsed - began >= gate.monitor_s else None

        result = self._poll(gate.timeout_s, context, look)
        if result is None:
            raise self._failed(
                "not-healthy",
                gate.host,
                gate.container,
                f"did not get healthy within {gate.timeout_s:g} s",
                hint="look at its health check and its last lines; nothing old was stopped",
            )
        return result

    def _completed(self, gate: AwaitContainer, context: StepContext) -> StepResult:
        def look(_: float) -> StepResult | None:
            state = self.world.engine(gate.host).container(gate.container)
            if state is None:
                raise _gone(gate.host, gate.container)
            if state.status in {ContainerStatus.EXITED, ContainerStatus.DEAD}:
                if state.exit_code == 0:
                    return PASSED
                raise self._failed(
                    "command-failed",
                    gate.host,
                    gate.container,
                    f"exited with {state.exit_code}",
                    hint="mend the command and deploy again",
                )
            return None

        result = self._poll(gate.timeout_s, context, look)
        if result is None:
            self.world.engine(gate.host).stop(gate.container, 1)
            raise self._failed(
                "command-timeout",
                gate.host,
                gate.container,
                f"was not done within {gate.timeout_s:g} s and was ended",
                hint="give it more time with `timeout`, or mend it",
            )
        return result

    def _ended(self, gate: AwaitContainer, context: StepContext) -> StepResult:
        engine = self.world.engine(gate.host)

        def look(_: float) -> StepResult | None:
            state = engine.container(gate.container)
            return None if state is not None and holds_resources(state) else PASSED

        result = self._poll(gate.timeout_s, context, look)
        if result is None:
            engine.stop(gate.container, 1)
            text = f"was not done within {gate.timeout_s:g} s and was ended"
            return StepResult(Verdict.PASSED, text)
        return result

    def _servers(self, gate: AwaitServers, context: StepContext) -> StepResult:
        waiting: set[ReplicaRef] = set(gate.servers)
        restarts: dict[str, int] = {}

        def look(_: float) -> StepResult | None:
            for ref in sorted(waiting):
                self._alive(ref.host, ref.container, restarts)
            seen = self._upstream(gate.host, gate.app, gate.service)
            passed = {s.name for s in seen.servers if s.has_passed} if seen else set()
            waiting.difference_update({ref for ref in waiting if ref.container in passed})
            return None if waiting else PASSED

        result = self._poll(gate.timeout_s, context, look)
        if result is None:
            first = min(waiting)
            seen = self._upstream(gate.host, gate.app, gate.service)
            checks = {s.name: s.check for s in seen.servers} if seen else {}
            check = checks.get(first.container, "")
            raise self._failed(
                "probe-failed",
                first.host,
                first.container,
                f"did not pass the check of edge {gate.host} within {gate.timeout_s:g} s "
                f"({_CHECKS.get(check, check) or 'it was not asked yet'})",
                hint="its probe is `x-underway: {proxy: {health: PATH}}`; look at its last lines",
            )
        return result

    def _confirmed(self, gate: ConfirmUpstream, context: StepContext) -> StepResult:
        wished = gate.upstream

        def look(_: float) -> StepResult | None:
            seen = self._upstream(gate.host, wished.app, wished.service)
            return PASSED if seen and _serves(seen, wished) else None

        result = self._poll(gate.timeout_s, context, look)
        if result is None:
            raise StepFailedError(
                "edge-differs",
                f"the proxy on {gate.host} does not serve {wished.service} as it was told",
                hint="look at `docker logs underway-edge` there; nothing old was stopped",
            )
        return result

    def _drained(self, gate: AwaitDrained, context: StepContext) -> StepResult:
        names = set(gate.servers)
        left = 0

        def look(_: float) -> StepResult | None:
            nonlocal left
            sessions = self.world.proxy(gate.host).sessions(gate.app, gate.service)
            left = sum(s.requests for name, s in sessions.items() if name in names)
            tunnels = sum(s.tunnels for name, s in sessions.items() if name in names)
            if left:
                context.progress(0, 0, f"{left} requests in flight")
                return None
            return StepResult(Verdict.PASSED, f"{tunnels} open connections" if tunnels else "")

        result = self._poll(gate.timeout_s, context, look)
        if result is not None:
            return result
        requests = "1 request" if left == 1 else f"{left} requests"
        return StepResult(
            Verdict.PASSED, f"{requests} longer than {gate.timeout_s:g} s, ended by the stop"
        )

    def _watched(self, gate: Watch, context: StepContext) -> StepResult:
        restarts: dict[str, int] = {}

        def look(elapsed: float) -> StepResult | None:
            state = self._alive(gate.host, gate.container, restarts)
            if state.health is Health.UNHEALTHY:
                raise self._failed(
                    "turned-unhealthy",
                    gate.host,
                    gate.container,
                    "turned unhealthy",
                    hint="look at what its health check says below, mend it and deploy again",
                )
            return PASSED if elapsed >= gate.monitor_s else None

        return self._poll(gate.monitor_s + 60, context, look, told_s=gate.monitor_s) or PASSED

    def _alive(self, host: HostName, name: str, restarts: dict[str, int]) -> ContainerState:
        """The container, running and not restarted since this gate first looked.

        A restart from long ago is no reason to refuse a replica that serves. Raises
        StepFailedError otherwise.
        """
        state = self.world.engine(host).container(name)
        if state is None:
            raise _gone(host, name)
        before = restarts.setdefault(f"{host}/{name}", state.restart_count)
        if state.restart_count > before or state.status is ContainerStatus.RESTARTING:
            raise self._failed(
                "replica-crashed",
                host,
                name,
                "crashes: its engine had to restart it",
                hint="mend the cause, then deploy again",
            )
        if state.status is not ContainerStatus.RUNNING:
            raise self._failed(
                "replica-crashed",
                host,
                name,
                f"is {state.status.value} (exit status {state.exit_code})",
                hint="mend the cause, then deploy again",
            )
        return state

    def _upstream(self, host: HostName, app: str, service: str) -> ObservedUpstream | None:
        state = self.world.proxy(host).state()
        found: Iterable[ObservedUpstream] = state.upstreams if state else ()
        return next((u for u in found if u.app == app and u.service == service), None)

    def _failed(
        self, code: str, host: HostName, name: str, what: str, *, hint: str
    ) -> StepFailedError:
        engine = self.world.engine(host)
        try:
            said = [line.text for line in engine.logs(name, tail=LAST_LINES)]
            lines = without_repeats(said[-LAST_LINES:])
            checks = engine.health_log(name)[-LAST_CHECKS:]
        except (EngineError, UnreachableError) as error:
            lines, checks = [f"(its output cannot be read: {error.message})"], ()
        told = (*lines, *(f"health check: {said}" for said in checks))
        return StepFailedError(code, f"{name} on {host} {what}", hint=hint, detail=told)


def _gone(host: HostName, name: str) -> StepFailedError:
    return StepFailedError(
        "container-gone",
        f"{name} on {host} was removed by somebody",
        cause="it was there when this run made it",
        hint="find out who removes containers there (a timer, a colleague), then deploy again",
    )


def _serves(seen: ObservedUpstream, wished: Upstream) -> bool:
    """Whether the running proxy has exactly the wished servers, modes, live side and routes."""
    has = {(s.side, s.name, s.address, s.port, s.mode) for s in seen.servers}
    shall = {(s.side, s.name, s.address, s.port, s.mode) for s in wished.servers}
    has_routes = seen.routes == routes_of(wished)
    return seen.live is wished.live and has == shall and has_routes
