"""A volume that the file names anew: nothing is done before somebody decided where the data is."""

from dataclasses import replace

import pytest

from tests.property.fleets import DATA, Pair, database, hosts, release
from tests.property.voyage import DEPLOY, ROLLBACK, TOOLS, UNDO, converge, deployed, planned
from underway.errors import RefusedError
from underway.model.names import VolumeName
from underway.model.release import Binding, Release
from underway.model.spec import VolumeSpec
from underway.model.step import CreateContainer, CreateVolume
from underway.rollout.plan import plan_records
from underway.rollout.scene import Policy

ONE = hosts(1)


def volumes(made: Release, **named: str) -> Release:
    """The release with these volumes."""
    specs = tuple(
        VolumeSpec(VolumeName(name), physical, is_single_writer=True)
        for name, physical in named.items()
    )
    return replace(made, spec=replace(made.spec, volumes=specs))


def releases(**named: str) -> Pair:
    db = replace(database(ONE), place="compose.yaml:7")
    return Pair(release(1, (db,), ONE), volumes(release(2, (db,), ONE), **named))


def test_a_renamed_volume_is_refused_with_both_names_and_a_way_out() -> None:
    pair = releases(data="brand_new")
    fleet = deployed(pair.fleet(), pair.old)
    for plan in (planned, lambda made, seen: plan_records(made, seen, Policy(TOOLS))):
        with pytest.raises(RefusedError) as caught:
            plan(pair.new, fleet.snapshot())
        error = caught.value
        assert (error.code, error.place) == ("volume-renamed", "compose.yaml:7")
        assert "brand_new" in error.message
        assert DATA in error.message
        assert f"name: {DATA}" in error.hint


def test_another_volume_under_a_key_of_its_own_is_made_and_mounted() -> None:
    pair = releases(data=DATA, fresh="brand_new")
    fresh = tuple(
        replace(s, mounts=tuple(replace(m, source="fresh") for m in s.mounts))
        for s in pair.new.spec.services
    )
    new = replace(pair.new, spec=replace(pair.new.spec, services=fresh))
    fleet = deployed(Pair(pair.old, new).fleet(), pair.old)
    steps = list(planned(new, fleet.snapshot()).steps())
    assert [s.volume.physical for s in steps if isinstance(s, CreateVolume)] == ["brand_new"]
    mounted = {
        m.source for s in steps if isinstance(s, CreateContainer) for m in s.container.mounts
    }
    assert "brand_new" in mounted
    converge(fleet, new, DEPLOY)


def test_a_first_deploy_and_what_goes_back_are_never_refused() -> None:
    pair = releases(data="brand_new")
    assert not planned(pair.new, pair.fleet().snapshot()).is_empty
    fleet = deployed(pair.fleet(), pair.new)
    for policy in (UNDO, ROLLBACK):
        steps = planned(pair.old, fleet.snapshot(), policy).steps()
        assert not [s for s in steps if isinstance(s, CreateVolume)]


def test_data_that_was_bound_to_another_volume_stays_there_without_a_word() -> None:
    """Bindings are recorded apart from releases: the file says the same as it did."""
    pair = releases(data=DATA)
    fleet = deployed(pair.fleet(), pair.old)
    for host in fleet.hosts.values():
        assert host.ledger is not None
        host.ledger = replace(host.ledger, bindings=(Binding("data", "restored"),))
    assert planned(pair.new, fleet.snapshot()).stages
    assert planned(volumes(pair.new, data="restored"), fleet.snapshot()).stages
