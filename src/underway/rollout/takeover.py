"""An app takes over from its Compose project: what that asks for, what it leaves, and the way back.

Nothing is copied: a volume of the project is the volume of the app. The one thing that moves is
the port by which users come: no two can hold it, so that its holder stops before the proxy listens.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from underway.errors import RefusedError
from underway.model.names import (
    LABEL_COMPOSE_PROJECT,
    LABEL_COMPOSE_VOLUME,
    NO_RELEASE,
    HostName,
    ServiceName,
    VolumeName,
)
from underway.model.plan import Interruption, InterruptionKind, Stage
from underway.model.release import Binding
from underway.model.snapshot import HostState, Snapshot
from underway.model.spec import AppSpec, DependencyCondition, MountKind, ServiceSpec
from underway.model.step import (
    AwaitContainer,
    AwaitedState,
    RemoveContainer,
    RenameContainer,
    SetRestart,
    StartContainer,
    Step,
    StopContainer,
)
from underway.rollout.adoption import (
    former_name,
    former_restart,
    is_kept,
    is_revived,
    kept_name,
    needs,
    service_name,
)
from underway.rollout.condition import holds_resources
from underway.rollout.leaving import proxy
from underway.rollout.naming import retired_name
from underway.rollout.reach import proxy_for
from underway.rollout.scene import Held, Scene
from underway.rollout.stages import in_lanes, in_parallel

BACK_HEALTHY_S: Final = 120.0
"""How long a container that was brought back may take until those that need it start."""
_LOOPBACK: Final = "127."
_BACK: Final = "it is given back to Compose"


def ending(held: Held, grace_s: float | None, cause: str) -> tuple[Step, ...]:
    """Steps that end an old replica; one that Compose made is kept, and stays ended."""
    if not held.is_adopted:
        return (StopContainer(held.host, held.name, retired_name(held.name), grace_s, cause),)
    kept = kept_name(held.state)
    steps: list[Step] = [StopContainer(held.host, held.name, kept, None, cause)]
    if is_revived(held.state):
        steps.append(_unrevived(held.host, held))
    return tuple(steps)


def removal(held: Held, cause: str) -> Iterator[Step]:
    """Steps that take an ended replica away: none for one that Compose made."""
    if not held.is_adopted:
        yield RemoveContainer(held.host, retired_name(held.name), cause)


def check(scene: Scene) -> None:
    """Raise RefusedError where a Compose project runs beside, or its data would be left unseen."""
    _require_alone(scene)
    _check_data(scene)


def _require_alone(scene: Scene) -> None:
    """Raise RefusedError `compose-project-runs` where Compose runs the app beside Underway."""
    if scene.policy.adopts or scene.policy.is_undo or scene.release.number == NO_RELEASE:
        return
    names = [
        f"{container.name} on {host.name}"
        for host in scene.reachable
        for container in host.containers
        if container.project == scene.app and holds_resources(container)
    ]
    if names:
        raise RefusedError(
            "compose-project-runs",
            f"{scene.app} runs as a Compose project: {', '.join(names)}",
            cause="both would write to the same volumes",
            hint="`underway adopt` takes over from it; `docker compose down` ends it",
        )


def bindings_of(spec: AppSpec, snapshot: Snapshot, project: str) -> tuple[Binding, ...]:
    """Volumes of the app whose data a Compose project keeps under another name."""
    found: dict[VolumeName, str] = {}
    for host in snapshot.reachable:
        for volume in host.volumes:
            labels = dict(volume.labels)
            if labels.get(LABEL_COMPOSE_PROJECT) == project:
                found[VolumeName(labels.get(LABEL_COMPOSE_VOLUME, ""))] = volume.name
    return tuple(
        Binding(volume.name, found[volume.name])
        for volume in spec.volumes
        if not volume.is_external and found.get(volume.name, volume.physical) != volume.physical
    )


def _check_data(scene: Scene) -> None:
    """Raise RefusedError `adopt-data-left` where a service would no longer see what it wrote."""
    bound = scene.bindings()
    for service in scene.spec.services:
        if service.name in scene.policy.leaves_data:
            continue
        sees = {
            bound.get(VolumeName(mount.source), mount.source)
            for mount in service.mounts
            if mount.kind is MountKind.VOLUME
        }
        for held in scene.replicas_of(service.name):
            written = set(held.state.volumes) - set(held.state.read_volumes)
            if held.is_adopted and (left := sorted(written - sees)):
                raise _data_left(service, held, left)


def _data_left(service: ServiceSpec, held: Held, left: list[str]) -> RefusedError:
    return RefusedError(
        "adopt-data-left",
        f"{held.name} on {held.host} keeps data in a volume that the file does not give "
        f"{service.name}: {', '.join(left)}",
        cause="a new container would start without it",
        hint="name the volume in the file, and mount it where `docker inspect` shows it: "
        f"`volumes: {{{service.name}-data: {{external: true, name: {left[0]}}}}}`\n"
        f"or leave it behind: --leave-data {service.name}",
        place=service.place,
    )


def switched(scene: Scene) -> Iterator[Interruption]:
    """Services that users cannot reach while a port changes hands, or by a port that closes."""
    if not scene.takes_over:
        return
    for service in scene.spec.services:
        if proxy_for(scene.spec, service) is None:
            continue
        reasons = sorted({_reason(scene, held, port) for held, port in _ports(scene, service)})
        if reasons:
            yield Interruption(service.name, InterruptionKind.PORT, "; ".join(reasons))


def _ports(scene: Scene, service: ServiceSpec) -> Iterator[tuple[Held, int]]:
    for held in scene.replicas_of(service.name):
        for address, port in held.state.published if held.is_adopted else ():
            if port == scene.spec.edge.http_port or not address.startswith(_LOOPBACK):
                yield held, port


def _reason(scene: Scene, held: Held, port: int) -> str:
    if port == scene.spec.edge.http_port:
        return (
            f"port {port} of {held.host} goes from {held.name} to the proxy, while the one stops "
            "and the other begins to listen"
        )
    where = f"the proxy listens on {scene.spec.edge.http_port}"
    return f"port {port} of {held.host}, where {held.name} serves, closes: {where}"


def remarks(scene: Scene) -> Iterator[str]:
    """What is taken over, what stays, and by which names users come from now on."""
    taken = [held for held in scene.compose if holds_resources(held.state)]
    if not scene.takes_over or not taken:
        return
    names = ", ".join(f"{former_name(held.name)} on {held.host}" for held in taken)
    yield (
        f"takes over from Compose project {scene.policy.adopts}: {names}; they are stopped, and "
        "kept for `underway adopt --undo` until `underway prune`"
    )
    for volume, physical in sorted(scene.bindings().items()):
        yield f"volume {volume} stays where it is: {physical}"
    for service in scene.spec.services:
        if service.proxy and any(held.is_adopted for held in scene.replicas_of(service.name)):
            hosts = ", ".join(service.proxy.hosts)
            yield f"users reach {service.name} as {hosts}, and by no other name or bare address"


def quieted(scene: Scene) -> list[Stage]:
    """The stage that keeps the engine from starting again what was taken over from."""
    some = (h for h in scene.compose if is_kept(h.name) and is_revived(h.state))
    ended = [held for held in some if not holds_resources(held.state)]
    return in_lanes("Keep stopped", (_unrevived(held.host, held) for held in ended))


def _unrevived(host: HostName, held: Held) -> Step:
    cause = "another container does its work: a restart of the engine shall not start it"
    return SetRestart(host, kept_name(held.state), "no", cause)


def ports_back(scene: Scene) -> list[Stage]:
    """The stage in which proxies that only the app had give their ports back."""
    steps = (step for host in scene.reachable for step in proxy(scene, host, _BACK))
    return in_lanes("Give ports back", steps)


def returning(scene: Scene) -> list[Stage]:
    """Stages that bring the containers of Compose back as they were, what others need first.

    Nothing of the app's own may run or listen any more.
    """
    stages: list[Stage] = []
    waiting = [held for held in scene.compose if is_kept(held.name)]
    while waiting:
        names = {service_name(held.state) for held in waiting}
        ready = [h for h in waiting if not {name for name, _ in needs(h.state)} & names] or waiting
        waiting = [held for held in waiting if held not in ready]
        title = ", ".join(sorted({service_name(held.state) for held in ready}))
        stages += in_parallel(f"Bring back {title}", (_brought_back(held) for held in ready))
        stages += in_parallel(f"Wait for {title}", _awaited(ready, waiting))
    return stages


def _brought_back(held: Held) -> Iterator[Step]:
    restart, name = former_restart(held.name), former_name(held.name)
    if restart:
        yield SetRestart(held.host, held.name, restart, _BACK)
    # The name goes last: as long as it tells what was taken over from, the next run goes on here.
    yield StartContainer(held.host, held.name, _BACK)
    yield RenameContainer(held.host, held.name, name, _BACK)


def _awaited(ready: Iterable[Held], waiting: Iterable[Held]) -> Iterator[tuple[Step, ...]]:
    """Gates for those that others need healthy, as Compose itself waits for them."""
    healthy = {
        name
        for held in waiting
        for name, condition in needs(held.state)
        if condition == DependencyCondition.HEALTHY.value
    }
    for held in ready:
        service = service_name(held.state)
        if service in healthy:
            yield (
                AwaitContainer(
                    held.host,
                    former_name(held.name),
                    ServiceName(service),
                    AwaitedState.READY,
                    BACK_HEALTHY_S,
                    0.0,
                    "others need it healthy",
                ),
            )


def holders(scene: Scene, host: HostState) -> tuple[Held, ...]:
    """The running containers of Compose that hold the port where an edge shall listen."""
    port = scene.spec.edge.http_port
    return tuple(
        held
        for held in scene.compose
        if scene.takes_over
        and held.host == host.name
        and holds_resources(held.state)
        and port in {number for _, number in held.state.published}
    )
