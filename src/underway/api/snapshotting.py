"""Image snapshots: a container's file system taken, listed, brought back by a deploy, removed.

No data of volumes is in one, and no sensitive value: both are named, and stay where they are.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from underway.api import backing_up
from underway.api.account import accounted
from underway.api.backing_up import Ground, ground_of
from underway.api.deploying import DeployOptions, DeployResult, carried_out, current_cargo, job_of
from underway.api.moments import rfc3339
from underway.api.session import Session, releases_of
from underway.api.shipping import Cargo, recorded
from underway.backup.image_snapshot import (
    ImageSnapshot,
    data_volumes,
    kept_config,
    reference_of,
    snapshot_labels,
    snapshot_name,
    snapshots_of,
)
from underway.errors import BugError, RefusedError
from underway.errors.suggestion import name_hint
from underway.model.image import ImageIdentity
from underway.model.names import HostName, ReleaseNumber, ServiceName, VolumeName
from underway.model.release import ServiceImage
from underway.model.secret_files import uploaded_files
from underway.model.snapshot import ContainerState, ContainerStatus, Role, Snapshot
from underway.model.spec import ServiceSpec
from underway.ports.snapshots import ImageShelf, SnapshotWish


@dataclass(frozen=True, slots=True)
class SnapshotOptions:
    """What is asked of a snapshot. Data is taken along as a restore point, or left on purpose."""

    to: Path | None = None
    with_backup: bool = False
    without_data: bool = False
    wait_s: float = 0.0


def create(session: Session, service: ServiceName, options: SnapshotOptions) -> ImageSnapshot:
    """Take the file system of a running container of a service as an image on its host.

    Raises RefusedError `snapshot-data`, `snapshot-none-runs`, `service-unknown`.
    """
    with accounted(session, "image snapshot create") as account:
        ground = ground_of(session)
        spec = _service(ground, service)
        host, container = _running(ground.snapshot, session, service)
        point = _data(session, spec, options)
        moment = rfc3339(session.clock.now())
        name = snapshot_name(service, moment)
        reference = reference_of(session.app, name)
        number = ground.release.number
        values = recorded(session, ground.snapshot, number).values
        inspected = session.world.engine(host).inspect(container.name) or {}
        config = kept_config(inspected, spec, [value.reveal() for value in values.values()])
        labels = snapshot_labels(session.app, service, number, created_at=moment, point=point)
        config["Labels"] |= labels
        hidden = frozenset(file.target for file in uploaded_files(spec))
        shelf = _shelf(session)
        shelf.take(SnapshotWish(host, container.name, reference, config, hidden, moment))
        if options.to is not None:
            shelf.save(host, reference, options.to)
        account.release, account.text = number, name
    return next(one for one in snapshots(session) if one.reference == reference)


def snapshots(session: Session) -> tuple[ImageSnapshot, ...]:
    """The app's image snapshots on its hosts, newest first."""
    return snapshots_of(session.app, session.observe().reachable)


def bring(session: Session, path: Path) -> ImageSnapshot:
    """Bring a snapshot from a file onto a host of the app.

    Raises RefusedError `snapshot-file` where it is none of this app.
    """
    shelf = _shelf(session)
    host = session.observe().reachable[0].name
    reference = shelf.load(host, path)
    found = next((one for one in snapshots(session) if one.reference == reference), None)
    if found is None:
        raise RefusedError(
            "snapshot-file",
            f"{path} holds no image snapshot of {session.app}",
            cause=f"it holds {reference}",
            hint="`docker load` takes any image; `image:` in the file names it",
        )
    return found


def restore(
    session: Session, chosen: ImageSnapshot, *, allow_interruption: bool = False, wait_s: float = 0
) -> DeployResult:
    """Bring a snapshot to its service by a deploy: everything else stays as it runs."""
    shelf = _shelf(session)
    digest = shelf.digest(chosen.hosts[0], chosen.reference)
    image = ImageIdentity(chosen.reference, digest)

    def cargo_of(snapshot: Snapshot) -> Cargo:
        return _with_image(session, snapshot, chosen, image)

    options = DeployOptions(allow_interruption=allow_interruption, wait_s=wait_s)
    return carried_out(session, job_of("image snapshot restore", options), cargo_of)


