"""The Engine API's JSON understood as the values of `underway.model.snapshot`. Pure."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from underway.model.image import ImageState
from underway.model.names import ContainerName
from underway.model.snapshot import (
    ContainerState,
    ContainerStatus,
    EngineFacts,
    Health,
    NetworkState,
    VolumeState,
)
from underway.model.usage import UsageSample

_EXIT: Final = re.compile(r"^(?:Exited|Restarting) \((\d+)\)")
_NEVER: Final = "0001-01-01T00:00:00Z"


def listed_container(entry: Mapping[str, Any]) -> ContainerState:
    """One entry of the container list; restarts and start time are known by inspection only."""
    status_text = str(entry.get("Status", ""))
    ended = _EXIT.match(status_text)
    return ContainerState(
        id=entry["Id"],
        name=_own_name(entry),
        image_id=entry.get("ImageID", ""),
        status=ContainerStatus(entry["State"]),
        labels=_pairs(entry.get("Labels")),
        health=_health_in(status_text),
        exit_code=int(ended[1]) if ended else 0,
        published=_published_list(entry.get("Ports")),
        addresses=_addresses(entry),
        volumes=_volumes(entry),
        read_volumes=_read_volumes(entry),
    )


def inspected_container(body: Mapping[str, Any]) -> ContainerState:
    """One container as inspection tells it."""
    state = body["State"]
    started = str(state.get("StartedAt", ""))
    health = (state.get("Health") or {}).get("Status", "") or Health.NONE
    return ContainerState(
        id=body["Id"],
        name=ContainerName(body["Name"].lstrip("/")),
        image_id=body.get("Image", ""),
        status=ContainerStatus(state["Status"]),
        labels=_pairs((body.get("Config") or {}).get("Labels")),
        health=Health(health),
        exit_code=int(state.get("ExitCode", 0)),
        restart_count=int(body.get("RestartCount", 0)),
        started_at="" if started == _NEVER else started,
        published=_published_map((body.get("NetworkSettings") or {}).get("Ports"))
        or _published_map((body.get("HostConfig") or {}).get("PortBindings")),
        addresses=_addresses(body),
        volumes=_volumes(body),
        read_volumes=_read_volumes(body),
        restart=_restart((body.get("HostConfig") or {}).get("RestartPolicy") or {}),
        reference=(body.get("Config") or {}).get("Image", ""),
    )


def listed_image(entry: Mapping[str, Any]) -> ImageState:
    """One entry of the image list; ports, health check and platform need inspection."""
    created = datetime.fromtimestamp(int(entry.get("Created", 0)), UTC)
    return ImageState(
        id=entry["Id"],
        repo_tags=_references(entry.get("RepoTags")),
        repo_digests=_references(entry.get("RepoDigests")),
        labels=_pairs(entry.get("Labels")),
        size_bytes=int(entry.get("Size", 0)),
        created_at=created.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def inspected_image(body: Mapping[str, Any]) -> ImageState:
    """One image as inspection tells it."""
    config = body.get("Config") or {}
    ports = {int(port.partition("/")[0]) for port in config.get("ExposedPorts") or {}}
    test = (config.get("Healthcheck") or {}).get("Test") or ["NONE"]
    return ImageState(
        id=body["Id"],
        repo_tags=_references(body.get("RepoTags")),
        repo_digests=_references(body.get("RepoDigests")),
        labels=_pairs(config.get("Labels")),
        size_bytes=int(body.get("Size", 0)),
        created_at=str(body.get("Created", "")),
        exposed_ports=tuple(sorted(ports)),
        has_healthcheck=test[0] != "NONE",
        architecture=str(body.get("Architecture", "")),
    )


def network_state(entry: Mapping[str, Any]) -> NetworkState:
    """One network."""
    configs = (entry.get("IPAM") or {}).get("Config") or []
    subnets = sorted(config["Subnet"] for config in configs if config.get("Subnet"))
    return NetworkState(entry["Name"], tuple(subnets), _pairs(entry.get("Labels")))


def volume_state(entry: Mapping[str, Any]) -> VolumeState:
    """One volume."""
    return VolumeState(
        name=entry["Name"],
        driver=entry.get("Driver", "local"),
        labels=_pairs(entry.get("Labels")),
        options=_pairs(entry.get("Options")),
    )


def usage_sample(body: Mapping[str, Any]) -> UsageSample | None:
    """One answer of the statistics; None where no container runs that could be measured."""
    read = str(body.get("read", _NEVER))
    memory = body.get("memory_stats") or {}
    if read.startswith("0001") or "usage" not in memory:
        return None
    details = memory.get("stats") or {}
    # What the kernel gives back when memory is short is not in use: cgroup v1, then v2.
    cache = details.get("total_inactive_file", details.get("inactive_file", 0))
    networks = (body.get("networks") or {}).values()
    return UsageSample(
        taken_at=datetime.fromisoformat(read).timestamp(),
        cpu_s=body["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9,
        memory_bytes=max(memory["usage"] - cache, 0),
        memory_limit_bytes=int(memory.get("limit") or 0),
        received_bytes=sum(n["rx_bytes"] for n in networks) if networks else None,
        sent_bytes=sum(n["tx_bytes"] for n in networks) if networks else None,
        processes=int((body.get("pids_stats") or {}).get("current") or 0),
    )


def engine_facts(version: Mapping[str, Any], info: Mapping[str, Any], api: str) -> EngineFacts:
    """What `/version` and `/info` say, with the API version that was agreed on."""
    security = " ".join(info.get("SecurityOptions") or [])
    driver = dict(pair for pair in info.get("DriverStatus") or [] if len(pair) == 2)  # noqa: PLR2004
    return EngineFacts(
        version=version["Version"],
        api_version=api,
        os=version.get("Os", "linux"),
        architecture=version.get("Arch", ""),
        is_rootless="name=rootless" in security,
        has_userns="name=userns" in security,
        has_live_restore=bool(info.get("LiveRestoreEnabled")),
        uses_containerd_store="io.containerd.snapshotter" in driver.get("driver-type", ""),
        clock=info.get("SystemTime", ""),
        root_dir=info.get("DockerRootDir", ""),
        id=info.get("ID", ""),
    )


def _restart(policy: Mapping[str, Any]) -> str:
    count = int(policy.get("MaximumRetryCount") or 0)
    name = str(policy.get("Name") or "no")
    return f"{name}:{count}" if count else name


def _own_name(entry: Mapping[str, Any]) -> ContainerName:
    """A linked container carries `/other/alias` too; one being removed may have lost its name."""
    names = [name.lstrip("/") for name in entry.get("Names") or []]
    own = [name for name in names if "/" not in name]
    return ContainerName(own[0] if own else entry["Id"])


def _health_in(status_text: str) -> Health:
    if "(healthy)" in status_text:
        return Health.HEALTHY
    if "(unhealthy)" in status_text:
        return Health.UNHEALTHY
    if "(health: starting)" in status_text:
        return Health.STARTING
    return Health.NONE


def _published_list(ports: list[dict[str, Any]] | None) -> tuple[tuple[str, int], ...]:
    held = {
        (port.get("IP", ""), int(port["PublicPort"]))
        for port in ports or []
        if port.get("PublicPort")
    }
    return tuple(sorted(held))


def _published_map(ports: Mapping[str, Any] | None) -> tuple[tuple[str, int], ...]:
    held = {
        (binding.get("HostIp", ""), int(binding["HostPort"]))
        for bindings in (ports or {}).values()
        for binding in bindings or []
        if binding.get("HostPort")
    }
    return tuple(sorted(held))


def _addresses(body: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Stopped containers hold none, but a pinned address stays theirs."""
    networks = (body.get("NetworkSettings") or {}).get("Networks") or {}
    found = []
    for name, settings in networks.items():
        pinned = (settings.get("IPAMConfig") or {}).get("IPv4Address", "")
        address = settings.get("IPAddress") or pinned
        if address:
            found.append((name, address))
    return tuple(sorted(found))


def _volumes(body: Mapping[str, Any]) -> tuple[str, ...]:
    mounts = body.get("Mounts") or []
    return tuple(sorted({m["Name"] for m in mounts if m.get("Type") == "volume" and m.get("Name")}))


def _read_volumes(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Those that no mount of the container makes writable."""
    mounts = [m for m in body.get("Mounts") or [] if m.get("Type") == "volume"]
    written = {m.get("Name") for m in mounts if m.get("RW", True)}
    return tuple(name for name in _volumes(body) if name not in written)


def _pairs(mapping: Mapping[str, str] | None) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((mapping or {}).items()))


def _references(found: list[str] | None) -> tuple[str, ...]:
    return tuple(sorted(name for name in found or [] if "<none>" not in name))
