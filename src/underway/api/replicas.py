"""Which replica, or which host, a command in a service is meant for."""

from dataclasses import dataclass

from underway.api.limiting import beside_now
from underway.api.session import Session, current_release
from underway.errors import RefusedError, UnreachableError, UsageError
from underway.errors.suggestion import name_hint
from underway.model.image import ImageIdentity
from underway.model.names import HostName, ServiceName
from underway.model.release import Release
from underway.model.snapshot import ContainerStatus, Snapshot
from underway.model.spec import ServiceSpec
from underway.rollout.cast import cast_of
from underway.rollout.naming import is_retired
from underway.rollout.scene import Held, Policy, Scene


@dataclass(frozen=True, slots=True)
class Choice:
    """Which replica is meant: by its number, its host, or (0 and None) the first that serves."""

    service: ServiceName
    replica: int = 0
    host: HostName | None = None


def serving_scene(snapshot: Snapshot) -> Scene:
    """What the current release says, laid over the snapshot.

    Raises RefusedError `nothing-deployed`, UnreachableError `hosts-unreachable` where none answers.
    """
    release = current_release(snapshot)
    if release is None and not snapshot.reachable:
        raise UnreachableError(
            "hosts-unreachable",
            "no host of the app answers",
            cause="\n".join(f"{lost.name}: {lost.reason}" for lost in snapshot.unreachable),
            hint="\n".join(dict.fromkeys(u.hint for u in snapshot.unreachable if u.hint)),
        )
    if release is None:
        raise RefusedError(
            "nothing-deployed",
            "nothing was deployed yet: there is nothing to work on",
            hint="`underway deploy` ships the file and brings it to the hosts",
        )
    tools, beside = ImageIdentity("", ""), beside_now(snapshot)
    return Scene(release, snapshot, Policy(tools, keep_unreachable=True, beside=beside))


def service_named(release: Release, name: ServiceName) -> ServiceSpec:
    """The service of a release; UsageError `service-unknown`."""
    names = [service.name for service in release.spec.services]
    if name not in names:
        raise UsageError(
            "service-unknown", f"the app has no service `{name}`", hint=name_hint(name, names)
        )
    return release.spec.service(name)


def chosen_replica(session: Session, choice: Choice) -> Held:
    """The running replica that is meant: of the current generation, by number, then by host.

    Raises UsageError `service-unknown`, RefusedError `replica-not-running` or `nothing-deployed`,
    UnreachableError `host-unreachable`.
    """
    scene = serving_scene(session.observe())
    service = service_named(scene.release, choice.service)
    require_host(session, scene, choice.host)
    wished = {replica.name for replica in cast_of(scene, service).wished}
    running = [
        held
        for held in scene.replicas_of(service.name)
        if held.state.status is ContainerStatus.RUNNING and not is_retired(held.name)
    ]
    running.sort(key=lambda held: (held.name not in wished, held.state.replica, held.host))
    for held in running:
        is_number = choice.replica in {0, held.state.replica}
        if is_number and choice.host in {None, held.host}:
            return held
    what = f"replica {choice.replica} of {service.name}" if choice.replica else service.name
    where = f" on {choice.host}" if choice.host else ""
    raise RefusedError(
        "replica-not-running",
        f"{what} does not run{where}",
        hint="choose one that runs, or look at `underway status`",
        detail=tuple(f"{h.name}  replica {h.state.replica} on {h.host}" for h in running),
    )


def require_host(session: Session, scene: Scene, host: HostName | None) -> None:
    """Raise UsageError `named-host-unknown` or UnreachableError where a host cannot be meant."""
    if not host:
        return
    names = sorted({*(h.name for h in scene.spec.hosts), *session.world.hosts})
    if host not in names:
        raise UsageError(
            "named-host-unknown", f"the app has no host `{host}`", hint=name_hint(host, names)
        )
    if scene.host(host) is None:
        lost = [u for u in scene.snapshot.unreachable if u.name == host]
        reason = lost[0].reason if lost else "it was not asked"
        hint = lost[0].hint if lost else ""
        raise UnreachableError("host-unreachable", f"{host}: {reason}", hint=hint)
