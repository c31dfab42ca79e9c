"""Compose's keys arrive in the words of the engine and of the domain."""

import json
from pathlib import Path
from typing import Any

from tests.unit.compose.project import remarks, service, understood
from underway.compose.sources import Understood
from underway.model.names import LOCAL_HOST
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
