"""Implements `ports.registry.Registry`: manifests, tags and blobs of any registry by HTTP."""

import hashlib
import json
import threading
from collections.abc import Callable
from typing import Final
from urllib.parse import urljoin

import requests

from underway.adapters.registry import referrers
from underway.adapters.registry.transport import Scopes, Transport
from underway.errors import IntegrityError, RefusedError
from underway.image.reference import parse_reference
from underway.ports.registry import Manifest

_ACCEPT: Final = (
    "application/vnd.oci.image.index.v1+json,"
    "application/vnd.oci.image.manifest.v1+json,"
    "application/vnd.docker.distribution.manifest.list.v2+json,"
    "application/vnd.docker.distribution.manifest.v2+json"
)
_OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
_EMPTY: Final = b"{}"
_CREATED: Final = 201
_NOT_FOUND: Final = 404
_REFUSES: Final = frozenset({400, 403, 405, 415, 501})
_PAGE: Final = 500


class HttpRegistry:
    """All registries of a run. `is_insecure` tells which ones Docker takes for insecure."""

    def __init__(self, is_insecure: Callable[[str], bool]) -> None:
        """Registries are reached when they are first asked."""
        self._is_insecure = is_insecure
        self._guard = threading.Lock()
        self._transports: dict[str, Transport] = {}

    def manifest(self, repository: str, name: str) -> Manifest | None:
        """See `ports.registry.Registry.manifest`; IntegrityError where the bytes do not match."""
        transport, path = self._place(repository)
        url = f"/{path}/manifests/{name}"
        answer = transport.send(
            "GET", url, _pull(path), ok=(_NOT_FOUND,), headers={"Accept": _ACCEPT}
        )
        if answer.status_code == _NOT_FOUND:
            return None
        digest = digest_of(answer.content)
        if name.startswith("sha256:") and digest != name:
            raise IntegrityError(
                "image-mismatch",
                f"{repository}@{name} is not what its registry sends",
                cause=f"the bytes have the digest {digest}",
                hint="Check who writes to the registry.",
            )
        return Manifest(digest, answer.headers.get("Content-Type", ""), answer.content)

    def put(self, repository: str, name: str, manifest: Manifest) -> None:
        """See `ports.registry.Registry.put`."""
        transport, path = self._place(repository)
        headers = {"Content-Type": manifest.media_type}
        url = f"/{path}/manifests/{name}"
        transport.send("PUT", url, _push(path), data=manifest.content, headers=headers)

    def tags(self, repository: str) -> tuple[str, ...]:
        """See `ports.registry.Registry.tags`."""
        transport, path = self._place(repository)
        found: set[str] = set()
        url = f"/{path}/tags/list?n={_PAGE}"
        while url:
            answer = transport.send("GET", url, _pull(path), ok=(_NOT_FOUND,))
            if answer.status_code == _NOT_FOUND:
                break
            found.update(answer.json().get("tags") or ())
            following = answer.links.get("next", {}).get("url", "")
            url = urljoin(answer.url, following) if following else ""
        return tuple(sorted(found))

    def untag(self, repository: str, tag: str) -> None:
        """See `ports.registry.Registry.untag`.

        Registries before version 1.1 of the distribution specification delete manifests only, with
        all their tags. There the tag is given to an empty manifest of its own, which is deleted.
        """
        if self.manifest(repository, tag) is None:
            return
        transport, path = self._place(repository)
        scopes = ((path, "pull,push,delete"),)
        ok = (*_REFUSES, _NOT_FOUND)
        answer = transport.send("DELETE", f"/{path}/manifests/{tag}", scopes, ok=ok)
        if answer.status_code in _REFUSES:
            nobody = f"/{path}/manifests/{digest_of(tag.encode())}"
            if transport.send("DELETE", nobody, scopes, ok=ok).status_code in _REFUSES:
                raise RefusedError(
                    "tag-not-removable",
                    f"the registry takes no tag away from {repository}",
                    cause="deleting is switched off there",
                    hint="Switch it on (`REGISTRY_STORAGE_DELETE_ENABLED=true` for Docker's own "
                    "registry), or take the tag away in the registry's own pages.",
                )
            empty = self._empty(repository, tag)
            self.put(repository, tag, empty)
            transport.send("DELETE", f"/{path}/manifests/{empty.digest}", scopes)

    def blob(self, repository: str, digest: str) -> bytes:
        """See `ports.registry.Registry.blob`."""
        transport, path = self._place(repository)
        content = transport.send("GET", f"/{path}/blobs/{digest}", _pull(path)).content
        if digest_of(content) != digest:
            raise IntegrityError(
                "image-mismatch",
                f"a blob of {repository} is not what its registry sends",
                cause=f"expected {digest}, got {digest_of(content)}",
                hint="Check who writes to the registry.",
            )
        return content

    def upload(self, repository: str, content: bytes) -> str:
        """See `ports.registry.Registry.upload`."""
        digest = digest_of(content)
        transport, path = self._place(repository)
        if not self._has(transport, path, digest):
            begun = transport.send("POST", f"/{path}/blobs/uploads/", _push(path))
            _finish(transport, path, begun, digest, content)
        return digest

    def bring(self, source: str, target: str, digest: str) -> None:
        """See `ports.registry.Registry.bring`."""
        origin, origin_path = self._place(source)
        transport, path = self._place(target)
        if self._has(transport, path, digest):
            return
        scopes, query = _push(path), ""
        if origin is transport:
            scopes = (*scopes, (origin_path, "pull"))
            query = f"?mount={digest}&from={origin_path}"
        begun = transport.send("POST", f"/{path}/blobs/uploads/{query}", scopes)
        if begun.status_code == _CREATED:
            return
        url = f"/{origin_path}/blobs/{digest}"
        with origin.send("GET", url, _pull(origin_path), stream=True) as blob:
            blob.raw.decode_content = False
            length = {"Content-Length": blob.headers["Content-Length"]}
            _finish(transport, path, begun, digest, blob.raw, **length)

    def attach(self, repository: str, subject: str, artifact: bytes) -> None:
        """See `ports.registry.Registry.attach`."""
        referrers.attach(*self._place(repository), subject, artifact)

    def attached(self, repository: str, subject: str, kind: str) -> tuple[Manifest, ...]:
        """See `ports.registry.Registry.attached`."""
        digests = referrers.attached(*self._place(repository), subject, kind)
        found = (self.manifest(repository, digest) for digest in digests)
        return tuple(one for one in found if one is not None)

    def _has(self, transport: Transport, path: str, digest: str) -> bool:
        answer = transport.send(
            "HEAD", f"/{path}/blobs/{digest}", _push(path), ok=(_NOT_FOUND,), allow_redirects=True
        )
        return answer.status_code != _NOT_FOUND

    def _empty(self, repository: str, tag: str) -> Manifest:
        """A manifest of nothing that no other tag has."""
        config = self.upload(repository, _EMPTY)
        part = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": config, "size": 2}
        body = {
            "schemaVersion": 2,
            "mediaType": _OCI_MANIFEST,
            "config": part,
            "layers": [part],
            "annotations": {"underway.removed": tag},
        }
        content = json.dumps(body).encode()
        return Manifest(digest_of(content), _OCI_MANIFEST, content)

    def _place(self, repository: str) -> tuple[Transport, str]:
        """The transport of a repository's registry, and its path there."""
        named = parse_reference(repository)
        registry = "" if named.registry in {"docker.io", "index.docker.io"} else named.registry
        path = named.path if registry or "/" in named.path else f"library/{named.path}"
        with self._guard:
            if registry not in self._transports:
                insecure = self._is_insecure(registry)
                self._transports[registry] = Transport(registry, is_insecure=insecure)
            return self._transports[registry], path


def digest_of(content: bytes) -> str:
    """The digest of bytes, as registries write it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _finish(
    transport: Transport,
    path: str,
    begun: requests.Response,
    digest: str,
    content: object,
    **headers: str,
) -> None:
    """End an upload in one request; EngineError where the registry refuses the blob."""
    place = urljoin(begun.url, begun.headers["Location"])
    url = f"{place}{'&' if '?' in place else '?'}digest={digest}"
    more = {"Content-Type": "application/octet-stream", **headers}
    transport.send("PUT", url, _push(path), data=content, headers=more)


def _pull(path: str) -> Scopes:
    return ((path, "pull"),)


def _push(path: str) -> Scopes:
    return ((path, "pull,push"),)
