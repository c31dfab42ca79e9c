"""Attestations as others read them: an in-toto statement in a DSSE envelope. Pure.

The statement says that an image, by its manifest's digest, passed a suite (predicate
`https://in-toto.io/attestation/test-result/v0.1`). The envelope is that of DSSE 1.0; its signature
is the team key's HMAC-SHA-256, so that it proves something to the team and to nobody else.
"""

import base64
import binascii
import json
from typing import Any, Final

from underway.model.names import ServiceName
from underway.model.testing import Attestation
from underway.ports.signing import Signer

ENVELOPE_TYPE: Final = "application/vnd.dsse.envelope.v1+json"
PREDICATE_TYPE: Final = "https://in-toto.io/attestation/test-result/v0.1"
_PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
_STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
_DETAILS: Final = "underway"


def envelope(attestation: Attestation, repository: str, digest: str, signer: Signer) -> bytes:
    """The signed statement that the image of this manifest digest passed."""
    payload = json.dumps(_statement(attestation, repository, digest), sort_keys=True).encode()
    signature = signer.sign(_encoded(payload))
    body = {
        "payloadType": _PAYLOAD_TYPE,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": signer.key_id, "sig": base64.b64encode(signature).decode()}],
    }
    return json.dumps(body).encode()


def read_envelope(content: bytes, digest: str, signer: Signer) -> Attestation | None:
    """What an envelope attests of this manifest digest; None where this key did not sign it."""
    try:
        body = json.loads(content)
        payload = base64.b64decode(body["payload"], validate=True)
        signatures = [base64.b64decode(one["sig"]) for one in body["signatures"]]
        is_signed = body["payloadType"] == _PAYLOAD_TYPE and any(
            signer.has_signed(_encoded(payload), signature) for signature in signatures
        )
        statement = json.loads(payload) if is_signed else {}
        return _attestation(statement, digest)
    except (ValueError, KeyError, TypeError, binascii.Error):
        return None


def _statement(attestation: Attestation, repository: str, digest: str) -> dict[str, Any]:
    return {
        "_type": _STATEMENT_TYPE,
        "subject": [{"name": repository, "digest": {"sha256": digest.removeprefix("sha256:")}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "result": "PASSED",
            "configuration": [
                {
                    "name": attestation.suite,
                    "digest": {"sha256": attestation.definition},
                }
            ],
            "passedTests": [attestation.suite],
            _DETAILS: {
                "service": attestation.service,
                "image": attestation.image,
                "passedAt": attestation.passed_at,
                "passedBy": attestation.passed_by,
            },
        },
    }


def _attestation(statement: dict[str, Any], digest: str) -> Attestation | None:
    """The attestation of a signed statement, if it is of this image and says that it passed."""
    subjects = {f"sha256:{one['digest']['sha256']}" for one in statement.get("subject", ())}
    predicate = statement.get("predicate") or {}
    is_right = statement.get("predicateType") == PREDICATE_TYPE and digest in subjects
    if not is_right or predicate.get("result") != "PASSED":
        return None
    (suite,) = predicate["configuration"]
    details = predicate[_DETAILS]
    return Attestation(
        definition=str(suite["digest"]["sha256"]),
        suite=str(suite["name"]),
        service=ServiceName(str(details["service"])),
        image=str(details["image"]),
        passed_at=str(details["passedAt"]),
        passed_by=str(details["passedBy"]),
    )


def _encoded(payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding."""
    kind = _PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
