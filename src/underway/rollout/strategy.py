"""How one generation of a service is replaced by another: rolling, blue-green, recreate.

Invariant (held by the property tests): a strategy that starts first never lets the number of
replicas that take requests fall below the smaller of what took them before and what is wished.
A strategy advances until the wished replicas take all traffic; what it no longer needs is handed
over as `Retirement`, which the plan carries out last, for all services together.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from underway.model.plan import Interruption, Stage
from underway.model.spec import ProxySpec, ServiceSpec, Strategy
from underway.model.step import (
    AwaitServers,
    ConfirmUpstream,
    ReplicaRef,
    Step,
    Watch,
)
from underway.model.traffic import Server, ServerMode, Side
from underway.rollout.cast import Cast
from underway.rollout.causes import Causes
from underway.rollout.collision import is_called_directly, must_stop_first, needs_listener_closed
from underway.rollout.condition import holds_resources, is_ready
from underway.rollout.farewell import withdrawal, withdraws_listener
from underway.rollout.interruption import stopping_first
from underway.rollout.retirement import Retirement
from underway.rollout.scene import Held, Replica, Scene
from underway.rollout.stages import by_host, in_lanes, in_parallel
from underway.rollout.start import Starter
from underway.rollout.tolerance import allowed_failures
from underway.rollout.upstreams import EdgeModel, chosen_side


@dataclass(slots=True)
class Rollout:
    """The rollout of one service while it is being planned."""

    scene: Scene
    cast: Cast
    starter: Starter
    causes: Causes
    side: Side = Side.A
    stages: list[Stage] = field(default_factory=list)
    interruption: Interruption | None = None
    kept: list[Held] = field(default_factory=list)
    is_withdrawn: bool = False
    may_be_sent_to: bool = field(init=False)
    is_late: bool = field(init=False)

    def __post_init__(self) -> None:
        """Work out who may still call old replicas: a lost edge, or old consumers elsewhere."""
        was_proxied = self.cast.proxy is not None or any(held.state.port for held in self.cast.old)
        self.may_be_sent_to = bool(self.scene.lost_edges and was_proxied)
        # Old consumers do not know the new replicas' way before they are replaced themselves.
        is_new_way = any(model.wished_listens for model in self.cast.models)
        self.is_late = withdraws_listener(self.scene, self._service) or (
            is_new_way and any(is_called_directly(held.state) for held in self.cast.old)
        )
        # What Compose published serves users until the proxy takes their port over from it.
        is_taken_over = self.cast.proxy is not None and any(h.is_adopted for h in self.cast.old)
        self.is_late = self.is_late or is_taken_over

    @property
    def _service(self) -> ServiceSpec:
        return self.cast.service

    def plan(self) -> Retirement:
        """Fill `stages`; what is left to retire afterwards is returned."""
        closes = needs_listener_closed(self.scene, self.cast)
        if self.cast.todo and (closes or (self._stops_first and self.cast.old)):
            return self._recreate(closes=closes)
        return self._start_first()

    @property
    def _stops_first(self) -> bool:
        """Whether the strategy says so, or two generations cannot run side by side."""
        return (
            self._service.strategy is Strategy.RECREATE
            or self._service.is_single_writer
            or must_stop_first(self.scene, self.cast)
        )

    def _start_first(self) -> Retirement:
        for model in self.cast.models:
            model.listen_to_all()
        wants_flip = self._service.strategy is Strategy.BLUE_GREEN and bool(self.cast.todo)
        names = frozenset(replica.name for replica in self.cast.wished)
        self.side = chosen_side(self.cast.models, names, flips=wants_flip)
        flips = any(model.live is not self.side for model in self.cast.models)
        is_first = not (self.cast.old or self.cast.good or self.cast.absent)
        at_once = flips or wants_flip or is_first
        parallelism = 0 if at_once else self._service.update.parallelism
        batches = _batches(self.cast.todo, parallelism)
        serving = len(self.cast.good) + sum(self._serves_unseen(r) for r in self.cast.absent)
        waiting = list(self.cast.old)
        # A generation that takes over as a whole has nobody beside it when it crashes: it is
        # watched before it gets users. A batch is watched among them, its elders beside it.
        is_whole = len(batches) == 1 and bool(self.cast.old) and not self.scene.policy.is_undo
        for number, batch in enumerate(batches, start=1):
            title = f"{self._service.name} {number}/{len(batches)}" if batch else self._service.name
            self._start(title, batch)
            serving += len(batch)
            is_last = number == len(batches)
            retiring = waiting if is_last else self._spare(waiting, serving)
            waiting = [held for held in waiting if held not in retiring]
            if is_whole:
                self._monitor(title, batch)
            self._cut_over(title, batch, retiring, is_last=is_last)
            if not is_whole:
                self._monitor(title, batch)
            if is_last:
                return self._rest(retiring)
            self._retire_now(title, retiring)
            self._pause_between(title, batch)
        return self._rest(())

    def _rest(self, retiring: Iterable[Held]) -> Retirement:
        old = (*self.kept, *retiring)
        return Retirement(self.causes, old, self._withdrawal(), is_late=self.is_late)

    def _serves_unseen(self, replica: Replica) -> bool:
        """Whether a replica on a host that does not answer is known to serve on every edge."""
        models = self.cast.models
        return bool(models) and all(model.has_passed(replica.name) for model in models)

    def _spare(self, waiting: list[Held], serving: int) -> list[Held]:
        """Old replicas that can go while `serving` wished ones serve: idle ones, and surplus.

        Every edge keeps as many that take requests as are wished: one that is only being probed
        there, or is not routed yet, does not help it.
        """
        helping = [{h for h in waiting if model.takes(h.name)} for model in self.cast.models]
        if not self.cast.models or self.cast.is_tcp:
            # Services on its own hosts call it past any edge. An unwell one may do its work all
            # the same: those that run keep their number too.
            helping.append({h for h in waiting if is_ready(h.state)})
            helping.append({h for h in waiting if holds_resources(h.state)})
        surplus = [serving + len(some) - len(self.cast.wished) for some in helping]
        going: list[Held] = []
        for held in waiting:
            needed_by = [i for i, some in enumerate(helping) if held in some]
            if all(surplus[i] > 0 for i in needed_by):
                going.append(held)
                for i in needed_by:
                    surplus[i] -= 1
        return going

    def _recreate(self, *, closes: bool) -> Retirement:
        """Stop first: what holds a port, a volume or a name makes room for the new replica.

        `closes`: the edges stop listening for the service, as a replica takes over the port.
        """
        if self.may_be_sent_to:
            return self._rest(self.cast.old)
        self.side = self.cast.models[0].live if self.cast.models else Side.A
        parallelism = self._service.update.parallelism
        if self._service.is_single_writer:
            parallelism = 0
        batches = _batches(self.cast.todo, parallelism)
        waiting = list(self.cast.old)
        if closes or not self.cast.models or self._stops_all(batches):
            self.interruption = stopping_first(self.scene, self.cast, closes=closes)
        for number, batch in enumerate(batches, start=1):
            title = f"{self._service.name} {number}/{len(batches)}"
            is_last = number == len(batches)
            count = len(waiting) if is_last else min(len(batch), len(waiting))
            retiring, waiting = waiting[:count], waiting[count:]
            for model in self.cast.models:
                for held in retiring:
                    model.drain(held.name)
            self._tell(f"Drain {title}", "makes room for the new replica")
            self._retire(title, retiring)
            for model in self.cast.models:
                model.settle() if closes else model.listen_to_all()
            if closes:
                self._tell(f"Close {title}", "its port makes room for the new replica")
            self._start(title, batch)
            self._cut_over(title, batch, (), is_last=is_last)
            self._monitor(title, batch)
        return self._rest(())

    def _stops_all(self, batches: list[tuple[Replica, ...]]) -> bool:
        """Whether the first batch stops every replica that serves."""
        stopped = len(self.cast.old) if len(batches) == 1 else len(batches[0])
        staying = self.cast.old[stopped:]
        stays = all(any(model.takes(h.name) for h in staying) for model in self.cast.models)
        return not (self.cast.good or stays)

    def _start(self, title: str, batch: tuple[Replica, ...]) -> None:
        self.stages += self.starter.start(title, self.causes, batch)
        if not self.cast.models:
            return
        wished = {replica.name for replica in self.cast.wished}
        for model in self.cast.models:
            if model.live is not self.side:
                model.drain_side(self.side, but=wished)
            for replica in batch:
                server = self._server(replica)
                if server and not model.takes(replica.name):
                    is_idle = self.side is not model.live
                    mode = ServerMode.READY if is_idle else ServerMode.DRAIN
                    model.put(_in_mode(server, mode))
        self._tell(f"Probe {title}", "checked before it gets a request")
        proxy = self.cast.proxy
        refs = tuple(ReplicaRef(replica.host, replica.name) for replica in batch)
        if refs and proxy:
            # Where some may fail, each is judged alone: the others are still waited for.
            each = allowed_failures(self._service) > 0
            groups = [(ref,) for ref in refs] if each else [refs]
            self.stages += in_parallel(
                f"Wait for {title}",
                (
                    (self._gate(model, group, proxy),)
                    for model in self.cast.models
                    for group in groups
                ),
            )

    def _gate(
        self, model: EdgeModel, refs: tuple[ReplicaRef, ...], proxy: ProxySpec
    ) -> AwaitServers:
        return AwaitServers(
            model.edge,
            self.scene.app,
            self._service.name,
            refs,
            proxy.deploy_timeout_s,
            "ready only when every edge's own check has passed",
        )

    def _server(self, replica: Replica) -> Server | None:
        location = self.starter.location(self.cast, replica)
        if location is not None:
            return Server(
                replica.name, self.side, location.address, location.port, ServerMode.READY
            )
        known = self.scene.known_server(self._service.name, replica.name)
        if known is None:
            return None
        return Server(replica.name, self.side, known.address, known.port, ServerMode.READY)

    def _cut_over(
        self, title: str, batch: tuple[Replica, ...], retiring: Iterable[Held], *, is_last: bool
    ) -> None:
        leaving = [held.name for held in retiring]
        for model in self.cast.models:
            is_flip = model.live is not self.side
            for replica in (*batch, *self.cast.good):
                server = self._server(replica)
                if server:
                    model.put(server)
            for replica in self.cast.absent:
                server = self._server(replica)
                if server:
                    passed = model.has_passed(replica.name)
                    model.put(_in_mode(server, ServerMode.READY if passed else ServerMode.DRAIN))
            if not is_flip:
                for name in leaving:
                    model.drain(name)
            model.live = self.side
            if is_last:
                # An older generation may not know a host name that only this release brings.
                model.claim()
        if self._tell(*self._moving(title)):
            self.stages += in_lanes(
                f"Confirm {title}",
                (
                    ConfirmUpstream(model.edge, model.upstream(), 10.0, "read back from the proxy")
                    for model in self.cast.models
                ),
            )

    def _moving(self, title: str) -> tuple[str, str]:
        """The title and the cause of a cut-over, or of the end of a service that is stopped."""
        if self.cast.wished:
            return f"Cut over {title}", "traffic moves to the new replicas"
        return f"Close {title}", "nobody is to serve it: users get 503"

    def _monitor(self, title: str, batch: tuple[Replica, ...]) -> None:
        """Watch new replicas as long as the file says; one that runs once is to end."""
        if self._service.update.is_monitored and not self._service.runs_once:
            self._watch(f"Watch {title}", batch, self._service.update.monitor_s, "monitor")

    def _retire_now(self, title: str, retiring: Iterable[Held]) -> None:
        """Retire between batches, unless somebody may still call them."""
        if self.may_be_sent_to or self.is_late:
            self.kept += retiring
        else:
            self._retire(title, retiring)

    def _retire(self, title: str, retiring: Iterable[Held]) -> None:
        retirement = Retirement(self.causes, tuple(retiring), self._withdrawal(), is_kept=True)
        self.stages += in_lanes(f"Drain {title}", retirement.drain())
        self.stages += in_parallel(f"Retire {title}", retirement.stop())
        self.stages += in_parallel(
            f"Remove {title}",
            [*by_host(retirement.forget()), *((step,) for step in retirement.remove())],
        )

    def _withdrawal(self) -> tuple[Step, ...]:
        """Steps, once, that take the service out of edges that shall not serve it any more."""
        if self.is_withdrawn:
            return ()
        self.is_withdrawn = True
        return tuple(withdrawal(self.scene, self._service, self.cast.old))

    def _pause_between(self, title: str, batch: tuple[Replica, ...]) -> None:
        delay_s = self._service.update.delay_s
        if delay_s:
            self._watch(f"Pause after {title}", batch, delay_s, "delay between batches")

    def _watch(self, title: str, batch: tuple[Replica, ...], duration_s: float, cause: str) -> None:
        self.stages += in_parallel(
            title,
            ((Watch(r.host, r.name, self._service.name, duration_s, cause),) for r in batch),
        )

    def _tell(self, title: str, cause: str) -> bool:
        stages = in_lanes(title, [model.tell(cause) for model in self.cast.models])
        self.stages += stages
        return bool(stages)


def _in_mode(server: Server, mode: ServerMode) -> Server:
    return Server(server.name, server.side, server.address, server.port, mode)


def _batches(todo: tuple[Replica, ...], parallelism: int) -> list[tuple[Replica, ...]]:
    size = parallelism or len(todo) or 1
    return [todo[i : i + size] for i in range(0, len(todo), size)] or [()]
