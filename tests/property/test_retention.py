"""Retention equals a slow model's, and never falls under its floor, in three simulated years."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from underway.backup.retention import plan_retention
from underway.model.backup import KeepRule
from underway.model.names import AppName, ReleaseNumber, VolumeName
from underway.model.restore_point import PointId, PointSummary, Proof

START = datetime(2026, 1, 1, 3, 0, tzinfo=UTC)
DATA = VolumeName("data")
PERIODS = {
    "hourly": lambda at: (at.year, at.month, at.day, at.hour),
    "daily": lambda at: (at.year, at.month, at.day),
    "weekly": lambda at: at.isocalendar()[:2],
    "monthly": lambda at: (at.year, at.month),
    "yearly": lambda at: (at.year,),
}


def point(at: datetime, size: int = 1000, *, proof: bool | None = None, release: int = 1):
    """A complete point; `proof` is what its verification came to, None where nobody tried."""
    text = at.isoformat().replace("+00:00", "Z")
    return PointSummary(
        AppName("libra"),
        PointId(text),
        text,
        ReleaseNumber(release),
        size,
        10,
        (DATA,),
        is_fuzzy=False,
        duration_s=1.0,
        proof=None if proof is None else Proof(text, proof, 1.0),
    )


def model(moments: list[datetime], rule: KeepRule) -> set[datetime]:
    """Word by word: for each rule walk back in time and take the newest of each period."""
    kept = set(sorted(moments)[-max(rule.floor, rule.last) :])
    for name, period in PERIODS.items():
        seen = []
        for at in sorted(moments, reverse=True):
            if period(at) not in seen:
                seen.append(period(at))
                if len(seen) <= getattr(rule, name):
                    kept.add(at)
    if rule.within_s and moments:
        kept |= {at for at in moments if at >= max(moments) - timedelta(seconds=rule.within_s)}
    return kept


rules = st.builds(
    KeepRule,
    last=st.integers(0, 4),
    hourly=st.integers(0, 3),
    daily=st.integers(0, 8),
    weekly=st.integers(0, 5),
    monthly=st.integers(0, 13),
    yearly=st.integers(0, 4),
    within_s=st.sampled_from([0.0, 3600.0, 86400.0 * 3]),
    floor=st.integers(1, 5),
)
moments = st.lists(
    st.integers(0, 3 * 365 * 24 * 60).map(lambda minute: START + timedelta(minutes=minute)),
    max_size=60,
    unique=True,
)


@given(moments, rules)
def test_what_stays_is_what_the_model_keeps(found: list[datetime], rule: KeepRule):
    chosen = plan_retention([point(at) for at in found], [(None, rule)])
    assert set(chosen.keep) == {point(at).point for at in model(found, rule)}
    assert set(chosen.keep) | set(chosen.forget) == {point(at).point for at in found}
    assert set(chosen.keep).isdisjoint(chosen.forget)


@given(moments, rules)
def test_applying_it_twice_changes_nothing(found: list[datetime], rule: KeepRule):
    first = plan_retention([point(at) for at in found], [(None, rule)])
    stayed = [point(at) for at in found if point(at).point in first.keep]
    assert plan_retention(stayed, [(None, rule)]).forget == ()


@given(moments, rules, rules)
def test_a_point_stays_if_any_rule_keeps_it(found: list[datetime], one: KeepRule, other: KeepRule):
    points = [point(at) for at in found]
    both = plan_retention(points, [(None, one), (DATA, other)])
    alone = [set(plan_retention(points, [(None, rule)]).keep) for rule in (one, other)]
    assert set(both.keep) == alone[0] | alone[1]


days = st.lists(
    st.sampled_from(["made", "made", "made", "proven", "proven", "damaged", "failed", "gap"]),
    min_size=10,
    max_size=60,
)


@dataclass
class Shelf:
    """A model of a repository, told in dates: what stands on it, and how each was verified."""

    points: dict[datetime, bool | None] = field(default_factory=dict)

    def sound(self) -> list[datetime]:
        return [at for at, proof in self.points.items() if proof is not False]

    def proven(self) -> list[datetime]:
        return [at for at, proof in self.points.items() if proof]

    def tidied(self, rule: KeepRule) -> set[datetime]:
        """What stays: the rules' over sound points, the last proven, and damaged ones in need."""
        sound = self.sound()
        kept = model(sound, rule) | set(self.proven()[-1:])
        return kept if len(sound) >= rule.floor else kept | set(self.points)


