"""Memory, processors, block devices and device requests in the words of `HostConfig`."""

from collections.abc import Mapping
from typing import Any, Final

from underway.compose.canonical import Tree, list_of, mapping_of
from underway.compose.notebook import Notebook, refuse
from underway.compose.quantities import duration_s, size_bytes

_NANO: Final = 1_000_000_000
_SIZES: Final = {
    "mem_limit": "Memory",
    "mem_reservation": "MemoryReservation",
    "memswap_limit": "MemorySwap",
}
_NUMBERS: Final = {
    "cpu_quota": "CpuQuota",
    "cpu_shares": "CpuShares",
    "mem_swappiness": "MemorySwappiness",
    "pids_limit": "PidsLimit",
}
_MICROSECONDS: Final = {
    "cpu_period": "CpuPeriod",
    "cpu_rt_period": "CpuRealtimePeriod",
    "cpu_rt_runtime": "CpuRealtimeRuntime",
}
_BLOCK_RATES: Final = {
    "device_read_bps": "BlkioDeviceReadBps",
    "device_read_iops": "BlkioDeviceReadIOps",
    "device_write_bps": "BlkioDeviceWriteBps",
    "device_write_iops": "BlkioDeviceWriteIOps",
}

LIMIT_KEYS: Final = frozenset(
    {*_SIZES, *_NUMBERS, *_MICROSECONDS, "cpus", "cpuset", "blkio_config", "gpus"}
)


def limits_of(service: Tree, name: str, notebook: Notebook) -> dict[str, Any]:
    """The limits of a service: its own keys first, `deploy.resources` where they are silent."""
    try:
        words = _from_resources(mapping_of(mapping_of(service.get("deploy")).get("resources")))
        words |= _from_keys(service)
        requests = [*words.get("DeviceRequests", []), *_gpus(service), *_named_devices(service)]
        if requests:
            words["DeviceRequests"] = requests
    except (ValueError, TypeError, KeyError) as error:
        refuse(
            "key-invalid",
            f"a limit of service `{name}` cannot be understood",
            cause=str(error),
            place=notebook.place("services", name),
            hint="Write sizes such as `512m`, processors such as `0.5`.",
        )
    return words


def _from_keys(service: Tree) -> dict[str, Any]:
    words: dict[str, Any] = {}
    for key, word in _SIZES.items():
        if service.get(key) is not None:
            words[word] = size_bytes(service[key])
    for key, word in _NUMBERS.items():
        if service.get(key) is not None:
            words[word] = int(float(service[key]))
    for key, word in _MICROSECONDS.items():
        if service.get(key) is not None:
            words[word] = _microseconds(service[key])
    if service.get("cpus") is not None:
        words["NanoCpus"] = round(float(service["cpus"]) * _NANO)
    if service.get("cpuset") is not None:
        words["CpusetCpus"] = str(service["cpuset"])
    return words | _block_io(mapping_of(service.get("blkio_config")))


def _from_resources(resources: Mapping[str, Any]) -> dict[str, Any]:
    words: dict[str, Any] = {}
    limits = mapping_of(resources.get("limits"))
    reservations = mapping_of(resources.get("reservations"))
    if limits.get("cpus") is not None:
        words["NanoCpus"] = round(float(limits["cpus"]) * _NANO)
    if limits.get("memory") is not None:
        words["Memory"] = size_bytes(limits["memory"])
    if limits.get("pids") is not None:
        words["PidsLimit"] = int(limits["pids"])
    if reservations.get("memory") is not None:
        words["MemoryReservation"] = size_bytes(reservations["memory"])
    devices = list_of(reservations.get("devices"))
    if devices:
        words["DeviceRequests"] = [_device_request(mapping_of(entry)) for entry in devices]
    return words


def _gpus(service: Tree) -> list[dict[str, Any]]:
    """`gpus` is a device request whose capabilities need not be told."""
    entries = list_of(service.get("gpus"))
    return [
        _device_request({**mapping_of(entry), "capabilities": ["gpu", *_told(entry)]})
        for entry in entries
    ]


def _told(gpu: object) -> list[str]:
    return [c for c in list_of(mapping_of(gpu).get("capabilities")) if c != "gpu"]


def _named_devices(service: Tree) -> list[dict[str, Any]]:
    """Devices that the host's Container Device Interface knows by name: `vendor.com/gpu=0`."""
    ids = [source for entry in list_of(service.get("devices")) if is_cdi(source := _source(entry))]
    return [{"Driver": "cdi", "DeviceIDs": ids}] if ids else []


def is_cdi(device: str) -> bool:
    """Whether a device is named as the Container Device Interface does, not by its path."""
    return not device.startswith("/") and "/" in device and "=" in device


def _source(device: object) -> str:
    if isinstance(device, str):
        return device.partition(":")[0]
    return str(mapping_of(device).get("source", ""))


def _device_request(entry: Mapping[str, Any]) -> dict[str, Any]:
    ids = [str(device) for device in list_of(entry.get("device_ids"))]
    count = entry.get("count", 0 if ids else -1)
    return {
        "Capabilities": [[str(capability) for capability in list_of(entry.get("capabilities"))]],
        "Count": -1 if count == "all" else int(count),
        "DeviceIDs": ids,
        "Driver": str(entry.get("driver", "")),
        "Options": {key: str(value) for key, value in mapping_of(entry.get("options")).items()},
    }


def _block_io(block: Mapping[str, Any]) -> dict[str, Any]:
    words: dict[str, Any] = {}
    if block.get("weight") is not None:
        words["BlkioWeight"] = int(block["weight"])
    if block.get("weight_device"):
        words["BlkioWeightDevice"] = [
            {"Path": str(entry["path"]), "Weight": int(entry["weight"])}
            for entry in block["weight_device"]
        ]
    for key, word in _BLOCK_RATES.items():
        if block.get(key):
            words[word] = [
                {"Path": str(entry["path"]), "Rate": size_bytes(entry["rate"])}
                for entry in block[key]
            ]
    return words


def _microseconds(value: object) -> int:
    text = str(value)
    return int(text) if text.isdigit() else round(duration_s(text) * 1_000_000)
