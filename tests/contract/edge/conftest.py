"""Each test runs against every HAProxy that is there."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.edge.place import EdgePlace, edge_place, haproxies

PROGRAMS = haproxies()


@pytest.fixture(params=PROGRAMS or ["missing"])
def edge(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EdgePlace]:
    if not PROGRAMS or os.geteuid() != 0:
        pytest.skip("needs HAProxy, socat and root")
    with edge_place(tmp_path / "edge", request.param) as place:
        yield place
