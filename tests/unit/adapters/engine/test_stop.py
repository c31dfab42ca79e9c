"""Stopping a container asks the engine for the right patience, and has the same itself."""

from typing import Any

import pytest

from underway.adapters.engine.connection import Call
from underway.adapters.engine.containers import ContainerCalls


class Wire:
    """A connection that remembers the calls, to an engine with one container."""

    def __init__(self, config: dict[str, Any] | None) -> None:
        self.config = config
        self.calls: list[Call] = []

    def find(self, path: str, what: str) -> dict[str, Any] | None:
        del path, what
        return None if self.config is None else {"Config": self.config}

    def send(self, call: Call) -> None:
        self.calls.append(call)


@pytest.mark.parametrize(
    ("grace_s", "config", "params", "timeout_s"),
    [
        (600.0, {"StopTimeout": 5}, {"t": "600"}, 620),
        (0.0, {"StopTimeout": 5}, {"t": "0"}, 20),
        (None, {"StopTimeout": 600}, {}, 620),
        (None, {"StopTimeout": None}, {}, 30),
        (None, {}, {}, 30),
        (None, None, {}, 30),
    ],
)
def test_without_a_time_of_ours_it_is_the_container_s_own(
    grace_s: float | None,
    config: dict[str, Any] | None,
    params: dict[str, str],
    timeout_s: float,
):
    wire = Wire(config)
    ContainerCalls(wire).stop("libra-worker-1", grace_s)  # type: ignore[arg-type]
    (call,) = wire.calls
    assert call.params == params
    assert call.timeout_s == timeout_s
