"""Containers of a simulated fleet: made, started, stopped and removed, and what that may break."""

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.fakes.simulated_edge import refuse_traffic
from tests.fakes.simulated_host import EDGE_ROLE, Box, SimulatedHost
from underway.errors import EngineError
from underway.model.container import ContainerRequest
from underway.model.names import EDGE_CONTAINER, LABEL_PORT, LABEL_ROLE
from underway.model.snapshot import ContainerStatus, Health, Role, VolumeState
from underway.model.spec import MountKind
from underway.model.step import RenameContainer, RenewProxy, SetRestart, StopContainer
from underway.rollout.edge import retired_proxy

if TYPE_CHECKING:
    from tests.fakes.simulation import Simulation


def create(fleet: "Simulation", host: SimulatedHost, request: ContainerRequest) -> None:
    seen = host.boxes.get(request.name)
    if seen is not None:
        if seen.labels != request.labels:
            fleet.broken(f"name {request.name} is taken on {host.name}")
            raise EngineError("name-taken", f"{request.name} exists", status=409)
        return
    image = need_image(fleet, host, request.image, request.name)
    for mount in request.mounts:
        if mount.kind is not MountKind.VOLUME or not mount.source:
            continue
        if request.label(LABEL_ROLE) == EDGE_ROLE:
            host.volumes.setdefault(mount.source, VolumeState(mount.source))
        if mount.source not in host.volumes:
            fleet.broken(f"{request.name} mounts {mount.source}, which is missing")
    for place in request.networks:
        if place.network not in host.networks:
            fleet.broken(f"{request.name} joins {place.network}, which is missing")
    fleet.made += 1
    host.boxes[request.name] = Box.created(request, image, f"id-{fleet.made}")


def need_image(fleet: "Simulation", host: SimulatedHost, reference: str, user: str) -> str:
    for image in host.images.values():
        if reference in {image.config_digest, image.pull_reference, image.reference}:
            return image.config_digest
    fleet.broken(f"{user} needs {reference}, which {host.name} lacks")
    raise EngineError("image-missing", f"{reference} is not on {host.name}", status=404)


def start(fleet: "Simulation", host: SimulatedHost, name: str) -> None:
    box = host.boxes.get(name)
    if box is None:
        raise EngineError("container-missing", f"no {name} on {host.name}", status=404)
    if box.is_running:
        return
    _bind(fleet, host, box)
    if host.listens() & set(box.published):
        fleet.broken(f"{name} publishes a port at which the edge of {host.name} listens")
    for other in host.boxes.values():
        if other is box or not (other.is_running or other.is_restarting):
            continue
        if set(other.published) & set(box.published):
            fleet.broken(f"{name} and {other.name} publish the same port of {host.name}")
        pinned = {address for _, address in box.addresses if address}
        if pinned & {address for _, address in other.addresses}:
            fleet.broken(f"{name} and {other.name} have the same address on {host.name}")
        shared = set(box.volumes) & set(other.volumes) & fleet.single_writers
        if shared and Role.ANCHOR.value not in {box.role, other.role}:
            fleet.broken(f"{name} and {other.name} write {sorted(shared)} at the same time")
    _watch_commands(fleet, box)
    health = Health.STARTING if box.has_healthcheck else Health.NONE
    host.boxes[name] = replace(box, status=ContainerStatus.RUNNING, health=health)
    if box.role == EDGE_ROLE:
        _serve(host, host.boxes[name])


def _bind(fleet: "Simulation", host: SimulatedHost, box: Box) -> None:
    """The port of a proxy is held on every address, by it or by whom it takes over from."""
    ports = {number for _, number in box.published}
    if box.role == EDGE_ROLE:
        ports = {int(box.label(LABEL_PORT) or 0)}
    for other in host.boxes.values():
        if other is box or not (other.is_running or other.is_restarting):
            continue
        held = {number for _, number in other.published}
        if other.role == EDGE_ROLE and box.role != EDGE_ROLE:
            held = {int(other.label(LABEL_PORT) or 0)}
        if held & ports and EDGE_ROLE in {box.role, other.role}:
            fleet.broken(f"{box.name} cannot listen where {other.name} does")


def _serve(host: SimulatedHost, box: Box) -> None:
    """A proxy that starts takes over from the one that serves; one that was succeeded rests."""
    if box.id in host.rested:
        return
    former = host.boxes.get(host.proxy)
    if former is not None and former is not box:
        host.rested |= {former.id}
    host.proxy = box.name


def renew(fleet: "Simulation", host: SimulatedHost, step: RenewProxy) -> None:
    if host.proxy == step.container and host.has_proxy():
        return
    if host.proxy != step.successor or not host.has_proxy():
        fleet.broken(f"no proxy of {host.name} took over")
        raise EngineError("container-missing", f"no {step.successor}", status=404)
    former = host.boxes.pop(step.container, None)
    if former is not None:
        retired = retired_proxy(former.id)
        host.boxes[retired] = replace(former, name=retired)
    host.boxes[step.container] = replace(host.boxes.pop(step.successor), name=step.container)
    host.proxy = step.container


def _watch_commands(fleet: "Simulation", box: Box) -> None:
    """Two migrations must never run at once."""
    if box.role != Role.BEFORE.value:
        return
    for host in fleet.hosts.values():
        for other in host.boxes.values():
            if other.is_running and (other.role, other.service) == (box.role, box.service):
                fleet.broken(f"{box.name} runs while {other.name} runs on {host.name}")


def stop(fleet: "Simulation", host: SimulatedHost, step: StopContainer, *, is_half: bool) -> None:
    refuse_traffic(fleet, host, step.container, "stopped")
    box = host.boxes.get(step.container)
    if box is not None and step.container != step.retired:
        if step.retired in host.boxes:
            fleet.broken(f"{step.container} cannot be renamed: {step.retired} exists")
            raise EngineError("name-taken", f"{step.retired} exists", status=409)
        del host.boxes[step.container]
        host.boxes[step.retired] = replace(box, name=step.retired)
    retired = host.boxes.get(step.retired)
    if retired is not None and not is_half and (retired.is_running or retired.is_restarting):
        host.boxes[step.retired] = replace(retired, status=ContainerStatus.EXITED)


def taken_over(host: SimulatedHost, step: RenameContainer | SetRestart) -> None:
    box = host.boxes.get(step.container)
    if box is None:
        return
    if isinstance(step, SetRestart):
        host.boxes[box.name] = replace(box, restart=step.restart)
        return
    if step.name in host.boxes:
        raise EngineError("name-taken", f"{step.name} exists", status=409)
    del host.boxes[step.container]
    host.boxes[step.name] = replace(box, name=step.name)


def remove(fleet: "Simulation", host: SimulatedHost, name: str) -> None:
    refuse_traffic(fleet, host, name, "removed")
    box = host.boxes.pop(name, None)
    if box and box.role == Role.REPLICA.value and (box.is_running or box.is_restarting):
        fleet.broken(f"{name} on {host.name} is killed without its grace period")
    if box and box.role == EDGE_ROLE and name == host.proxy:
        host.checks.clear()
        host.proxy = EDGE_CONTAINER
