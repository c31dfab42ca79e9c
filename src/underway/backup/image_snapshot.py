"""Image snapshots: their names, what of a container they keep, and how they are listed. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from underway.model.names import (
    AppName,
    HostName,
    ReleaseNumber,
    ServiceName,
)
from underway.model.snapshot import HostState
from underway.model.spec import MountKind, ServiceSpec

LABEL_SNAPSHOT: Final = "underway.snapshot"
"""On an image: when it was taken of a container (RFC 3339)."""
REPOSITORY: Final = "underway-snapshot"
_OURS: Final = "underway."
_KEPT: Final = (
    "Cmd",
    "Entrypoint",
    "ExposedPorts",
    "Healthcheck",
    "Shell",
    "StopSignal",
    "User",
    "Volumes",
    "WorkingDir",
)


@dataclass(frozen=True, slots=True, order=True)
class ImageSnapshot:
    """A container's file system, kept as an image on `hosts`. `point` holds its data, or ""."""

    created_at: str
    name: str
    service: ServiceName
    release: ReleaseNumber
    size_bytes: int
    hosts: tuple[HostName, ...]
    reference: str
    point: str = ""


def snapshot_name(service: ServiceName, created_at: str) -> str:
    """`web-20261121-105500`: the service, and the moment in UTC."""
    compact = created_at.replace("-", "").replace(":", "").replace("T", "-").removesuffix("Z")
    return f"{service}-{compact}"


def reference_of(app: AppName, name: str) -> str:
    """What engines call it."""
    return f"{REPOSITORY}/{app}:{name}"


def data_volumes(service: ServiceSpec) -> tuple[str, ...]:
    """The named volumes of a service: no image holds what is in them."""
    volumes = {m.source for m in service.mounts if m.kind is MountKind.VOLUME and m.source}
    return tuple(sorted(volumes))


def kept_config(
    inspected: Mapping[str, Any], service: ServiceSpec, values: Iterable[bytes]
) -> dict[str, Any]:
    """The configuration of a container as an image's own, without what is sensitive, or ours.

    A variable is left out by its name, and wherever it holds one of `values`.
    """
    said = inspected.get("Config") or {}
    secret = {variable.name for variable in service.environment if variable.sensitive}
    texts = [value.decode("utf-8", "replace") for value in values if value]
    config = {key: said[key] for key in _KEPT if said.get(key)}
    config["Env"] = [
        entry
        for entry in said.get("Env") or []
        if entry.partition("=")[0] not in secret and not any(text in entry for text in texts)
    ]
    labels = (said.get("Labels") or {}).items()
    config["Labels"] = {
        key: value
        for key, value in labels
        if not key.startswith(_OURS) and not any(text in value for text in texts)
    }
    return config


def snapshot_labels(
    app: AppName, service: ServiceName, release: ReleaseNumber, *, created_at: str, point: str
) -> dict[str, str]:
    """What an image tells of itself, wherever it is carried."""
    return {
        LABEL_SNAPSHOT: created_at,
        f"{LABEL_SNAPSHOT}.app": app,
        f"{LABEL_SNAPSHOT}.service": service,
        f"{LABEL_SNAPSHOT}.release": str(release),
        **({f"{LABEL_SNAPSHOT}.point": point} if point else {}),
    }


def snapshots_of(app: AppName, hosts: Sequence[HostState]) -> tuple[ImageSnapshot, ...]:
    """The app's image snapshots, newest first; one on several hosts is one."""
    found: dict[str, ImageSnapshot] = {}
    for host in hosts:
        for image in host.images:
            labels = dict(image.labels)
            if labels.get(f"{LABEL_SNAPSHOT}.app") != app:
                continue
            for reference in image.repo_tags:
                if not reference.startswith(f"{REPOSITORY}/{app}:"):
                    continue
                known = found.get(reference)
                found[reference] = ImageSnapshot(
                    labels.get(LABEL_SNAPSHOT, ""),
                    reference.rpartition(":")[2],
                    ServiceName(labels.get(f"{LABEL_SNAPSHOT}.service", "")),
                    ReleaseNumber(int(labels.get(f"{LABEL_SNAPSHOT}.release", "0"))),
                    image.size_bytes,
                    (*(known.hosts if known else ()), host.name),
                    reference,
                    labels.get(f"{LABEL_SNAPSHOT}.point", ""),
                )
    return tuple(sorted(found.values(), reverse=True))
