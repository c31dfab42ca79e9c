"""Devices by name, ranges of ports, and a service's networks, in the words of the engine."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.unit.compose.project import remarks, service, understood
from underway.compose.sources import Understood
from underway.errors import ConfigurationError
from underway.model.names import NetworkName
from underway.model.spec import Attachment, Dependency, PortSpec, Strategy


def host_config(project: Understood) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(service(project).engine)["HostConfig"]
    return found


def test_gpus_and_named_devices_are_requested(tmp_path: Path) -> None:
    project = understood(
        tmp_path,
        """
        services:
          web:
            image: app:1
            gpus: [{driver: nvidia, device_ids: ["3"], capabilities: [utility]}]
            devices: ["vendor.com/net=eth1", "/dev/null"]
            deploy: {resources: {reservations: {devices: [{capabilities: [tpu], count: 2}]}}}
        """,
    )
    requests = host_config(project)["DeviceRequests"]
    assert [(r["Driver"], r.get("Capabilities"), r["DeviceIDs"]) for r in requests] == [
        ("", [["tpu"]], []),
        ("nvidia", [["gpu", "utility"]], ["3"]),
        ("cdi", None, ["vendor.com/net=eth1"]),
    ]
    assert [device["PathOnHost"] for device in host_config(project)["Devices"]] == ["/dev/null"]


def test_all_gpus_are_one_request(tmp_path: Path) -> None:
    project = understood(tmp_path, "services: {web: {image: 'app:1', gpus: all}}\n")
    (request,) = host_config(project)["DeviceRequests"]
    assert (request["Count"], request["Capabilities"]) == (-1, [["gpu"]])


def test_a_range_of_host_ports_overlaps_where_it_has_room(tmp_path: Path) -> None:
    project = understood(
        tmp_path,
        """
        services:
          web:
            image: app:1
            deploy: {replicas: 2}
            ports: ["127.0.0.1:8100-8102:80"]
        """,
    )
    web = service(project)
    (port,) = web.ports
    assert port == PortSpec(80, 8100, host_address="127.0.0.1", last_host_port=8102)
    assert (port.fixed_port, list(port.host_ports)) == (0, [8100, 8101, 8102])
    assert web.strategy is Strategy.ROLLING


def test_a_narrow_range_is_enough_for_replicas_that_stop_first(tmp_path: Path) -> None:
    text = """
        services:
          web:
            image: app:1
            deploy: {replicas: 2, update_config: {order: ORDER}}
            ports: ["127.0.0.1:8100-8101:80"]
    """
    assert understood(tmp_path, text.replace("ORDER", "stop-first"))
    with pytest.raises(ConfigurationError) as caught:
        understood(tmp_path, text.replace("ORDER", "start-first"))
    assert caught.value.code == "port-range"


def test_the_network_with_the_highest_priority_is_the_main_one(tmp_path: Path) -> None:
    project = understood(
        tmp_path,
        """
        services:
          web: {image: 'app:1', networks: {a: {aliases: [x]}, b: , c: {priority: 5}}}
        networks: {a: , b: , c: {ipam: {config: [{subnet: 10.9.0.0/24, gateway: 10.9.0.9}]}}}
        """,
    )
    assert service(project).networks == (
        Attachment(NetworkName("c")),
        Attachment(NetworkName("a"), ("x",)),
        Attachment(NetworkName("b")),
    )
    gateways = {network.name: network.gateway for network in project.spec.networks}
    assert gateways == {"a": "", "b": "", "c": "10.9.0.9"}


def test_a_link_is_a_dependency_and_nothing_else(tmp_path: Path) -> None:
    project = understood(
        tmp_path, "services: {web: {image: 'app:1', links: [db]}, db: {image: 'x:1'}}\n"
    )
    assert service(project).depends_on == (Dependency(service(project, "db").name),)
    assert not remarks(project, "no-effect")


def test_keys_of_a_swarm_are_noted_with_their_lines(tmp_path: Path) -> None:
    project = understood(
        tmp_path,
        """
        services:
          web:
            image: app:1
            depends_on: {db: {condition: service_started, restart: true}}
            deploy: {resources: {reservations: {cpus: "0.5"}}}
            ports:
              - {target: 80, mode: host, name: web}
          db: {image: "x:1"}
        """,
    )
    noted = {text.split("`")[1] for text in remarks(project, "no-effect")}
    assert noted == {"restart", "cpus", "mode", "name"}
    places = {r.place for r in project.spec.remarks if "`mode`" in r.message}
    assert places == {"compose.yaml:7"}


def test_a_service_is_the_same_after_it_was_recorded(tmp_path: Path) -> None:
    """As text too: that is what its generation is a hash of."""
    project = understood(
        tmp_path,
        """
        services:
          web: {image: 'app:1', healthcheck: {disable: true}, ports: ["127.0.0.1:8100-8102:80"]}
        """,
    )
    before = service(project)
    after = msgspec.json.decode(msgspec.json.encode(before), type=type(before))
    assert json.dumps(asdict(after)) == json.dumps(asdict(before))
