"""Network and volume calls of one engine."""

import ipaddress
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from underway.adapters.engine.connection import Call, Connection
from underway.adapters.engine.states import network_state, volume_state
from underway.errors import EngineError
from underway.model.snapshot import NetworkState, VolumeState
from underway.model.spec import NetworkSpec, VolumeSpec

_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
_NETWORK_S: Final = 60.0
_SMALLEST_SPLIT: Final = 64


class NetworkCalls:
    """All network calls of one engine."""

    def __init__(self, connection: Connection) -> None:
        """Use `connection`."""
        self._connection = connection

    def all(self) -> tuple[NetworkState, ...]:
        """See `ports.Engine.networks`."""
        entries = self._connection.read("/networks", "list networks")
        return tuple(sorted(map(network_state, entries), key=lambda network: network.name))

    def create(self, network: NetworkSpec, labels: Mapping[str, str]) -> None:
        """See `ports.Engine.create_network`."""
        body: dict[str, Any] = {
            "Name": network.physical,
            "CheckDuplicate": True,
            "Driver": network.driver,
            "Internal": network.is_internal,
            "Attachable": network.driver == "overlay",
            "Options": dict(network.driver_opts),
            "Labels": {**dict(network.labels), **labels},
        }
        if network.subnet:
            body["IPAM"] = {"Driver": "default", "Config": [_addresses(network)]}
        what = f"create network {network.physical}"
        try:
            self._connection.send(
                Call("POST", "/networks/create", what, body=body, timeout_s=_NETWORK_S)
            )
        except EngineError as error:
            if error.status != _CONFLICT or "already exists" not in error.message:
                raise

    def remove(self, name: str) -> None:
        """See `ports.Engine.remove_network`."""
        path = f"/networks/{quote(name, safe='')}"
        call = Call("DELETE", path, f"remove network {name}", timeout_s=_NETWORK_S)
        _ignore_missing(self._connection, call)


def _addresses(wish: NetworkSpec) -> dict[str, str]:
    """The subnet as the engine takes it: it hands out the upper half, the lower is for pinning."""
    network = ipaddress.ip_network(wish.subnet)
    told = {"Subnet": wish.subnet} | ({"Gateway": wish.gateway} if wish.gateway else {})
    if network.version != 4 or network.num_addresses < _SMALLEST_SPLIT:  # noqa: PLR2004
        return told
    upper = list(network.subnets(prefixlen_diff=1))[1]
    return {"Gateway": str(network.network_address + 1), **told, "IPRange": str(upper)}


class VolumeCalls:
    """All volume calls of one engine."""

    def __init__(self, connection: Connection) -> None:
        """Use `connection`."""
        self._connection = connection

    def all(self) -> tuple[VolumeState, ...]:
        """See `ports.Engine.volumes`."""
        body = self._connection.read("/volumes", "list volumes")
        entries = body.get("Volumes") or []
        return tuple(sorted(map(volume_state, entries), key=lambda volume: volume.name))

    def create(self, volume: VolumeSpec, labels: Mapping[str, str]) -> None:
        """See `ports.Engine.create_volume`."""
        body = {
            "Name": volume.physical,
            "Driver": volume.driver,
            "DriverOpts": dict(volume.driver_opts),
            "Labels": {**dict(volume.labels), **labels},
        }
        what = f"create volume {volume.physical}"
        self._connection.send(Call("POST", "/volumes/create", what, body=body))

    def remove(self, name: str) -> None:
        """See `ports.Engine.remove_volume`."""
        path = f"/volumes/{quote(name, safe='')}"
        _ignore_missing(self._connection, Call("DELETE", path, f"remove volume {name}"))


def _ignore_missing(connection: Connection, call: Call) -> None:
    try:
        connection.send(call)
    except EngineError as error:
        if error.status != _NOT_FOUND:
            raise
