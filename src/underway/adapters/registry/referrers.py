"""What stands beside an image: artifacts whose manifests name it as their subject.

Registries with version 1.1 of the distribution specification list them themselves; for the others
the specification has a tag, `sha256-HEX` of the image, whose index the clients keep.
"""

import hashlib
import json
from typing import Any, Final

from underway.adapters.registry.transport import Transport
from underway.errors import EngineError

MANIFEST_TYPE: Final = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE: Final = "application/vnd.oci.image.index.v1+json"
_ATTEMPTS: Final = 5
_NOT_THERE: Final = frozenset({400, 404, 405, 501})


def attach(transport: Transport, path: str, subject: str, artifact: bytes) -> None:
    """Write an artifact, and list it where the registry does not do so itself.

    Two clients may write the list at once: it is read back, and written again without loss.
    """
    digest = _digest(artifact)
    scopes = ((path, "pull,push"),)
    answer = transport.send(
        "PUT",
        f"/{path}/manifests/{digest}",
        scopes,
        data=artifact,
        headers={"Content-Type": MANIFEST_TYPE},
    )
    if answer.headers.get("OCI-Subject") == subject:
        return
    entry = _entry(artifact)
    for _ in range(_ATTEMPTS):
        entries = _listed(transport, path, subject)
        if digest in {str(one.get("digest")) for one in entries}:
            return
        index = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [*entries, entry]}
        transport.send(
            "PUT",
            f"/{path}/manifests/{_tag(subject)}",
            scopes,
            data=json.dumps(index).encode(),
            headers={"Content-Type": INDEX_TYPE},
        )
    raise EngineError(
        "registry-refused",
        f"the list of what stands beside {subject} changes faster than it is written",
        hint="Run it again when the others are done.",
    )


def _entry(artifact: bytes) -> dict[str, Any]:
    body = json.loads(artifact)
    return {
        "mediaType": MANIFEST_TYPE,
        "digest": _digest(artifact),
        "size": len(artifact),
        "artifactType": body.get("artifactType", ""),
        "annotations": body.get("annotations") or {},
    }


def attached(transport: Transport, path: str, subject: str, kind: str) -> tuple[str, ...]:
    """The digests of the artifacts of a kind that stand beside an image, sorted."""
    scopes = ((path, "pull"),)
    answer = transport.send("GET", f"/{path}/referrers/{subject}", scopes, ok=_NOT_THERE)
    entries = list(_entries(answer.content)) if answer.status_code not in _NOT_THERE else []
    entries += _listed(transport, path, subject)
    return tuple(sorted({str(e["digest"]) for e in entries if e.get("artifactType") == kind}))


def _listed(transport: Transport, path: str, subject: str) -> list[dict[str, Any]]:
    """The entries of the list that clients keep; () where there is none, or it is no index."""
    answer = transport.send(
        "GET",
        f"/{path}/manifests/{_tag(subject)}",
        ((path, "pull"),),
        ok=(404,),
        headers={"Accept": INDEX_TYPE},
    )
    return [] if answer.status_code in _NOT_THERE else _entries(answer.content)


def _entries(content: bytes) -> list[dict[str, Any]]:
    try:
        body = json.loads(content)
    except ValueError:
        return []
    if not isinstance(body, dict) or body.get("mediaType", INDEX_TYPE) != INDEX_TYPE:
        return []
    return [entry for entry in body.get("manifests") or () if "digest" in entry]


def _tag(subject: str) -> str:
    return subject.replace(":", "-", 1)


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
