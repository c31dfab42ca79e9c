"""Leaving a host: what only this app put there goes, what holds data or serves others stays."""

from collections.abc import Collection, Iterator

from underway.model.names import (
    EDGE_CONTAINER,
    LABEL_APP,
    LABEL_ROLE,
    HostName,
    ServiceName,
)
from underway.model.plan import Stage
from underway.model.release import Release
from underway.model.snapshot import HostState, Role
from underway.model.step import (
    RemoveContainer,
    RemoveImage,
    RemoveNetwork,
    RemoveProxy,
    RemoveUpstream,
    RemoveVolume,
    Step,
)
from underway.rollout.edge import EDGE_VOLUME
from underway.rollout.naming import anchor_name, ledger_volume, vault_volume
from underway.rollout.scene import Scene
from underway.rollout.stages import in_lanes


def leaving(scene: Scene, kept: Collection[HostName]) -> list[Stage]:
    """The stage that leaves hosts which the release names no more; its replicas went before.

    Hosts in `kept` still run what a lost edge may send requests to.
    """
    wished = {host.name for host in scene.spec.hosts}
    steps: list[Step] = []
    for host in scene.reachable:
        if host.name in wished or host.name in kept:
            continue
        cause = "the release names this host no more"
        steps += [
            *anchor(scene, host, cause),
            *proxy(scene, host, cause),
            *records(scene, host, cause),
            *images(scene, host, scene.release),
        ]
    return in_lanes("Leave hosts", steps)


def anchor(scene: Scene, host: HostState, cause: str) -> Iterator[Step]:
    """The end of the app's anchor."""
    if host.container(anchor_name(scene.app)):
        yield RemoveContainer(host.name, anchor_name(scene.app), cause)


def proxy(scene: Scene, host: HostState, cause: str) -> Iterator[Step]:
    """The edge forgets the app, its last run too; a proxy goes with its last app."""
    known = {upstream.app for upstream in host.edge.upstreams} if host.edge else set()
    if host.edge and scene.app in known | {app for app, _ in host.edge.runs}:
        yield RemoveUpstream(host.name, scene.app, ServiceName(""), cause)
    if has_proxy(host) and not serves_others(scene, host):
        yield RemoveProxy(host.name, EDGE_CONTAINER, EDGE_VOLUME, "no app is left behind it")


def has_proxy(host: HostState) -> bool:
    """Whether a proxy or its files are there."""
    has_files = any(volume.name == EDGE_VOLUME for volume in host.volumes)
    return has_files or host.container(EDGE_CONTAINER) is not None


def serves_others(scene: Scene, host: HostState) -> bool:
    """Whether another app is on the host: it may be behind the proxy, or about to be."""
    known = {upstream.app for upstream in host.edge.upstreams} if host.edge else set()
    anchored = {c.app for c in host.containers if c.role == Role.ANCHOR}
    return bool((known | anchored) - {scene.app})


def records(
    scene: Scene, host: HostState, cause: str, *, with_data: bool = False
) -> Iterator[Step]:
    """The end of the app's networks, its records and secret files, and its data if asked for."""
    own = {ledger_volume(scene.app), vault_volume(scene.app)}
    for network in host.networks:
        if dict(network.labels).get(LABEL_APP) == scene.app:
            yield RemoveNetwork(host.name, network.name, cause)
    for volume in host.volumes:
        labels = dict(volume.labels)
        is_own = volume.name in own or labels.get(LABEL_ROLE) == Role.FILES.value
        if labels.get(LABEL_APP) == scene.app and (is_own or with_data):
            why = cause if is_own else "its data was asked to go"
            yield RemoveVolume(host.name, volume.name, why)


def images(scene: Scene, host: HostState, release: Release) -> Iterator[Step]:
    """The end of images that only this app's releases name.

    With the containerd store ids are manifest digests: there their own names tell them.
    """
    releases = [*(host.ledger.releases if host.ledger else ()), release]
    ours = {entry.image for r in releases for entry in r.images}
    wanted = {image.config_digest for image in ours}
    names = {image.reference for image in ours} if host.facts.uses_containerd_store else set()
    used = {c.image_id for c in host.containers if c.app != scene.app}
    held = {i.id for i in host.images if i.id in wanted or not names.isdisjoint(i.repo_tags)}
    for image in sorted(held - used):
        yield RemoveImage(host.name, image, "no release needs it")
