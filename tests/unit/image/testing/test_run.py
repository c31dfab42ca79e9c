"""A suite ends with the right verdict, whatever happens, and nothing of it stays."""

from dataclasses import replace

import pytest

from tests.fakes.containers import Behaviour
from tests.unit.image.testing.scene import SUITE, Scene, ended, said, with_service
from underway.errors import UnreachableError
from underway.model.container import ContainerRequest
from underway.model.names import (
    LABEL_ROLE,
    LABEL_RUN,
    LABEL_SINCE,
    LABEL_TEST,
    ContainerName,
    NetworkName,
    VolumeName,
)
from underway.model.snapshot import ContainerStatus, Health
from underway.model.spec import NetworkSpec, VolumeSpec
from underway.model.testing import SuiteOutcome

DONE = "Result: SUCCESS!"
ANCHORED = replace(SUITE, last_line=DONE)


def test_what_passes_passes():
    scene = Scene({"suite": ended(0, "3 tests", DONE)})
    result = scene.one(ANCHORED)
    assert (result.outcome, result.exit_code, result.logs) == (SuiteOutcome.PASSED, 0, "/logs")
    assert scene.output() == ["3 tests", DONE]
    assert scene.left() == []


@pytest.mark.parametrize(
    ("behaviour", "outcome", "code"),
    [
        (ended(1, DONE), SuiteOutcome.FAILED, "test-failed"),
        (ended(0, DONE, "1 failed"), SuiteOutcome.NO_LAST_LINE, "test-last-line"),
        (ended(3, DONE, "1 failed"), SuiteOutcome.FAILED, "test-failed"),
        (ended(0), SuiteOutcome.NO_LAST_LINE, "test-last-line"),
        (Behaviour(output=said("waiting")), SuiteOutcome.TIMEOUT, "test-timeout"),
    ],
)
def test_a_failure_is_told_and_leaves_nothing(
    behaviour: Behaviour, outcome: SuiteOutcome, code: str
):
    scene = Scene({"suite": behaviour})
    result = scene.one(ANCHORED)
    assert (result.outcome, result.code) == (outcome, code)
    assert result.detail == tuple(line.text for line in behaviour.output)
    assert scene.left() == []


@pytest.mark.parametrize(
    ("database", "message"),
    [
        (Behaviour(health=Health.STARTING, checks=("status 1: no",)), "did not get healthy"),
        (Behaviour(health=Health.UNHEALTHY, checks=("status 1: no",)), "did not get healthy"),
        (replace(ended(2, "no disk"), checks=("status 1: no",)), "ended with status 2"),
    ],
)
def test_a_need_that_does_not_get_ready_is_told_with_its_health(database: Behaviour, message: str):
    scene = Scene({"db": database, "suite": ended(0)})
    result = scene.one()
    assert result.outcome is SuiteOutcome.NEED_FAILED
    assert message in result.message
    assert "db health check: status 1: no" in result.detail
    assert not scene.output(), "the suite never ran"
    assert scene.left() == []


def test_an_interruption_ends_what_runs_and_leaves_nothing():
    scene = Scene({"suite": Behaviour()})
    scene.cancel.set()
    assert scene.one().code == "interrupted"
    assert scene.left() == []


CALLS = ("create_network", "create_volume", "write_files", "create", "start", "container", "logs")


@pytest.mark.parametrize("is_late", [False, True])
@pytest.mark.parametrize("method", CALLS)
def test_a_call_that_fails_leaves_nothing(method: str, *, is_late: bool):
    error = UnreachableError("host-unreachable", "the engine does not answer")
    scene = Scene({"suite": ended(0)})
    faults = scene.engine.faults
    scene.once_marked = lambda: (faults.after if is_late else faults.before).update({method: error})
    result = scene.one()
    assert result.outcome is (SuiteOutcome.PASSED if method == "logs" else SuiteOutcome.BROKEN)
    assert scene.left() == []


