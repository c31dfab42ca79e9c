"""What a container's state means for a rollout: whether it runs, does its work, holds things."""

from underway.model.snapshot import ContainerState, ContainerStatus, Health


def holds_resources(state: ContainerState) -> bool:
    """Whether a container has processes: it may answer, write to volumes, and hold ports."""
    return state.status in {
        ContainerStatus.RUNNING,
        ContainerStatus.PAUSED,
        ContainerStatus.RESTARTING,
    }


def is_standing(state: ContainerState) -> bool:
    """Whether a container runs and may serve."""
    return state.status is ContainerStatus.RUNNING and state.health is not Health.UNHEALTHY


def is_ready(state: ContainerState) -> bool:
    """Whether a container does its work: it runs, and no health check says otherwise."""
    return is_standing(state) and state.health is not Health.STARTING


def is_unwell(state: ContainerState) -> bool:
    """Whether a container has processes and does not do its work: it may answer all the same."""
    return holds_resources(state) and not is_standing(state)
