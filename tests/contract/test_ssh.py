"""Engines over SSH: the tunnel must end with its client, come back, and name what is wrong."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lab.faults import Faults
from tests.contract.conftest import Site
from tests.contract.patience import eventually
from underway.adapters.connector import DockerConnector
from underway.adapters.endpoint import SshEndpoint, endpoint_of
from underway.adapters.ssh import SshRoute
from underway.adapters.tunnel import TunnelDirectory
from underway.errors import UnreachableError
from underway.model.container import ContainerRequest
from underway.model.names import ContainerName, HostName

_HOLD = """
import sys, time
from underway.adapters.connector import DockerConnector
from underway.model.spec import HostSpec
connector = DockerConnector()
connector.connect(HostSpec("h1", sys.argv[1])).facts()
print(connector._directory.path, flush=True)
time.sleep(600)
"""


@pytest.fixture
def directory() -> Iterator[TunnelDirectory]:
    made = TunnelDirectory()
    yield made
    made.remove()


def test_an_engine_answers_over_ssh(site: Site, connector: DockerConnector) -> None:
    engine = connector.connect(site.ssh_spec)
    assert (
        engine.facts().id
        == connector.connect(replace(site.spec, name=HostName("local"))).facts().id
    )
    assert connector.connect(site.ssh_spec) is engine


def test_the_socket_is_private_and_goes_with_the_run(site: Site) -> None:
    with DockerConnector() as connector:
        path = Path(connector.connect(site.ssh_spec).connection.socket_path())
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert path.is_socket()
    assert not path.parent.exists()


def test_nothing_of_the_tunnel_outlives_a_killed_client(site: Site) -> None:
    argv = [sys.executable, "-c", _HOLD, site.ssh_spec.url]
    client = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    assert client.stdout
    directory = Path(client.stdout.readline().strip())
    assert _tunnels_in(directory)
    client.kill()
    client.wait()
    eventually(lambda: not _tunnels_in(directory), within_s=5)
    eventually(lambda: not directory.exists(), within_s=5)


def test_a_tunnel_that_died_is_opened_again(site: Site, connector: DockerConnector) -> None:
    engine = connector.connect(site.ssh_spec)
    before = engine.connection.socket_path()
    for pid in _tunnels_in(before.parent):
        os.kill(pid, 9)
    eventually(lambda: not _tunnels_in(before.parent))
    assert engine.facts().version
    assert engine.connection.socket_path() != before


def test_where_forwarding_is_forbidden_the_engine_answers_all_the_same(site: Site) -> None:
    url = site.ssh_spec.url.replace("root@", "dial@")
    with DockerConnector() as connector:
        engine = connector.connect(replace(site.spec, name=HostName("dial"), url=url))
        assert engine.facts().id == connector.connect(site.ssh_spec).facts().id
        engine.create(_sleeper(site), {})
        engine.start("sleeper")
        data = bytes(range(256)) * 1000
        assert engine.execute("sleeper", ["cat"], stdin=data).stdout == data
        engine.remove("sleeper")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("root@", "stranger@"), "ssh-denied"),
        (("ssh://root@", "ssh://root@nowhere.invalid/"), "ssh-name-unknown"),
    ],
)
def test_what_is_wrong_with_ssh_is_named(
    site: Site, change: tuple[str, str], code: str, connector: DockerConnector
) -> None:
    spec = replace(site.ssh_spec, url=site.ssh_spec.url.replace(*change))
    with pytest.raises(UnreachableError) as caught:
        connector.connect(spec)
    assert caught.value.code == code
    assert caught.value.hint


def test_an_unknown_host_key_is_never_accepted(
    site: Site, connector: DockerConnector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Path(os.environ["UNDERWAY_SSH_CONFIG"]).read_text()
    lines = [
        f"  UserKnownHostsFile {tmp_path}/none" if "UserKnownHostsFile" in line else line
        for line in config.splitlines()
    ]
    (tmp_path / "config").write_text("\n".join(lines))
    monkeypatch.setenv("UNDERWAY_SSH_CONFIG", str(tmp_path / "config"))
    with pytest.raises(UnreachableError) as caught:
        connector.connect(site.ssh_spec)
    assert caught.value.code == "ssh-host-key"


def test_a_missing_engine_and_a_missing_right_are_told_apart(
    site: Site, directory: TunnelDirectory
) -> None:
    endpoint = endpoint_of(site.ssh_spec.url)
    assert isinstance(endpoint, SshEndpoint)
    nowhere = replace(endpoint, socket="/run/nothing.sock")
    with pytest.raises(UnreachableError) as missing:
        SshRoute(HostName("h1"), nowhere, directory).socket_path()
    assert missing.value.code == "engine-missing"


def test_a_host_that_is_cut_off_fails_once_and_then_at_once(site: Site) -> None:
    faults = Faults(site.laboratory)
    with DockerConnector() as connector:
        faults.cut("h1")
        try:
            for _ in range(2):
                with pytest.raises(UnreachableError) as caught:
                    connector.connect(site.ssh_spec)
                assert caught.value.code in {"ssh-timeout", "ssh-refused"}
        finally:
            faults.heal()
        assert connector.connect(site.ssh_spec).facts().version


def test_all_hosts_are_connected_at_once_and_each_has_its_own_error(
    site: Site, connector: DockerConnector
) -> None:
    bad = replace(site.spec, name=HostName("h2"), url="ssh://root@nowhere.invalid")
    found = connector.connect_all([site.ssh_spec, bad])
    assert found[HostName("h1")] is connector.connect(site.ssh_spec)
    assert isinstance(found[HostName("h2")], UnreachableError)


def _sleeper(site: Site) -> ContainerRequest:
    return ContainerRequest(
        ContainerName("sleeper"), site.image, command=("sleep", "600"), network_mode="none"
    )


def _tunnels_in(directory: Path) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            arguments = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        named = any(str(directory).encode() in argument for argument in arguments)
        if named and arguments[0] == b"ssh":
            found.append(int(entry.name))
    return found
