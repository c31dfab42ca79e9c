"""Taking an app off its hosts: out of the traffic, then gone, without a trace of ours.

Data volumes stay unless they are asked for; what another app uses is never touched.
"""

from collections.abc import Iterator
from dataclasses import replace

from underway.model.names import LABEL_APP, NO_RELEASE, ServiceName
from underway.model.plan import Plan
from underway.model.release import Release
from underway.model.snapshot import HostState, Role, Snapshot
from underway.model.step import (
    RemoveContainer,
    RemoveImage,
    RemoveNetwork,
    RemoveProxy,
    RemoveUpstream,
    RemoveVolume,
    Step,
)
from underway.rollout.edge import EDGE_CONTAINER, EDGE_VOLUME
from underway.rollout.farewell import farewell, leftovers
from underway.rollout.naming import anchor_name, ledger_volume, vault_volume
from underway.rollout.scene import Policy, Scene
from underway.rollout.stages import in_lanes, in_parallel


def empty_release(release: Release) -> Release:
    """The release that runs nothing on the hosts of `release`."""
    spec = replace(release.spec, services=(), volumes=(), networks=())
    return replace(release, number=NO_RELEASE, spec=spec, images=(), sensitive=())


def plan_removal(
    release: Release, snapshot: Snapshot, policy: Policy, *, with_data: bool = False
) -> Plan:
    """Plan the end of an app. Nothing is there, nothing is planned."""
    scene = Scene(empty_release(release), snapshot, policy)
    gone = farewell(scene, scene.services_seen())
    stages = [
        *leftovers(scene),
        *in_lanes("Take out of the traffic", gone.drain),
        *in_parallel("Stop", gone.stop),
        *in_lanes("Remove containers", [*gone.remove, *_helpers(scene)]),
        *in_lanes("Remove proxies", _proxies(scene)),
        *in_lanes("Remove records", _records(scene, with_data=with_data)),
        *in_lanes("Remove images", _images(scene, release)),
    ]
    return Plan(
        app=scene.app,
        release=NO_RELEASE,
        goal=f"nothing of {scene.app} is left",
        stages=tuple(stages),
        interrupts=tuple(sorted(scene.services_seen())),
        left=tuple(
            f"{name} did not answer: nothing was removed there" for name in scene.lost_hosts
        ),
    )


def _helpers(scene: Scene) -> Iterator[Step]:
    for role in (Role.BEFORE, Role.FILES, Role.PROBE):
        for held in scene.containers(role):
            yield RemoveContainer(held.host, held.name, "the app is removed")
    for host in scene.reachable:
        if host.container(anchor_name(scene.app)):
            yield RemoveContainer(host.name, anchor_name(scene.app), "the app is removed")


def _proxies(scene: Scene) -> Iterator[Step]:
    """Every edge forgets the app, its last run too; a proxy goes with its last app."""
    for host in scene.reachable:
        known = {u.app for u in host.edge.upstreams} if host.edge else set()
        if host.edge and scene.app in known | {app for app, _ in host.edge.runs}:
            yield RemoveUpstream(host.name, scene.app, ServiceName(""), "the app is removed")
        others = {c.app for c in host.containers if c.role == Role.ANCHOR} | known
        is_there = host.container(EDGE_CONTAINER) or any(
            volume.name == EDGE_VOLUME for volume in host.volumes
        )
        if is_there and not others - {scene.app}:
            cause = "no app is left behind it"
            yield RemoveProxy(host.name, EDGE_CONTAINER, EDGE_VOLUME, cause)


def _records(scene: Scene, *, with_data: bool) -> Iterator[Step]:
    own = {ledger_volume(scene.app), vault_volume(scene.app)}
    for host in scene.reachable:
        for network in host.networks:
            if dict(network.labels).get(LABEL_APP) == scene.app:
                yield RemoveNetwork(host.name, network.name, "the app is removed")
        for volume in host.volumes:
            labels = dict(volume.labels)
            is_own = volume.name in own or labels.get("underway.role") == Role.FILES.value
            if labels.get(LABEL_APP) == scene.app and (is_own or with_data):
                cause = "the app is removed" if is_own else "its data was asked to go"
                yield RemoveVolume(host.name, volume.name, cause)


def _images(scene: Scene, release: Release) -> Iterator[Step]:
    for host in scene.reachable:
        for image in _image_ids(scene, host, release):
            yield RemoveImage(host.name, image, "no release needs it")


def _image_ids(scene: Scene, host: HostState, release: Release) -> list[str]:
    """Images that only this app's releases name."""
    releases = [*(host.ledger.releases if host.ledger else ()), release]
    wanted = {entry.image.config_digest for r in releases for entry in r.images}
    used = {c.image_id for c in host.containers if c.app != scene.app}
    return sorted(image.id for image in host.images if image.id in wanted - used)
