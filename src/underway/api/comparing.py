"""What differs between two releases, or between a release and the file."""

from dataclasses import replace

from underway.api.session import Session, current_release, releases_of, require_release
from underway.api.shipping import vault_key
from underway.errors import RefusedError
from underway.model.change import Comparison
from underway.model.image import ImageIdentity
from underway.model.names import NO_RELEASE, ReleaseNumber
from underway.model.release import Release, ServiceImage
from underway.model.sensitive import digests_of
from underway.model.snapshot import Snapshot
from underway.model.spec import AppSpec, ServiceSpec
from underway.rollout.comparison import compared


def compare(
    session: Session, before: ReleaseNumber = NO_RELEASE, after: ReleaseNumber = NO_RELEASE
) -> Comparison:
    """What differs from `before` (0: what the app runs) to `after` (0: the file, as it is now).

    No image is built: those that a build tells are named as unknown. Raises RefusedError
    `release-unknown` or `nothing-deployed`, and why the file could not be read whole.
    """
    snapshot = session.observe()
    old = chosen_release(session, snapshot, before)
    if after:
        new = chosen_release(session, snapshot, after)
        return Comparison(old.number, new.number, compared(old, new))
    new = file_release(session, snapshot, old)
    unknown = tuple(service.name for service in new.spec.services if service.build)
    return Comparison(old.number, NO_RELEASE, compared(old, new), unknown)


def chosen_release(session: Session, snapshot: Snapshot, number: ReleaseNumber) -> Release:
    """A recorded release, with 0 the one that the app runs; raises RefusedError."""
    if not number:
        current = current_release(snapshot)
        if current is None:
            raise RefusedError(
                "nothing-deployed",
                "nothing was deployed yet: there is no release to look at",
                hint="`underway deploy` ships the file and brings it to the hosts",
            )
        return current
    return require_release(session.app, releases_of(snapshot), number)


def file_release(session: Session, snapshot: Snapshot, base: Release) -> Release:
    """What the file would ship, as far as it is known without building or asking a registry."""
    session.require_whole()
    spec = _with_ports(session.spec, base.spec)
    key = vault_key(session, snapshot)
    return replace(
        base,
        number=NO_RELEASE,
        spec=spec,
        images=tuple(_image(service, base) for service in spec.services),
        sensitive=digests_of(session.values, key) if key else base.sensitive,
    )


def _image(service: ServiceSpec, base: Release) -> ServiceImage:
    """An image that is built, or that the file still calls the same, counts as it was."""
    try:
        known, named = base.image_of(service.name), base.spec.service(service.name).image
    except KeyError:
        known, named = ImageIdentity(service.image, ""), service.image
    is_kept = service.build is not None or named == service.image
    return ServiceImage(service.name, known if is_kept else ImageIdentity(service.image, ""))


def _with_ports(spec: AppSpec, base: AppSpec) -> AppSpec:
    """The port of a proxied service that the file leaves to the image is the one it was."""
    ports = {service.name: service.proxy.port for service in base.services if service.proxy}

    def filled(service: ServiceSpec) -> ServiceSpec:
        if service.proxy is None or service.proxy.port:
            return service
        port = ports.get(service.name, 0)
        return replace(service, proxy=replace(service.proxy, port=port))

    return replace(spec, services=tuple(map(filled, spec.services)))
