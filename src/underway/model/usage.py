"""What replicas use of their hosts, beside what they may: values."""

from dataclasses import dataclass

from underway.model.names import ContainerName, HostName, ServiceName


@dataclass(frozen=True, slots=True)
class UsageSample:
    """An engine's counters for one container at one moment; they only grow.

    Attributes:
        taken_at: seconds since the epoch, by the engine's clock.
        cpu_s: processor time since the container started.
        memory_bytes: what is in use, the page cache that can be given back apart.
        memory_limit_bytes: the container's limit, or all of the host's memory.
        received_bytes: over all networks; None where the container has none of its own.
        sent_bytes: as `received_bytes`.
        processes: processes and threads.
    """

    taken_at: float
    cpu_s: float = 0.0
    memory_bytes: int = 0
    memory_limit_bytes: int = 0
    received_bytes: int | None = None
    sent_bytes: int | None = None
    processes: int = 0


@dataclass(frozen=True, slots=True)
class ReplicaUsage:
    """One replica between two samples. None is what could not be told, 0 for a limit is none.

    `cpus` and `cpu_limit` are in processors, rates in bytes per second.
    """

    name: ContainerName
    host: HostName
    service: ServiceName
    cpus: float | None = None
    cpu_limit: float = 0.0
    memory_bytes: int | None = None
    memory_limit_bytes: int = 0
    received_per_s: float | None = None
    sent_per_s: float | None = None
    processes: int | None = None


@dataclass(frozen=True, slots=True)
class UsageReport:
    """All replicas of an app at one moment, by service and name; `lost` hosts did not answer."""

    taken_at: float
    replicas: tuple[ReplicaUsage, ...] = ()
    lost: tuple[HostName, ...] = ()


def usage_between(
    replica: ReplicaUsage, earlier: UsageSample | None, later: UsageSample | None
) -> ReplicaUsage:
    """`replica` filled in; rates need two samples of one life of the container."""
    if later is None:
        return replica
    seconds = later.taken_at - earlier.taken_at if earlier else 0.0
    is_one_life = earlier is not None and seconds > 0 and later.cpu_s >= earlier.cpu_s

    def rate(before: float | None, after: float | None) -> float | None:
        if not is_one_life or before is None or after is None:
            return None
        return max(after - before, 0) / seconds

    return ReplicaUsage(
        replica.name,
        replica.host,
        replica.service,
        cpus=rate(earlier.cpu_s if earlier else None, later.cpu_s),
        cpu_limit=replica.cpu_limit,
        memory_bytes=later.memory_bytes,
        memory_limit_bytes=replica.memory_limit_bytes,
        received_per_s=rate(earlier.received_bytes if earlier else None, later.received_bytes),
        sent_per_s=rate(earlier.sent_bytes if earlier else None, later.sent_bytes),
        processes=later.processes,
    )
