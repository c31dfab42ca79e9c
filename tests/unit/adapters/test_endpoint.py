import hashlib
import json
from pathlib import Path

import pytest

from underway.adapters.connector import DockerConnector
from underway.adapters.endpoint import SshEndpoint, TcpEndpoint, UnixEndpoint, endpoint_of
from underway.errors import ConfigurationError, UnreachableError
from underway.model.names import HostName
from underway.model.spec import HostSpec


@pytest.fixture(autouse=True)
def docker_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.delenv("DOCKER_CONTEXT", raising=False)
    monkeypatch.delenv("DOCKER_CERT_PATH", raising=False)
    return tmp_path


def write_context(docker_config: Path, endpoint: dict[str, object]) -> Path:
    """A Docker context called `far`; its directory."""
    directory = docker_config / "contexts" / "meta" / hashlib.sha256(b"far").hexdigest()
    directory.mkdir(parents=True)
    meta = {"Name": "far", "Endpoints": {"docker": endpoint}}
    (directory / "meta.json").write_text(json.dumps(meta))
    return directory


def test_unix_urls_name_a_socket() -> None:
    assert endpoint_of("unix:///run/x.sock") == UnixEndpoint(Path("/run/x.sock"))


@pytest.mark.parametrize("url", ["", "local"])
def test_nothing_said_means_this_machines_engine(url: str) -> None:
    assert endpoint_of(url, {}) == UnixEndpoint(Path("/var/run/docker.sock"))


def test_nothing_said_follows_docker_host() -> None:
    assert endpoint_of("", {"DOCKER_HOST": "ssh://a@b:2222"}) == SshEndpoint("b", "a", 2222)


def test_ssh_urls_are_understood() -> None:
    assert endpoint_of("ssh://app1.example.com") == SshEndpoint("app1.example.com")
    endpoint = endpoint_of("ssh://deploy@h:22/run/user/1000/docker.sock")
    assert endpoint == SshEndpoint("h", "deploy", 22, "/run/user/1000/docker.sock")
    assert isinstance(endpoint, SshEndpoint)
    assert endpoint.destination == "deploy@h"


@pytest.mark.parametrize(
    "url",
    [
        "ssh://",
        "ssh://a:secret@h",
        "ssh://-oProxyCommand=evil",
        "ssh://-l@h",
        "ssh://h:99999",
        "unix://relative.sock",
        "ftp://h",
        "tcp://",
        "tcp://h:99999",
        "tcp://me:secret@h",
        "no-such-context",
        "../escape",
    ],
)
def test_what_is_no_engine_is_refused_without_showing_passwords(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        endpoint_of(url)
    assert caught.value.code == "host-url-invalid"
    assert "secret" not in str(caught.value)


def test_tcp_goes_with_certificates(docker_config: Path) -> None:
    assert endpoint_of("tcp://h") == TcpEndpoint("h", 2376, docker_config)
    assert endpoint_of("tcp://[::1]:99", certificates="/c") == TcpEndpoint("::1", 99, Path("/c"))
    assert str(endpoint_of("tcp://[::1]:99")) == "tcp://[::1]:99"
    named = {"DOCKER_HOST": "tcp://h:2376", "DOCKER_CERT_PATH": "/certs"}
    assert endpoint_of("", named) == TcpEndpoint("h", 2376, Path("/certs"))


def test_an_engine_that_anybody_could_be_is_refused(docker_config: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        endpoint_of("http://h:2375")
    assert caught.value.code == "host-url-unsupported"
    write_context(docker_config, {"Host": "tcp://far:2376", "SkipTLSVerify": True})
    with pytest.raises(ConfigurationError) as caught:
        endpoint_of("far")
    assert caught.value.code == "host-url-unsupported"


def test_a_context_has_certificates_of_its_own(docker_config: Path) -> None:
    write_context(docker_config, {"Host": "tcp://far:2376"})
    assert endpoint_of("far") == TcpEndpoint("far", 2376, docker_config)
    own = docker_config / "contexts" / "tls" / hashlib.sha256(b"far").hexdigest() / "docker"
    own.mkdir(parents=True)
    assert endpoint_of("far") == TcpEndpoint("far", 2376, own)


def test_a_docker_context_is_followed(docker_config: Path) -> None:
    directory = write_context(docker_config, {"Host": "ssh://deploy@far"})
    assert endpoint_of("far") == SshEndpoint("far", "deploy")
    environ = {"DOCKER_CONFIG": str(docker_config)}
    chosen = {**environ, "DOCKER_CONTEXT": "far"}
    assert endpoint_of("", chosen) == SshEndpoint("far", "deploy")
    (docker_config / "config.json").write_text(json.dumps({"currentContext": "far"}))
    assert endpoint_of("", environ) == SshEndpoint("far", "deploy")
    (directory / "meta.json").write_text("{")
    with pytest.raises(ConfigurationError, match=r"meta\.json"):
        endpoint_of("far")


def test_a_url_that_means_no_engine_is_no_lost_host() -> None:
    hosts = (HostSpec(HostName("a"), "no-such-context"), HostSpec(HostName("b"), "unix:///no.sock"))
    with DockerConnector() as connector:
        assert isinstance(connector.connect_all(hosts[1:])[HostName("b")], UnreachableError)
        with pytest.raises(ConfigurationError, match="no-such-context"):
            connector.connect_all(hosts)
