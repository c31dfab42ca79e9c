"""An attestation is believed by whom holds the key, of the image it names, and only then."""

import base64
import json
from typing import Any

import pytest

from underway.adapters.signature import AttestationKey
from underway.image.attestation import envelope, read_envelope
from underway.model.names import ServiceName
from underway.model.sensitive import Sensitive
from underway.model.testing import Attestation

KEY = AttestationKey(Sensitive(b"k" * 32))
DIGEST = "sha256:" + "a" * 64
PASSED = Attestation("d" * 64, "all", ServiceName("web"), "sha256:cc", "2026-01-02T00:00:00Z", "me")


def sealed() -> bytes:
    return envelope(PASSED, "r.test/web", DIGEST, KEY)


def test_what_was_attested_comes_back_for_the_image_and_the_key_it_was_made_with() -> None:
    assert read_envelope(sealed(), DIGEST, KEY) == PASSED
    assert read_envelope(sealed(), "sha256:" + "b" * 64, KEY) is None
    assert read_envelope(sealed(), DIGEST, AttestationKey(Sensitive(b"x" * 32))) is None


def test_it_is_a_statement_of_in_toto_in_an_envelope_of_dsse() -> None:
    body = json.loads(sealed())
    assert body["payloadType"] == "application/vnd.in-toto+json"
    statement = json.loads(base64.b64decode(body["payload"]))
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["subject"] == [{"name": "r.test/web", "digest": {"sha256": "a" * 64}}]
    assert statement["predicate"]["passedTests"] == ["all"]
    (signature,) = body["signatures"]
    pae = b"DSSEv1 28 application/vnd.in-toto+json %d %b"
    payload = base64.b64decode(body["payload"])
    assert KEY.has_signed(pae % (len(payload), payload), base64.b64decode(signature["sig"]))
    assert "k" * 8 not in sealed().decode()


def _changed(**changes: Any) -> bytes:
    body = json.loads(sealed())
    statement = json.loads(base64.b64decode(body["payload"])) | changes
    body["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()
    return json.dumps(body).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"payload": "!", "payloadType": "x", "signatures": []}',
        _changed(subject=[]),
        _changed(predicateType="other"),
        _changed(predicate={"result": "FAILED"}),
    ],
)
def test_what_is_altered_or_is_something_else_attests_nothing(content: bytes) -> None:
    assert read_envelope(content, DIGEST, KEY) is None


def test_a_key_is_named_without_telling_it_and_two_have_two_names() -> None:
    other = AttestationKey(Sensitive(b"x" * 32))
    assert KEY.key_id != other.key_id
    assert len(KEY.key_id) == 16
