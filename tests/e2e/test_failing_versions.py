"""A version that fails is taken back everywhere, told in plain words, and costs no request.

The first part shares one v1 that serves under load: what one failing version leaves behind, the
next test sees.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from lab.load import Mix
from tests.e2e.client import Done
from tests.e2e.gate import opened_gates
from tests.e2e.project import GENTLE, Project, Wish
from tests.e2e.sight import identities
from tests.laboratories import Fleet, Laboratories, clear

WORKER: Mapping[str, object] = {"deploy": {"replicas": 1, "update_config": {"monitor": "4s"}}}
REPEATABLE = replace(GENTLE, post_per_s=0, upload_per_s=0, websockets=0)
V1 = Wish("v1", strategy="blue-green", worker=WORKER)
V2 = replace(V1, version="v2", proxy={"deploy_timeout": "5s"})
CRASHED_LINE = "RuntimeError: v2 cannot reach its database"
HEALTH = {
    "test": ["CMD", "python3", "/app/beacon.py", "healthy"],
    "interval": "1s",
    "timeout": "1s",
    "retries": 2,
}


@pytest.fixture(scope="module")
def standing(
    laboratory: Laboratories, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    """One host that serves v1; every test leaves it so."""
    lab = laboratory(1)
    clear(lab)
    project = Project(Fleet(lab), tmp_path_factory.mktemp("standing"))
    project.deploy(V1).expect(0)
    yield project
    clear(lab)


def expect_undone(
    project: Project,
    wish: Wish,
    served: Wish,
    *told: str,
    may_serve: bool = False,
    mix: Mix = GENTLE,
) -> Done:
    """Deploy `wish` under load: it fails, and nothing of what served was touched.

    Unless it fails after the cutover (`may_serve`), it never answers a request.
    """
    sight = project.sight
    kept = identities([*sight.replicas(), *sight.replicas("worker")])
    with project.load(mix) as load:
        if not may_serve:
            load.expect(served.version)
        load.wait_until(lambda found: found.requests > 40, what="the load is on")
        done = project.deploy(wish).expect(10)
        load.stop().check()
    for text in told:
        assert text in done.err, done
    assert identities([*sight.replicas(), *sight.replicas("worker")]) == kept
    sight.expect_settled(served)
    return done


def test_02_a_version_that_crashes_at_start_is_told_with_its_last_lines(standing: Project) -> None:
    wish = replace(V2, fail="crash-at-start")
    done = expect_undone(standing, wish, V1, CRASHED_LINE, "replica-crashed", "release 1 serves")
    assert "Traceback" in done.err


def test_02_a_version_that_never_gets_healthy_waits_its_whole_time(standing: Project) -> None:
    wish = replace(V2, fail="never-ready")
    done = expect_undone(standing, wish, V1, "did not pass the check of edge", "HTTP status")
    assert done.took_s > 5


@pytest.mark.exhaustive
def test_12_a_slow_start_ends_its_wait_early(standing: Project) -> None:
    wish = replace(V1, version="v3", fail="ready-after:3", proxy={"deploy_timeout": "120s"})
    with standing.load() as load:
        done = standing.deploy(wish).expect(0)
        assert done.took_s < 60
        standing.sight.expect_settled(wish)
        standing.deploy(V1).expect(0)
        load.stop().check()


@pytest.mark.exhaustive  # it waits a whole minute, as it should
def test_12_starting_is_not_healthy_and_unhealthy_is_not_either(standing: Project) -> None:
    """A worker's HEALTHCHECK that never passes is `starting`, then `unhealthy`, never ready."""
    check = {**HEALTH, "test": ["CMD", "false"], "start_period": "1s"}
    worker = {**WORKER, "healthcheck": check}
    wish = replace(V2, worker=worker)
    expect_undone(standing, wish, V1, "not-healthy", may_serve=True)


