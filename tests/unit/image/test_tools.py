"""Every machine that builds the tools image gets another one: a fleet keeps the one it has."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from tests.fakes.engine import FakeEngine
from underway.errors import RefusedError, UnreachableError
from underway.image.apply import send_from_any
from underway.image.plan import unused_tools
from underway.image.tools import content_digest, ensure_tools_image
from underway.image.yard import Yard
from underway.model.container import ContainerRequest
from underway.model.image import ImageIdentity, ImageState
from underway.model.names import AppName, ContainerName, HostName
from underway.model.snapshot import EngineFacts, HostState
from underway.model.spec import BuildSpec
from underway.rollout.request import anchor_request

APP: Final = AppName("libra")
A, B, C = HostName("a"), HostName("b"), HostName("c")
ONE, OTHER = "sha256:" + "1" * 64, "sha256:" + "2" * 64


@dataclass
class OneBuilder:
    """Builds an image that no other machine builds."""

    engine: FakeEngine
    built: list[str] = field(default_factory=list)

    def build(self, build: BuildSpec, tags: Sequence[str], progress: Callable[[str], None]) -> str:
        del build, progress
        self.built += tags
        return self.engine.add_image(*tags, identity="sha256:" + "b" * 64).id


class Lost(FakeEngine):
    """Answers nothing."""

    def image(self, reference: str) -> ImageState | None:
        raise UnreachableError("host-unreachable", f"no answer about {reference}")

    def images(self) -> tuple[ImageState, ...]:
        raise UnreachableError("host-unreachable", "no answer")


@dataclass
class Bench:
    """A directory of sources, the engine of this machine, and the app's hosts."""

    directory: Path
    local: FakeEngine = field(default_factory=lambda: FakeEngine(HostName("local")))
    hosts: dict[HostName, FakeEngine] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.directory / "Dockerfile").write_text("FROM scratch\n")
        self.digits = content_digest(self.directory, "")[:12]
        self.name = f"underway-tools:0.1-{self.digits}"
        self.builder = OneBuilder(self.local)

    def holds(self, host: HostName, identity: str, name: str = "") -> None:
        engine = self.hosts.setdefault(host, FakeEngine(host))
        labels = (("underway.tools", self.digits),)
        engine.add_image(name or self.name, identity=identity, labels=labels)

    def ensure(self) -> ImageIdentity:
        yard = Yard(self.builder, self.local, self.hosts, lambda _: None)
        reference = "underway-tools:0.1"
        return ensure_tools_image(yard, reference=reference, directory=self.directory, base="")


def test_it_is_built_once_where_no_host_holds_one(tmp_path: Path) -> None:
    bench = Bench(tmp_path, hosts={A: FakeEngine(A)})
    assert bench.ensure() == bench.ensure()
    assert bench.builder.built == [bench.name]


def test_what_the_hosts_hold_is_taken_even_where_this_machine_has_its_own(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.local.add_image(bench.name, identity="sha256:" + "b" * 64)
    for host in (A, B):
        bench.holds(host, ONE)
    assert bench.ensure() == ImageIdentity(bench.name, ONE)
    assert not bench.builder.built


def test_of_several_the_one_that_most_hosts_hold_is_taken(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.holds(A, ONE)
    for host in (B, C):
        bench.holds(host, OTHER)
    bench.holds(A, OTHER, name="underway-tools:underway-222222222222")
    assert bench.ensure().config_digest == OTHER


def test_an_image_of_other_sources_and_a_lost_host_do_not_count(tmp_path: Path) -> None:
    bench = Bench(tmp_path, hosts={A: FakeEngine(A), B: Lost(B)})
    bench.hosts[A].add_image("old:1", identity=ONE, labels=(("underway.tools", "0" * 12),))
    assert bench.ensure().config_digest != ONE
    assert bench.builder.built


def test_anchors_made_from_two_builds_of_the_same_sources_are_the_same() -> None:
    def label(reference: str, config: str) -> str:
        request = anchor_request(APP, ImageIdentity(reference, config), ())
        return request.label("underway.generation")

    same = "underway-tools:0.1-0123456789ab"
    assert label(same, ONE) == label(same, OTHER)
    assert label(same, ONE) != label("underway-tools:0.1-ba9876543210", ONE)
    assert label("r.io/tools:7", ONE) != label("r.io/tools:7", OTHER)


def test_a_tools_image_that_no_container_was_made_from_is_unused() -> None:
    engine = FakeEngine(A)
    for identity in (ONE, OTHER):
        engine.add_image(identity[7:10], identity=identity, labels=(("underway.tools", "1"),))
    engine.add_image("web:1")
    engine.create(ContainerRequest(ContainerName("anchor"), ONE), {})
    facts = EngineFacts("26.1", "1.45")
    host = HostState(A, facts, engine.containers(), engine.images())
    assert unused_tools(host) == (OTHER,)


def test_an_image_is_sent_from_the_next_engine_where_the_first_does_not_answer() -> None:
    image = ImageIdentity("web:1", ONE)
    holder, target = FakeEngine(B), Lost(C)
    holder.add_image("web:1", identity=ONE)
    with pytest.raises(UnreachableError):
        send_from_any([FakeEngine(A), holder], target, image)
    with pytest.raises(RefusedError, match="cannot be brought"):
        send_from_any([FakeEngine(A)], FakeEngine(C), image)
    with pytest.raises(UnreachableError):
        send_from_any([Lost(A), FakeEngine(B)], FakeEngine(C), image)
    target = FakeEngine(C)
    target.add_image("web:1", identity=ONE)
    send_from_any([Lost(A), holder], target, image)
