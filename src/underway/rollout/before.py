"""Commands that run once around a release: `before` it starts, and `undo` when it is rolled back.

Each runs in a detached container with a name of its own, which is its record: a running one is
awaited, a finished one is not repeated, one that failed is made anew.
"""

from dataclasses import replace

from underway.model.container import ContainerRequest
from underway.model.image import ImageIdentity
from underway.model.names import HostName
from underway.model.plan import Stage
from underway.model.release import Release, ServiceImage
from underway.model.snapshot import ContainerStatus, HostState, Role
from underway.model.spec import BeforeSpec
from underway.model.step import (
    AwaitContainer,
    AwaitedState,
    CreateContainer,
    RemoveContainer,
    StartContainer,
    Step,
    WriteFiles,
)
from underway.rollout.cast import Cast, cast_of
from underway.rollout.naming import files_volume, own_labels, undo_name
from underway.rollout.reach import names_for
from underway.rollout.request import before_request, image_reference, secret_files
from underway.rollout.scene import Scene
from underway.rollout.stages import in_lanes


def before_stages(scene: Scene, cast: Cast) -> list[Stage]:
    """The stage that runs a service's `before` for the release, unless it ran already."""
    before = cast.service.before
    if before is None or not cast.todo or not cast.wished:
        return []
    host = scene.host(cast.wished[0].host)
    if host is None or any(ledger.current == scene.release.number for ledger in scene.ledgers()):
        return []
    request = _request(cast, scene.release, before)
    cause = f"prepares release {scene.release.number}, once"
    why = "no replica starts unless it succeeds"
    steps = _run_once(scene, cast, host, request, timeout_s=before.timeout_s, causes=(cause, why))
    return in_lanes(f"Before {cast.service.name}", steps)


def undo_stages(scene: Scene) -> list[Stage]:
    """Stages that take back what `before` of rolled back releases did, newest first.

    They come when nothing of those releases runs any more. Each command runs from the image that
    brought the change, with the configuration of the release that serves.
    """
    stages: list[Stage] = []
    for undone in scene.policy.reverts:
        for service in undone.spec.services:
            if service.before is None or not service.before.undo:
                continue
            if all(other.name != service.name for other in scene.spec.services):
                continue
            cast = cast_of(scene, scene.spec.service(service.name))
            host = scene.host(cast.wished[0].host) if cast.wished else None
            if host is None:
                continue
            back = BeforeSpec(service.before.undo, service.before.timeout_s)
            request = _request(cast, _with_image(scene.release, service.name, undone), back)
            request = replace(request, name=undo_name(scene.app, service.name, undone.number))
            cause = f"takes back `before` of release {undone.number}"
            steps = _run_once(
                scene, cast, host, request, timeout_s=back.timeout_s, causes=(cause, cause)
            )
            stages += in_lanes(f"Take back {undone.number}: {service.name}", steps)
    return stages


def images_to_revert(reverts: tuple[Release, ...]) -> tuple[tuple[HostName, ImageIdentity], ...]:
    """The images that `undo` commands need, by the host they may run on."""
    return tuple(
        (host, release.image_of(service.name))
        for release in reverts
        for service in release.spec.services
        if service.before and service.before.undo
        for host in service.hosts
    )


def _with_image(release: Release, service: str, other: Release) -> Release:
    images = tuple(
        ServiceImage(entry.service, other.image_of(entry.service))
        if entry.service == service
        else entry
        for entry in release.images
    )
    return replace(release, images=images)


def _request(cast: Cast, release: Release, what: BeforeSpec) -> ContainerRequest:
    return before_request(
        release,
        cast.service,
        what,
        cast.wished[0],
        names=names_for(release.spec, cast.service, cast.wished[0].host),
        bindings=cast.bindings,
    )


def _run_once(
    scene: Scene,
    cast: Cast,
    host: HostState,
    request: ContainerRequest,
    *,
    timeout_s: float,
    causes: tuple[str, str],
) -> list[Step]:
    seen = host.container(request.name)
    if seen and seen.status is ContainerStatus.EXITED and seen.exit_code == 0:
        return []
    steps: list[Step] = []
    if not (seen and seen.status is ContainerStatus.RUNNING):
        if seen:
            steps.append(RemoveContainer(host.name, request.name, "it failed before"))
        files = secret_files(cast.service)
        if files:
            volume = files_volume(scene.app, cast.service.name, cast.wished[0].generation)
            image = image_reference(scene.release.image_of(cast.service.name))
            labels = own_labels(scene.app, Role.FILES)
            steps.append(WriteFiles(host.name, volume, image, files, labels, "files it may read"))
        steps += [
            CreateContainer(host.name, request, causes[0]),
            StartContainer(host.name, request.name, causes[0]),
        ]
    steps.append(
        AwaitContainer(
            host.name,
            request.name,
            cast.service.name,
            AwaitedState.COMPLETED,
            timeout_s,
            0.0,
            causes[1],
        )
    )
    return steps
