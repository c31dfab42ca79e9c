"""Which hosts lack which image, and how it gets there: pure, from a snapshot."""

from collections.abc import Iterable, Mapping

from underway.image.steps import digests_in, is_image
from underway.model.image import ImageIdentity
from underway.model.names import LABEL_TOOLS, HostName
from underway.model.plan import Lane
from underway.model.release import ServiceImage
from underway.model.snapshot import HostState, Snapshot
from underway.model.spec import AppSpec
from underway.model.step import PullImage, SendImage


def images_by_host(
    spec: AppSpec, images: Iterable[ServiceImage]
) -> dict[HostName, tuple[ImageIdentity, ...]]:
    """The images each host needs, each content once, sorted by host and reference."""
    wanted: dict[HostName, dict[str, ImageIdentity]] = {}
    for entry in sorted(images):
        for host in spec.service(entry.service).hosts:
            wanted.setdefault(host, {}).setdefault(entry.image.config_digest, entry.image)
    return {host: tuple(sorted(wanted[host].values())) for host in sorted(wanted)}


def transfer_lanes(
    wanted: Mapping[HostName, Iterable[ImageIdentity]], snapshot: Snapshot, cause: str
) -> tuple[Lane, ...]:
    """A lane for each reachable host that lacks an image; () where nothing is to be moved.

    What a registry has is pulled by digest; what none has is sent over the engine connection.
    """
    lanes = []
    for name in sorted(wanted):
        host = snapshot.host(name)
        if not isinstance(host, HostState):
            continue
        steps = tuple(
            _transfer(name, image, cause) for image in wanted[name] if not _holds(host, image)
        )
        if steps:
            lanes.append(Lane(name, steps))
    return tuple(lanes)


def _holds(host: HostState, image: ImageIdentity) -> bool:
    """Whether a host has an image, and by the name that its containers are made from.

    What was promoted may stand there as the other environment's: pulling it brings the name alone.
    """
    ids = ids_of(host, {image})
    held = [state for state in host.images if state.id in ids]
    if not image.pull_reference or not held:
        return bool(held)
    if host.facts.uses_containerd_store and not any(state.repo_digests for state in held):
        return True  # some of these engines tell no digests
    return any(image.manifest_digest in digests_in(state, image.repository) for state in held)


def ids_of(host: HostState, images: Iterable[ImageIdentity]) -> set[str]:
    """The ids under which a host holds any of these images."""
    is_by_manifest = host.facts.uses_containerd_store
    return {
        state.id
        for image in images
        for state in host.images
        if is_image(state, image, is_by_manifest=is_by_manifest)
    }


def _transfer(host: HostName, image: ImageIdentity, cause: str) -> PullImage | SendImage:
    if image.pull_reference:
        return PullImage(host, image, cause)
    return SendImage(host, image, cause)


def unused_tools(host: HostState) -> tuple[str, ...]:
    """Ids of the tools images that no container of a host was made from: older ones, sorted."""
    used = {container.image_id for container in host.containers}
    return tuple(
        sorted(
            image.id
            for image in host.images
            if image.id not in used and dict(image.labels).get(LABEL_TOOLS)
        )
    )
