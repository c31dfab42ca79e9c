"""Following logs goes on across a replacement, and ends when its user ends it."""

from pathlib import Path

import pytest

from tests.e2e.client import eventually
from tests.e2e.project import Project, Wish


@pytest.mark.lab(hosts=1)
def test_following_goes_on_with_the_successors_until_ctrl_c(project: Project) -> None:
    project.deploy(Wish("v1")).expect(0)
    old = {replica.name for replica in project.sight.replicas()}
    home = project.client.home
    with project.client.running("logs", "-f", "web") as following:
        out = max(home.glob("run-*.out"), key=lambda path: int(path.stem.removeprefix("run-")))

        def told() -> set[str]:
            lines = Path(out).read_text(errors="replace").splitlines()
            return {line.partition(" | ")[0] for line in lines if " | " in line}

        eventually(lambda: old <= told(), "the lines of all replicas")
        project.deploy(Wish("v2")).expect(0)
        new = {replica.name for replica in project.sight.replicas()}
        assert not new & old, "the replicas were replaced"
        eventually(lambda: new <= told(), "the lines of their successors")
        assert not following.is_over, "it goes on"
        following.interrupt()
        done = following.wait(30)
    done.expect(0)
    assert told() == old | new, "each under its own name, also while it retires"
