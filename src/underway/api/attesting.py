"""Signed attestations beside the images in their registries: left there, and looked for.

Only a team with a key has them (`x-underway.signing`): without a signature everybody who can push
could attest. What fails here is noted: the ledger has recorded the same.
"""

import json
from collections.abc import Iterator
from typing import Final

from underway.api.session import Session, ledgers_of
from underway.errors import EngineError, IntegrityError, UnreachableError
from underway.image.attestation import ENVELOPE_TYPE, PREDICATE_TYPE, envelope, read_envelope
from underway.model.event import Level
from underway.model.image import ImageIdentity
from underway.model.release import Release
from underway.model.snapshot import Snapshot
from underway.model.testing import Attestation
from underway.ports.registry import Manifest, Registry
from underway.ports.signing import Signer

_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
_EMPTY: Final = b"{}"
_EMPTY_TYPE: Final = "application/vnd.oci.empty.v1+json"


def attest_in_registry(session: Session, snapshot: Snapshot, release: Release) -> None:
    """Leave what is attested of a release's suites beside its images, where it is not yet."""
    if session.signer is None:
        return
    recorded = {
        one.definition: one for ledger in ledgers_of(snapshot) for one in ledger.attestations
    }
    known = recorded | session.attestations
    for suite in release.suites:
        found = known.get(suite.definition)
        image = _image(release, found) if found is not None else None
        if found is None or image is None:
            continue
        try:
            _attest(session.workshop.registry(), image, found, session.signer)
        except (UnreachableError, EngineError, IntegrityError) as error:
            text = f"suite {suite.suite} is not attested in {image.repository}: {error.message}"
            session.voice.note(Level.WARNING, "attestation-not-pushed", text)


def attested_in_registry(session: Session, release: Release) -> frozenset[str]:
    """The definitions that this team's key attests of a release's images in their registries."""
    if session.signer is None:
        return frozenset()
    found: set[str] = set()
    for image in {entry.image for entry in release.images if entry.image.pull_reference}:
        try:
            registry = session.workshop.registry()
            found.update(one.definition for one in _attested(registry, image, session.signer))
        except (UnreachableError, EngineError, IntegrityError) as error:
            text = f"{image.repository} was not asked what it attests: {error.message}"
            session.voice.note(Level.WARNING, "attestations-not-read", text)
    return frozenset(found)


def _image(release: Release, attestation: Attestation) -> ImageIdentity | None:
    """The image that an attestation is of, where the release has it in a registry."""
    return next(
        (
            entry.image
            for entry in release.images
            if entry.image.config_digest == attestation.image and entry.image.pull_reference
        ),
        None,
    )


def _attest(
    registry: Registry, image: ImageIdentity, attestation: Attestation, signer: Signer
) -> None:
    known = {one.definition for one in _attested(registry, image, signer)}
    subject = registry.manifest(image.repository, image.manifest_digest)
    if attestation.definition in known or subject is None:
        return
    content = envelope(attestation, image.repository, image.manifest_digest, signer)
    part = {
        "mediaType": ENVELOPE_TYPE,
        "digest": registry.upload(image.repository, content),
        "size": len(content),
    }
    config = {
        "mediaType": _EMPTY_TYPE,
        "digest": registry.upload(image.repository, _EMPTY),
        "size": len(_EMPTY),
    }
    body = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "artifactType": ENVELOPE_TYPE,
        "config": config,
        "layers": [part],
        "subject": {
            "mediaType": subject.media_type,
            "digest": subject.digest,
            "size": len(subject.content),
        },
        "annotations": {"in-toto.io/predicate-type": PREDICATE_TYPE},
    }
    registry.attach(image.repository, subject.digest, json.dumps(body).encode())


def _attested(registry: Registry, image: ImageIdentity, signer: Signer) -> Iterator[Attestation]:
    """What this key attests of an image; whatever else stands beside it is passed over."""
    for artifact in registry.attached(image.repository, image.manifest_digest, ENVELOPE_TYPE):
        for content in _envelopes(registry, image, artifact):
            found = read_envelope(content, image.manifest_digest, signer)
            if found is not None and found.image == image.config_digest:
                yield found


def _envelopes(registry: Registry, image: ImageIdentity, artifact: Manifest) -> Iterator[bytes]:
    for layer in json.loads(artifact.content).get("layers") or ():
        if layer.get("mediaType") == ENVELOPE_TYPE:
            yield registry.blob(image.repository, str(layer["digest"]))