def remove(session: Session, chosen: ImageSnapshot) -> None:
    """Remove a snapshot from all hosts; RefusedError `snapshot-needed` where a release runs it."""
    with accounted(session, "image snapshot remove") as account:
        snapshot = session.observe()
        release = current_cargo(session, snapshot).release
        if any(entry.image.reference == chosen.reference for entry in release.images):
            raise RefusedError(
                "snapshot-needed",
                f"release {release.number}, which runs, is made of {chosen.name}",
                hint="deploy or roll back to another release first",
            )
        for host in chosen.hosts:
            _shelf(session).take_away(host, chosen.reference)
        account.text = chosen.name


def named(session: Session, name: str) -> ImageSnapshot:
    """The snapshot that is called so; RefusedError `snapshot-unknown`."""
    found = snapshots(session)
    for one in found:
        if name in {one.name, one.reference}:
            return one
    raise RefusedError(
        "snapshot-unknown",
        f"no host of {session.app} holds an image snapshot `{name}`",
        hint=name_hint(name, [one.name for one in found])
        if found
        else "`underway image snapshot create SERVICE` takes one",
    )


def _with_image(
    session: Session, snapshot: Snapshot, chosen: ImageSnapshot, image: ImageIdentity
) -> Cargo:
    """The release that runs, with another image for one service, as a release of its own."""
    cargo = current_cargo(session, snapshot)
    release = cargo.release
    _service(Ground(release, snapshot, {}), chosen.service)
    images = tuple(
        ServiceImage(entry.service, image) if entry.service == chosen.service else entry
        for entry in release.images
    )
    if images == release.images:
        return cargo
    made = replace(
        release,
        number=ReleaseNumber(max(releases_of(snapshot)) + 1),
        images=images,
        tag=chosen.name,
        tags=(chosen.name,),
        commit="",
        version="",
        suites=(),
        origin=None,
        created_at=rfc3339(session.clock.now()),
        created_by=session.voice.actor,
    )
    return replace(cargo, release=made)


def _service(ground: Ground, name: ServiceName) -> ServiceSpec:
    names = [service.name for service in ground.release.spec.services]
    if name in names:
        return ground.release.spec.service(name)
    raise RefusedError(
        "snapshot-service",
        f"release {ground.release.number}, which runs, has no service `{name}`",
        hint=name_hint(name, names),
    )


def _running(
    snapshot: Snapshot, session: Session, service: ServiceName
) -> tuple[HostName, ContainerState]:
    for host in snapshot.reachable:
        for container in host.containers:
            is_own = (container.app, container.role) == (session.app, Role.REPLICA)
            is_running = container.status is ContainerStatus.RUNNING
            if is_own and is_running and container.service == service:
                return host.name, container
    raise RefusedError(
        "snapshot-none-runs",
        f"no container of {service} runs: there is no file system to take",
        hint="`underway status` tells why; `underway start` brings back what was stopped",
    )


def _data(session: Session, spec: ServiceSpec, options: SnapshotOptions) -> str:
    """The restore point of the service's data; "" where there is none, or it is left on purpose."""
    volumes = data_volumes(spec)
    if not volumes or options.without_data:
        return ""
    if options.with_backup:
        only = frozenset(map(VolumeName, volumes))
        return str(backing_up.create(session, only=only, wait_s=options.wait_s).point)
    raise RefusedError(
        "snapshot-data",
        f"{spec.name} keeps data in {', '.join(volumes)}, and no image holds what is in a volume",
        hint="--with-backup makes a restore point of it beside the image; --without-data leaves it",
    )


def _shelf(session: Session) -> ImageShelf:
    if session.shelf is None:
        raise BugError("bug", "an image snapshot was asked for where there is no way")
    return session.shelf
