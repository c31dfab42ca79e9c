"""A server gets a user who may deploy, over real SSH, and is then asked as a deploy asks it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.client import Client
from tests.laboratories import Fleet

USER = "shipper"


class Server:
    """The laboratory's first host, by SSH."""

    def __init__(self, fleet: Fleet, root: Path) -> None:
        host = fleet.laboratory.hosts[0]
        self.address = host.address
        self.config = str(host.ssh_config)
        root.mkdir(exist_ok=True)
        self.client = Client(root, root / "home", fleet.environment)

    def url(self, user: str) -> str:
        return f"ssh://{user}@{self.address}"

    def shell(self, script: str) -> str:
        argv = ["ssh", "-F", self.config, "-n", "-T", f"root@{self.address}", script]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)
        return done.stdout


@pytest.fixture
def server(fleet: Fleet, tmp_path: Path) -> Iterator[Server]:
    made = Server(fleet, tmp_path / "work")
    yield made
    made.shell(f"userdel -r {USER} 2>/dev/null || true")


@pytest.mark.lab(hosts=1)
def test_a_user_is_made_once_and_deploys_by_the_same_keys(server: Server) -> None:
    line = ("setup", server.url("root"), "--user", USER)
    refused = server.client.run(*line).expect(4)
    assert f"useradd --create-home --shell /bin/sh --password '*' {USER}" in refused.err
    assert USER not in server.shell("cut -d: -f1 /etc/passwd").split()
    done = server.client.run(*line, "--yes", "--json").expect(0).document()
    assert (done["url"], done["way"]) == (server.url(USER), "ssh")
    assert len(done["commands"]) == 2, "the laboratory's keys let everybody in"
    assert "docker" in server.shell(f"id -nG {USER}").split()
    (server.client.directory / "compose.yaml").write_text(
        "name: shop\nservices: {web: {image: web}}\n"
        f"x-underway: {{hosts: ['{server.url(USER)}']}}\n"
    )
    again = server.client.run(*line)
    assert "nothing to do" in again.err
    assert f'hosts: ["{server.url(USER)}"]' in again.out
    assert "engine" in again.out, "the file names the host: check follows"


@pytest.mark.lab(hosts=1)
def test_a_server_that_forbids_forwarding_works_and_says_so(server: Server) -> None:
    done = server.client.run("setup", server.url("dial")).expect(0)
    assert "AllowStreamLocalForwarding" in done.out
    assert "setup-host" in server.client.run("setup", "unix:///var/run/docker.sock").expect(2).err
