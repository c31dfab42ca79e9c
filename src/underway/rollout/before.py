"""Commands that run once around a release: `before` it starts, and `undo` when it is rolled back.

Each runs in a detached container with a name of its own, which is its record: a running one is
awaited, a finished one is not repeated, one that failed is made anew.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from underway.model.container import ContainerRequest
from underway.model.image import ImageIdentity
from underway.model.names import HostName, ReleaseNumber, ServiceName
from underway.model.plan import Stage
from underway.model.release import Release, ServiceImage
from underway.model.secret_files import secret_files
from underway.model.snapshot import ContainerStatus, Role
from underway.model.spec import BeforeSpec, ServiceSpec
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
from underway.rollout.condition import holds_resources
from underway.rollout.naming import before_name, files_volume, own_labels, undo_name
from underway.rollout.reach import names_for
from underway.rollout.request import before_request, image_reference
from underway.rollout.scene import Held, Scene
from underway.rollout.stages import in_lanes


def before_stages(scene: Scene, cast: Cast) -> list[Stage]:
    """The stages that run a service's `before` for the release, unless it ran already."""
    before = cast.service.before
    mine = [r for r in cast.wished if scene.release_on(r.host) is scene.release]
    if before is None or not mine or not {*mine}.intersection(cast.todo):
        return []
    cast = replace(cast, wished=tuple(mine))
    number = scene.release.number
    is_current = any(ledger.current == number for ledger in scene.ledgers())
    was_stopped = cast.service.name in {
        entry.service for entry in scene.recorded_adjustments() if entry.is_stopped
    }
    # The release may have come while the service was stopped: then the record alone tells.
    if is_current and not was_stopped and not _is_taken_back(scene, cast.service.name, number):
        return []
    request = _request(cast, scene.release, before)
    cause = f"prepares release {number}, once"
    why = "no replica starts unless it succeeds"
    title = f"Before {cast.service.name}"
    return _run_once(
        scene, cast, request, title=title, timeout_s=before.timeout_s, causes=(cause, why)
    )


def undo_stages(scene: Scene) -> list[Stage]:
    """Stages that take back what `before` of rolled back releases did, newest first.

    They come when nothing of those releases runs any more. Each command runs from the image that
    brought the change, with the configuration of the release that serves. The record of the
    `before` goes first: where it stands, the change stands.
    """
    stages: list[Stage] = []
    for undone, service in _reverted(scene):
        cast = cast_of(scene, scene.spec.service(service.name))
        if service.before is None or not cast.wished:
            continue
        back = BeforeSpec(service.before.undo, service.before.timeout_s)
        request = _request(cast, _with_image(scene.release, service.name, undone), back)
        request = replace(request, name=undo_name(scene.app, service.name, undone.number))
        title = f"Take back {undone.number}: {service.name}"
        cause = f"takes back `before` of release {undone.number}"
        record = _find(scene, before_name(scene.app, service.name, undone.number))
        clears: list[Step] = []
        if record:
            stale = _find(scene, request.name)
            if stale and not holds_resources(stale.state):
                why = "the change was made again since"
                clears.append(RemoveContainer(stale.host, stale.name, why))
            clears.append(RemoveContainer(record.host, record.name, cause))
        stages += _run_once(
            scene,
            cast,
            request,
            title=title,
            timeout_s=back.timeout_s,
            causes=(cause, cause),
            clears=clears,
        )
    return stages


def is_kept(scene: Scene, held: Held) -> bool:
    """Whether the container of a command is needed: it runs, or is the record that it ran.

    A `before` is done once for its release, however often that is deployed, until the record of
    the release goes. An `undo` counts until another release is planned.
    """
    number = held.state.release
    if holds_resources(held.state) or number == scene.release.number:
        return True
    is_before = held.name == before_name(scene.app, held.state.service, ReleaseNumber(number))
    return is_before and _has_succeeded(held) and _recorded(scene, number) is not None


