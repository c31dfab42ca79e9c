"""What `before` did is taken back by its `undo` when a release is rolled back."""

from tests.property.fleets import Pair, database, hosts, proxied, release, with_secret
from tests.property.voyage import DEPLOY, TOOLS, deployed, in_turns, interrupted, planned, sail
from underway.model.names import ContainerName
from underway.model.snapshot import ContainerStatus
from underway.model.spec import BeforeSpec
from underway.model.step import AwaitContainer, CreateContainer, SetCurrent, StopContainer
from underway.rollout.scene import Policy

TWO = hosts(2)
BEFORE = BeforeSpec(("migrate",), undo=("migrate", "down"))
NAME = ContainerName("libra-web-undo-2")


def releases() -> Pair:
    web = with_secret(proxied("web", TWO, replicas=2, before=BEFORE))
    made = (web, database(TWO))
    return Pair(release(1, made, TWO), release(2, made, TWO, value="s2"))


def way_back(pair: Pair) -> Policy:
    return Policy(TOOLS, runs_before=False, reverts=(pair.new,))


def test_it_runs_once_from_the_newer_image_when_nothing_newer_is_left():
    pair = releases()
    fleet = deployed(deployed(pair.fleet(), pair.old), pair.new)
    steps = in_turns(planned(pair.old, fleet.snapshot(), way_back(pair)))
    made = [s for s in steps if isinstance(s, CreateContainer) and s.container.name == NAME]
    assert [s.container.command for s in made] == [("migrate", "down")]
    assert (
        made[0].container.image == pair.new.image_of(pair.new.spec.services[1].name).config_digest
    )
    place = steps.index(made[0])
    assert not any(isinstance(step, StopContainer) for step in steps[place:])
    recorded = [n for n, step in enumerate(steps) if isinstance(step, SetCurrent)]
    assert min(recorded) > place


def test_its_container_is_its_record_and_goes_with_the_next_release():
    pair = releases()
    fleet = deployed(deployed(pair.fleet(), pair.old), pair.new)
    plan = planned(pair.old, fleet.snapshot(), way_back(pair))
    states = list(interrupted(fleet, in_turns(plan)))
    for where, state in states:
        again = planned(pair.old, state.snapshot(), way_back(pair))
        runs = [s for s in again.steps() if isinstance(s, AwaitContainer) and s.container == NAME]
        boxes = [host.boxes[NAME] for host in state.hosts.values() if NAME in host.boxes]
        is_done = any(box.status is ContainerStatus.EXITED for box in boxes)
        assert not (runs and is_done), where
        sail(state, again)
    assert planned(pair.old, states[-1][1].snapshot(), DEPLOY).is_empty


def test_without_undo_nothing_of_it_is_planned():
    web = proxied("web", TWO, replicas=2, before=BeforeSpec(("migrate",)))
    pair = Pair(release(1, (web,), TWO), release(2, (web,), TWO, value="s2"))
    fleet = deployed(deployed(pair.fleet(), pair.old), pair.new)
    steps = in_turns(planned(pair.old, fleet.snapshot(), way_back(pair)))
    assert not any(isinstance(s, CreateContainer) and "undo" in s.container.name for s in steps)
