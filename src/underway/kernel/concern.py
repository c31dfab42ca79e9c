"""What a step concerns: its subject in a word, its service, and the replicas a gate judges."""

from typing import Final

from underway.model.names import LABEL_SERVICE, ContainerName, ServiceName
from underway.model.step import (
    AwaitContainer,
    AwaitDrained,
    AwaitedState,
    AwaitServers,
    ConfirmUpstream,
    CreateContainer,
    RecordRelease,
    RemoveContainer,
    RemoveImage,
    RemoveNetwork,
    RemoveProxy,
    RemoveUpstream,
    RemoveVolume,
    SetCurrent,
    SetUpstream,
    Step,
    StopContainer,
    Watch,
    WriteVault,
)

TAKES_AWAY: Final = (StopContainer, RemoveContainer, RemoveProxy, RemoveVolume, RemoveNetwork)
RECORDS: Final = (WriteVault, RecordRelease, SetCurrent, RemoveImage)
"""Steps on which no replica depends."""


def judged_replicas(step: Step) -> tuple[ServiceName, frozenset[ContainerName]] | None:
    """The replicas a gate judges; None for a step whose failure no tolerance covers."""
    match step:
        case AwaitContainer(until=AwaitedState.READY) | Watch():
            return step.service, frozenset({step.container})
        case AwaitServers(service=service, servers=servers):
            return service, frozenset(ref.container for ref in servers)
        case _:
            return None


def service_of(step: Step) -> ServiceName | None:
    """The service a step is about, where the step tells it."""
    match step:
        case SetUpstream(upstream=upstream) | ConfirmUpstream(upstream=upstream):
            return upstream.service
        case CreateContainer(container=request):
            name = dict(request.labels).get(LABEL_SERVICE)
            return ServiceName(name) if name else None
        case (
            RemoveUpstream(service=service)
            | AwaitContainer(service=service)
            | AwaitServers(service=service)
            | AwaitDrained(service=service)
            | Watch(service=service)
        ):
            return service
        case _:
            return None


def subject_of(step: Step) -> str:
    """What a step is about, in one word: a container, an image, a service."""
    for name in ("container", "network", "volume", "image", "upstream", "service", "release"):
        value = getattr(step, name, None)
        if value is None:
            continue
        for attribute in ("name", "physical", "reference", "service"):
            inner = getattr(value, attribute, None)
            if isinstance(inner, str):
                return inner
        return str(value)
    return ""
