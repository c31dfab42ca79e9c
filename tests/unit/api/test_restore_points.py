"""A restore point that is not there: which one may be meant."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.session import simulated, steps_over_simulation
from tests.unit.api.voyages import serving_first, web_pair
from underway.api.restore_points import Choice, manifest_of
from underway.errors import RefusedError
from underway.model.names import AppName, ReleaseNumber
from underway.model.restore_point import PointId, PointSummary

POINTS = ("20260301T120000Z-aa11bb22", "20260302T120000Z-cc33dd44")


@pytest.fixture(autouse=True)
def over_simulation(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with steps_over_simulation(monkeypatch):
        yield


class Shelf:
    """A store that lists points."""

    def points(self, app: str) -> tuple[PointSummary, ...]:
        moment, number = "2026-03-01T12:00:00Z", ReleaseNumber(1)
        return tuple(
            PointSummary(
                AppName(app), PointId(name), moment, number, 1, 1, (), is_fuzzy=False, duration_s=1
            )
            for name in POINTS
        )


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("20260301T120000Z-aa11bb23", f"Did you mean `{POINTS[0]}`?"),
        ("202603", f"Several begin so: {', '.join(POINTS)}."),
        ("nope", f"`underway backup list` shows them; the newest: {', '.join(POINTS)}"),
    ],
)
def test_a_point_that_is_not_there_is_asked_about(name: str, hint: str) -> None:
    pair = web_pair()
    session = simulated(serving_first(pair), lambda: pair.new)
    store: Any = Shelf()
    with pytest.raises(RefusedError) as caught:
        manifest_of(store, session.app, Choice(name))
    assert caught.value.code == "backup-point-unknown"
    assert caught.value.hint == hint
