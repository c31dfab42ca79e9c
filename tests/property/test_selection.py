"""`--only`: what is not named is not touched, and what results is a release like any other."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.fleets import Pair, pairs
from tests.property.test_interruption import FEW, MANY, every_prefix
from tests.property.voyage import (
    DEPLOY,
    ROLLBACK,
    UNDO,
    converge,
    deployed,
    lane_after_lane,
    planned,
)
from underway.errors import RefusedError
from underway.model.names import ReleaseNumber, ServiceName
from underway.model.release import Release
from underway.model.step import (
    AwaitDrained,
    CreateContainer,
    RemoveUpstream,
    SetUpstream,
    StartContainer,
    StopContainer,
)
from underway.rollout.generation import generation_of
from underway.rollout.selection import Selection


def selected(pair: Pair, names: frozenset[ServiceName]) -> Release:
    """The release that these services of the new one make with the old one."""
    chosen = Selection(names, pair.new.spec, pair.old, "the file")
    spec = chosen.spec()
    new = {entry.service: entry for entry in pair.new.images}
    old = {entry.service: entry for entry in pair.old.images}
    images = {s.name: (new if s.name in names else old)[s.name] for s in spec.services}
    chosen.require_prepared({name: entry.image for name, entry in images.items()})
    return replace(pair.new, spec=spec, images=tuple(images[name] for name in sorted(images)))


def all_names(pair: Pair) -> list[ServiceName]:
    return sorted({s.name for one in (pair.old, pair.new) for s in one.spec.services})


def drawn(pair: Pair, data: st.DataObject) -> tuple[frozenset[ServiceName], Release]:
    """Some services with those that must come along, and the release that they make."""
    names = frozenset(data.draw(st.sets(st.sampled_from(all_names(pair)), min_size=1)))
    while refused := refusal(pair, names):
        assert refused.code == "only-entangled"
        told = {ServiceName(one.split()[0].rstrip(";")) for one in refused.hint.split("--only ")}
        more = names | (told & {*all_names(pair)})
        assert more > names, f"{refused.message}: the remedy names nobody else: {refused.hint}"
        names = more
    return names, selected(pair, names)


def refusal(pair: Pair, names: frozenset[ServiceName]) -> RefusedError | None:
    try:
        selected(pair, names)
    except RefusedError as error:
        return error
    return None


def same_secret(pair: Pair) -> Pair:
    """Values of both sides are the use case's to reconcile."""
    return replace(pair, new=replace(pair.new, sensitive=pair.old.sensitive))


def check_untouched(pair: Pair, data: st.DataObject) -> None:
    names, release = drawn(pair, data)
    fleet = deployed(pair.fleet(), pair.old)
    fleet.releases[release.number] = release
    kept = [s for s in all_names(pair) if s not in names]
    before = {name: fleet.running(name) for name in kept}
    for step in planned(release, fleet.snapshot()).steps():
        match step:
            case CreateContainer(container=request) if request.label("underway.service"):
                assert request.label("underway.service") in names, step
            case StartContainer(container=name) | StopContainer(container=name):
                own = any(name.startswith(f"libra-{one}-") for one in names)
                assert own or name.startswith("underway-anchor-"), step
            case RemoveUpstream(service=name) | AwaitDrained(service=name):
                assert name in names, step
            case SetUpstream(upstream=upstream):
                known = fleet.hosts[step.host].upstreams.get((upstream.app, upstream.service))
                is_kept = known is not None and upstream.service in kept
                assert not is_kept or {*upstream.servers} == {*known.servers}, step
    converge(fleet, release, DEPLOY)
    assert {name: fleet.running(name) for name in kept} == before
    whole = replace(pair.new, number=ReleaseNumber(3))
    fleet.releases[whole.number] = whole
    converge(fleet, whole, DEPLOY)


@FEW
@given(pairs().map(same_secret), st.data())
def test_services_that_are_not_named_are_not_touched_and_a_whole_deploy_completes_it(
    pair: Pair, data: st.DataObject
) -> None:
    check_untouched(pair, data)


@pytest.mark.exhaustive
@MANY
@given(pairs().map(same_secret), st.data())
def test_services_that_are_not_named_are_not_touched_in_many_apps(
    pair: Pair, data: st.DataObject
) -> None:
    check_untouched(pair, data)


def check_prefixes(pair: Pair, data: st.DataObject) -> None:
    _, release = drawn(pair, data)
    fleet = deployed(pair.fleet(), pair.old)
    fleet.releases[release.number] = release
    steps = lane_after_lane(planned(release, fleet.snapshot()))
    ways = [(release, DEPLOY), (pair.old, UNDO), (pair.old, ROLLBACK)]
    assert every_prefix(fleet, steps, ways) > 0


@settings(FEW, max_examples=3)
@given(pairs(most_hosts=2, most_services=2).map(same_secret), st.data())
def test_every_prefix_of_a_part_converges_to_it_and_back(pair: Pair, data: st.DataObject) -> None:
    check_prefixes(pair, data)


@pytest.mark.exhaustive
@settings(MANY, max_examples=60)
@given(pairs().map(same_secret), st.data())
def test_every_prefix_of_many_parts_converges(pair: Pair, data: st.DataObject) -> None:
    check_prefixes(pair, data)


@FEW
@given(pairs().map(same_secret))
def test_all_services_together_are_the_release_itself(pair: Pair) -> None:
    release = selected(pair, frozenset(all_names(pair)))
    assert release.spec.services == pair.new.spec.services
    assert release.images == pair.new.images
    assert [generation_of(release, s, bindings={}, counter=0) for s in release.spec.services] == [
        generation_of(pair.new, s, bindings={}, counter=0) for s in pair.new.spec.services
    ]
