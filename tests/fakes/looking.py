"""How a fake engine answers whoever looks closely at a container."""

from collections.abc import Iterator, Mapping

from tests.fakes.containers import FakeContainer
from underway.model.happening import ContainerEvent
from underway.model.names import AppName
from underway.model.usage import UsageSample


class Looks:
    """What an engine tells of one container past its state; `environments` are told as they are."""

    made: dict[str, FakeContainer]
    happened: tuple[ContainerEvent, ...] = ()

    def container_events(
        self, app: AppName, *, since_s: float, until_s: float = 0
    ) -> Iterator[ContainerEvent]:
        del app
        return (e for e in self.happened if since_s <= e.time_s <= (until_s or e.time_s))

    def usage(self, name: str) -> UsageSample | None:
        return UsageSample(1.0, 0.5, 1 << 20) if self._made(name).state.started_at else None

    def inspect(self, name: str) -> Mapping[str, object] | None:
        made = self.made.get(name)
        if made is None:
            return None
        config = {"Env": list(made.environment), "Labels": dict(made.state.labels)}
        return {"Id": made.state.id, "Name": f"/{name}", "Config": config}

    def _made(self, name: str) -> FakeContainer:
        raise NotImplementedError(name)
