"""Putting an image into a registry over the registry's HTTP interface."""

import hashlib
import http.client
import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from lab.errors import LabError
from lab.layer import Layer

_CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"
_LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
_CREATED = "2025-01-01T00:00:00Z"
_TIMEOUT_S = 120


@dataclass(frozen=True, slots=True)
class Target:
    """A registry's address, and a repository and tag in it."""

    address: str
    repository: str
    tag: str


def push_image(target: Target, layers: list[Layer], settings: dict[str, object]) -> str:
    """Push an image of layers and settings, and return the digest of its manifest.

    `settings` is the image's `config` section. Raises LabError when the registry refuses.
    """
    config = _configuration(layers, settings)
    for layer in layers:
        _push_blob(target, layer.digest, Path(layer.file))
    config_digest = f"sha256:{hashlib.sha256(config).hexdigest()}"
    _push_blob(target, config_digest, config)
    described = [
        {"mediaType": _LAYER_TYPE, "size": layer.size_bytes, "digest": layer.digest}
        for layer in layers
    ]
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST_TYPE,
        "config": {"mediaType": _CONFIG_TYPE, "size": len(config), "digest": config_digest},
        "layers": described,
    }
    body = json.dumps(manifest, indent=3).encode()
    path = f"/v2/{target.repository}/manifests/{target.tag}"
    _request(target, "PUT", path, body=body, content_type=_MANIFEST_TYPE)
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def _configuration(layers: list[Layer], settings: dict[str, object]) -> bytes:
    """Return the image configuration document."""
    return json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "created": _CREATED,
            "config": settings,
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
            "history": [{"created": _CREATED, "created_by": "underway lab"} for _ in layers],
        },
        sort_keys=True,
    ).encode()


def _push_blob(target: Target, digest: str, content: Path | bytes) -> None:
    """Upload a blob where the repository has none of that digest."""
    blobs = f"/v2/{target.repository}/blobs"
    if _request(target, "HEAD", f"{blobs}/{digest}", may_fail=True) is not None:
        return
    location = _request(target, "POST", f"{blobs}/uploads/")
    if not location:
        raise LabError("the registry offered no place for an upload")
    parts = urlsplit(location)
    path = f"{parts.path}?{parts.query}&digest={digest}"
    _request(target, "PUT", path, body=content, content_type="application/octet-stream")


def _request(
    target: Target,
    method: str,
    path: str,
    *,
    body: Path | bytes = b"",
    content_type: str = "application/octet-stream",
    may_fail: bool = False,
) -> str | None:
    """Send one request and return its Location header, "" without one, None when refused."""
    connection = http.client.HTTPConnection(target.address, timeout=_TIMEOUT_S)
    size = body.stat().st_size if isinstance(body, Path) else len(body)
    headers = {"Content-Type": content_type, "Content-Length": str(size)}
    try:
        if isinstance(body, Path):
            with body.open("rb") as stream:
                connection.request(method, path, body=stream, headers=headers)
                response = connection.getresponse()
        else:
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
        text = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise LabError(f"pushing {target.repository}:{target.tag}: {error}") from error
    finally:
        connection.close()
    if response.status < http.client.BAD_REQUEST:
        return response.getheader("Location") or ""
    if may_fail:
        return None
    raise LabError(f"{method} {path}: {response.status} {text[:300]!r}")
