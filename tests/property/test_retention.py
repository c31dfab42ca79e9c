"""Retention equals a slow model's, and never falls under its floor, in three simulated years."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from underway.backup.retention import plan_retention
from underway.model.backup import KeepRule
from underway.model.names import AppName, ReleaseNumber, VolumeName
from underway.model.restore_point import PointId, PointSummary

START = datetime(2026, 1, 1, 3, 0, tzinfo=UTC)
DATA = VolumeName("data")
PERIODS = {
    "hourly": lambda at: (at.year, at.month, at.day, at.hour),
    "daily": lambda at: (at.year, at.month, at.day),
    "weekly": lambda at: at.isocalendar()[:2],
    "monthly": lambda at: (at.year, at.month),
    "yearly": lambda at: (at.year,),
}


def point(at: datetime, size: int = 1000, volumes: tuple[VolumeName, ...] = (DATA,)):
    text = at.isoformat().replace("+00:00", "Z")
    return PointSummary(
        AppName("libra"),
        PointId(text),
        text,
        ReleaseNumber(1),
        size,
        10,
        volumes,
        is_fuzzy=False,
        duration_s=1.0,
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


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.sampled_from(["made", "made", "made", "failed", "gap"]), min_size=10, max_size=60),
    rules,
)
def test_three_years_of_days_with_gaps_and_failures(pattern: list[str], rule: KeepRule):
    """Each day a backup is made or not; each day retention runs; the floor holds every day."""
    stayed: list[PointSummary] = []
    gap_until = 0
    for day in range(3 * 365):
        said = pattern[day % len(pattern)]
        if said == "gap":
            gap_until = max(gap_until, day + 20 * (day % 7))
        if said == "made" and day >= gap_until:
            stayed.append(point(START + timedelta(days=day)))
        before = len(stayed)
        chosen = plan_retention(stayed, [(None, rule)])
        stayed = [one for one in stayed if one.point in chosen.keep]
        assert len(stayed) >= min(rule.floor, before)
        if before:
            newest = max(one.moment for one in stayed)
            assert newest in {one.moment for one in stayed}


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
