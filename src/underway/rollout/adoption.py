"""Containers of a Compose project that an app takes over from: kept beside it, or brought back.

They are stopped, never removed: under a name that tells what they were called and when the engine
started them by itself, so that any client can bring them back as they were. While they run they
count as old replicas of their services, so that every rule for these holds for them too.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from underway.model.names import (
    LABEL_APP,
    LABEL_COMPOSE_NEEDS,
    LABEL_COMPOSE_NUMBER,
    LABEL_COMPOSE_SERVICE,
    LABEL_REPLICA,
    LABEL_ROLE,
    LABEL_SERVICE,
    AppName,
    ContainerName,
)
from underway.model.snapshot import ContainerState, Role

_KEPT: Final = re.compile(
    r"(?P<name>.+)-adopted(?:-(?P<policy>always|on-failure)(?:-(?P<count>\d+))?)?"
)
_REVIVING: Final = frozenset({"always", "on-failure"})
"""Policies by which an engine that restarts starts what somebody stopped: two databases on one
volume."""


def kept_name(state: ContainerState) -> ContainerName:
    """The name of a container that was taken over from: `libra-db-1-adopted-always`."""
    if is_kept(state.name):
        return state.name
    policy, _, count = state.restart.partition(":")
    parts = [state.name, "adopted"]
    if policy in _REVIVING:
        parts += [policy, *([count] if count else [])]
    return ContainerName("-".join(parts))


def is_kept(name: str) -> bool:
    """Whether the name says that a container was taken over from."""
    return _KEPT.fullmatch(name) is not None


def former_name(name: str) -> ContainerName:
    """What Compose called a kept container."""
    found = _KEPT.fullmatch(name)
    return ContainerName(found["name"] if found else name)


def former_restart(name: str) -> str:
    """The restart policy that a kept container had; "" where it has it still."""
    found = _KEPT.fullmatch(name)
    if found is None or not found["policy"]:
        return ""
    return f"{found['policy']}:{found['count']}" if found["count"] else found["policy"]


def is_revived(state: ContainerState) -> bool:
    """Whether the engine would start a kept container by itself."""
    return state.restart.partition(":")[0] in _REVIVING


def service_name(state: ContainerState) -> str:
    """The service of the Compose project that a container stands for."""
    return state.label(LABEL_COMPOSE_SERVICE)


def as_replica(state: ContainerState, app: AppName) -> ContainerState:
    """A container of Compose as an old replica of its service, of no generation of ours."""
    labels = {
        **dict(state.labels),
        LABEL_APP: app,
        LABEL_ROLE: Role.REPLICA.value,
        LABEL_SERVICE: service_name(state),
        LABEL_REPLICA: state.label(LABEL_COMPOSE_NUMBER) or "0",
    }
    return replace(state, labels=tuple(sorted(labels.items())))


def needs(state: ContainerState) -> Iterator[tuple[str, str]]:
    """The services that a container's service depends on, each with Compose's condition."""
    for entry in state.label(LABEL_COMPOSE_NEEDS).split(","):
        service, _, rest = entry.partition(":")
        if service:
            yield service, rest.partition(":")[0]
