"""A tag is never moved; one that names what was built already is as it shall be."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.engine import FakeEngine
from underway.errors import RefusedError
from underway.image.shipment import ShipWish, ship
from underway.image.tags import SourceFacts, TagContext, stems
from underway.image.yard import Yard
from underway.model.names import AppName, HostName, ServiceName
from underway.model.spec import AppSpec, BuildSpec, ServiceSpec

REPOSITORY = "registry.test/web"
FIRST, SECOND, OTHER = (f"sha256:{digit * 64}" for digit in "123")
SOURCE = SourceFacts("c" * 40, date="20260102")
WEB = ServiceSpec(ServiceName("web"), REPOSITORY, (), build=BuildSpec(".", "Dockerfile", "{}"))


class Builds:
    """A builder that gives one image."""

    def __init__(self, image: str) -> None:
        self.image = image

    def build(self, spec: BuildSpec, tags: object, progress: Callable[[str], None]) -> str:
        del spec, tags, progress
        return self.image


def shipped(registered: str) -> None:
    engine = FakeEngine(HostName("h"))
    built = engine.add_image(f"{REPOSITORY}@{FIRST}", f"{REPOSITORY}@{SECOND}")
    engine.add_image(f"{REPOSITORY}@{OTHER}")
    spec = AppSpec(AppName("a"), (WEB,), (), tags=("{commit}",))
    (tag,) = stems(spec.tags, SOURCE, TagContext())
    engine.registry[f"{REPOSITORY}:{tag}"] = registered
    builder: Any = Builds(built.id)
    ship(ShipWish(spec, SOURCE), Yard(builder, engine, {}, lambda _: None), lambda _: False)


@pytest.mark.parametrize("registered", [FIRST, SECOND])
def test_an_image_that_was_pushed_twice_is_known_by_either_digest(registered: str) -> None:
    shipped(registered)


def test_a_tag_that_names_another_image_is_refused() -> None:
    with pytest.raises(RefusedError) as caught:
        shipped(OTHER)
    assert caught.value.code == "tag-taken"
    assert OTHER in caught.value.cause
