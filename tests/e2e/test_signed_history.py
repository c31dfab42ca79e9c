"""On a real host: records that this machine does not know, and records that nobody signed.

What is written past Underway stands for somebody who is root on the host and has no key.
"""

from dataclasses import replace

import pytest
import yaml

from tests.e2e.client import Client, Done
from tests.e2e.project import APP, Project, Wish

KEY = "a-key-of-the-team-that-nobody-guesses"
ANCHOR = f"underway-anchor-{APP}"


def sign(project: Project, wish: Wish) -> None:
    """Make the file say `wish`, and that records are signed."""
    project.write(wish)
    path = project.directory / "compose.yaml"
    said = yaml.safe_load(path.read_text())
    said.setdefault("x-underway", {})["signing"] = {"key": {"variable": "TEAM_KEY"}}
    path.write_text(yaml.safe_dump(said, allow_unicode=True, sort_keys=False))


def on_disk(project: Project, script: str) -> str:
    return project.fleet.docker("h1", "exec", ANCHOR, "sh", "-c", f"cd /ledger/records; {script}")


def refused(done: Done, code: str) -> None:
    done.expect(7)
    assert f"error[{code}]" in done.err, done
    assert KEY not in f"{done.err}{done.out}"


def told(client: Client, code: str) -> None:
    """Looking goes on, and says it."""
    for command in ("status", "history"):
        done = client.run(command).expect(0)
        assert done.out
        assert code in f"{done.err}{done.out}" or "machine knows" in done.err, done


@pytest.mark.exhaustive
@pytest.mark.lab(hosts=1)
def test_a_history_that_this_machine_does_not_know_is_refused_until_it_is_accepted(
    project: Project,
) -> None:
    project.deploy(Wish("v1")).expect(0)
    project.deploy(Wish("v2")).expect(0)
    kim, lee = project.client, project.elsewhere("lee")
    lee.run("remove", "--yes").expect(0)
    refused(kim.run("deploy"), "history-unknown")
    lee.run("deploy").expect(0)
    refused(kim.run("deploy"), "history-unknown")
    told(kim, "history-unknown")
    kim.run("deploy", "--accept-history").expect(0)
    kim.run("deploy").expect(0)
    kim.run("remove", "--yes").expect(0)
    kim.run("deploy").expect(0)
    on_disk(project, "ls | tail -n 1 | xargs rm")
    refused(kim.run("rollback", "1"), "history-unknown")
    project.sight.expect_settled(Wish("v2"))


@pytest.mark.exhaustive
@pytest.mark.lab(hosts=1)
def test_a_record_that_the_team_did_not_sign_is_refused(project: Project) -> None:
    wish = Wish("v1")
    project.deploy(wish).expect(0)
    project.extra["TEAM_KEY"] = KEY
    sign(project, wish)
    kim, ci = project.client, project.elsewhere("ci")
    refused(kim.run("deploy"), "record-unsigned")
    kim.run("deploy", "--accept-history").expect(0)
    ci.run("deploy").expect(0)
    sign(project, replace(wish, version="v2"))
    project.client.run("deploy").expect(0)
    assert KEY not in on_disk(project, "cat *")

    bare = project.elsewhere("bare")
    without = Client(bare.directory, bare.home, {**bare.environment, "TEAM_KEY": ""})
    without.run("rollback").expect(3)
    assert "signatures of records are not checked" in without.run("status").expect(0).err
    on_disk(project, 'f=$(ls | tail -n 1); sed -i \'s/,"signature":"[0-9a-f]*"//\' $f')
    refused(project.client.run("rollback"), "record-unsigned")
    fresh = project.elsewhere("fresh")
    refused(fresh.run("rollback"), "record-unsigned")
    project.sight.expect_settled(replace(wish, version="v2"))
    project.client.run("rollback", "--accept-history").expect(0)
    fresh.run("status").expect(0)
    project.sight.expect_settled(wish)