@pytest.mark.parametrize("fault", ["fail", "hang"])
def test_16_before_that_fails_or_hangs_touches_no_replica(standing: Project, fault: str) -> None:
    before = {"command": ["migrate"], "timeout": "3s"}
    wish = replace(V2, before=before, environment={"BEACON_MIGRATE": fault})
    code = {"fail": "command-failed", "hang": "command-timeout"}[fault]
    done = expect_undone(standing, wish, V1, code, f"migrating to v2 {fault}")
    assert "did to the data stays" in done.err
    assert "web" in done.err


def test_11_a_worker_that_crashes_in_a_loop_without_healthcheck_is_caught(
    standing: Project,
) -> None:
    worker = {**WORKER, "environment": {"BEACON_FAIL": "crash-loop"}, "restart": "always"}
    wish = replace(V2, worker=worker)
    expect_undone(standing, wish, V1, CRASHED_LINE, "replica-crashed", may_serve=True)


def test_02_a_version_that_crashes_later_never_gets_users(standing: Project) -> None:
    """A generation that takes over as a whole is watched before it does."""
    wish = replace(V2, fail="crash-after:4", update={"monitor": "8s"})
    expect_undone(standing, wish, V1, CRASHED_LINE, "replica-crashed")


def test_02_a_batch_that_crashes_among_its_users_is_taken_back(standing: Project) -> None:
    """What may be sent twice survives even that.

    A body half sent to a process that dies, or a WebSocket on it, is the application's own loss.
    """
    update = {"monitor": "8s", "parallelism": 1}
    wish = replace(V2, fail="crash-after:4", strategy="rolling", update=update)
    told = (CRASHED_LINE, "replica-crashed")
    expect_undone(standing, wish, V1, *told, may_serve=True, mix=REPEATABLE)


def test_a_tag_that_cannot_be_built_changes_nothing(standing: Project) -> None:
    kept = identities(standing.sight.containers())
    (standing.directory / "Dockerfile").rename(standing.directory / "Dockerfile.away")
    try:
        standing.deploy(V2).expect(3, 4, 10)
    finally:
        (standing.directory / "Dockerfile.away").rename(standing.directory / "Dockerfile")
    assert identities(standing.sight.containers()) == kept
    standing.sight.expect_settled(V1)


@pytest.mark.parametrize(
    "wish",
    [
        Wish("v1", fail="crash-at-start"),
        Wish("v1", fail="never-ready", proxy={"deploy_timeout": "3s"}),
        Wish("v1", before={"command": ["migrate"]}, environment={"BEACON_MIGRATE": "fail"}),
    ],
    ids=["crash-at-start", "never-ready", "before"],
)
def test_16_a_first_deploy_that_fails_leaves_nothing(
    fleet: Fleet, tmp_path: Path, wish: Wish
) -> None:
    project = Project(fleet, tmp_path)
    done = project.deploy(wish).expect(10)
    assert "nothing is left running" in done.err, done
    project.sight.expect_nothing()
    project.deploy(replace(wish, version="v2", fail="", environment={})).expect(0)
    project.sight.expect_settled(replace(wish, version="v2", fail="", environment={}))


@pytest.mark.lab(hosts=3)
def test_17_a_version_that_fails_on_one_host_or_edge_leaves_all_on_the_old_one(
    project: Project,
) -> None:
    """One of two edges gets no answer; then host 2 of 3 never gets ready."""
    v1 = Wish("v1", strategy="blue-green", replicas=3)
    project.deploy(v1).expect(0)
    assert {replica.host for replica in project.sight.replicas()} == {"h1", "h2", "h3"}
    v2 = replace(v1, version="v2", proxy={"deploy_timeout": "6s"})
    refused = {"BEACON_REFUSE_FROM": project.fleet.laboratory.hosts[1].address}
    expect_undone(project, replace(v2, environment=refused), v1, "check of edge h2", "HTTP status")
    for strategy, parallelism in (("blue-green", 1), ("rolling", 0)):
        wish = replace(
            v2, strategy=strategy, fail="gate:/tmp/ready", update={"parallelism": parallelism}
        )
        with opened_gates(project, "v2", hosts=("h1", "h3")):
            expect_undone(project, wish, v1, "on h2 did not pass the check", "HTTP status")
