"""A registry in memory; held to the same contract as real ones."""

import hashlib
import json
from collections import defaultdict

from underway.errors import EngineError
from underway.ports.registry import Manifest

ARTIFACT = "application/vnd.oci.image.manifest.v1+json"


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class FakeRegistry:
    """Implements `ports.registry.Registry`."""

    def __init__(self) -> None:
        self.manifests: dict[str, dict[str, Manifest]] = defaultdict(dict)
        self.names: dict[str, dict[str, str]] = defaultdict(dict)
        self.beside: dict[tuple[str, str], list[Manifest]] = defaultdict(list)
        self.blobs: dict[str, dict[str, bytes]] = defaultdict(dict)

    def manifest(self, repository: str, name: str) -> Manifest | None:
        digest = self.names[repository].get(name, name)
        return self.manifests[repository].get(digest)

    def put(self, repository: str, name: str, manifest: Manifest) -> None:
        self.manifests[repository][manifest.digest] = manifest
        if name != manifest.digest:
            self.names[repository][name] = manifest.digest

    def tags(self, repository: str) -> tuple[str, ...]:
        return tuple(sorted(self.names[repository]))

    def untag(self, repository: str, tag: str) -> None:
        self.names[repository].pop(tag, None)

    def blob(self, repository: str, digest: str) -> bytes:
        if digest not in self.blobs[repository]:
            raise EngineError("registry-refused", f"{repository} has no {digest}", status=404)
        return self.blobs[repository][digest]

    def upload(self, repository: str, content: bytes) -> str:
        self.blobs[repository][digest_of(content)] = content
        return digest_of(content)

    def bring(self, source: str, target: str, digest: str) -> None:
        self.blobs[target][digest] = self.blob(source, digest)

    def attach(self, repository: str, subject: str, artifact: bytes) -> None:
        made = Manifest(digest_of(artifact), ARTIFACT, artifact)
        self.put(repository, made.digest, made)
        self.beside[repository, subject].append(made)

    def attached(self, repository: str, subject: str, kind: str) -> tuple[Manifest, ...]:
        found = self.beside.get((repository, subject), [])
        return tuple(one for one in found if json.loads(one.content).get("artifactType") == kind)
