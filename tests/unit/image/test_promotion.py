"""Images go to another environment as they are: bytes, digests, tags."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.engine import FakeEngine
from tests.fakes.registry import FakeRegistry, digest_of
from underway.errors import RefusedError
from underway.image.promotion import Promotion, promote
from underway.image.shipment import Shipment
from underway.image.yard import Yard
from underway.model.image import ImageIdentity
from underway.model.names import AppName, HostName, ReleaseNumber, ServiceName
from underway.model.release import Release, ServiceImage
from underway.model.spec import AppSpec, BuildSpec, ProxySpec, ServiceSpec
from underway.ports.registry import Manifest

WEB, DB = ServiceName("web"), ServiceName("db")
BUILD = BuildSpec(".", "Dockerfile", "{}")
STAGING, PRODUCTION = "r.test/staging", "r.test/production"
OCI = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
POSTGRES = ImageIdentity("postgres:17", "sha256:" + "d" * 64, "sha256:" + "e" * 64, "postgres")


def manifest(body: dict[str, object], kind: str) -> Manifest:
    content = json.dumps(body).encode()
    return Manifest(digest_of(content), kind, content)


class Voyage:
    """A release of staging in a registry, and what production's file says."""

    def __init__(self) -> None:
        self.registry = FakeRegistry()
        self.engine = FakeEngine(HostName("h"))
        parts = [{"digest": self.registry.upload(STAGING, text)} for text in (b"config", b"layer")]
        child = manifest({"config": parts[0], "layers": parts[1:]}, OCI)
        self.registry.put(STAGING, child.digest, child)
        self.index = manifest({"manifests": [{"digest": child.digest}]}, INDEX)
        self.registry.put(STAGING, "1.0.0", self.index)
        web = ServiceSpec(WEB, STAGING, (), build=BUILD, proxy=ProxySpec(("s.test",), 8000))
        spec = AppSpec(AppName("staging"), (web, ServiceSpec(DB, "postgres:17", ())), ())
        built = ImageIdentity(f"{STAGING}:1.0.0", digest_of(b"config"), self.index.digest, STAGING)
        self.origin = Release(
            ReleaseNumber(7),
            spec,
            (ServiceImage(DB, POSTGRES), ServiceImage(WEB, built)),
            tag="1.0.0",
            commit="c" * 40,
            tags=("1.0.0", "20260102-cccc"),
            version="1.0.0",
        )

    def production(self, image: str = PRODUCTION) -> AppSpec:
        proxy = ProxySpec(("p.test",), 0)
        web = ServiceSpec(WEB, image, (), build=BUILD, proxy=proxy)
        return AppSpec(AppName("production"), (web, ServiceSpec(DB, "postgres:17", ())), ())

    def go(self, spec: AppSpec | None = None, **more: Any) -> Shipment:
        never: Any = None
        yard = Yard(never, self.engine, {}, lambda _: None)
        wish = replace(Promotion(spec or self.production(), self.origin), **more)
        return promote(wish, yard, self.registry)


def test_the_same_bytes_stand_in_the_other_repository_under_the_same_tags() -> None:
    voyage = Voyage()
    for _ in range(2):
        made = voyage.go()
    web = {entry.service: entry.image for entry in made.images}[WEB]
    assert web.pull_reference == f"{PRODUCTION}@{voyage.index.digest}"
    assert web.reference == f"{PRODUCTION}:1.0.0"
    for tag in ("1.0.0", "20260102-cccc", voyage.index.digest):
        assert voyage.registry.manifest(PRODUCTION, tag) == voyage.index
    assert voyage.registry.blobs[PRODUCTION] == voyage.registry.blobs[STAGING]
    assert (made.tag, made.version, made.commit) == ("1.0.0", "1.0.0", "c" * 40)


def test_the_specification_is_that_of_the_environment_with_the_port_the_image_told() -> None:
    made = Voyage().go()
    proxy = made.spec.service(WEB).proxy
    assert made.spec.name == "production"
    assert proxy is not None
    assert (proxy.hosts, proxy.port) == (("p.test",), 8000)


def test_a_plan_copies_nothing() -> None:
    voyage = Voyage()
    assert voyage.go(is_moved=False).images == Voyage().go().images
    assert voyage.registry.tags(PRODUCTION) == ()
    assert voyage.registry.blobs[PRODUCTION] == {}


def test_a_tag_of_another_image_ends_it_before_anything_is_copied() -> None:
    voyage = Voyage()
    other = manifest({"layers": []}, OCI)
    voyage.registry.put(PRODUCTION, "1.0.0", other)
    with pytest.raises(RefusedError) as caught:
        voyage.go()
    assert caught.value.code == "tag-taken"
    assert other.digest in caught.value.cause
    assert voyage.index.digest in caught.value.cause
    assert voyage.registry.blobs[PRODUCTION] == {}


def test_what_is_only_named_keeps_what_runs_there_and_else_comes_along() -> None:
    voyage = Voyage()
    first = {entry.service: entry.image for entry in voyage.go().images}
    assert first[DB] == POSTGRES
    older = replace(POSTGRES, manifest_digest="sha256:" + "f" * 64)
    runs = Release(ReleaseNumber(3), voyage.production(), (ServiceImage(DB, older),))
    kept = {entry.service: entry.image for entry in voyage.go(previous=runs).images}
    assert kept[DB] == older, "promoting the web never moves a database"


def test_a_service_that_the_release_has_no_image_of_is_refused() -> None:
    voyage = Voyage()
    spec = voyage.production()
    more = ServiceSpec(ServiceName("worker"), "r.test/worker", (), build=BUILD)
    with pytest.raises(RefusedError, match="no image of `worker`") as caught:
        voyage.go(replace(spec, services=(*spec.services, more)))
    assert caught.value.code == "promote-image-missing"


def test_without_a_registry_the_image_is_told_by_its_configuration_and_sent() -> None:
    voyage = Voyage()
    source = FakeEngine(HostName("s"))
    here = voyage.origin.images[1].image
    bare = replace(here, reference="staging-web:1.0.0", manifest_digest="", repository="")
    voyage.origin = replace(
        voyage.origin, images=(voyage.origin.images[0], ServiceImage(WEB, bare))
    )
    source.add_image(bare.reference, identity=bare.config_digest)
    voyage.engine.add_image(bare.reference, identity=bare.config_digest)
    made = voyage.go(voyage.production(""), sources=(source,))
    web = {entry.service: entry.image for entry in made.images}[WEB]
    assert web == ImageIdentity("production-web:1.0.0", here.config_digest)
