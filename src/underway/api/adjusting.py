"""Between deploys: more or fewer replicas, the same ones anew, none for now, back again.

Each is a run like a deploy: the current release is planned with what is asked, under the app's
lock, recorded in its history, and taken back as a whole where it fails.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from underway.api.deploying import DeployResult, carried_out, current_cargo
from underway.api.replicas import service_named, serving_scene
from underway.api.session import Session
from underway.api.steering import Job
from underway.errors import RefusedError, UsageError
from underway.model.names import HostName, ServiceName
from underway.model.release import Adjustment
from underway.model.spec import ServiceSpec
from underway.rollout.scene import ProxyRenewal, Scene


@dataclass(frozen=True, slots=True)
class AdjustOptions:
    """What the user allows; `wait_s` is how long to wait for another run's lock."""

    allow_interruption: bool = False
    skip_hosts: frozenset[HostName] = field(default_factory=frozenset)
    wait_s: float = 0.0


def scale(
    session: Session, counts: Mapping[ServiceName, int], options: AdjustOptions | None = None
) -> DeployResult:
    """Run so many replicas of these services; 0 stops one, more start one that is stopped.

    It holds until `scale` again, or until a release says another number than the one it was asked
    instead of. Raises what a deploy raises; RefusedError `scale-unfit`.
    """
    names = tuple(counts)

    def asked(scene: Scene, service: ServiceSpec) -> Adjustment:
        count = counts[service.name]
        known = _known(scene, service)
        if not count:
            return Adjustment(service.name, known.replicas, known.instead_of, is_stopped=True)
        _require_fit(service, count)
        if count == service.replicas:
            return Adjustment(service.name)
        return Adjustment(service.name, count, service.replicas)

    told = " ".join(f"{name}={counts[name]}" for name in names)
    return _adjust(session, f"scale {told}", names, asked, options)


def stop(
    session: Session, names: tuple[ServiceName, ...], options: AdjustOptions | None = None
) -> DeployResult:
    """Drain and stop services (all if empty), and keep them stopped until they are started."""

    def asked(scene: Scene, service: ServiceSpec) -> Adjustment:
        known = _known(scene, service)
        return Adjustment(service.name, known.replicas, known.instead_of, is_stopped=True)

    return _adjust(session, _command("stop", names), names, asked, options)


def start(
    session: Session, names: tuple[ServiceName, ...], options: AdjustOptions | None = None
) -> DeployResult:
    """Bring services (all if empty) back that were stopped, as the current release has them."""

    def asked(scene: Scene, service: ServiceSpec) -> Adjustment:
        known = _known(scene, service)
        return Adjustment(service.name, known.replicas, known.instead_of)

    return _adjust(session, _command("start", names), names, asked, options)


def restart(
    session: Session, names: tuple[ServiceName, ...], options: AdjustOptions | None = None
) -> DeployResult:
    """Replace the replicas of services (all that are not stopped if empty) by the same anew."""
    scene = serving_scene(session.observe())
    chosen = [service_named(scene.said, name).name for name in names]
    if stopped := sorted(scene.stopped.intersection(chosen)):
        raise RefusedError(
            "service-stopped",
            f"{', '.join(stopped)} is stopped on purpose: there is nothing to restart",
            hint=f"underway start {' '.join(stopped)}",
        )
    every = frozenset(s.name for s in scene.said.spec.services) - scene.stopped
    job = _job(_command("restart", names), options or AdjustOptions())
    job = job.restarting(frozenset(chosen) or every)
    return carried_out(session, job, lambda seen: current_cargo(session, seen))


def _adjust(
    session: Session,
    command: str,
    names: tuple[ServiceName, ...],
    asked: Callable[[Scene, ServiceSpec], Adjustment],
    options: AdjustOptions | None,
) -> DeployResult:
    scene = serving_scene(session.observe())
    services = [service_named(scene.said, name) for name in names] or scene.said.spec.services
    job = _job(command, options or AdjustOptions())
    job = job.adjusting(tuple(asked(scene, service) for service in services))
    return carried_out(session, job, lambda seen: current_cargo(session, seen))


def _job(command: str, options: AdjustOptions) -> Job:
    return Job(
        command=command,
        allows_interruption=options.allow_interruption,
        skip_hosts=options.skip_hosts,
        wait_s=options.wait_s,
        proxy_renewal=ProxyRenewal.NEVER,
    )


def _command(verb: str, names: tuple[ServiceName, ...]) -> str:
    return " ".join((verb, *names))


def _known(scene: Scene, service: ServiceSpec) -> Adjustment:
    return scene.adjustments.get(service.name, Adjustment(service.name))


def _require_fit(service: ServiceSpec, count: int) -> None:
    """Raise where a service cannot have that many replicas."""
    if count < 0:
        raise UsageError("usage", f"{service.name}: {count} is not a number of replicas")
    why = ""
    if service.is_global:
        why = "it runs once on each of its hosts"
    elif count > 1 and service.is_single_writer:
        why = "it is the single writer of its data: a second replica would damage it"
    elif count > len(service.hosts) and service.proxy is None and _has_fixed_port(service):
        why = "it publishes a port of its host, which only one replica can hold"
    if why:
        raise RefusedError(
            "scale-unfit",
            f"{service.name} cannot be scaled to {count}",
            cause=why,
            hint="`underway stop` and `underway start` are for all services",
        )


def _has_fixed_port(service: ServiceSpec) -> bool:
    return any(port.host_port for port in service.ports)
