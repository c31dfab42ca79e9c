"""`--pull SERVICE` of a service that the file does not have is refused before anything is built."""

from typing import Any

import pytest

from tests.fakes.engine import FakeEngine
from underway.errors import UsageError
from underway.image.shipment import ShipWish, ship
from underway.image.tags import SourceFacts, TagContext
from underway.image.yard import Yard
from underway.model.names import AppName, HostName, ServiceName
from underway.model.spec import AppSpec, ServiceSpec


@pytest.mark.parametrize(
    ("name", "hint"), [("wbe", "Did you mean `web`?"), ("zzz", "It has db, web.")]
)
def test_a_misspelt_service_is_refused(name: str, hint: str) -> None:
    services = tuple(ServiceSpec(ServiceName(n), "r.io/x:1", ()) for n in ("db", "web"))
    source: Any = SourceFacts
    wish = ShipWish(
        AppSpec(AppName("a"), services, ()),
        source,
        TagContext("", ""),
        None,
        frozenset({ServiceName(name)}),
    )
    unused: Any = None
    yard = Yard(unused, FakeEngine(HostName("h")), {}, print)
    with pytest.raises(UsageError) as caught:
        ship(wish, yard)
    assert caught.value.hint == hint
