"""`before` runs once for its release, again only after its `undo`, and never two at once."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import pytest

from tests.fakes.simulation import Simulation
from tests.property.fleets import Pair, hosts, proxied, release, with_secret
from tests.property.voyage import (
    DEPLOY,
    ROLLBACK,
    TOOLS,
    UNDO,
    converge,
    deployed,
    in_turns,
    planned,
    sail,
)
from underway.model.names import HostName
from underway.model.release import Release
from underway.model.snapshot import Role
from underway.model.spec import BeforeSpec
from underway.model.step import (
    AwaitContainer,
    AwaitedState,
    AwaitServers,
    StartContainer,
    Step,
)
from underway.rollout.scene import Policy

TWO = hosts(2)
APP1 = HostName("app1")
MIGRATES = BeforeSpec(("migrate",), timeout_s=120.0, undo=("migrate", "down"))


def releases(before: BeforeSpec = MIGRATES) -> Pair:
    web = with_secret(proxied("web", TWO, replicas=2, before=before))
    return Pair(release(1, (web,), TWO), release(2, (web,), TWO, value="s2"))


@dataclass(slots=True)
class Schema:
    """The release the data suits, by the commands that ran; `runs` counts them by name."""

    version: int = 0
    runs: dict[str, int] = field(default_factory=dict)

    def fork(self) -> "Schema":
        return Schema(self.version, dict(self.runs))

    def see(self, fleet: Simulation, step: Step) -> None:
        """Note a command that starts now."""
        if not isinstance(step, StartContainer):
            return
        box = fleet.hosts[step.host].boxes[step.container]
        if box.role != Role.BEFORE or box.is_running:
            return
        kind, _, number = box.name.rpartition("-")
        self.version = int(number) - (1 if kind.endswith("undo") else 0)
        self.runs[box.name] = self.runs.get(box.name, 0) + 1

    def walk(self, fleet: Simulation, steps: Iterable[Step]) -> None:
        """Apply steps and note commands."""
        for step in steps:
            self.see(fleet, step)
            fleet.apply(step)
            assert not fleet.violations


def way_back(pair: Pair, fleet: Simulation) -> Policy:
    """The policy of a rollback: what the current release's `before` did is taken back."""
    ledger = fleet.hosts[APP1].ledger
    is_newer = ledger is not None and ledger.current == pair.new.number
    return Policy(TOOLS, runs_before=False, reverts=(pair.new,) if is_newer else ())


def test_a_failed_deploy_does_not_repeat_it_when_it_is_tried_again():
    pair = releases()
    fleet, schema = deployed(pair.fleet(), pair.old), Schema()
    for step in planned(pair.new, fleet.snapshot()).steps():
        if isinstance(step, AwaitServers):
            break
        schema.walk(fleet, [step])
    converge(fleet, pair.old, UNDO)
    schema.walk(fleet, planned(pair.new, fleet.snapshot()).steps())
    assert schema.runs == {"libra-web-before-2": 1}


def test_deploying_an_older_release_and_the_newer_one_again_repeats_neither():
    pair = releases()
    fleet, schema = pair.fleet(), Schema()
    for target in (pair.old, pair.new, pair.old, pair.new):
        schema.walk(fleet, planned(target, fleet.snapshot()).steps())
        fleet.settle()
        assert planned(target, fleet.snapshot()).is_empty
    assert schema.runs == {"libra-web-before-1": 1, "libra-web-before-2": 1}


def test_its_record_goes_with_the_record_of_its_release():
    pair = releases()
    fleet = deployed(deployed(pair.fleet(), pair.old), pair.new)
    assert "libra-web-before-1" in fleet.hosts[APP1].boxes
    for host in fleet.hosts.values():
        assert host.ledger is not None
        host.ledger = replace(host.ledger, releases=host.ledger.releases[1:])
    sail(fleet, planned(pair.new, fleet.snapshot()))
    assert set(fleet.hosts[APP1].boxes) & {"libra-web-before-1", "libra-web-before-2"} == {
        "libra-web-before-2"
    }


def test_one_that_failed_is_no_record():
    pair = releases()
    fleet = deployed(pair.fleet(), pair.old)
    fleet.failing_before = {pair.new.images[0].image.config_digest}
    with pytest.raises(Exception, match="before-2"):
        sail(fleet, planned(pair.new, fleet.snapshot()))
    converge(fleet, pair.old, UNDO)
    assert "libra-web-before-2" not in fleet.hosts[APP1].boxes


def ended(fleet: Simulation, schema: Schema, target: Release, policy: Policy) -> Schema:
    """What the data suits once a run ended, and that nothing is left to do then."""
    seen = schema.fork()
    seen.walk(fleet, planned(target, fleet.snapshot(), policy).steps())
    fleet.settle()
    later = replace(policy, reverts=())
    seen.walk(fleet, planned(target, fleet.snapshot(), later).steps())
    assert planned(target, fleet.snapshot(), later).is_empty
    return seen


def test_the_data_suits_what_runs_wherever_a_rollback_and_a_deploy_after_it_are_killed():
    """Each command's record tells the truth between any two steps."""
    pair = releases()
    start = deployed(deployed(pair.fleet(), pair.old), pair.new)
    back = in_turns(planned(pair.old, start.snapshot(), way_back(pair, start)))
    for first in range(len(back) + 1):
        halfway, schema = start.fork(), Schema(2)
        schema.walk(halfway, back[:first])
        for is_settled in (False, True):
            fleet = halfway.fork()
            if is_settled:
                fleet.settle()
            policy = way_back(pair, fleet)
            assert ended(fleet.fork(), schema, pair.old, policy).version == 1
            assert ended(fleet.fork(), schema, pair.new, DEPLOY).version == 2
            again = in_turns(planned(pair.new, fleet.snapshot(), DEPLOY))
            for second in range(first % 3, len(again) + 1, 3):
                state, seen = fleet.fork(), schema.fork()
                seen.walk(state, again[:second])
                policy = way_back(pair, state)
                if seen.version == 2 and not policy.reverts:
                    continue
                assert ended(state, seen, pair.old, policy).version == 1, (first, second)


def test_one_of_another_release_that_still_runs_has_to_end_first():
    pair = releases()
    fleet = deployed(pair.fleet(), pair.old)
    for step in planned(pair.new, fleet.snapshot()).steps():
        fleet.apply(step)
        if isinstance(step, StartContainer) and "before" in step.container:
            break
    third = replace(release(3, pair.new.spec.services, TWO, value="s3"))
    fleet.releases[third.number] = third
    for policy in (UNDO, ROLLBACK):
        converge(fleet.fork(), pair.old, policy)
    steps = list(planned(third, fleet.snapshot()).steps())
    waits = [s for s in steps if isinstance(s, AwaitContainer) and s.until is AwaitedState.ENDED]
    assert [(s.container, s.timeout_s) for s in waits] == [("libra-web-before-2", 120.0)]
    sail(fleet, planned(third, fleet.snapshot()))
