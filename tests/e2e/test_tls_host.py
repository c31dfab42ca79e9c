"""A host whose engine listens for TLS, and takes clients that its authority vouches for, only."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
import yaml

from lab.command import run
from lab.engine import init_pid, inside, start_engine, stop_engine, wait_for_engine
from tests.certificates import Authority
from tests.laboratories import Fleet
from underway.adapters.connector import DockerConnector
from underway.errors import UnderwayError
from underway.model.container import ContainerRequest
from underway.model.look import Way
from underway.model.names import ContainerName, HostName
from underway.model.spec import HostSpec

PORT: Final = 2376
BULK: Final = os.urandom(1 << 20) * 3


@dataclass(frozen=True)
class Secured:
    """A host that listens at `url`, and directories with what it takes, and what it does not."""

    fleet: Fleet
    url: str
    certificates: Path
    foreign: Path
    root: Path

    def spec(self, url: str = "", certificates: Path | None = None) -> HostSpec:
        directory = str(certificates) if certificates else ""
        return HostSpec(HostName("h1"), url or self.url, certificates=directory)


@pytest.fixture
def secured(fleet: Fleet, tmp_path: Path) -> Iterator[Secured]:
    """The laboratory's own engine, started anew with a second way to it."""
    host = fleet.laboratory.host("h1")
    authority = Authority.made(tmp_path / "authority")
    server = authority.vouches(tmp_path / "server", "serverAuth", f"IP:{host.address}")
    mine = authority.vouches(tmp_path / "mine", "clientAuth")
    stranger = Authority.made(tmp_path / "others").vouches(tmp_path / "foreign", "clientAuth")
    init = init_pid(host)
    assert init is not None
    for name in ("ca.pem", "cert.pem", "key.pem"):
        text = (server / name).read_text()
        run([*inside(init), "tee", f"/etc/docker/{name}"], stdin=text)
    stop_engine(host)
    options = [f"--tls{key}=/etc/docker/{key}.pem" for key in ("cert", "key")]
    start_engine(
        *(host, init, "--tlsverify", "--tlscacert=/etc/docker/ca.pem", *options),
        *("-H", f"tcp://{host.address}:{PORT}"),
    )
    wait_for_engine(host)
    url = f"tcp://{host.address}:{PORT}"
    yield Secured(fleet, url, mine, stranger, tmp_path)
    stop_engine(host)
    start_engine(host, init)
    wait_for_engine(host)


@pytest.mark.lab(hosts=1)
def test_an_engine_behind_tls_does_all_that_one_behind_a_socket_does(
    secured: Secured, monkeypatch: pytest.MonkeyPatch
) -> None:
    expect_refusals(secured)
    image = secured.fleet.laboratory.images["debian"]
    with DockerConnector() as connector:
        engine = connector.connect(secured.spec(certificates=secured.certificates))
        assert engine.connection.way is Way.TLS
        engine.pull(image)
        engine.create(
            ContainerRequest(ContainerName("echo"), image, command=("sleep", "infinity")), {}
        )
        engine.start("echo")
        # What goes in ends while what comes out goes on: a half of the connection is closed.
        echoed = engine.execute("echo", ("sh", "-c", "cat; echo over"), stdin=BULK)
        assert echoed.stdout == BULK + b"over\n"
        engine.load(engine.save(image))
        engine.remove("echo")
    expect_reached_as_docker_reaches(secured, monkeypatch)
    expect_deploys(secured)


def expect_refusals(secured: Secured) -> None:
    """Everything that may be wrong with the way has its code."""
    address = secured.url.removesuffix(f":{PORT}")
    registry = secured.fleet.laboratory.describe()["registry"]["address"]
    wrong_authority = secured.root / "wrong"
    shutil.copytree(secured.certificates, wrong_authority)
    shutil.copy(secured.foreign / "ca.pem", wrong_authority)
    impostor = secured.root / "impostor"
    shutil.copytree(secured.foreign, impostor)
    shutil.copy(secured.certificates / "ca.pem", impostor)
    mixed = secured.root / "mixed"
    shutil.copytree(secured.certificates, mixed)
    shutil.copy(secured.foreign / "key.pem", mixed)
    for spec, code in (
        (secured.spec(certificates=secured.root / "nowhere"), "tls-files"),
        (secured.spec(certificates=mixed), "tls-files"),
        (secured.spec(certificates=wrong_authority), "tls-untrusted"),
        (secured.spec(certificates=impostor), "tls-denied"),
        (secured.spec(f"tcp://{registry}", secured.certificates), "tls-failed"),
        (secured.spec(f"{address}:2377", secured.certificates), "host-unreachable"),
    ):
        with DockerConnector() as connector, pytest.raises(UnderwayError) as caught:
            connector.connect(spec)
        assert caught.value.code == code, caught.value
        assert caught.value.hint


def expect_reached_as_docker_reaches(secured: Secured, monkeypatch: pytest.MonkeyPatch) -> None:
    """By Docker's own variables, and by a context that holds the certificates."""
    monkeypatch.setenv("DOCKER_CONFIG", str(secured.root / "docker"))
    monkeypatch.setenv("DOCKER_HOST", secured.url)
    monkeypatch.setenv("DOCKER_CERT_PATH", str(secured.certificates))
    with DockerConnector() as connector:
        identity = connector.connect(HostSpec(HostName("h1"), "")).facts().id
    monkeypatch.delenv("DOCKER_HOST")
    monkeypatch.delenv("DOCKER_CERT_PATH")
    files = ",".join(f"{key}={secured.certificates / key}.pem" for key in ("ca", "cert", "key"))
    subprocess.run(
        [
            f"{secured.fleet.laboratory.describe()['tools']['path']}/docker",
            *("context", "create", "harbour", "--docker", f"host={secured.url},{files}"),
        ],
        capture_output=True,
        check=True,
    )
    with DockerConnector() as connector:
        assert connector.connect(secured.spec("harbour")).facts().id == identity


def expect_deploys(secured: Secured) -> None:
    """A file names the host and, relative to itself, its certificates."""
    directory = secured.root / "project"
    directory.mkdir()
    shutil.copytree(secured.certificates, directory / "certificates")
    service = {"image": secured.fleet.laboratory.images["debian"], "command": "sleep infinity"}
    update = {"update_config": {"monitor": "1ms"}}
    host = {"url": secured.url, "certificates": "certificates"}
    project = {
        "name": "secured",
        "services": {"one": {**service, "deploy": update}},
        "x-underway": {"hosts": [host]},
    }
    (directory / "compose.yaml").write_text(yaml.safe_dump(project))
    for command in ("deploy", "plan"):
        done = secured.fleet.underway(
            "--project-directory", str(directory), command, cwd=secured.root
        )
        assert done.returncode == 0, done.stderr
    assert "nothing to do" in done.stdout
    checked = secured.fleet.underway("check", cwd=directory)
    assert "TLS with a client certificate" in checked.stdout, checked.stdout + checked.stderr
