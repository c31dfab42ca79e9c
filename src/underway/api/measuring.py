"""What replicas use now, beside what they may: sampled from all hosts again and again."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from underway.api.output import require_services
from underway.api.session import Session, releases_of
from underway.errors import EngineError, UnreachableError
from underway.kernel.observe import MOST_HOSTS_AT_ONCE
from underway.model.names import ContainerName, HostName, ServiceName
from underway.model.release import Release
from underway.model.snapshot import ContainerState, ContainerStatus, Role
from underway.model.usage import ReplicaUsage, UsageReport, UsageSample, usage_between

_NANO: Final = 1_000_000_000
Sampled = Mapping[tuple[HostName, ContainerName], tuple[ReplicaUsage, UsageSample | None]]


def usage(
    session: Session, services: tuple[ServiceName, ...] = (), *, interval_s: float = 2.0
) -> Iterator[UsageReport]:
    """A report each `interval_s` seconds, from the first interval on; rates are over it.

    Replicas that come are measured from then on. Raises UsageError for an unknown service.
    """
    snapshot = session.observe()
    require_services(session, snapshot, services)
    known = releases_of(snapshot)
    before, _ = _sample(session, services, known)
    while not session.cancel.is_set():
        session.clock.sleep(interval_s)
        after, lost = _sample(session, services, known)
        replicas = [
            usage_between(replica, before.get(key, (None, None))[1], sample)
            for key, (replica, sample) in after.items()
        ]
        ordered = sorted(replicas, key=lambda one: (one.service, one.name))
        yield UsageReport(session.clock.now(), tuple(ordered), lost)
        before = after


def _sample(
    session: Session, services: tuple[ServiceName, ...], known: Mapping[int, Release]
) -> tuple[Sampled, tuple[HostName, ...]]:
    """One look at every host at once; hosts that did not answer are told apart."""

    def look(host: HostName) -> Sampled | None:
        try:
            return dict(_on_host(session, host, services, known))
        except (UnreachableError, EngineError):
            return None

    hosts = session.world.hosts
    with ThreadPoolExecutor(max_workers=MOST_HOSTS_AT_ONCE) as pool:
        found = dict(zip(hosts, pool.map(look, hosts), strict=True))
    merged = {key: value for part in found.values() if part for key, value in part.items()}
    return merged, tuple(host for host, part in found.items() if part is None)


def _on_host(
    session: Session,
    host: HostName,
    services: tuple[ServiceName, ...],
    known: Mapping[int, Release],
) -> Iterator[tuple[tuple[HostName, ContainerName], tuple[ReplicaUsage, UsageSample | None]]]:
    engine = session.world.engine(host)
    wanted = [
        container
        for container in engine.containers()
        if container.app == session.app
        and container.role == Role.REPLICA
        and container.status is ContainerStatus.RUNNING
        and (not services or container.service in services)
    ]

    def measure(container: ContainerState) -> UsageSample | None:
        try:
            return engine.usage(container.id)
        except EngineError:
            return None  # it ended meanwhile

    with ThreadPoolExecutor(max_workers=MOST_HOSTS_AT_ONCE) as pool:
        samples = list(pool.map(measure, wanted))
    for container, sample in zip(wanted, samples, strict=True):
        cpu_limit, memory_limit = _limits(container, known)
        replica = ReplicaUsage(
            container.name,
            host,
            container.service,
            cpu_limit=cpu_limit,
            memory_limit_bytes=memory_limit,
        )
        yield (host, container.name), (replica, sample)


def _limits(container: ContainerState, known: Mapping[int, Release]) -> tuple[float, int]:
    """Processors and bytes that the release gave the replica, 0 for no limit."""
    release = known.get(container.release)
    try:
        service = release.spec.service(container.service) if release else None
    except KeyError:
        service = None
    if service is None:
        return 0.0, 0
    limits: dict[str, Any] = json.loads(service.engine).get("HostConfig", {})
    quota, period = int(limits.get("CpuQuota") or 0), int(limits.get("CpuPeriod") or 0) or 100_000
    cpus = int(limits.get("NanoCpus") or 0) / _NANO or max(quota, 0) / period
    return cpus, int(limits.get("Memory") or 0)
