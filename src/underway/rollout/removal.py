"""Taking an app off its hosts: out of the traffic, then gone, without a trace of ours.

Data volumes stay unless they are asked for; what another app uses is never touched.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from underway.model.names import LABEL_APP, LABEL_ROLE, NO_RELEASE
from underway.model.plan import Interruption, InterruptionKind, Plan
from underway.model.release import Release
from underway.model.snapshot import Role, Snapshot
from underway.model.step import RemoveContainer, Step
from underway.rollout.farewell import farewell, leftovers
from underway.rollout.leaving import anchor, images, proxy, records, serves_others
from underway.rollout.naming import ledger_volume, vault_volume
from underway.rollout.scene import Policy, Scene
from underway.rollout.stages import in_lanes, in_parallel
from underway.rollout.takeover import returning

_CAUSE: Final = "the app is removed"
_BACK: Final = "it stops before what Compose ran comes back"


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
    hosts = scene.reachable
    kept = [step for h in hosts for step in records(scene, h, _CAUSE, with_data=with_data)]
    stages = [
        *leftovers(scene),
        *in_lanes("Take out of the traffic", gone.drain),
        *in_parallel("Stop", gone.stop),
        *in_lanes("Remove containers", [*gone.remove, *_helpers(scene)]),
        *in_lanes("Remove proxies", (s for h in hosts for s in proxy(scene, h, _CAUSE))),
        *returning(scene),
        *in_lanes("Remove records", kept),
        *in_lanes("Remove images", (s for h in hosts for s in images(scene, h, release))),
    ]
    return Plan(
        app=scene.app,
        release=NO_RELEASE,
        goal=_goal(scene),
        stages=tuple(stages),
        interruptions=tuple(
            Interruption(name, InterruptionKind.REMOVAL, _BACK if policy.adopts else _CAUSE)
            for name in sorted(scene.services_seen())
        ),
        left=tuple(_left(scene)),
        remarks=() if with_data else tuple(_staying(scene)),
    )


def _goal(scene: Scene) -> str:
    if scene.policy.adopts:
        return f"give {scene.app} back to Compose project {scene.policy.adopts}"
    return f"take {scene.app} off its hosts"


def _staying(scene: Scene) -> Iterator[str]:
    """The volumes with data, which no removal takes unless it is asked to."""
    own = {ledger_volume(scene.app), vault_volume(scene.app)}
    for host in scene.reachable:
        for volume in host.volumes:
            labels = dict(volume.labels)
            is_data = volume.name not in own and labels.get(LABEL_ROLE) != Role.FILES.value
            if labels.get(LABEL_APP) == scene.app and is_data:
                yield f"volume {volume.name} on {host.name}"


def _left(scene: Scene) -> Iterator[str]:
    for name in scene.lost_hosts:
        yield f"{name} did not answer: nothing was removed there"
    for host in scene.unknown_edges:
        if serves_others(scene, host):
            yield (
                f"the proxy on {host.name} does not run: what it knows of {scene.app} stays "
                "until it does (docker start underway-edge)"
            )


def _helpers(scene: Scene) -> Iterator[Step]:
    for role in (Role.BEFORE, Role.FILES, Role.PROBE, Role.RUN, Role.LEASH):
        for held in scene.containers(role):
            yield RemoveContainer(held.host, held.name, _CAUSE)
    for host in scene.reachable:
        yield from anchor(scene, host, _CAUSE)
