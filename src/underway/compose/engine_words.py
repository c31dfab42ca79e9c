"""Compose's keys in the words of the Engine API: the `engine` fragment of a service.

Follows the Engine API's ContainerCreate (v1.41 and later): `Config` and `HostConfig`.
"""

import json
from collections.abc import Callable
from typing import Any, Final

from underway.compose.canonical import Tree, list_of, mapping_of, text_of
from underway.compose.engine_limits import is_cdi, limits_of
from underway.compose.notebook import Notebook, refuse
from underway.compose.quantities import size_bytes

Converter = Callable[[Any], Any]


def _exposed(port: object) -> str:
    text = text_of(port)
    return text if "/" in text else f"{text}/tcp"


def _device(entry: object) -> dict[str, str] | None:
    """A device by its path; None for one that has a name of the Container Device Interface."""
    if isinstance(entry, str):
        source, _, rest = entry.partition(":")
        target, _, permissions = rest.partition(":")
    else:
        device = mapping_of(entry)
        source = str(device["source"])
        target, permissions = str(device.get("target", "")), str(device.get("permissions", ""))
    if is_cdi(source):
        return None
    return {
        "PathOnHost": source,
        "PathInContainer": target or source,
        "CgroupPermissions": permissions or "rwm",
    }


def _log_config(value: object) -> dict[str, Any]:
    logging = mapping_of(value)
    return {"Type": text_of(logging.get("driver")), "Config": _texts(logging.get("options"))}


def _texts(value: object) -> dict[str, str]:
    return {key: text_of(entry) for key, entry in sorted(mapping_of(value).items())}


def _tmpfs(entry: object) -> tuple[str, str]:
    path, _, options = str(entry).partition(":")
    return path, options


def _ulimits(value: object) -> list[dict[str, Any]]:
    ulimits = []
    for name, limit in sorted(mapping_of(value).items()):
        bounds = mapping_of(limit) or {"soft": limit, "hard": limit}
        ulimits.append({"Name": name, "Soft": int(bounds["soft"]), "Hard": int(bounds["hard"])})
    return ulimits


_CONFIG: Final[dict[str, tuple[str, Converter]]] = {
    "command": ("Cmd", lambda value: [text_of(word) for word in list_of(value)]),
    "domainname": ("Domainname", text_of),
    "entrypoint": ("Entrypoint", lambda value: [text_of(word) for word in list_of(value)]),
    "expose": ("ExposedPorts", lambda value: {_exposed(port): {} for port in list_of(value)}),
    "hostname": ("Hostname", text_of),
    "stdin_open": ("OpenStdin", bool),
    "stop_signal": ("StopSignal", text_of),
    "tty": ("Tty", bool),
    "user": ("User", text_of),
    "working_dir": ("WorkingDir", text_of),
}

_HOST_CONFIG: Final[dict[str, tuple[str, Converter]]] = {
    "annotations": ("Annotations", _texts),
    "cap_add": ("CapAdd", lambda value: sorted(list_of(value))),
    "cap_drop": ("CapDrop", lambda value: sorted(list_of(value))),
    "cgroup": ("CgroupnsMode", text_of),
    "cgroup_parent": ("CgroupParent", text_of),
    "device_cgroup_rules": ("DeviceCgroupRules", list_of),
    "devices": ("Devices", lambda value: [*filter(None, map(_device, list_of(value)))]),
    "dns": ("Dns", list_of),
    "dns_opt": ("DnsOptions", list_of),
    "dns_search": ("DnsSearch", list_of),
    "group_add": ("GroupAdd", lambda value: [text_of(group) for group in list_of(value)]),
    "init": ("Init", bool),
    "ipc": ("IpcMode", text_of),
    "logging": ("LogConfig", _log_config),
    "oom_kill_disable": ("OomKillDisable", bool),
    "oom_score_adj": ("OomScoreAdj", int),
    "pid": ("PidMode", text_of),
    "privileged": ("Privileged", bool),
    "read_only": ("ReadonlyRootfs", bool),
    "runtime": ("Runtime", text_of),
    "security_opt": ("SecurityOpt", list_of),
    "shm_size": ("ShmSize", size_bytes),
    "storage_opt": ("StorageOpt", _texts),
    "sysctls": ("Sysctls", _texts),
    "tmpfs": ("Tmpfs", lambda value: dict(_tmpfs(entry) for entry in list_of(value))),
    "ulimits": ("Ulimits", _ulimits),
    "userns_mode": ("UsernsMode", text_of),
    "uts": ("UTSMode", text_of),
}

ENGINE_KEYS: Final = frozenset({*_CONFIG, *_HOST_CONFIG})


def engine_fragment(service: Tree, name: str, notebook: Notebook, *, runs_once: bool) -> str:
    """Canonical JSON `{"Config": {...}, "HostConfig": {...}}` of all that has no field of its own.

    An empty `command` or `entrypoint` stays: it takes the image's away.
    """
    config = _translated(service, _CONFIG, name, notebook)
    host_config = _translated(service, _HOST_CONFIG, name, notebook)
    host_config |= limits_of(service, name, notebook)
    host_config["RestartPolicy"] = _restart_policy(service, name, notebook, runs_once=runs_once)
    mode = service.get("network_mode")
    if mode:
        host_config["NetworkMode"] = mode
    return json.dumps(
        {"Config": config, "HostConfig": host_config}, sort_keys=True, separators=(",", ":")
    )


def _translated(
    service: Tree, table: dict[str, tuple[str, Converter]], name: str, notebook: Notebook
) -> dict[str, Any]:
    words: dict[str, Any] = {}
    for key, (word, convert) in table.items():
        value = service.get(key)
        if value is None:
            continue
        try:
            words[word] = convert(value)
        except (ValueError, TypeError, KeyError) as error:
            refuse(
                "key-invalid",
                f"`{key}` of service `{name}` cannot be understood",
                cause=str(error),
                place=notebook.place("services", name, key),
                hint="Write it as Compose's reference shows it.",
            )
    return words


def _restart_policy(
    service: Tree, name: str, notebook: Notebook, *, runs_once: bool
) -> dict[str, Any]:
    """`restart`, else `deploy.restart_policy`, else what suits: staying up, or running once."""
    written = service.get("restart")
    if written is not None:
        policy, _, count = str(written).partition(":")
        return _policy(policy, int(count or 0))
    swarm = mapping_of(mapping_of(service.get("deploy")).get("restart_policy"))
    if swarm:
        condition = str(swarm.get("condition", "any"))
        attempts = int(swarm.get("max_attempts") or 0)
        words = {"none": "no", "on-failure": "on-failure", "any": "unless-stopped"}
        name_of_policy = words.get(condition, condition)
        return _policy(name_of_policy, attempts if condition == "on-failure" else 0)
    if runs_once:
        return _policy("no", 0)
    notebook.remark(
        "restart-default",
        f"service `{name}` has no `restart`: it restarts unless stopped",
        notebook.place("services", name),
    )
    return _policy("unless-stopped", 0)


def _policy(name: str, count: int) -> dict[str, Any]:
    return {"Name": name, "MaximumRetryCount": count}
