"""Ship, pull and send on real engines: one identity from the build to every host."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lab.faults import Faults
from lab.laboratory import Laboratory, down
from tests.contract.image_site import Site, build_of, write_context
from underway.errors import IntegrityError, RefusedError, UnreachableError
from underway.image.apply import find_image, pull_image, send_image
from underway.image.shipment import Shipment, ShipWish, ship
from underway.image.tags import SourceFacts
from underway.image.tools import ensure_tools_image
from underway.image.yard import Yard
from underway.model.image import ImageIdentity
from underway.model.names import AppName, HostName, ReleaseNumber, ServiceName
from underway.model.release import Release
from underway.model.spec import AppSpec, BuildSpec, HostSpec, ServiceSpec

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(os.geteuid() != 0, reason="the laboratory needs root"),
]

WEB = ServiceName("web")
H1 = HostName("h1")
CLEAN = SourceFacts(commit="a" * 40, date="20260102", git_tags=("v1.2.3",))
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", params=["26", "20"])
def laboratory(request: pytest.FixtureRequest) -> Iterator[Laboratory]:
    name = f"ship{request.param}-{os.getpid()}"
    try:
        yield Laboratory.up(name, hosts=2, engine=request.param)
    finally:
        down(name)


@pytest.fixture
def site(laboratory: Laboratory) -> Site:
    return Site(laboratory, "h1")


@pytest.fixture
def other(laboratory: Laboratory) -> Site:
    return Site(laboratory, "h2")


def _spec(*services: ServiceSpec, tags: tuple[str, ...] = ("{date}-{commit}",)) -> AppSpec:
    return AppSpec(AppName("cargo"), services, (HostSpec(H1, "unix:///x"),), tags=tags)


def _service(name: str, image: str, build: BuildSpec | None = None) -> ServiceSpec:
    return ServiceSpec(ServiceName(name), image, (H1,), build=build)


def _ship(site: Site, spec: AppSpec, source: SourceFacts = CLEAN, **more: object) -> Shipment:
    yard = Yard(site.buildx(), site.engine, {H1: site.engine}, lambda _: None)
    return ship(replace(ShipWish(spec, source), **more), yard)  # type: ignore[arg-type]


def _build(site: Site, directory: Path, text: str = "x", **more: object) -> BuildSpec:
    dockerfile = f"FROM {site.base}\nCOPY note /note\nRUN head -c 3000000 /dev/urandom > /r\n"
    return build_of(write_context(directory, dockerfile, note=text), **more)


def test_an_image_that_two_services_share_stays_when_the_build_of_one_changes(
    site: Site, tmp_path: Path
) -> None:
    shared = _build(site, tmp_path / "one")
    both = _spec(_service("api", "", shared), _service("caller", "", shared))
    first = {entry.service: entry.image for entry in _ship(site, both).images}
    other = _build(site, tmp_path / "two", "y")
    apart = _spec(_service("api", "", other), _service("caller", "", shared))
    second = {entry.service: entry.image for entry in _ship(site, apart).images}
    api, caller = ServiceName("api"), ServiceName("caller")
    assert first[api].config_digest == first[caller].config_digest == second[caller].config_digest
    assert second[api].config_digest != first[api].config_digest


def _forget(site: Site, image: ImageIdentity) -> None:
    site.engine.remove_image(image.config_digest)
    assert find_image(site.engine, image) is None


def test_a_pushed_image_is_pulled_with_the_same_identity(
    site: Site, other: Site, tmp_path: Path
) -> None:
    registry = site.laboratory.registry
    spec = _spec(_service("web", f"{registry}/pushed:ignored", _build(site, tmp_path)))
    shipped = _ship(site, spec)
    image = shipped.images[0].image
    assert shipped.tag == "20260102-aaaaaaaaaa"
    assert image.reference == f"{registry}/pushed:20260102-aaaaaaaaaa"
    assert image.repository == f"{registry}/pushed"
    assert image.manifest_digest == site.engine.resolve(image.reference)
    state = site.engine.image(image.reference)
    assert state is not None
    labels = dict(state.labels)
    assert labels["org.opencontainers.image.revision"] == "a" * 40
    assert labels["org.opencontainers.image.version"] == shipped.tag
    assert labels["underway.app"] == "cargo"
    assert "underway.service" not in labels, "it may be another's image too"
    pull_image(other.engine, image)
    pulled = other.engine.image(image.reference)
    assert pulled is not None
    assert pulled.id == image.config_digest == state.id
    assert _ship(site, spec) == shipped


def test_a_commit_built_elsewhere_is_taken_and_not_built_again(
    site: Site, other: Site, tmp_path: Path
) -> None:
    name = f"{site.laboratory.registry}/once"
    first = _ship(site, _spec(_service("web", name, _build(site, tmp_path / "a" / "src"))))
    again = _ship(other, _spec(_service("web", name, _build(other, tmp_path / "b" / "src"))))
    assert again.images == first.images


def test_a_tag_is_never_moved(site: Site, tmp_path: Path) -> None:
    name = f"{site.laboratory.registry}/fixed"
    first = _ship(site, _spec(_service("web", name, _build(site, tmp_path))))
    changed = _build(site, tmp_path, "other", args={"A": "1"})
    with pytest.raises(RefusedError) as caught:
        _ship(site, _spec(_service("web", name, changed)))
    assert caught.value.code == "tag-taken"
    assert first.images[0].image.manifest_digest in caught.value.cause
    assert site.engine.resolve(first.images[0].image.reference) == (
        first.images[0].image.manifest_digest
    )


def test_uncommitted_work_gets_tags_of_its_own(site: Site, tmp_path: Path) -> None:
    dirty = replace(CLEAN, is_dirty=True)
    tags = set()
    for text in ("one", "two", "one"):
        spec = _spec(_service("web", "", _build(site, tmp_path, text)))
        shipped = _ship(site, spec, dirty)
        digest = shipped.images[0].image.config_digest
        assert shipped.tag == f"20260102-aaaaaaaaaa-dirty-{digest[7:15]}"
        assert shipped.images[0].image.reference == f"cargo-web:{shipped.tag}"
        tags.add(shipped.tag)
    assert len(tags) == 2


def test_two_services_of_one_build_are_built_once(site: Site, tmp_path: Path) -> None:
    build = _build(site, tmp_path, no_cache=True)
    spec = _spec(_service("web", "", build), _service("worker", "", build), tags=("v{semver}",))
    shipped = _ship(site, spec)
    web, worker = (entry.image for entry in shipped.images)
    assert web.config_digest == worker.config_digest
    assert (web.reference, worker.reference) == ("cargo-web:v1.2.3", "cargo-worker:v1.2.3")


def test_sending_moves_only_missing_layers_and_is_done_once(
    site: Site, other: Site, tmp_path: Path
) -> None:
    other.engine.pull(site.laboratory.images["debian"])
    shipped = _ship(site, _spec(_service("web", "", _build(site, tmp_path, "sent"))))
    image = shipped.images[0].image
    assert not image.pull_reference
    told: list[tuple[float, float]] = []
    send_image(site.engine, other.engine, image, lambda done, total, _: told.append((done, total)))
    assert 3_000_000 < told[-1][1] < 4_000_000
    state = other.engine.image(image.reference)
    assert state is not None
    assert state.id == image.config_digest
    told.clear()
    send_image(site.engine, other.engine, image, lambda done, total, _: told.append((done, total)))
    assert not told


def test_sending_to_a_bare_host_moves_everything(site: Site, other: Site, tmp_path: Path) -> None:
    shipped = _ship(site, _spec(_service("web", "", _build(site, tmp_path, "bare"))))
    image = shipped.images[0].image
    for state in other.engine.images():
        other.engine.remove_image(state.id)
    told: list[float] = []
    send_image(site.engine, other.engine, image, lambda _, total, __: told.append(total))
    assert told[-1] > 50_000_000
    assert find_image(other.engine, image) is not None


def test_another_content_is_not_taken(site: Site, other: Site) -> None:
    site.engine.pull(site.laboratory.images["debian"])
    state = site.engine.image(site.laboratory.images["debian"])
    assert state is not None
    digest = state.repo_digests[0].rpartition("@")[2]
    repository = state.repo_digests[0].rpartition("@")[0]
    lie = ImageIdentity("lie:1", "sha256:" + "0" * 64, digest, repository)
    with pytest.raises(IntegrityError) as caught:
        pull_image(other.engine, lie)
    assert caught.value.code == "image-mismatch"
    assert lie.config_digest in caught.value.cause
    assert state.id in caught.value.cause
    assert other.engine.image("lie:1") is None


def test_an_image_that_is_gone_says_what_to_do(site: Site, other: Site) -> None:
    gone = ImageIdentity("gone:1", "sha256:" + "1" * 64)
    pushed = replace(
        gone,
        manifest_digest="sha256:" + "2" * 64,
        repository=f"{site.laboratory.registry}/lab/debian",
    )
    attempts: tuple[Callable[[], None], ...] = (
        lambda: pull_image(other.engine, gone),
        lambda: pull_image(other.engine, pushed),
        lambda: send_image(site.engine, other.engine, gone),
    )
    for attempt in attempts:
        with pytest.raises(RefusedError) as caught:
            attempt()
        assert caught.value.code == "image-gone"
        assert "Deploy the commit again" in caught.value.hint


def test_a_named_image_keeps_its_digest_until_it_is_refreshed(site: Site, tmp_path: Path) -> None:
    moving = f"{site.laboratory.registry}/moving:17"
    spec = _spec(_service("db", moving))
    identities = []
    for text in ("old", "new"):
        image_id = site.buildx().build(_build(site, tmp_path, text), (moving,), lambda _: None)
        site.engine.push(moving)
        identities.append(image_id)
        if text == "old":
            first = _ship(site, spec)
    before = Release(ReleaseNumber(1), spec, first.images)
    kept = _ship(site, spec, previous=before)
    assert kept.images == first.images
    assert kept.images[0].image.config_digest == identities[0]
    fresh = _ship(site, spec, previous=before, refresh=frozenset({ServiceName("db")}))
    assert fresh.images[0].image.config_digest == identities[1]
    assert fresh.images[0].image.pull_reference.endswith(site.engine.resolve(moving))


def test_without_a_registry_named_images_come_from_the_host(site: Site) -> None:
    reference = site.laboratory.images["debian"]
    site.engine.pull(reference)
    faults = Faults(site.laboratory)
    faults.stop_registry()
    try:
        shipped = _ship(site, _spec(_service("db", reference)))
        with pytest.raises(UnreachableError) as caught:
            _ship(site, _spec(_service("db", f"{site.laboratory.registry}/never:1")))
    finally:
        faults.heal()
    assert caught.value.code == "registry-unreachable"
    state = site.engine.image(reference)
    assert state is not None
    assert shipped.images[0].image.config_digest == state.id
    assert shipped.images[0].image.pull_reference in state.repo_digests


def test_the_port_of_the_proxy_comes_from_the_image(site: Site, tmp_path: Path) -> None:
    from underway.model.spec import ProxySpec  # noqa: PLC0415 - used once

    dockerfile = f"FROM {site.base}\nEXPOSE 8123\n"
    service = _service("web", "", build_of(write_context(tmp_path, dockerfile)))
    spec = _spec(replace(service, proxy=ProxySpec(("a.example",), 0)))
    proxy = _ship(site, spec).spec.service(WEB).proxy
    assert proxy is not None
    assert proxy.port == 8123


def test_tools_are_built_once_by_content(site: Site, tmp_path: Path) -> None:
    directory = Path(shutil.copytree(ROOT / "tools-image", tmp_path / "tools"))
    site.engine.pull(site.laboratory.images["tools-base"])
    lines: list[str] = []

    def ensure() -> ImageIdentity:
        return ensure_tools_image(
            Yard(site.buildx(), site.engine, {}, lines.append),
            reference="underway-tools:0.1",
            directory=directory,
            base=site.laboratory.images["tools-base"],
        )

    image = ensure()
    state = site.engine.image(image.reference)
    assert state is not None
    assert state.id == image.config_digest
    assert lines
    lines.clear()
    assert ensure() == image
    assert not lines
