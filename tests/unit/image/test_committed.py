"""A policy that wants commits ends shipping before anything is built."""

from typing import Any

import pytest

from tests.fakes.engine import FakeEngine
from underway.errors import RefusedError
from underway.image.shipment import ShipWish, ship
from underway.image.tags import SourceFacts
from underway.image.yard import Yard
from underway.model.names import AppName, HostName, ServiceName
from underway.model.spec import AppSpec, BuildSpec, ServiceSpec

WEB = ServiceSpec(ServiceName("web"), "", (), build=BuildSpec(".", "Dockerfile", "{}"))


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (SourceFacts("c" * 40, is_dirty=True, date="20260102"), "uncommitted changes"),
        (SourceFacts(date="20260102"), "no git commit"),
    ],
)
def test_uncommitted_work_is_refused_where_the_policy_says_so(
    source: SourceFacts, told: str
) -> None:
    never: Any = None
    yard = Yard(never, FakeEngine(HostName("h")), {}, print)
    wish = ShipWish(AppSpec(AppName("a"), (WEB,), ()), source, requires_clean=True)
    with pytest.raises(RefusedError, match=told) as caught:
        ship(wish, yard)
    assert caught.value.code == "source-dirty"
