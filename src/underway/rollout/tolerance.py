"""How many replicas of a service may fail."""

from underway.model.spec import FailureAction, ServiceSpec


def allowed_failures(service: ServiceSpec) -> int:
    """How many replicas may fail: by ratio, or all where the file says `continue`."""
    count = len(service.hosts) if service.is_global else service.replicas
    if service.update.failure_action is FailureAction.CONTINUE:
        return count
    return int(service.update.max_failure_ratio * count)