@settings(max_examples=25, deadline=None)
@given(days, rules)
def test_three_years_of_days_with_gaps_failures_and_partials(pattern: list[str], rule: KeepRule):
    """Retention runs each day, over what it left the day before, and does as the model each day.

    On a failed day a partial is left, or nothing: either is no point. A damaged one is complete,
    and its verification found it out.
    """
    shelf = Shelf()
    gap_until = 0
    for day in range(3 * 365):
        said = pattern[day % len(pattern)]
        at = START + timedelta(days=day)
        if said == "gap":
            gap_until = max(gap_until, day + 20 * (day % 7))
        if day >= gap_until and said in {"made", "proven", "damaged"}:
            shelf.points[at] = {"made": None, "proven": True, "damaged": False}[said]
        sound_before, proven_before = shelf.sound(), shelf.proven()
        points = [point(at, proof=proof) for at, proof in shelf.points.items()]
        chosen = plan_retention(points, [(None, rule)])
        stays = shelf.tidied(rule)
        assert set(chosen.keep) == {point(at).point for at in stays}
        shelf.points = {at: proof for at, proof in shelf.points.items() if at in stays}
        assert len(shelf.sound()) >= min(rule.floor, len(sound_before))
        assert shelf.sound()[-rule.floor :] == sound_before[-rule.floor :]
        assert shelf.proven()[-1:] == proven_before[-1:]


def test_a_damaged_point_takes_no_place_from_one_that_restores():
    points = [point(START + timedelta(days=day)) for day in range(4)]
    points.append(point(START + timedelta(days=4), proof=False))
    rule = KeepRule(daily=2, weekly=0, monthly=0, floor=1)
    chosen = plan_retention(points, [(None, rule)])
    assert chosen.keep == (points[3].point, points[2].point)
    assert points[4].point in chosen.forget


def test_where_too_few_are_sound_damaged_points_stay():
    points = [point(START + timedelta(days=day), proof=False) for day in range(5)]
    points.append(point(START + timedelta(days=5)))
    rule = KeepRule(daily=1, weekly=0, monthly=0, floor=2)
    assert plan_retention(points, [(None, rule)]).forget == ()


def test_the_last_proven_point_stays_however_old():
    points = [point(START, proof=True)]
    points += [point(START + timedelta(days=100 + day)) for day in range(9)]
    rule = KeepRule(daily=2, weekly=0, monthly=0, floor=1)
    chosen = plan_retention(points, [(None, rule)])
    assert dict(chosen.reasons)[points[0].point] == ("proven",)


def test_the_newest_sound_point_of_a_release_that_hosts_keep_stays():
    points = [point(START + timedelta(days=day), release=day // 3 + 1) for day in range(12)]
    points.append(point(START + timedelta(days=2, hours=1), proof=False, release=1))
    rule = KeepRule(daily=2, weekly=0, monthly=0, floor=1)
    assert points[2].point in plan_retention(points, [(None, rule)]).forget
    chosen = plan_retention(points, [(None, rule)], releases={1, 4})
    assert dict(chosen.reasons)[points[2].point] == ("release 1",)
    assert points[12].point in chosen.forget
    assert points[5].point in chosen.forget


@pytest.mark.parametrize(("after", "is_held"), [(0, True), (2, True), (3, False)])
def test_a_fall_holds_everything_until_floor_points_are_newer(after: int, *, is_held: bool):
    points = [point(START + timedelta(days=day)) for day in range(9)]
    points += [point(START + timedelta(days=9 + day), 100) for day in range(after + 1)]
    rule = KeepRule(daily=2, weekly=0, monthly=0, floor=3)
    assert bool(plan_retention(points, [(None, rule)]).held) is is_held


def test_when_backups_stopped_age_removes_nothing():
    points = [point(START + timedelta(days=day)) for day in range(5)]
    rule = KeepRule(daily=7, weekly=0, monthly=0, within_s=3600)
    assert plan_retention(points, [(None, rule)]).forget == ()


@pytest.mark.parametrize(("size", "is_held"), [(1000, False), (501, False), (499, True)])
def test_a_point_that_shrank_by_half_holds_everything(size: int, *, is_held: bool):
    points = [point(START + timedelta(days=day)) for day in range(9)]
    points.append(point(START + timedelta(days=9), size))
    rule = KeepRule(daily=2, weekly=0, monthly=0, floor=1)
    chosen = plan_retention(points, [(None, rule)])
    assert bool(chosen.held) is is_held
    assert bool(chosen.forget) is not is_held
    assert plan_retention(points, [(None, rule)], is_forced=True).forget