@pytest.mark.parametrize("method", ["remove", "remove_network", "remove_volume"])
def test_what_could_not_be_removed_is_told_and_goes_with_the_next_run(method: str):
    error = UnreachableError("host-unreachable", "the engine does not answer")
    scene = Scene({"suite": ended(0)})
    scene.once_marked = lambda: scene.engine.faults.before.update({method: error})
    assert scene.one().outcome is SuiteOutcome.PASSED
    assert scene.left()
    assert "stays until the next run" in scene.notes()["test-left"]
    scene.once_marked = lambda: None
    scene.one()
    assert scene.left() == []


def test_sensitive_values_show_nowhere():
    lines = said("password: open sesame", "first line", "<second line>")
    scene = Scene({"suite": Behaviour(ContainerStatus.EXITED, 1, output=lines)})
    result = scene.one()
    shown = "\n".join((*result.detail, *scene.output(), *(text for *_, text in scene.kept.lines)))
    assert shown.count("***") == 9
    for value in ("open sesame", "first line", "second line"):
        assert value not in shown
        assert value not in repr(scene.events)


def test_suites_do_not_share_anything():
    seen = {}

    def behave(request: ContainerRequest) -> Behaviour:
        seen[request.name] = request
        return ended(0) if request.name.endswith("suite") else Behaviour()

    scene = Scene()
    scene.engine.behave = behave
    results = scene.run(SUITE, replace(SUITE, name="slow"))
    assert [result.suite for result in results] == ["web", "slow"]
    assert all(result.outcome is SuiteOutcome.PASSED for result in results)
    of_web, of_slow = (
        {m.source for n, r in seen.items() if f"-{name}-" in n for m in r.mounts if m.source}
        for name in ("web", "slow")
    )
    assert of_web & of_slow == {"/etc/ssl"}
    assert scene.left() == []


def test_what_writes_to_the_host_gets_a_fresh_volume_and_that_is_said():
    scene = Scene({"suite": ended(0)})
    scene.one()
    assert "/srv/data" in scene.notes()["test-bind-replaced"]


def test_a_service_without_health_check_must_run_a_moment():
    scene = Scene({"suite": ended(0)})
    spec = with_service()
    spec = replace(spec, services=(replace(spec.services[0], health=None), spec.services[1]))
    began = scene.clock.monotonic()
    (result,) = scene.run(spec=spec)
    assert result.outcome is SuiteOutcome.PASSED
    assert scene.clock.monotonic() - began >= 2


def leave(scene: Scene, run: str) -> list[str]:
    """What a client left that was killed: containers, a network, a volume."""
    labels = {LABEL_TEST: "libra", LABEL_ROLE: "test", LABEL_RUN: run}
    name = ContainerName(f"libra-test-{run}-web-db")
    scene.engine.create(
        ContainerRequest(name, "sha256:db", labels=tuple(sorted(labels.items()))), {}
    )
    scene.engine.start(name)
    network = NetworkSpec(NetworkName("x"), f"libra-test-{run}-web")
    scene.engine.create_network(network, labels)
    volume = VolumeSpec(VolumeName("x"), f"libra-test-{run}-web-volume-pgdata")
    scene.engine.create_volume(volume, labels)
    return [name, network.physical, volume.physical]


def test_what_a_dead_client_left_is_removed_by_the_next_run():
    scene = Scene({"suite": ended(0)})
    leave(scene, "dead")
    scene.one()
    assert scene.left() == []
    assert "run dead" in scene.notes()["test-leftovers"]


def test_what_another_client_is_at_is_left_alone():
    scene = Scene({"suite": ended(0)})
    theirs = leave(scene, "live")
    labels = {
        LABEL_TEST: "libra", LABEL_ROLE: "test", LABEL_RUN: "live", LABEL_SINCE: "2026-01-01",
    }  # fmt: skip
    mark = ContainerName("libra-test-live")
    scene.engine.create(
        ContainerRequest(mark, "sha256:tools", labels=tuple(sorted(labels.items()))), {}
    )
    scene.engine.start(mark)
    scene.one()
    assert sorted(scene.left()) == sorted([*theirs, mark])
