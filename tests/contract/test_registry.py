"""Every registry keeps the contract: the one in memory, and a real one over HTTP."""

import json
import os
from collections.abc import Callable

import pytest

from tests.contract.conftest import Site
from tests.fakes.registry import FakeRegistry, digest_of
from underway.adapters.registry import HttpRegistry
from underway.ports.registry import Manifest, Registry

OCI = "application/vnd.oci.image.manifest.v1+json"
RUN = f"r{os.getpid()}"


class Place:
    """A registry, and names of repositories in it."""

    def __init__(self, registry: Registry, host: str) -> None:
        self.registry = registry
        self.one = f"{host}/{RUN}/one"
        self.other = f"{host}/{RUN}/other"

    def image(self, text: str) -> Manifest:
        """An image whose configuration is `text`, its blobs in the first repository."""
        config = json.dumps({"created": "2026-01-02T03:04:05Z", "note": text}).encode()
        layer = f"layer of {text}".encode()
        body = {
            "schemaVersion": 2,
            "mediaType": OCI,
            "config": self._part("application/vnd.oci.image.config.v1+json", config),
            "layers": [self._part("application/vnd.oci.image.layer.v1.tar", layer)],
        }
        content = json.dumps(body).encode()
        return Manifest(digest_of(content), OCI, content)

    def artifact(self, subject: Manifest, kind: str, note: str) -> bytes:
        """A manifest that names an image as its subject."""
        body = {
            "schemaVersion": 2,
            "mediaType": OCI,
            "artifactType": kind,
            "config": self._part("application/vnd.oci.empty.v1+json", b"{}"),
            "layers": [self._part("application/vnd.oci.empty.v1+json", b"{}")],
            "subject": {
                "mediaType": OCI,
                "digest": subject.digest,
                "size": len(subject.content),
            },
            "annotations": {"note": note},
        }
        return json.dumps(body).encode()

    def _part(self, kind: str, content: bytes) -> dict[str, object]:
        digest = self.registry.upload(self.one, content)
        return {"mediaType": kind, "digest": digest, "size": len(content)}


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.engine)])
def place(request: pytest.FixtureRequest, raise_site: Callable[[str], Site]) -> Place:
    if request.param == "fake":
        return Place(FakeRegistry(), "registry.test")
    if os.geteuid() != 0:
        pytest.skip("the laboratory needs root")
    address = str(raise_site("26").laboratory.describe()["registry"]["address"])
    return Place(HttpRegistry(lambda _: True), address)


def test_a_manifest_comes_back_byte_for_byte_by_tag_and_by_digest(place: Place) -> None:
    image = place.image("a")
    place.registry.put(place.one, "a1", image)
    place.registry.put(place.one, "a2", image)
    for name in ("a1", "a2", image.digest):
        assert place.registry.manifest(place.one, name) == image
    assert {"a1", "a2"} <= set(place.registry.tags(place.one))


def test_what_is_not_there_is_none_and_no_error(place: Place) -> None:
    assert place.registry.manifest(place.one, "never") is None
    assert place.registry.manifest(f"{place.one}/nowhere", digest_of(b"x")) is None
    assert place.registry.tags(f"{place.one}/nowhere") == ()


def test_taking_a_tag_away_leaves_the_image_and_its_other_tags(place: Place) -> None:
    image = place.image("b")
    for tag in ("stays", "goes"):
        place.registry.put(place.one, tag, image)
    place.registry.untag(place.one, "goes")
    place.registry.untag(place.one, "goes")
    assert place.registry.manifest(place.one, "goes") is None
    assert place.registry.manifest(place.one, "stays") == image
    assert "goes" not in place.registry.tags(place.one)


def test_an_image_goes_to_another_repository_with_its_digest(place: Place) -> None:
    image = place.image("c")
    place.registry.put(place.one, "c", image)
    body = json.loads(image.content)
    for part in (body["config"], *body["layers"]):
        place.registry.bring(place.one, place.other, part["digest"])
        place.registry.bring(place.one, place.other, part["digest"])
    place.registry.put(place.other, "c", image)
    assert place.registry.manifest(place.other, "c") == image
    assert place.registry.blob(place.other, body["layers"][0]["digest"]) == b"layer of c"


def test_a_tag_moves_only_by_being_written(place: Place) -> None:
    first, second = place.image("d"), place.image("e")
    place.registry.put(place.one, "moving", first)
    place.registry.put(place.one, "moving", second)
    assert place.registry.manifest(place.one, "moving") == second
    assert place.registry.manifest(place.one, first.digest) == first


def test_artifacts_stand_beside_the_image_that_they_name(place: Place) -> None:
    image, other = place.image("f"), place.image("g")
    for one in (image, other):
        place.registry.put(place.one, "beside", one)
    kind = "application/vnd.test+json"
    for text in ("first", "second"):
        content = place.artifact(image, kind, text)
        for _ in range(2):
            place.registry.attach(place.one, image.digest, content)
    found = place.registry.attached(place.one, image.digest, kind)
    notes = {json.loads(one.content)["annotations"]["note"] for one in found}
    assert notes == {"first", "second"}
    assert place.registry.attached(place.one, image.digest, "application/other") == ()
    assert place.registry.attached(place.one, other.digest, kind) == ()
