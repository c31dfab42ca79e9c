"""Scaled, restarted, stopped and started: nothing is lost but what was said; it is remembered."""

from collections import Counter
from dataclasses import replace

import pytest

from tests.e2e.project import BRISK, GENTLE, Project, Wish

MIX = replace(GENTLE, slow_s=1)


def services(project: Project) -> dict[str, dict[str, object]]:
    told = project.client.run("status", "--json").expect(0).document()
    return {service["name"]: service for service in told["services"]}


@pytest.mark.lab(hosts=1)
def test_scaling_and_restarting_lose_nothing_and_a_stop_is_remembered(project: Project) -> None:
    wish = Wish("v1", update={"parallelism": 0}, worker={})
    project.deploy(wish).expect(0)
    with project.load(MIX, profile=BRISK) as load:
        project.client.run("scale", "web=4").expect(0)
        project.sight.expect_answers(replace(wish, replicas=4))
        assert services(project)["web"]["instead_of"] == 2
        first = {r.name for r in project.sight.replicas()}
        workers = {r.id for r in project.sight.replicas("worker")}
        assert (len(first), len(workers)) == (4, 1)
        project.client.run("scale", "web=2").expect(0)
        project.client.run("restart", "web").expect(0)
        second = {r.name for r in project.sight.replicas()}
        assert len(second) == 2
        assert not first & second, "each was replaced"
        assert {r.id for r in project.sight.replicas("worker")} == workers
        load.stop().check()
    assert project.client.run("deploy").expect(0).out.startswith("nothing to do")
    refused = project.client.run("stop", "web").expect(4)
    assert "503" in refused.err
    project.client.run("stop", "web", "--allow-interruption").expect(0)
    assert services(project)["web"]["is_stopped"] is True
    assert project.sight.get("/").status == 503
    kept = project.client.run("deploy").expect(0)
    assert "web is stopped on purpose" in kept.err
    assert not project.sight.replicas()
    project.client.run("start").expect(0)
    project.sight.expect_settled(wish)


@pytest.mark.exhaustive
@pytest.mark.lab(hosts=3)
def test_a_fleet_is_scaled_up_and_down_and_restarted_without_losing_a_request(
    project: Project,
) -> None:
    wish = Wish("v1", replicas=3, update={"parallelism": 1}, worker={"deploy": {"replicas": 2}})
    project.deploy(wish).expect(0)
    workers = {(r.host, r.id) for r in project.sight.replicas("worker")}
    with project.load(MIX, profile=BRISK) as load:
        for count in (6, 2, 7, 3):
            project.client.run("scale", f"web={count}").expect(0)
            spread = Counter(r.host for r in project.sight.replicas())
            assert sum(spread.values()) == count
            assert max(spread.values()) - min(spread[f"h{i}"] for i in (1, 2, 3)) <= 1, spread
            project.sight.expect_answers(replace(wish, replicas=count))
        before = {r.id for r in project.sight.replicas()}
        project.elsewhere().run("restart", "web").expect(0)
        assert not before & {r.id for r in project.sight.replicas()}, "each was replaced"
        assert {(r.host, r.id) for r in project.sight.replicas("worker")} == workers
        load.stop().check()
    project.sight.expect_settled(wish)


@pytest.mark.exhaustive
@pytest.mark.lab(hosts=3)
def test_a_scale_that_a_lost_client_began_is_ended_from_elsewhere(project: Project) -> None:
    wish = Wish("v1", replicas=3)
    project.deploy(wish).expect(0)
    with project.load(MIX, profile=BRISK) as load:
        with project.client.running("scale", "web=6", "--plain") as dying:
            dying.await_told("Start web", timeout_s=120)
            dying.kill()
            dying.wait()
        project.elsewhere().run("scale", "web=6", "--wait", "30s").expect(0)
        project.sight.expect_settled(replace(wish, replicas=6))
        load.stop().check()
