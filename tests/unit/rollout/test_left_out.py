"""A host that answers and sends users to others is not left out; one that is down may be."""

from dataclasses import replace

import pytest

from tests.property.voyage import DEPLOY, planned, sail
from tests.unit.api.voyages import APP2, WEB, serving_first, web_pair
from underway.errors import RefusedError
from underway.model.step import StopContainer

LEFT_OUT = replace(DEPLOY, skip_hosts=frozenset({APP2}))


def test_an_edge_that_still_sends_to_what_would_stop_is_not_left_out() -> None:
    pair = web_pair(3, edges=2)
    fleet = serving_first(pair)
    with pytest.raises(RefusedError) as raised:
        planned(pair.new, fleet.snapshot(), LEFT_OUT)
    assert raised.value.code == "left-out-edge-serves"
    begun = replace(LEFT_OUT, keep_unreachable=True)
    assert not planned(pair.new, fleet.snapshot(), begun).is_empty, "a run that began ends it"
    steps = planned(pair.old, fleet.snapshot(), LEFT_OUT).steps()
    assert not [step for step in steps if isinstance(step, StopContainer)], "nothing stops here"


def test_an_edge_that_is_down_and_a_host_without_a_proxy_may_be_left_out() -> None:
    pair = web_pair(3, edges=2)
    fleet = serving_first(pair)
    fleet.hosts[APP2].is_reachable = False
    plan = planned(pair.new, fleet.snapshot(), LEFT_OUT)
    assert any(isinstance(step, StopContainer) for step in plan.steps())
    one = web_pair(3, edges=1)
    fleet = serving_first(one)
    sail(fleet, planned(one.new, fleet.snapshot(), LEFT_OUT))
    assert fleet.running(WEB)
