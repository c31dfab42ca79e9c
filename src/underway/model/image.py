"""Images and what proves that two of them are the same."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class ImageIdentity:
    """One image, as it was shipped.

    Attributes:
        reference: repository and tag a person knows it by (`registry/libra:3f2a91c`).
        config_digest: `sha256:...` of the image configuration: the image id on engines with
            the graph-driver store; the same on every host, with or without a registry.
        manifest_digest: `sha256:...` of the platform's manifest, or "" where no registry
            has told one.
        repository: where it can be pulled from by manifest digest, or "" if it can only be
            sent over the engine connection.
    """

    reference: str
    config_digest: str
    manifest_digest: str = ""
    repository: str = ""

    @property
    def pull_reference(self) -> str:
        """`repository@sha256:...`, or "" where there is no registry."""
        if self.repository and self.manifest_digest:
            return f"{self.repository}@{self.manifest_digest}"
        return ""


@dataclass(frozen=True, slots=True)
class ImageState:
    """An image seen on a host."""

    id: str
    repo_tags: tuple[str, ...]
    repo_digests: tuple[str, ...]
    labels: tuple[tuple[str, str], ...]
    size_bytes: int
    created_at: str
    exposed_ports: tuple[int, ...] = ()
    has_healthcheck: bool = False
    architecture: str = ""
