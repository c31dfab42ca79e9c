"""A one-off is the service as it is configured, reached by nobody, and lives with its leash."""

import json
from dataclasses import replace

from tests.property.fleets import APP, Pair, hosts, proxied, release, with_secret
from tests.property.voyage import deployed, planned
from underway.model.names import (
    LABEL_APP,
    LABEL_ROLE,
    ContainerName,
    HostName,
    ServiceName,
)
from underway.model.snapshot import ContainerState, ContainerStatus, Role, Snapshot
from underway.model.spec import EnvVar
from underway.model.step import RemoveContainer, RemoveVolume
from underway.ports.conversation import CommandWish
from underway.rollout.cast import cast_of
from underway.rollout.naming import files_volume
from underway.rollout.one_off import OneOff, leash_name, one_off_name, one_off_request
from underway.rollout.scene import Policy, Replica, Scene

ONE = hosts(1)
HOST = HostName("app1")
WEB = ServiceName("web")
NAME = one_off_name(APP, WEB, "3f9a1c")


def one_off(wish: CommandWish, **changes: object) -> OneOff:
    replica = Replica(WEB, 0, HOST, NAME, cast_generation())
    return replace(OneOff(replica, wish, "kim@laptop", "2027-01-15T08:00:00Z"), **changes)  # type: ignore[arg-type]


RELEASE = release(1, (with_secret(proxied("web", ONE, environment=(EnvVar("A", "1"),))),), ONE)
PAIR = Pair(RELEASE, RELEASE)


def seen(*more: ContainerState) -> Snapshot:
    """The release as it runs, and more containers beside it."""
    snapshot = deployed(PAIR.fleet(), RELEASE).snapshot()
    (host,) = snapshot.reachable
    return replace(snapshot, hosts=(replace(host, containers=(*host.containers, *more)),))


def cast_generation():  # type: ignore[no-untyped-def]
    scene = Scene(RELEASE, deployed(PAIR.fleet(), RELEASE).snapshot(), Policy(tools=TOOLS))
    return cast_of(scene, RELEASE.spec.service(WEB)).wished[0].generation


TOOLS = RELEASE.images[0].image


def box(name: str, role: Role, status: ContainerStatus, volumes: tuple[str, ...] = ()):  # type: ignore[no-untyped-def]
    labels = ((LABEL_APP, APP), (LABEL_ROLE, role.value))
    return ContainerState(name, ContainerName(name), "i", status, labels, volumes=volumes)


def test_it_has_the_services_environment_secrets_and_networks_and_takes_no_requests():
    wish = CommandWish(("sh", "-c", "true"), (EnvVar("A", "2"),), has_tty=True)
    made = one_off_request(RELEASE, RELEASE.spec.service(WEB), one_off(wish), bindings={})
    assert made.environment == (EnvVar("A", "1"), EnvVar("A", "2"))
    assert made.command == ("sh", "-c", "true")
    assert [mount.target for mount in made.mounts] == ["/run/secrets"]
    assert [(place.network, place.address, place.aliases) for place in made.networks] == [
        ("libra_default", "", ())
    ]
    assert made.published == ()
    assert made.label(LABEL_ROLE) == "run"
    assert made.health
    assert made.health.test == ("NONE",)
    engine = json.loads(made.engine)
    assert engine["Config"]["Tty"] is True
    assert engine["HostConfig"] == {
        "AutoRemove": True,
        "PidMode": f"container:{leash_name(NAME)}",
        "RestartPolicy": {"Name": "no"},
    }


def test_another_entrypoint_leaves_no_command_of_the_service_behind_it():
    service = replace(
        RELEASE.spec.service(WEB), engine='{"Config": {"Entrypoint": ["a"], "Cmd": ["b"]}}'
    )
    what = one_off(CommandWish((), user="root", directory="/srv"), entrypoint=("sh", "-e"))
    config = json.loads(one_off_request(RELEASE, service, what, bindings={}).engine)["Config"]
    assert config["Entrypoint"] == ["sh", "-e"]
    assert "Cmd" not in config
    assert (config["User"], config["WorkingDir"]) == ("root", "/srv")


def test_a_deploy_leaves_one_offs_and_what_they_mount_alone():
    older = files_volume(APP, WEB, cast_generation())
    running = box(NAME, Role.RUN, ContainerStatus.RUNNING, (older,))
    leash = box(leash_name(NAME), Role.LEASH, ContainerStatus.RUNNING)
    assert planned(RELEASE, seen(running, leash)).is_empty
    newer = release(2, RELEASE.spec.services, ONE, value="s2")
    steps = list(planned(newer, seen(running, leash)).steps())
    assert [s for s in steps if isinstance(s, RemoveVolume)] == []
    assert any(
        isinstance(s, RemoveVolume) and s.volume == older for s in planned(newer, seen()).steps()
    ), "without the one-off it would go"


def test_one_that_was_made_and_never_started_goes_unless_its_leash_stands():
    made = box(NAME, Role.RUN, ContainerStatus.CREATED)
    leash = box(leash_name(NAME), Role.LEASH, ContainerStatus.RUNNING)
    assert planned(RELEASE, seen(made, leash)).is_empty
    (step,) = planned(RELEASE, seen(made)).steps()
    assert isinstance(step, RemoveContainer)
    assert step.container == NAME
