"""Compose's keys arrive in the words of the engine and of the domain."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.compose.project import remarks, service, understood
from underway.compose.sources import Understood
from underway.model.names import LOCAL_HOST, HostName
from underway.model.spec import (
    Attachment,
    Dependency,
    DependencyCondition,
    FailureAction,
    HealthSpec,
    HostSpec,
    Mount,
    MountKind,
    PortSpec,
    Strategy,
    VolumeKind,
)

REPOSITORY = Path(__file__).resolve().parents[3]


def engine(project: Understood, name: str = "web") -> dict[str, Any]:
    fragment: dict[str, Any] = json.loads(service(project, name).engine)
    return fragment


def test_a_plain_file_deploys_to_the_local_engine(tmp_path: Path) -> None:
    project = understood(tmp_path, "name: shop\nservices: {web: {image: 'app:1'}}\n")
    assert project.spec.name == "shop"
    assert project.spec.hosts == (HostSpec(LOCAL_HOST, ""),)
    assert service(project).hosts == (LOCAL_HOST,)
    assert service(project).networks == (Attachment(project.spec.networks[0].name),)
    assert project.spec.networks[0].physical == "shop_default"
    assert service(project).strategy is Strategy.ROLLING
    assert engine(project)["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    assert len(remarks(project, "restart-default")) == 1
    assert service(project).place == "compose.yaml:2"


def test_every_limit_is_in_the_engines_words(tmp_path: Path) -> None:
    project = understood(
        tmp_path,
        """
        services:
          web:
            image: app:1
            command: sh -c "echo $$HOME"
            entrypoint: []
            user: "1000:1000"
            working_dir: /w
            hostname: h
            tty: true
            stdin_open: true
            stop_signal: SIGINT
            expose: ["80", "53/udp"]
            cap_add: [NET_ADMIN]
            cap_drop: [ALL]
            cpus: 1.5
            mem_limit: 512m
            memswap_limit: -1
            pids_limit: 10
            shm_size: 64m
            dns: 1.1.1.1
            devices: ["/dev/null:/dev/x:r"]
            group_add: [mail, 7]
            init: true
            logging: {driver: json-file, options: {max-size: 10m}}
            oom_score_adj: 5
            read_only: true
            security_opt: ["no-new-privileges:true"]
            sysctls: {net.core.somaxconn: 1024}
            tmpfs: ["/run:size=1m", /spool]
            ulimits: {nofile: {soft: 10, hard: 20}, nproc: 5}
            restart: on-failure:3
            extra_hosts: ["a:1.2.3.4", "v6=::1"]
        """,
    )
    fragment = engine(project)
    assert fragment["Config"] == {
        "Cmd": ["sh", "-c", "echo $HOME"],
        "Entrypoint": [],
        "ExposedPorts": {"80/tcp": {}, "53/udp": {}},
        "Hostname": "h",
        "OpenStdin": True,
        "StopSignal": "SIGINT",
        "Tty": True,
        "User": "1000:1000",
        "WorkingDir": "/w",
    }
    assert fragment["HostConfig"] == {
        "CapAdd": ["NET_ADMIN"],
        "CapDrop": ["ALL"],
        "Devices": [
            {"PathOnHost": "/dev/null", "PathInContainer": "/dev/x", "CgroupPermissions": "r"}
        ],
        "Dns": ["1.1.1.1"],
        "GroupAdd": ["mail", "7"],
        "Init": True,
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m"}},
        "Memory": 512 * 1024 * 1024,
        "MemorySwap": -1,
        "NanoCpus": 1_500_000_000,
        "OomScoreAdj": 5,
        "PidsLimit": 10,
        "ReadonlyRootfs": True,
        "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3},
        "SecurityOpt": ["no-new-privileges:true"],
        "ShmSize": 64 * 1024 * 1024,
        "Sysctls": {"net.core.somaxconn": "1024"},
        "Tmpfs": {"/run": "size=1m", "/spool": ""},
        "Ulimits": [
            {"Name": "nofile", "Soft": 10, "Hard": 20},
            {"Name": "nproc", "Soft": 5, "Hard": 5},
        ],
    }
    assert service(project).expose == (80,)
    assert service(project).extra_hosts == (("a", "1.2.3.4"), ("v6", "::1"))


def test_deploy_says_how_many_how_and_how_much(tmp_path: Path) -> None:
    project = understood(
        tmp_path,
        """
        services:
          web:
            image: app:1
            stop_grace_period: 1m30s
            deploy:
              replicas: 3
              update_config:
                {order: start-first, parallelism: 2, delay: 5s, monitor: 1m,
                 failure_action: pause, max_failure_ratio: 0.25}
              resources:
                limits: {cpus: '0.5', memory: 50M, pids: 10}
                reservations: {memory: 20M, devices: [{capabilities: [gpu], count: 1}]}
              restart_policy: {condition: on-failure, max_attempts: 2, delay: 5s}
          each: {image: app:1, deploy: {mode: global}, restart: "no"}
        """,
    )
    web = service(project)
    host_config = engine(project)["HostConfig"]
    assert (web.replicas, web.stop_grace_s, web.strategy) == (3, 90.0, Strategy.ROLLING)
    assert (web.update.parallelism, web.update.delay_s, web.update.monitor_s) == (2, 5.0, 60.0)
    assert web.update.is_monitored
    assert web.update.failure_action is FailureAction.PAUSE
    assert web.update.max_failure_ratio == 0.25
    assert host_config["NanoCpus"] == 500_000_000
    assert host_config["Memory"] == 50 * 1024 * 1024
    assert host_config["MemoryReservation"] == 20 * 1024 * 1024
    assert host_config["DeviceRequests"][0]["Capabilities"] == [["gpu"]]
    assert host_config["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 2}
    assert service(project, "each").is_global
    assert engine(project, "each")["HostConfig"]["RestartPolicy"]["Name"] == "no"
    assert any("restart_policy.delay" in text for text in remarks(project, "no-effect"))


def test_mounts_of_every_kind(tmp_path: Path) -> None:
    project = understood(
        tmp_path,
        """
        services:
          web:
            image: app:1
            volumes:
              - data:/data
              - {type: volume, source: data, target: /sub, volume: {nocopy: true, subpath: a}}
              - /srv/host:/host:ro
              - ./small.conf:/etc/small.conf:ro
              - ./many:/many:ro
              - ./work:/work
              - {type: tmpfs, target: /t, tmpfs: {size: 1m, mode: 0700}}
              - /anonymous
              - /var/run/docker.sock:/var/run/docker.sock
        volumes: {data: {}}
        """,
        files={"small.conf": "c", "many/a": "1", "many/b/c": "2"},
    )
    web = service(project)
    by_target = {mount.target: mount for mount in web.mounts}
    assert by_target["/data"] == Mount(MountKind.VOLUME, "data", "/data")
    assert by_target["/sub"].options == '{"NoCopy":true,"Subpath":"a"}'
    assert by_target["/host"].source == "/srv/host"
    assert by_target["/host"].read_only
    assert by_target["/work"].source == str(tmp_path / "work")
    assert by_target["/t"].options == '{"Mode":448,"SizeBytes":1048576}'
    assert by_target["/anonymous"].source == ""
    assert [file.target for file in web.files] == ["/etc/small.conf", "/many/a", "/many/b/c"]
    assert remarks(project, "engine-socket")
    assert remarks(project, "anonymous-volume")


def test_ports_are_closed_unless_they_say_public(tmp_path: Path) -> None:
    project = understood(
        tmp_path,
        """
        services:
          web:
            image: app:1
            ports:
              - "8080:80"
              - "90"
              - "127.0.0.1:5353:53/udp"
              - {target: 443, published: "443", x-underway: {public: true}}
              - {target: 444, published: "444", host_ip: 0.0.0.0, x-underway: {public: true}}
        """,
    )
    assert set(service(project).ports) == {
        PortSpec(80, 8080),
        PortSpec(90),
        PortSpec(53, 5353, "udp", "127.0.0.1"),
        PortSpec(443, 443, is_public=True),
        PortSpec(444, 444, is_public=True),
    }
    assert service(project).strategy is Strategy.RECREATE
    assert len(remarks(project, "port-closed")) == 2


def test_a_proxied_service_ignores_the_laptops_ports(tmp_path: Path) -> None:
    project = understood(
        tmp_path,
        """
        services:
          web:
            image: app:1
            ports: ["8080-8089:80"]
            x-underway: {proxy: shop.example.com}
        """,
    )
    web = service(project)
    assert web.ports == ()
    assert web.proxy is not None
    assert (web.proxy.hosts, web.proxy.port) == (("shop.example.com",), 80)
    assert web.strategy is Strategy.ROLLING
    assert project.spec.edge.hosts == (LOCAL_HOST,)
    assert remarks(project, "ports-for-the-laptop")
    assert remarks(project, "tcp-probe")


def test_a_port_nobody_names_is_asked_of_the_image(tmp_path: Path) -> None:
    project = understood(
        tmp_path, "services: {web: {image: app:1, x-underway: {proxy: a.example.com}}}\n"
    )
    proxy = service(project).proxy
    assert proxy is not None
    assert proxy.port == 0
    assert remarks(project, "proxy-port-of-the-image")


def test_proxy_and_before_in_full(tmp_path: Path) -> None:
    project = understood(
        tmp_path,
        """
        services:
          web:
            image: app:1
            x-underway:
              proxy:
                host: [b.example.com, a.example.com]
                port: "${PORT:-8000}"
                path: /api
                health: {path: /up, interval: 500ms, timeout: 1s, rise: 2, fall: 3}
                drain: 45s
                deploy_timeout: 2m
                response_timeout: 90s
                tunnel_timeout: 2h
              strategy: blue-green
              before: {command: "python manage.py 'do it'", timeout: 1m, undo: [./undo]}
        """,
    )
    web = service(project)
    assert web.proxy is not None
    assert web.before is not None
    assert web.proxy.hosts == ("a.example.com", "b.example.com")
    assert (web.proxy.port, web.proxy.path, web.proxy.drain_s) == (8000, "/api", 45.0)
    assert (web.proxy.deploy_timeout_s, web.proxy.response_timeout_s) == (120.0, 90.0)
    assert web.proxy.tunnel_timeout_s == 7200.0
    probe = web.proxy.probe
    assert (probe.path, probe.interval_s, probe.timeout_s) == ("/up", 0.5, 1.0)
    assert (probe.rise, probe.fall) == (2, 3)
    assert web.before.command == ("python", "manage.py", "do it")
    assert (web.before.timeout_s, web.before.undo) == (60.0, ("./undo",))


def test_dependencies_and_health(tmp_path: Path) -> None:
    project = understood(
        tmp_path,
        """
        services:
          web:
            image: app:1
            depends_on:
              db: {condition: service_healthy}
              job: {condition: service_completed_successfully}
              cache: {condition: service_started, required: false}
            healthcheck: {test: curl -f localhost, interval: 2s, start_period: 1m, retries: 4}
          db: {image: "postgres:17", healthcheck: {disable: true}}
          job: {image: job:1}
          cache: {image: redis, profiles: [extra]}
        """,
    )
    web = service(project)
    assert {(one.service, one.condition) for one in web.depends_on} == {
        ("db", DependencyCondition.HEALTHY),
        ("job", DependencyCondition.COMPLETED),
    }
    assert all(isinstance(one, Dependency) for one in web.depends_on)
    assert web.health == HealthSpec(("CMD-SHELL", "curl -f localhost"), 2.0, 0.0, 4, 60.0)
    assert service(project, "db").health == HealthSpec(("NONE",))
    assert service(project, "db").strategy is Strategy.RECREATE
    job = service(project, "job")
    assert job.runs_once
    assert engine(project, "job")["HostConfig"]["RestartPolicy"]["Name"] == "no"


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
