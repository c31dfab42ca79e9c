"""How a fake engine answers whoever looks closely at a container."""

from collections.abc import Mapping

from tests.fakes.containers import FakeContainer
from underway.model.usage import UsageSample


class Looks:
    """What an engine tells of one container past its state; `environments` are told as they are."""

    made: dict[str, FakeContainer]

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
