"""A part of a release, by service or by host: the rest is not touched, and nothing is lost."""

from collections import Counter

import pytest

from tests.e2e.project import BRISK, GENTLE, Project, Wish

PARALLEL = {"parallelism": 0}


def ids(project: Project, service: str) -> set[str]:
    return {replica.id for replica in project.sight.replicas(service)}


def by_host(project: Project) -> dict[str, set[str]]:
    """The versions of `web` that run on each host."""
    found: dict[str, set[str]] = {}
    for replica in project.sight.replicas():
        found.setdefault(replica.host, set()).add(replica.version)
    return found


@pytest.mark.lab(hosts=1)
def test_a_service_is_deployed_alone_and_the_others_are_not_touched(project: Project) -> None:
    first = Wish("v1", update=PARALLEL, worker={})
    project.deploy(first).expect(0)
    workers = ids(project, "worker")
    second = Wish("v2", update=PARALLEL, worker={"environment": {"COLOR": "green"}})
    project.write(second)
    with project.load(profile=BRISK) as load:
        done = project.client.run("deploy", "--only", "web").expect(0)
        load.stop().check()
    assert "worker is left as release 1 has it" in done.err
    assert ids(project, "worker") == workers
    project.sight.expect_answers(second)
    assert project.client.run("deploy", "--only", "web").expect(0).out.startswith("nothing to do")
    back = project.client.run("rollback", "--only", "web").expect(0)
    assert "release 3" in back.out
    assert ids(project, "worker") == workers
    project.client.run("status").expect(0)


@pytest.mark.exhaustive
@pytest.mark.lab(hosts=3)
def test_hosts_get_a_release_one_after_another_and_a_failure_goes_back_to_both(
    project: Project,
) -> None:
    first, second = (Wish(v, replicas=3, worker={"deploy": {"replicas": 3}}) for v in ("v1", "v2"))
    project.deploy(first).expect(0)
    before = {(r.host, r.id) for r in project.sight.replicas()}
    project.write(second)
    with project.load(GENTLE) as load:
        project.client.run("deploy", "--limit", "h1").expect(0)
        assert by_host(project) == {"h1": {"v2"}, "h2": {"v1"}, "h3": {"v1"}}
        kept = {(r.host, r.id) for r in project.sight.replicas() if r.host != "h1"}
        assert kept == {one for one in before if one[0] != "h1"}
        told = project.client.run("status", "--json").expect(0).document()
        assert told["limit"] == {"hosts": ["h1"], "others": 1}
        assert not told["drift"]
        for host, version in (("h1", "v2"), ("h2", "v1")):
            words = ("run", "-T", "--host", host, "--entrypoint", "printenv", "web")
            assert project.client.run(*words, "BEACON_VERSION").expect(0).out.strip() == version
        for seen in project.sight.versions(12).values():
            assert set(seen) == {"v1", "v2"}
        assert project.client.run("deploy", "--limit", "h1").expect(0).out.startswith("nothing")

        victim = next(r for r in project.sight.replicas() if r.host == "h2")
        mended = project.elsewhere()
        load.stop().check()
    project.fleet.docker("h2", "rm", "--force", victim.id)
    mended.run("repair").expect(0)
    assert by_host(project) == {"h1": {"v2"}, "h2": {"v1"}, "h3": {"v1"}}

    with project.load(GENTLE) as load:
        project.client.run("scale", "web=6").expect(0)
        assert Counter(r.version for r in project.sight.replicas()) == {"v1": 4, "v2": 2}
        project.client.run("scale", "web=3").expect(0)
        project.client.run("deploy", "--limit", "h2").expect(0)
        assert by_host(project) == {"h1": {"v2"}, "h2": {"v2"}, "h3": {"v1"}}
        project.client.run("deploy").expect(0)
        project.sight.expect_settled(second)
        load.stop().check()


@pytest.mark.exhaustive
@pytest.mark.lab(hosts=3)
def test_a_limited_release_that_fails_or_is_taken_back_loses_nothing(project: Project) -> None:
    first = Wish("v1", replicas=3)
    project.deploy(first).expect(0)
    before = {(r.host, r.id) for r in project.sight.replicas()}
    with project.load(GENTLE) as load:
        project.deploy(Wish("v2", replicas=3, fail="crash-at-start"), "--limit", "h2").expect(10)
        assert {(r.host, r.id) for r in project.sight.replicas()} == before
        project.deploy(Wish("v3", replicas=3), "--limit", "h2").expect(0)
        assert by_host(project) == {"h1": {"v1"}, "h2": {"v3"}, "h3": {"v1"}}
        project.deploy(Wish("v4", replicas=3), "--limit", "h1").expect(4)
        project.write(first)
        project.elsewhere().run("rollback").expect(0)
        project.sight.expect_settled(first)
        load.stop().check()
