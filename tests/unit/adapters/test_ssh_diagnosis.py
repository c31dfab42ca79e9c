import pytest

from underway.adapters.endpoint import SshEndpoint
from underway.adapters.ssh_diagnosis import diagnosis
from underway.errors import CODES
from underway.model.names import HostName


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("Host key verification failed.", "ssh-host-key"),
        ("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key ...", "ssh-host-key"),
        ("deploy@h: Permission denied (publickey).", "ssh-denied"),
        ("Received disconnect: 2: Too many authentication failures", "ssh-denied"),
        ("ssh: Could not resolve hostname h: Name or service not known", "ssh-name-unknown"),
        ("ssh: connect to host h port 22: Connection timed out", "ssh-timeout"),
        ("ssh: connect to host h port 22: Connection refused", "ssh-refused"),
        ("ssh: connect to host h port 22: No route to host", "ssh-refused"),
        ("/home/a/.ssh/config: line 3: Bad configuration option", "ssh-failed"),
        ("", "ssh-failed"),
    ],
)
def test_openssh_words_become_codes_with_a_remedy(said: str, code: str) -> None:
    error = diagnosis(HostName("app1"), SshEndpoint("h", "deploy"), said)
    assert error.code == code
    assert code in CODES
    assert error.hint
    assert "{" not in error.hint
    assert "deploy@h" in error.message


def test_a_name_is_said_once() -> None:
    said = "ssh: Could not resolve hostname h: Name or service not known"
    assert diagnosis(HostName("h"), SshEndpoint("h"), said).message == "h: its name is unknown"
