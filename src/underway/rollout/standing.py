"""Containers of ours that shall just stand: made, made anew where they are others, or started."""

from underway.model.container import ContainerRequest
from underway.model.names import LABEL_GENERATION
from underway.model.snapshot import ContainerStatus, HostState
from underway.model.step import CreateContainer, RemoveContainer, StartContainer, Step


def standing(
    host: HostState, request: ContainerRequest, cause: str, *, replaces: bool = True
) -> list[Step]:
    """Steps that make a container of ours run as requested; [] if it does."""
    seen = host.container(request.name)
    is_same = seen is not None and (
        not replaces or seen.generation == request.label(LABEL_GENERATION)
    )
    if seen and is_same and seen.status is ContainerStatus.RUNNING:
        return []
    if seen and is_same and seen.status is ContainerStatus.EXITED:
        return [StartContainer(host.name, request.name, f"{cause}; it was stopped")]
    steps: list[Step] = []
    if seen:
        steps.append(RemoveContainer(host.name, request.name, "made anew with what it needs now"))
    steps.append(CreateContainer(host.name, request, cause))
    steps.append(StartContainer(host.name, request.name, cause))
    return steps
