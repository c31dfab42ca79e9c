"""Replacing what serves, by every strategy, at 200 requests/s of all kinds: nothing is lost."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest

from lab.load import Outcome
from tests.e2e.course import FULL, Course
from tests.e2e.passers_by import passers_by
from tests.e2e.project import Project, Wish
from tests.e2e.sight import identities

Identities = set[tuple[str, str, str, int]]

WORKER: Final = {"labels": {"team": "sea"}}
FIRST: Final = {
    "blue-green": Wish("v1", strategy="blue-green", worker=WORKER),
    "rolling": Wish("v1", strategy="rolling", worker=WORKER),
    "rolling in pairs": Wish(
        "v1", strategy="rolling", replicas=4, update={"parallelism": 2}, worker=WORKER
    ),
    "recreate one by one": Wish(
        "v1", strategy="recreate", update={"parallelism": 1}, worker=WORKER
    ),
}
EVERYWHERE: Final = tuple(
    pytest.param(
        hosts,
        base,
        id=f"{hosts} hosts, engine {engine}, {base}",
        marks=pytest.mark.lab(hosts=hosts, engine=engine),
    )
    for hosts, engine, base in itertools.product(
        (1, 3), ("26", "20"), ("tools-base", "tools-base-2")
    )
)


def kept(project: Project, act: Callable[[], object]) -> tuple[Identities, Identities]:
    """The replicas of web and of worker that `act` left alone."""
    before = identities(project.sight.replicas()), identities(project.sight.replicas("worker"))
    act()
    after = identities(project.sight.replicas()), identities(project.sight.replicas("worker"))
    return before[0] & after[0], before[1] & after[1]


def change_versions(course: Course, first: Wish) -> None:
    """v1, v2, v3, and back."""
    for version in ("v2", "v3"):
        course.to(replace(first, version=version))
    course.run("rollback")
    course.project.sight.expect_settled(replace(first, version="v2"))


def change_parts(course: Course, first: Wish) -> None:
    """An environment, a label, more replicas, fewer, the first release again, all made anew."""
    project = course.project
    wish = replace(first, environment={"BEACON_COLOUR": "bleu d'outre-mer"})
    web, workers = kept(project, lambda: course.to(wish))
    assert not web, "a changed environment replaces every replica of its service"
    assert workers, "a changed environment touches no other service"
    wish = replace(wish, worker={"labels": {"team": "shore"}})
    web, workers = kept(project, lambda: course.to(wish))
    assert len(web) == first.replicas, "a changed label touches no other service"
    assert not workers, "a changed label replaces the service that bears it"
    web, workers = kept(project, lambda: course.to(replace(wish, replicas=first.replicas + 2)))
    assert len(web) == first.replicas, "scaling up leaves what runs alone"
    assert workers
    fewer = first.replicas if first.strategy == "recreate" else 1
    web, workers = kept(project, lambda: course.to(replace(wish, replicas=fewer)))
    assert len(web) == fewer, "scaling down leaves alone what stays"
    project.sight.expect_settled(replace(wish, replicas=fewer))
    course.run("rollback", "1")
    project.sight.expect_settled(first)
    web, workers = kept(project, lambda: course.run("deploy", "1", "--recreate"))
    assert not web | workers, "--recreate replaces what is as wished"
    project.sight.expect_settled(first)


def replace_under_load(
    project: Project, first: Wish, *parts: Callable[[Course, Wish], None]
) -> None:
    project.deploy(first).expect(0)
    with project.load(FULL) as load:
        course = Course(project, load)
        course.begin()
        for part in parts:
            part(course, first)
        course.finish()
    project.client.run("status").expect(0)


@pytest.mark.lab(hosts=1)
def test_5_9_one_host_every_change_replaces_exactly_that_and_loses_nothing(
    project: Project,
) -> None:
    replace_under_load(project, FIRST["rolling"], change_parts)


@pytest.mark.lab(hosts=3)
def test_22_three_hosts_versions_come_and_go_and_lose_nothing(project: Project) -> None:
    replace_under_load(project, FIRST["blue-green"], change_versions)


@pytest.mark.lab(hosts=1, engine="20")
def test_oldest_engine_and_proxy_replace_in_pairs_and_lose_nothing(project: Project) -> None:
    project.extra["UNDERWAY_TOOLS_BASE"] = project.fleet.laboratory.images["tools-base-2"]
    replace_under_load(project, FIRST["rolling in pairs"], change_versions)
    assert "version 2.6" in edge_version(project)


@pytest.mark.exhaustive
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("strategy", FIRST)
@pytest.mark.parametrize(("hosts", "base"), EVERYWHERE)
def test_every_change_by_every_strategy_everywhere_loses_nothing(
    project: Project, hosts: int, base: str, strategy: str
) -> None:
    assert len(project.fleet.laboratory.hosts) == hosts
    project.extra["UNDERWAY_TOOLS_BASE"] = project.fleet.laboratory.images[base]
    replace_under_load(project, FIRST[strategy], change_parts, change_versions)
    assert f"version {'2.6' if base == 'tools-base-2' else '3.'}" in edge_version(project)


def edge_version(project: Project) -> str:
    return project.fleet.docker("h1", "exec", "underway-edge", "haproxy", "-v")


@pytest.mark.lab(hosts=1)
def test_recreate_loses_only_inside_the_gap_it_declares(project: Project) -> None:
    """With one batch the old must stop before the new can start: said, asked, and nothing else."""
    first = Wish("v1", strategy="recreate", update={"parallelism": 0})
    project.deploy(first).expect(0)
    second = replace(first, version="v2")
    with project.load(FULL) as load:
        Course(project, load).begin()
        refused = project.deploy(second).expect(4)
        assert "interrupts web" in refused.err
        assert load.snapshot().lost == 0, "a refused deploy changes nothing"
        began_s = load.snapshot().elapsed_s
        with project.client.running("deploy", "--allow-interruption") as client:
            while "Drain web" not in client.err:
                began_s = load.snapshot().elapsed_s
                assert not client.is_over, client.err
            client.await_told("Confirm web")
            client.wait().expect(0)
            ended_s = load.snapshot().elapsed_s
        load.expect("v2")
        seen = load.snapshot().requests
        load.wait_until(lambda now: now.requests > seen + 600, timeout_s=60, what="load afterwards")
        result = load.stop()
    assert result.lost, "an interruption that nobody notices needs no warning"
    assert result.count(Outcome.CUT) == 0, "sockets get their goodbye even so"
    outside = [i for i in result.incidents if not began_s <= i.at_s + i.took_s or i.at_s > ended_s]
    assert not outside, "\n".join(map(str, outside))
    project.sight.expect_settled(second)


@pytest.mark.lab(hosts=3)
def test_neighbours_that_reload_the_edges_at_every_step_cost_nothing(project: Project) -> None:
    """One app arrives, another changes at each step of this app's deploy, the first one leaves."""
    first = replace(FIRST["blue-green"], worker=None)
    project.deploy(first).expect(0)
    second = replace(first, version="v2")
    neighbour = project.neighbour()
    with project.load(FULL) as load, passers_by(project) as others:
        Course(project, load).begin()
        neighbour.deploy(Wish("v1")).expect(0)
        project.write(second)
        with project.client.running("deploy") as client:
            others.at_every_step(client)
            client.wait().expect(0)
        load.expect("v2")
        neighbour.deploy(Wish("v1", proxy={"health": "/up?again"})).expect(0)
        neighbour.sight.expect_settled(Wish("v1"))
        neighbour.client.run("remove", "--yes").expect(0)
        neighbour.sight.expect_nothing()
        result = load.stop()
    assert others.reloads > 10, "a deploy has more steps than that"
    result.check()
    project.sight.expect_settled(second)
