"""Engines with the containerd image store, whose ids are manifest digests, beside older ones."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.command import run
from lab.engine import init_pid, inside
from lab.faults import Faults
from lab.laboratory import Laboratory, down
from tests.contract.image_site import Site, build_of, write_context
from underway.image.apply import find_image, pull_image, send_image
from underway.image.plan import ids_of
from underway.image.shipment import ShipWish, ship
from underway.image.tags import SourceFacts
from underway.image.yard import Yard
from underway.model.container import ContainerRequest
from underway.model.image import ImageIdentity
from underway.model.names import AppName, ContainerName, HostName, ServiceName
from underway.model.snapshot import HostState
from underway.model.spec import AppSpec, HostSpec, ServiceSpec

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(os.geteuid() != 0, reason="the laboratory needs root"),
]


@pytest.fixture(scope="module")
def laboratory() -> Iterator[Laboratory]:
    """Host h1 with the graph-driver store, h2 with containerd's."""
    name = f"store-{os.getpid()}"
    try:
        laboratory = Laboratory.up(name, hosts=2)
        init = init_pid(laboratory.host("h2"))
        assert init is not None
        settings = json.loads(run([*inside(init), "cat", "/etc/docker/daemon.json"]))
        del settings["storage-driver"]
        settings["features"] = {"containerd-snapshotter": True}
        run([*inside(init), "tee", "/etc/docker/daemon.json"], stdin=json.dumps(settings))
        Faults(laboratory).restart_engine("h2")
        assert Site(laboratory, "h2").engine.facts().uses_containerd_store
        yield laboratory
    finally:
        down(name)


def _shipped(site: Site, directory: Path, image: str) -> ImageIdentity:
    dockerfile = f"FROM {site.base}\nRUN head -c 100000 /dev/urandom > /r\n"
    build = build_of(write_context(directory, dockerfile), no_cache=True)
    host = HostName(site.host)
    service = ServiceSpec(ServiceName("web"), image, (host,), build=build)
    spec = AppSpec(AppName("cargo"), (service,), (HostSpec(host, "unix:///x"),))
    yard = Yard(site.buildx(), site.engine, {host: site.engine}, lambda _: None)
    return ship(ShipWish(spec, SourceFacts(date="20260102")), yard).images[0].image


@pytest.mark.parametrize(("source", "target"), [("h1", "h2"), ("h2", "h1")])
def test_an_image_is_sent_from_store_to_store(
    laboratory: Laboratory, tmp_path: Path, source: str, target: str
) -> None:
    here, there = Site(laboratory, source), Site(laboratory, target)
    image = _shipped(here, tmp_path, f"uw/{source}")
    told: list[float] = []
    send_image(here.engine, there.engine, image, lambda done, _, __: told.append(done))
    assert told
    state = find_image(there.engine, image)
    assert state is not None
    assert image.reference in state.repo_tags
    told.clear()
    send_image(here.engine, there.engine, image, lambda done, _, __: told.append(done))
    assert not told


@pytest.mark.parametrize(("source", "target"), [("h1", "h2"), ("h2", "h1")])
def test_an_image_is_pulled_from_store_to_store(
    laboratory: Laboratory, tmp_path: Path, source: str, target: str
) -> None:
    here, there = Site(laboratory, source), Site(laboratory, target)
    image = _shipped(here, tmp_path, f"{laboratory.registry}/uw/{source}")
    assert image.pull_reference
    pull_image(there.engine, image)
    state = there.engine.image(image.reference)
    assert state is not None
    assert state.id in {image.config_digest, image.manifest_digest}


def test_another_content_sent_under_the_name_is_not_taken(
    laboratory: Laboratory, tmp_path: Path
) -> None:
    here, there = Site(laboratory, "h1"), Site(laboratory, "h2")
    right = _shipped(here, tmp_path, "uw/right")
    there.engine.load(here.engine.save(_shipped(here, tmp_path, "uw/wrong").reference))
    wrong = next(s for s in there.engine.images() if any("uw/wrong" in t for t in s.repo_tags))
    there.engine.tag(wrong.id, right.reference)
    assert find_image(there.engine, right) is None
    lie = ImageIdentity(wrong.repo_tags[0], "sha256:" + "0" * 64)
    assert find_image(there.engine, lie) is None
    send_image(here.engine, there.engine, right)
    found = find_image(there.engine, right)
    assert found is not None
    assert found.id != wrong.id


def test_a_container_is_made_of_the_configuration_that_was_sent(
    laboratory: Laboratory, tmp_path: Path
) -> None:
    """Its plan names the digest that is the same on every host."""
    here, there = Site(laboratory, "h1"), Site(laboratory, "h2")
    image = _shipped(here, tmp_path, "uw/made")
    send_image(here.engine, there.engine, image)
    request = ContainerRequest(ContainerName("uw-made"), image.config_digest, command=("true",))
    try:
        there.engine.create(request, {})
        made = there.engine.container("uw-made")
        held = there.engine.image(image.config_digest)
        assert made is not None
        assert held is not None
        assert made.image_id == held.id
        assert ids_of(_host_of(there), {image}) == {held.id}
    finally:
        there.engine.remove("uw-made")


def _host_of(site: Site) -> HostState:
    engine = site.engine
    return HostState(HostName(site.host), engine.facts(), images=engine.images())