def _reverted(scene: Scene) -> Iterator[tuple[Release, ServiceSpec]]:
    """The releases to take back, with each service whose `before` can be."""
    present = {service.name for service in scene.spec.services}
    for undone in scene.policy.reverts:
        for service in undone.spec.services:
            if service.before and service.before.undo and service.name in present:
                yield undone, service


def _recorded(scene: Scene, number: int) -> Release | None:
    return next((r for r in scene.recorded_releases() if r.number == number), None)


def _find(scene: Scene, name: str) -> Held | None:
    """A command's container on whatever host it ran: the one that tells most, if several."""
    found = [held for held in scene.containers(Role.BEFORE) if held.name == name]
    found.sort(key=lambda held: (not holds_resources(held.state), not _has_succeeded(held)))
    return next(iter(found), None)


def _has_succeeded(held: Held) -> bool:
    return held.state.status is ContainerStatus.EXITED and held.state.exit_code == 0


def _is_taken_back(scene: Scene, service: ServiceName, number: ReleaseNumber) -> bool:
    """Whether an `undo` of the release has begun and its `before` was not run again since."""
    undo = _find(scene, undo_name(scene.app, service, number))
    has_begun = undo is not None and undo.state.status is not ContainerStatus.CREATED
    before = _find(scene, before_name(scene.app, service, number))
    return has_begun and not (before and _has_succeeded(before))


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
    request: ContainerRequest,
    *,
    title: str,
    timeout_s: float,
    causes: tuple[str, str],
    clears: Iterable[Step] = (),
) -> list[Stage]:
    """Stages that run a command, or await one that runs.

    `clears` takes records away that do not count any more, its own among them.
    """
    cleared = in_lanes(f"Clear ahead of {title}", clears)
    seen = None if cleared else _find(scene, request.name)
    if seen and _has_succeeded(seen):
        return []
    host = scene.host(cast.wished[0].host)
    if seen and holds_resources(seen.state):
        host = scene.host(seen.host)
    if host is None:
        return []
    name, service = request.name, cast.service.name
    steps: list[Step] = []
    if not (seen and holds_resources(seen.state)):
        if seen:
            steps.append(RemoveContainer(seen.host, name, "it failed before"))
        steps += _made(scene, cast, host.name, request, causes[0])
    completed = AwaitedState.COMPLETED
    steps.append(AwaitContainer(host.name, name, service, completed, timeout_s, 0.0, causes[1]))
    others = in_lanes(f"Wait ahead of {title}", _others(scene, cast, request, timeout_s))
    return [*others, *cleared, *in_lanes(title, steps)]


def _made(
    scene: Scene, cast: Cast, host: HostName, request: ContainerRequest, cause: str
) -> Iterator[Step]:
    files = secret_files(cast.service)
    if files:
        volume = files_volume(scene.app, cast.service.name, cast.wished[0].generation)
        image = image_reference(scene.release.image_of(cast.service.name))
        labels = own_labels(scene.app, Role.FILES)
        yield WriteFiles(host, volume, image, files, labels, "files it may read")
    yield CreateContainer(host, request, cause)
    yield StartContainer(host, request.name, cause)


def _others(
    scene: Scene, cast: Cast, request: ContainerRequest, timeout_s: float
) -> Iterator[Step]:
    """Gates: commands of other releases of the service, left behind by a client, have ended."""
    service = cast.service.name
    for held in scene.containers(Role.BEFORE):
        if held.state.service != service or held.name == request.name:
            continue
        if not holds_resources(held.state):
            continue
        release = _recorded(scene, held.state.release)
        known = [s.before for s in release.spec.services if s.name == service] if release else []
        limit_s = known[0].timeout_s if known and known[0] else timeout_s
        why = "two of these never run at once"
        ended = AwaitedState.ENDED
        yield AwaitContainer(held.host, held.name, service, ended, limit_s, 0.0, why)
