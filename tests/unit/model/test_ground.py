"""What is missing on a server becomes commands, and nothing is done twice."""

import subprocess

import pytest

from underway.model.ground import LOOK, Ground, can_install, ground_of, setup_commands

BARE = (
    "login=root\nhome=/root\nroot=yes\nsystem=Debian GNU/Linux 13\npackages=apt-get\nsystemd=yes\n"
)
ROOT = "account=yes\ngroups=root\n"
READY = "program=yes\nsocket=yes\nenabled=yes\n"


def texts(told: str, user: str = "") -> list[str]:
    return [command.text for command in setup_commands(ground_of(told, user))]


def test_a_bare_debian_gets_docker_from_its_distribution() -> None:
    assert texts(BARE + ROOT) == [
        "DEBIAN_FRONTEND=noninteractive apt-get update",
        "DEBIAN_FRONTEND=noninteractive apt-get install -y docker.io",
        "systemctl enable --now docker",
    ]


def test_a_bare_fedora_gets_what_it_calls_docker() -> None:
    told = BARE.replace("apt-get", "dnf") + ROOT
    assert texts(told)[0] == "dnf install -y moby-engine || dnf install -y docker"


def test_a_server_that_is_set_up_gets_nothing() -> None:
    assert texts(BARE + ROOT + READY) == []
    user = "account=yes\ngroups=deploy docker\n"
    assert texts(BARE + READY + user, "deploy") == []


def test_an_engine_that_does_not_run_is_started() -> None:
    stopped = READY.replace("socket=yes\n", "")
    assert texts(BARE + ROOT + stopped) == ["systemctl enable --now docker"]
    without = BARE.replace("systemd=yes\n", "") + ROOT
    assert texts(without + "program=yes\n") == ["service docker start"]
    assert texts(without + "program=yes\nsocket=yes\n") == []


def test_a_user_is_made_let_in_by_the_same_keys_and_may_use_the_engine() -> None:
    made, grouped, keys = texts(BARE + READY + "source=yes\n", "deploy")
    assert made == "useradd --create-home --shell /bin/sh --password '*' deploy"
    assert grouped == "usermod --append --groups docker deploy"
    assert "/root/.ssh/authorized_keys ~deploy/.ssh/authorized_keys" in keys


def test_keys_are_handed_on_where_a_run_before_stopped_and_where_there_are_any() -> None:
    made = "account=yes\ngroups=deploy docker\n"
    (copied,) = texts(BARE + READY + made + "source=yes\n", "deploy")
    assert copied.startswith("install -d -m 700 -o deploy")
    assert texts(BARE + READY + made + "source=yes\nkeys=yes\n", "deploy") == []
    assert texts(BARE + READY + made, "deploy") == []


def test_whoever_logs_in_and_may_not_use_the_engine_gets_the_group() -> None:
    told = BARE.replace("root=yes", "sudo=yes").replace("login=root", "login=me") + READY
    assert texts(told + "account=yes\ngroups=me sudo\n") == ["usermod --append --groups docker me"]


def test_what_cannot_be_set_up_is_known() -> None:
    assert not can_install(ground_of(BARE.replace("packages=apt-get\n", "") + ROOT))
    assert not ground_of(BARE.replace("root=yes\n", "")).may_change
    assert can_install(ground_of(READY))


@pytest.mark.parametrize("user", ["", "nobody", "no-such-user"])
def test_the_script_that_looks_runs_on_this_machine(user: str) -> None:
    done = subprocess.run(
        ["sh", "-eu", "-c", LOOK, "sh", user],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ground = ground_of(done.stdout, user)
    assert isinstance(ground, Ground)
    assert ground.login
    assert ground.has_account == (user != "no-such-user")
