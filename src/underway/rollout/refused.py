"""Replicas that failed at a gate while a plan is carried out: they get no traffic."""

from dataclasses import dataclass, field, replace

from underway.kernel.concern import judged_replicas
from underway.model.step import ConfirmUpstream, SetUpstream, Step
from underway.model.traffic import ServerMode, Upstream


@dataclass(slots=True)
class Refused:
    """The replicas that failed.

    The plan was made before anybody knew. Where a service has no other replica, it is told to the
    edges as planned: their own checks decide.
    """

    names: set[str] = field(default_factory=set)

    def note(self, gate: Step) -> None:
        """A gate has failed."""
        judged = judged_replicas(gate)
        if judged:
            self.names |= judged[1]

    def adapted(self, step: Step) -> Step:
        """The step as it is to be applied now."""
        match step:
            case SetUpstream(upstream=upstream) | ConfirmUpstream(upstream=upstream):
                return replace(step, upstream=self._without(upstream))
            case _:
                return step

    def _without(self, upstream: Upstream) -> Upstream:
        servers = tuple(
            replace(server, mode=ServerMode.DRAIN) if server.name in self.names else server
            for server in upstream.servers
        )
        is_served = any(s.side is upstream.live and s.mode is ServerMode.READY for s in servers)
        return replace(upstream, servers=servers) if is_served else upstream
