"""Commands in the app's containers: bytes and exit codes pass, and a dead client leaves nothing."""

import subprocess
from collections.abc import Sequence

import pytest

from tests.e2e.client import UNDERWAY, eventually
from tests.e2e.project import Project, Wish

SHELL = ("run", "--entrypoint", "sh", "web", "-c")


def piped(project: Project, said: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """A command to its end, with this input, past any decoding."""
    client = project.client
    return subprocess.run(
        [*UNDERWAY, *arguments],
        cwd=client.directory,
        env={**client.environment, "HOME": str(client.home)},
        input=said,
        capture_output=True,
        timeout=120,
        check=False,
    )


def one_offs(project: Project) -> Sequence[str]:
    listing = ("ps", "-a", "--filter", "label=underway.role", "--format", "{{.Names}}")
    return [name for name in project.fleet.docker("h1", *listing).split() if "-run-" in name]


@pytest.mark.lab(hosts=1)
def test_bytes_status_and_settings_pass_and_a_dead_client_leaves_nothing(project: Project) -> None:
    wish = Wish("v1")
    project.deploy(wish).expect(0)
    done = piped(project, b"\0" * 512, "exec", "--replica", "2", "web", "sh", "-c", "cat; exit 9")
    assert (done.stdout, done.returncode) == (b"\0" * 512, 9), done.stderr
    script = 'cat /run/secrets/token; printf %s "$BEACON_MOTTO" >&2; exit 3'
    done = piped(project, b"", *SHELL, script)
    assert done.stdout == wish.token
    assert done.stderr == wish.motto.encode()
    assert done.returncode == 3
    assert not one_offs(project)
    with project.client.running(*SHELL, "trap 'exit 0' TERM; while :; do sleep 0.1; done") as shell:
        eventually(lambda: len(one_offs(project)) == 2, "a one-off and its leash")
        shell.kill()
        eventually(lambda: not one_offs(project), "both are gone")
    project.client.run("plan").expect(0)
    project.sight.expect_settled(wish)
