"""A project's networks, volumes, hosts and samples are understood."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.compose.project import remarks, service, understood
from underway.compose.sources import Understood
from underway.model.names import HostName
from underway.model.spec import (
    Attachment,
    HostSpec,
    Strategy,
    VolumeKind,
)

REPOSITORY = Path(__file__).resolve().parents[3]


def engine(project: Understood, name: str = "web") -> dict[str, Any]:
    fragment: dict[str, Any] = json.loads(service(project, name).engine)
    return fragment


def test_profiles_choose_services(tmp_path: Path) -> None:
    text = "services: {web: {image: a}, tool: {image: b, profiles: [tools]}}\n"
    assert [s.name for s in understood(tmp_path, text).spec.services] == ["web"]
    chosen = understood(tmp_path, text, profiles=["tools"])
    assert [s.name for s in chosen.spec.services] == ["tool", "web"]


def test_networks_and_aliases(tmp_path: Path) -> None:
    project = understood(
        tmp_path,
        """
        name: shop
        services:
          web: {image: a, networks: {front: {aliases: [site]}, back: }}
          db: {image: b, container_name: main-db, networks: [back]}
          alone: {image: c, network_mode: none}
        networks:
          front: {ipam: {config: [{subnet: 10.99.0.0/24}]}}
          back: {internal: true, name: shared-back}
          outer: {external: true, name: corporate}
        """,
    )
    networks = {network.name: network for network in project.spec.networks}
    front, back = project.spec.networks[1].name, project.spec.networks[0].name
    assert service(project).networks == (Attachment(back), Attachment(front, ("site",)))
    assert service(project, "db").networks == (Attachment(back, ("main-db",)),)
    assert service(project, "db").strategy is Strategy.RECREATE
    assert service(project, "alone").networks == ()
    assert networks[front].subnet == "10.99.0.0/24"
    assert (networks[back].physical, networks[back].is_internal) == ("shared-back", True)


def test_volume_kinds(tmp_path: Path) -> None:
    project = understood(
        tmp_path,
        """
        name: shop
        services:
          web: {image: a, volumes: ['plain:/p', 'nfs:/n', 'cache:/c', 'ext:/e', 'both:/s']}
        volumes:
          plain: {}
          nfs: {driver_opts: {type: nfs4, o: addr=10.0.0.9, device: ":/x"}}
          cache: {x-underway: {kind: per-host}}
          ext: {external: true, name: old}
          both: {x-underway: {shared: true}}
        """,
    )
    volumes = {str(volume.name): volume for volume in project.spec.volumes}
    kinds = {name: volume.kind for name, volume in volumes.items()}
    assert kinds == {
        "plain": VolumeKind.LOCAL,
        "nfs": VolumeKind.SHARED,
        "cache": VolumeKind.PER_HOST,
        "ext": VolumeKind.LOCAL,
        "both": VolumeKind.SHARED,
    }
    assert volumes["plain"].physical == "shop_plain"
    assert (volumes["ext"].physical, volumes["ext"].is_external) == ("old", True)


@pytest.mark.parametrize(
    ("where", "is_writer"),
    [("", True), ("x-underway: {single_writer: false}", False)],
)
def test_a_database_writes_alone_unless_the_file_denies_it(
    tmp_path: Path, where: str, *, is_writer: bool
) -> None:
    project = understood(
        tmp_path,
        f"services: {{db: {{image: lab/postgres, volumes: ['data:/d']}}}}\n"
        f"volumes: {{data: {{{where}}}}}\n",
    )
    assert service(project, "db").is_single_writer is is_writer
    assert project.spec.volumes[0].is_single_writer is is_writer


def test_a_fleet_has_groups_places_and_an_edge(tmp_path: Path) -> None:
    project = understood(
        tmp_path,
        """
        services:
          web: {image: a, expose: ["80"], x-underway: {proxy: a.example.com}}
          db: {image: postgres, volumes: ['data:/d']}
          all: {image: c, x-underway: {place: [app, db1]}}
        volumes: {data: {}}
        x-underway:
          hosts:
            app: [{url: "ssh://a@one:2201", address: 10.0.0.1}, "ssh://root@10.0.0.2"]
            data: [{url: "ssh://three", address: 100.64.0.3, name: db1}]
          place: {web: app, db: db1}
          edge: {hosts: app, http_port: "${EDGE_PORT:-8080}"}
        """,
    )
    assert project.spec.hosts == (
        HostSpec(HostName("10.0.0.2"), "ssh://root@10.0.0.2", "10.0.0.2", ("app",)),
        HostSpec(HostName("db1"), "ssh://three", "100.64.0.3", ("data",)),
        HostSpec(HostName("one"), "ssh://a@one:2201", "10.0.0.1", ("app",)),
    )
    assert service(project).hosts == ("one", "10.0.0.2")
    assert service(project, "db").hosts == ("db1",)
    assert service(project, "all").hosts == ("one", "10.0.0.2", "db1")
    assert project.spec.edge.hosts == ("10.0.0.2", "one")
    assert project.spec.edge.http_port == 8080


def test_hosts_that_differ_by_port_get_names_of_their_own(tmp_path: Path) -> None:
    project = understood(
        tmp_path,
        """
        services: {web: {image: a}}
        x-underway:
          hosts:
            - {url: "ssh://root@127.0.0.1:2201", address: 10.0.0.1}
            - {url: "ssh://root@127.0.0.1:2202", address: 10.0.0.2}
        """,
    )
    assert [host.name for host in project.spec.hosts] == ["127.0.0.1", "127.0.0.1-2202"]


def test_what_gives_power_over_the_host_is_noted(tmp_path: Path) -> None:
    project = understood(
        tmp_path,
        """
        services:
          web:
            image: a
            privileged: true
            pid: host
            ipc: host
            network_mode: host
            cap_add: [SYS_ADMIN]
            security_opt: ["seccomp:unconfined"]
        """,
    )
    assert len(remarks(project, "privileged")) == 6
    assert engine(project)["HostConfig"]["NetworkMode"] == "host"
    assert service(project).strategy is Strategy.RECREATE


def test_override_and_environment_are_composes_own(tmp_path: Path) -> None:
    files = {
        "compose.override.yaml": "services: {web: {labels: {laptop: 'yes'}}}\n",
        "compose.production.yaml": "services: {web: {labels: {production: 'yes'}}}\n",
    }
    text = "services: {web: {image: a}}\n"
    laptop = understood(tmp_path, text, files=files)
    production = understood(tmp_path, text, files=files, environment="production")
    assert service(laptop).labels == (("laptop", "yes"),)
    assert service(production).labels == (("production", "yes"),)
    assert production.spec.environment == "production"


def test_the_same_file_is_understood_alike(tmp_path: Path) -> None:
    text = "services: {b: {image: x, labels: {z: '1', a: '2'}}, a: {image: y}}\n"
    assert understood(tmp_path, text) == understood(tmp_path, text)


def test_libra_is_understood(tmp_path: Path) -> None:
    source = REPOSITORY / "examples/libra"
    files = {"laptop/libra_key": "k", "laptop/db_password": "p", "ca": "authority"}
    project = understood(
        tmp_path,
        (source / "compose.yaml").read_text(),
        files=files,
        environ={"CA_BUNDLE": str(tmp_path / "ca")},
    )
    assert [one.name for one in project.spec.services] == ["db", "web"]
    assert service(project).strategy is Strategy.BLUE_GREEN
    assert service(project, "db").strategy is Strategy.RECREATE
    assert project.build_only == {"secret/ca"}


def test_libra_on_a_fleet_is_understood(tmp_path: Path) -> None:
    source = REPOSITORY / "examples/libra"
    environ = {
        "LIBRA_IMAGE": "registry.example.com/libra:1",
        "CA_BUNDLE": str(tmp_path / "key"),
        "LIBRA_KEY_FILE": str(tmp_path / "key"),
        "LIBRA_DB_PASSWORD_FILE": str(tmp_path / "key"),
    }
    for number, name in enumerate(("APP1", "APP2", "DATA", "EDGE"), 1):
        environ[f"LIBRA_{name}_URL"] = f"ssh://deploy@{name.lower()}.example.com"
        environ[f"LIBRA_{name}_ADDRESS"] = f"10.0.0.{number}"
    project = understood(
        tmp_path,
        (source / "compose.yaml").read_text(),
        files={
            "compose.production.yaml": (source / "compose.production.yaml").read_text(),
            "key": "k",
        },
        environ=environ,
        environment="production",
    )
    assert service(project).hosts == ("app1.example.com", "app2.example.com")
    assert service(project, "db").hosts == ("data.example.com",)
    assert project.spec.edge.hosts == ("edge.example.com",)
